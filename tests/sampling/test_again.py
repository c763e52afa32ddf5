"""Errors are tried again, once: the rows become those of a run without the fault, whatever is killed in between."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from factory.cluster import connected
from factory.errors import FactoryError
from factory.files import write_table
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.record import Record
from factory.run import Run
from factory.sampling import engine_pass
from factory.sampling.engine_pass import EnginePass
from schemas import QUESTIONS
from tests.support.loop import TINY
from tests.support.misbehaving import KEY, Reply, failed, running, sums

ROWS = 24
NONE = {"errors": 0, "mended": 0}


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)  # for the workers
        with connected():
            yield


def run_of(folder: Path, *settings: str, **engine: Any) -> tuple[Recipe, Run]:
    """A run of sums that is to be sampled, three shards of eight questions in each split."""
    folder.mkdir(exist_ok=True)
    faulty = {"_component_": "tests.support.engines.Faulty", "notes": str(folder / "asked"), **engine}
    recipe = load_recipe("star_arithmetic", [*TINY, f"engine={json.dumps(faulty)}", "preflight.questions=0", *settings])
    run = Run.open(folder / "run", recipe)
    for split in ("train", "eval"):
        for first in range(0, ROWS, 8):
            rows = [
                {"question_id": f"{split}-{n}", "corpus": "c", "split": split, "question": f"{n}+9"}
                | {"answer": str(n + 9)}
                for n in range(first, first + 8)
            ]
            write_table(run.questions(split) / f"{first:05}.parquet", pa.Table.from_pylist(rows, QUESTIONS))
    run.finish("questions", {"outputs": run.described(*map(run.questions, ("train", "eval")))}, 0)
    run.base.mkdir()
    (run.base / "weights").write_text("none")
    run.finish("base", {"model": run.identity_of(0)}, 0)
    return recipe, run


def sample(recipe: Recipe, run: Run) -> tuple[Record, Record]:
    EnginePass(recipe, run, 0).sample("evaluation", "rollouts")
    evaluation, rollouts = run.record("evaluation", 0), run.record("rollouts", 0)
    assert evaluation
    assert rollouts
    assert not list(run.generation(0).glob("*/.*")), "reports that the records hold now"
    return evaluation, rollouts


def tables(run: Run) -> dict[str, bytes]:
    return {str(path.relative_to(run.folder)): path.read_bytes() for path in run.folder.glob("gen-0/*/*.parquet")}


def asked(run: Run) -> list[str]:
    return (run.folder.parent / "asked").read_text().split()


@pytest.fixture(scope="module")
def faultless(tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe, run = run_of(tmp_path_factory.mktemp("faultless"), faults=0.0)
    evaluation, rollouts = sample(recipe, run)
    assert evaluation["retried"] == rollouts["retried"] == NONE
    return run


def test_the_rows_become_those_without_the_fault(tmp_path: Path, faultless: Run) -> None:
    recipe, run = run_of(tmp_path)
    evaluation, rollouts = sample(recipe, run)
    assert rollouts["retried"]["errors"] == rollouts["retried"]["mended"] > 5
    assert evaluation["retried"]["errors"] == evaluation["retried"]["mended"] > 0
    assert rollouts["errors"] == evaluation["errors"] == 0
    assert tables(run) == tables(faultless)
    failed = len(asked(run)) - len(set(asked(run)))
    assert failed == rollouts["retried"]["errors"] + evaluation["retried"]["errors"], "only errors are sampled twice"


def test_without_the_setting_they_stay(tmp_path: Path) -> None:
    recipe, run = run_of(tmp_path, "rollout.retry_errors=false")
    _, rollouts = sample(recipe, run)
    assert rollouts["retried"] == NONE
    assert rollouts["errors"] > 5
    assert len(asked(run)) == len(set(asked(run)))


def test_what_fails_for_ever_is_tried_once_and_an_overflow_not_at_all(tmp_path: Path) -> None:
    recipe, run = run_of(tmp_path, faults=0.6, for_ever=0.7)
    _, rollouts = sample(recipe, run)
    attempts = pl.read_parquet(run.generation(0) / "rollouts").select("attempts").explode("attempts").unnest("attempts")
    left = attempts.filter(pl.col("verdict") == "error")
    overflowed = left["error"].str.starts_with("context overflow")
    assert rollouts["errors"] == len(left) > rollouts["retried"]["errors"] - rollouts["retried"]["mended"] > 0
    assert overflowed.sum() == len(left) - (rollouts["retried"]["errors"] - rollouts["retried"]["mended"]) > 0
    times = pl.Series(asked(run)).value_counts()
    seeds = dict(zip(left["seed"].cast(pl.String), overflowed, strict=True))
    assert {seed: count for seed, count in times.iter_rows() if seed in seeds} == {
        seed: 1 if overflow else 2 for seed, overflow in seeds.items()
    }
    before, records = asked(run), run.records(0)
    sample(recipe, run)
    (run.generation(0) / "records" / "rollouts.json").unlink()  # as if the driver had been killed before its last step
    (run.generation(0) / "rollouts" / "00008.parquet").unlink()
    assert run.records(0) != records
    sample(recipe, run)
    again = [seed for seed in asked(run)[len(before) :] if seed in seeds and not seeds[seed]]
    assert max(pl.Series(again).value_counts()["count"]) == 2, "once as new, once again"


class Killed(BaseException):
    """What no stage catches."""


def test_killed_between_shards_that_are_tried_again(
    tmp_path: Path, faultless: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver dies after a shard was replaced and before it has the report, and after it has one."""
    recipe, run = run_of(tmp_path)
    add, reported = engine_pass.Written.add, []

    def killed(written: Any, shard: Path, report: Record) -> None:
        if written.reports.get(f"{written.table}/{shard.name}", {}).get("retry"):
            reported.append(shard)
            if len(reported) == 2:
                raise Killed
        add(written, shard, report)

    with monkeypatch.context() as patch:
        patch.setattr(engine_pass.Written, "add", killed)
        with pytest.raises(Killed):
            sample(recipe, run)
    first, second = reported
    kept = json.loads(first.with_name(f".{first.name}.json").read_text())
    assert kept["retry"]["mended"] == kept["retry"]["errors"]
    assert json.loads(second.with_name(f".{second.name}.json").read_text())["retry"]["mended"] is None
    assert run.record("rollouts", 0) is None
    before = {path: path.stat().st_mtime_ns for path in reported}
    evaluation, rollouts = sample(recipe, run)
    assert {path: path.stat().st_mtime_ns for path in reported} == before, "tried again twice"
    assert tables(run) == tables(faultless)
    assert rollouts["retried"]["errors"] == rollouts["retried"]["mended"] > 5
    assert evaluation["retried"]["errors"] == evaluation["retried"]["mended"] > 0


def test_a_shard_that_is_replaced_by_something_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also while its report says that it is being tried again."""
    recipe, run = run_of(tmp_path)
    again = engine_pass.roll_out

    def stopped(job: Any, *arguments: Any, **named: Any) -> Any:
        if any(one.again for one in job.passes):
            raise Killed
        return again(job, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(engine_pass, "roll_out", stopped)
        with pytest.raises(Killed):
            sample(recipe, run)
    folder = run.generation(0) / "rollouts"
    shutil.copy(folder / "00000.parquet", folder / "00008.parquet")
    with pytest.raises(FactoryError, match=r"00008.parquet: holds rollouts of other questions"):
        sample(recipe, run)


def test_a_verdict_that_failed_is_given_again_without_sampling(tmp_path: Path, faultless: Run) -> None:
    notes = tmp_path / "judged"
    moody = {"_component_": "tests.support.engines.Moody", "notes": str(notes)}
    recipe, run = run_of(tmp_path, f"verifier={json.dumps(moody)}", faults=0.0)
    _, rollouts = sample(recipe, run)
    assert rollouts["retried"]["errors"] == rollouts["retried"]["mended"] > 0
    assert len(asked(run)) == len(set(asked(run)))
    verdicts = [
        pl.read_parquet(one.generation(0) / "rollouts")["attempts"].list.eval(pl.element().struct["verdict"])
        for one in (run, faultless)
    ]
    assert verdicts[0].to_list() == verdicts[1].to_list()


def test_dialogues_take_the_turn_that_they_would_have_taken(tmp_path: Path) -> None:
    """A first turn that is mended changes what its second answers: that is sampled anew, and may fail for itself."""
    rise = "strategy={_component_: factory.strategies.rise.rise, turns: [{samples: 2}, {samples: 2}, {samples: 1}]}"
    made = [run_of(tmp_path / name, rise, faults=faults) for name, faults in (("faulty", 0.4), ("faultless", 0.0))]
    for recipe, run in made:
        sample(recipe, run)
    (_, faulty), (_, faultless) = made
    assert len(asked(faulty)) > len(set(asked(faulty)))
    rows, wanted = (pl.read_parquet(run.generation(0) / "rollouts").to_dicts() for run in (faulty, faultless))
    whole = [all(attempt["verdict"] != "error" for attempt in row["attempts"]) for row in rows]
    assert [row for row, one in zip(rows, whole, strict=True) if one] == [
        row for row, one in zip(wanted, whole, strict=True) if one
    ]
    assert sum(whole) > ROWS / 2


def test_an_engine_that_dies_again_leaves_the_shard_as_it_was(tmp_path: Path) -> None:
    mortal = {"_component_": "tests.support.engines.Mortal", "poison": "9+9", "stumble": "", "notes": str(tmp_path)}
    recipe, run = run_of(tmp_path, f"engine={json.dumps(mortal)}", "rollout.shards_in_flight=1")
    EnginePass(recipe, run, 0).sample("rollouts")
    rollouts = run.record("rollouts", 0)
    assert rollouts
    assert rollouts["retried"] == {"errors": rollouts["errors"], "mended": 0}
    rows = pl.read_parquet(run.generation(0) / "rollouts").to_dicts()
    failed = {row["question_id"] for row in rows if row["attempts"][0]["verdict"] == "error"}
    assert failed == {f"train-{number}" for number in range(8, 16)}
    assert not list(run.generation(0).glob("rollouts/.*"))


def test_requests_that_a_server_refused_once_are_mended(tmp_path: Path) -> None:
    refused: set[str] = set()

    def at_first(request: dict[str, Any]) -> Reply:
        asked = request["messages"][-1]["content"]
        if asked[-3:] in ("5+9", "7+9") and asked not in refused:
            refused.add(asked)
            return failed(400, "come back later")
        return sums(request)

    with running() as server:
        server.answer = at_first
        served = {"_component_": "factory.engines.openai.OpenAI", "base_url": server.address, "retries": 0}
        served["served_model"] = "good-model"
        recipe, run = run_of(tmp_path, f"engine={json.dumps(served)}")
        evaluation, rollouts = sample(recipe, run)
    assert rollouts["retried"]["errors"] + evaluation["retried"]["errors"] == len(refused) > 3
    assert rollouts["solved"] == ROWS
    assert rollouts["errors"] == 0
    assert rollouts["hinted"] == 0
