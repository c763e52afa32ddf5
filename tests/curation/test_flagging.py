"""Questions that are flagged: once, before anything is sampled, in all generations, and with evidence."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from factory.errors import ConfigError, FactoryError
from factory.files import write_table
from factory.recipe.load import load_recipe
from factory.run import Run
from factory.stages import Stages
from schemas import ROLLOUTS
from tests.curation.test_curate import InProcess, attempt, rollout

ASKED = {
    "apples": "Ada has 3 boxes with 4 apples in each of them. How many apples does she have?",
    "again": "Ada has 3 boxes with 4 apples in each of them. How many apples does she have now?",
    "pears": "Ben buys 7 pears on Monday and twice as many on Friday. How many pears does he buy?",
    "figs": "Cleo picks 5 figs from one tree and 6 from the other. How many figs does she pick?",
    "hats": "How many hats are 2 and 3 hats?",
    "copy": "In spring Ben buys 7 pears on Monday and twice as many on Friday. How many pears does he buy then?",
}
TEST = "Dan buys 7 pears on Monday and twice as many on Friday. How many pears does he buy?"


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.data", InProcess())


def stages_of(folder: Path, *settings: str) -> Stages:
    """A run on :data:`ASKED`, with one more question to measure with."""
    rows = [{"id": key, "q": text, "a": "5", "s": "train"} for key, text in ASKED.items()]
    rows.append({"id": "measured", "q": "How many are 2 and 3?", "a": "5", "s": "eval"})
    for split in ("train", "eval"):
        lines = [json.dumps(row) for row in rows if row["s"] == split]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n")
    corpus = f"{{_component_: factory.corpora.table.table, path: {folder}, train: train.jsonl, eval: eval.jsonl, "
    recipe = load_recipe(
        "star_arithmetic",
        [
            f"corpus={corpus}columns: {{question: q, answer: a, id: id}}}}",
            *("warmup.steps=0", "curation.keep_seeds=false", "evaluation.reported_apart=[]", "rollout.shard_rows=2"),
            *("curation.checks=[]", f"publish.registry={folder / 'registry'}", *settings),
        ],
    )
    stages = Stages(recipe, Run.open(folder / "run", recipe))
    stages.snapshot()
    stages.flag_questions()
    return stages


def sampled(stages: Stages, n: int, texts: dict[str, str]) -> None:
    """Rollouts of one right attempt at every question."""
    questions = pl.read_parquet(stages.run.questions("train"))
    rows = []
    for key, text in questions.select("question_id", "question").iter_rows():
        made = attempt(f"{key}/{n}/s0t0", texts.get(key, "Two and three make 5."))
        made["context"] = [{"role": "user", "content": text}]
        rows.append(rollout(key, [made], None) | {"question": text, "generation": n, "pass_rate": 1.0})
    folder = stages.run.generation(n) / "rollouts"
    write_table(folder / "00000.parquet", pa.Table.from_pylist(rows, schema=ROLLOUTS))
    stages.run.finish("rollouts", {"outputs": stages.run.described(folder)}, 0.0, n)


def rejected(stages: Stages, n: int) -> dict[str, tuple[Any, ...]]:
    rows = pl.read_parquet(stages.run.generation(n) / "rejects").iter_rows(named=True)
    return {row["question_id"]: (row["reason"], row["repeats"], row["similarity"], row["shared"]) for row in rows}


def test_a_recipe_that_asks_for_nothing_flags_nothing(tmp_path: Path) -> None:
    stages = stages_of(tmp_path)
    assert stages.run.record("flags") is None
    assert not (tmp_path / "run" / "flags").exists()
    sampled(stages, 0, {})
    stages.curate(0)
    assert rejected(stages, 0) == {}
    assert "flags" not in str(stages.run.records(0)["curate"]["inputs"])


def test_a_near_duplicate_question_is_dropped_in_all_generations(tmp_path: Path) -> None:
    stages = stages_of(tmp_path, "curation.max_question_similarity=0.8")
    record = stages.run.record("flags")
    assert record is not None
    assert (record["sets"], record["flags"]) == ([], {"near_duplicate_question": 1})
    for n in range(2):
        sampled(stages, n, {})
        stages.curate(n)
        assert rejected(stages, n) == {"again": ("near_duplicate_question", "apples", pytest.approx(14 / 17), None)}
    assert {"flags/00000.parquet", "eval_sets/00000.parquet"} < stages.run.records(0)["curate"]["inputs"].keys()
    # a view with another limit has flags of its own, and the run keeps its
    other = load_recipe(str(tmp_path / "run" / "recipe.yaml"), ["curation.max_question_similarity=0.9"])
    assert Stages(other, stages.run).view(0, "wider")["rejects"] == {}
    assert rejected(stages, 1).keys() == {"again"}


def test_flags_that_were_changed_stop_curation(tmp_path: Path) -> None:
    stages = stages_of(tmp_path, "curation.max_question_similarity=0.8")
    path = tmp_path / "run" / "flags" / "00000.parquet"
    pl.read_parquet(path).clear().write_parquet(path)
    sampled(stages, 0, {})
    with pytest.raises(FactoryError, match=r"flags/00000.parquet was changed[\s\S]*flags.json"):
        stages.curate(0)


def test_what_is_most_of_a_test_question_is_dropped_with_evidence(tmp_path: Path) -> None:
    (tmp_path / "tests.csv").write_text(f'text,n\n"{TEST}",1\n')
    stages = stages_of(
        tmp_path,
        f"decontamination.sets=[{{path: {tmp_path / 'tests.csv'}, question: text}}]",
        "decontamination.eval_split=true",
    )
    record = stages.run.record("flags")
    assert record is not None
    assert [(one["name"], one["questions"]) for one in record["sets"]] == [("eval split", 1), ("tests.csv", 1)]
    assert record["flags"] == {"contaminated": 2}
    sampled(stages, 0, {"figs": f"It is like this: {TEST} He buys 21, so she picks 5."})
    stages.curate(0)
    shared = "buys 7 pears on monday and twice as many on friday how many pears does he buy"
    of = "tests.csv, line 2"
    assert rejected(stages, 0) == {
        "pears": ("contaminated", of, pytest.approx(10 / 11), shared),
        "copy": ("contaminated", of, pytest.approx(10 / 11), shared),
        "figs": ("contaminated", of, 1.0, f"dan {shared}"),
    }
    with pytest.raises(FactoryError) as refused:
        Stages(load_recipe(str(tmp_path / "run/recipe.yaml"), ["decontamination.max_share=0.4"]), stages.run).validate(
            0
        )
    assert "at most 0.4 of what could be kept is dropped as contaminated; 3 of 6 fail" in str(refused.value)
    stages.validate(0)


def test_a_test_question_word_for_word_stops_the_run_before_it_samples(tmp_path: Path) -> None:
    (tmp_path / "tests.json").write_text(json.dumps([{"question": f"  {ASKED['hats'].upper()}"}, {"question": TEST}]))
    with pytest.raises(ConfigError) as refused:
        stages_of(tmp_path, f"decontamination.sets=[{{path: {tmp_path / 'tests.json'}}}]")
    assert "1 train questions are test questions word for word" in refused.value.problems[0]
    assert refused.value.problems[1:] == ["hats is tests.json, row 1: how many hats are 2 and 3 hats"]
    run = Run.existing(tmp_path / "run")
    assert run.record("flags") is None


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (None, "path: {}", "no .parquet, .jsonl, .ndjson, .json, .csv, .tsv file is '{}'"),
        (
            "questoin,n\na,1\n",
            "path: {}",
            "has no question in column 'question' (did you mean 'questoin'?); it has n, qu",
        ),
        (
            'question\n"a b"\n""\n',
            "path: {}",
            "1 rows have no question in column 'question', the first is tests.csv, line 3",
        ),
        ("question\n", "path: {}", "tests.csv has no question in column 'question'"),
    ],
    ids=["no file", "no column", "an empty row", "no row"],
)
def test_an_eval_set_that_cannot_be_read_is_told_before_any_work(
    tmp_path: Path, content: str | None, settings: str, said: str
) -> None:
    path = tmp_path / "tests.csv"
    if content is not None:
        path.write_text(content)
    recipe = load_recipe("star_arithmetic", [f"decontamination.sets=[{{path: nowhere}}, {{{settings.format(path)}}}]"])
    first, second = Stages(recipe, Run.open(tmp_path / "run", recipe)).flagging.problems()
    assert first.startswith("decontamination.sets.0: no .parquet")
    assert second.startswith("decontamination.sets.1: ")
    assert said.format(path) in second


def test_a_phase_does_not_change_which_questions_are_alike() -> None:
    with pytest.raises(ConfigError) as refused:
        load_recipe("star_arithmetic", ["then=[{curation: {max_question_similarity: 0.5}}]"])
    assert refused.value.problems == ["curation.max_question_similarity: is the same in the whole run"]
