"""What is said before the long work: the probe and its verdict, room on disk and in memory, what an engine refuses."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pyarrow as pa
import pytest

from factory import preflight
from factory.bases.tiny_llama import tiny_llama
from factory.cluster import connected
from factory.errors import ConfigError
from factory.files import shards, write_json, write_table
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.run import Run
from factory.sampling.probe import ColdStart, Probe, draw, read, refuse_cold_start
from factory.stages import Stages
from schemas import QUESTIONS, ROLLOUTS
from tests.support.generation import attempt, rollout, said
from tests.support.loop import SMALL


def recipe(*overrides: str) -> Recipe:
    return load_recipe("star_arithmetic", [*SMALL, *overrides])


def question(number: int) -> dict[str, Any]:
    row = {"question_id": f"q{number}", "corpus": "c", "split": "train", "question": f"{number}+1", "answer": "1"}
    return dict.fromkeys(QUESTIONS.names) | row


def test_the_probe_is_drawn_by_seed_from_all_shards(tmp_path: Path) -> None:
    for shard in range(5):
        rows = [question(shard * 20 + i) for i in range(20)]
        write_table(tmp_path / "train" / f"{shard:05}.parquet", pa.Table.from_pylist(rows, schema=QUESTIONS))
    drawn = {}
    for name, count, seed in (("one", 32, 0), ("again", 32, 0), ("other", 32, 1), ("all", 1000, 0)):
        draw(tmp_path / "train", tmp_path / name, count, seed)
        drawn[name] = pl.read_parquet(shards(tmp_path / name))["question_id"].to_list()
    assert drawn["one"] == drawn["again"] != drawn["other"]
    assert len(set(drawn["one"])) == 32
    assert {int(name[1:]) // 20 for name in drawn["one"]} == set(range(5))
    assert len(drawn["all"]) == 100


def test_the_probe_counts_unhinted_attempts(tmp_path: Path) -> None:
    context = said("1+1?")
    verdicts = [
        ("q1", True, ["correct", "wrong"], None),
        ("q2", False, ["wrong", "truncated"], "correct"),
        ("q3", False, ["unparseable", "error"], "wrong"),
    ]
    rows = []
    for key, solved, plain, hinted in verdicts:
        attempts = [attempt(f"{key}/{i}", context, verdict) for i, verdict in enumerate(plain)]
        attempts += [attempt(f"{key}/h", context, hinted, hinted=True)] if hinted else []
        rows.append(rollout(key, "1+1?", "2", attempts, solved, None))
    write_table(tmp_path / "00000.parquet", pa.Table.from_pylist(rows, schema=ROLLOUTS))
    found = read(tmp_path)
    counts = (found.questions, found.solved, found.hinted, found.attempts)
    shares = (found.pass_rate, found.truncated, found.unparseable, found.errors)
    assert counts == (3, 1, 1, 6)
    assert shares == pytest.approx((1 / 5, 1 / 6, 1 / 6, 1 / 6))
    assert str(found) == (
        "1/3 questions solved, 1 more under the hint; of the unhinted attempts 20% correct, 17% truncated, "
        "17% unparseable, 17% errors"
    )


@pytest.mark.parametrize(
    ("overrides", "shares", "said", "unsaid"),
    [
        ((), (0.0, 0.0, 0.0), ["few-shot", "teacher", "easier", "go_on=true"], ["seed rationales", "max_tokens"]),
        (("warmup.steps=0",), (0.0, 0.0, 0.0), ["seed rationales"], []),
        ((), (0.9, 0.0, 0.0), ["max_tokens"], ["no answer"]),
        ((), (0.0, 0.9, 0.0), ["no answer that 'Exact' reads"], ["max_tokens"]),
        ((), (0.0, 0.0, 0.9), ["errors, not wrong answers"], ["max_tokens"]),
        (("prompt.exemplars=recipes/exemplars/svamp.yaml",), (0.0, 0.0, 0.0), ["teacher"], ["few-shot"]),
    ],
)
def test_a_cold_start_says_what_can_be_done(
    overrides: tuple[str, ...], shares: tuple[float, float, float], said: list[str], unsaid: list[str]
) -> None:
    with pytest.raises(ColdStart) as stopped:
        refuse_cold_start(Probe(32, 0, 5, 32, 0.0, *shares), recipe(*overrides))
    assert all(text in str(stopped.value) for text in said)
    assert not any(text in str(stopped.value) for text in unsaid)


def test_one_solved_question_or_the_users_word_is_enough() -> None:
    refuse_cold_start(Probe(32, 1, 0, 32, 0.03, 0, 0, 0), recipe())
    refuse_cold_start(Probe(32, 0, 0, 32, 0, 0, 0, 0), recipe("preflight.go_on=true"))


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_full_disk_and_a_small_memory_are_said_with_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path)
    run.base.mkdir()
    tiny_llama(run.base)
    told, problems = preflight.room(recipe(), run, 2)
    assert told.startswith("disk: 2 checkpoints need 9 MiB, tables, validation and publication of 2 generations 12 MiB")
    assert problems == []
    write_json(tmp_path / "records" / "questions.json", {"counts": {"train": 2**20}})
    told, _ = preflight.room(recipe(), run, 2)  # 2^20 questions, 3 attempts of 64 tokens, 2 bytes each, 4 times
    assert f"publication of 2 generations {2 * 3 * 64 * 2 * 4 / 2**10 + 12 / 2**10:.1f} GiB" in told
    monkeypatch.setattr("factory.preflight.shutil.disk_usage", lambda path: Usage(10**9, 10**9, 10**6))
    _, (disk,) = preflight.room(recipe(), run, 2)
    assert disk.startswith("disk: 2 checkpoints need 9 MiB")
    monkeypatch.undo()
    _, (memory,) = preflight.room(recipe("engine.kv_cache_gib=100000"), run, 2)
    assert memory.startswith("memory: an engine needs 100000.0 GiB, this machine has ")


def test_an_unfit_base_is_no_base_and_a_mended_one_is(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    tiny_llama(tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    pickled = weights.rename(weights.with_name("pytorch_model.bin"))
    base = f"base={{_component_: factory.bases.pretrained.pretrained, model: {tmp_path / 'model'}}}"
    run = Run(tmp_path / "run")
    stages = Stages(recipe(base, "warmup.steps=0", f"publish.registry={tmp_path}"), run)
    run.base.parent.mkdir()
    write_json(run.folder / "run.json", {"fingerprint": "f"})
    with pytest.raises(ConfigError, match=r"base pretrained: 1 problem\n  - the weights are in pytorch_model.bin, and"):
        stages.make_base()
    assert not run.base.exists()
    assert run.record("base") is None
    pickled.rename(weights)
    template = tmp_path / "model" / "chat_template.jinja"
    written = template.read_text()
    template.write_text("{% for message in messages if message.role != 'system' %}{{ message.content }}{% endfor %}")
    rows = [question(1), question(2) | {"system": "Count on your fingers."}]
    write_table(run.questions("eval") / "00000.parquet", pa.Table.from_pylist(rows, schema=QUESTIONS))
    with pytest.raises(ConfigError, match="a question's system text: the chat template leaves out or alters a message"):
        stages.make_base()
    template.write_text(written)
    stages.make_base()
    assert (run.record("base") or {})["strips_reasoning"] is False


def test_a_cold_start_stops_the_command_and_going_on_samples_nothing_again(tmp_path: Path) -> None:
    hopeless = "engine={_component_: factory.engines.scripted.Scripted, accuracy: 0.0, hinted_accuracy: 0.5}"
    settings = [*SMALL, hopeless, "warmup.steps=0", f"publish.registry={tmp_path / 'registry'}"]
    command = [
        sys.executable,
        "-m",
        "factory",
        "preflight",
        "star_arithmetic",
        "--run",
        str(tmp_path / "run"),
        *settings,
    ]

    def call(*more: str) -> tuple[int, str]:
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout + done.stderr

    code, said = call()
    assert code == 1, said
    assert "cold start: 0/32 questions solved" in said
    assert "Traceback" not in said
    (rollouts,) = shards(tmp_path / "run" / "probe" / "rollouts")
    written = rollouts.stat().st_mtime_ns
    code, said = call("preflight.go_on=true")
    assert code == 0, said
    assert "python -m factory iterate star_arithmetic" in said
    assert rollouts.stat().st_mtime_ns == written
    assert (Run(tmp_path / "run").record("probe") or {})["questions"] == 32


def test_a_teacher_that_is_not_reachable_stops_the_command_before_any_work(tmp_path: Path) -> None:
    server = "{_component_: factory.engines.openai.OpenAI, base_url: 'http://127.0.0.1:9/v1', served_model: big}"
    settings = ["strategy.turns=[{}, {by: teacher}]", f"teacher={{engine: {server}}}", "then=[]"]
    command = [sys.executable, "-m", "factory", "iterate", "rise_arithmetic", "--run", str(tmp_path / "run"), *settings]
    done = subprocess.run([*command, f"publish.registry={tmp_path / 'registry'}"], capture_output=True, text=True)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.splitlines()[1:] == [
        "  - teacher.engine.base_url: no server answers at http://127.0.0.1:9/v1; start one with: vllm serve big "
        "--generation-config vllm --port PORT"
    ]
    assert not (tmp_path / "run" / "records").exists()


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with connected():
        yield


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        (["strategy.turns=[{}, {by: teacher}]"], "teacher: is missing, and the strategy asks it"),
        (["then.0.strategy.turns=[{}, {by: teacher}]"], "then.0.teacher: is missing, and the strategy asks it"),
        (["teacher={engine: {_component_: factory.engines.vllm.VLLM}}"], "teacher.model: is missing"),
        (
            ["evaluation.strategy={_component_: factory.strategies.rise.rise, turns: [{by: teacher}]}"],
            "evaluation.strategy: asks the teacher",
        ),
        (
            ["teacher={engine: {_component_: factory.engines.vllm.VLLM, tensor_parallel_size: 2}, model: big}"],
            "teacher.engine.tensor_parallel_size=2: rollout.gpus_per_engine is 0",
        ),
        (
            ["finetune.overrides={}"],
            "finetune: torchtune's 'full_finetune_single_device' ignores weights; "
            "finetune.overrides.recipe=factory/tuning/weighted_full_single_device.py does not",
        ),
        (
            ["strategy={_component_: factory.strategies.star.star}", "then=[]", "curation.criterion=best"],
            "curation.criterion=best: goes by rewards, and 'factory.strategies.star.star' gives none",
        ),
        (["then.0.finetune.overrides.optimiser=3"], "then.0.finetune: no entry 'optimiser'; did you mean 'optimizer'?"),
    ],
)
def test_what_does_not_fit_together_is_said_once(tmp_path: Path, overrides: list[str], problem: str) -> None:
    recipe = load_recipe("rise_arithmetic", [*overrides, f"publish.registry={tmp_path}"])
    with pytest.raises(ConfigError) as refused:
        preflight.preflight(recipe, Run(tmp_path / "run"), ())
    (told,) = refused.value.problems
    assert told.startswith(problem)


@pytest.mark.usefixtures("cluster")
def test_what_a_phase_has_of_the_one_before_is_said_once(tmp_path: Path) -> None:
    wrong = "{finetune: {cpus: 100000}}"
    recipe = load_recipe("rise_arithmetic", [f"then=[{wrong}, {{generations: 2}}]", f"publish.registry={tmp_path}"])
    with pytest.raises(ConfigError) as refused:
        preflight.preflight(recipe, Run(tmp_path / "run"), ())
    (told,) = refused.value.problems
    assert told.startswith("then.0.finetune.cpus: needs 100000 CPU")


@pytest.mark.usefixtures("cluster")
def test_the_recipes_for_this_machine_fit_together(tmp_path: Path) -> None:
    for name in ("star_arithmetic", "rise_arithmetic", "star_then_rise_arithmetic"):
        recipe = load_recipe(name, [f"publish.registry={tmp_path}"])
        preflight.preflight(recipe, Run(tmp_path / "run"), ())
