"""The Ray Data pipeline with scripted engines: what it writes, and what becomes of an engine that dies."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from factory.cluster import connected
from factory.curation.curate import Rules, curate_rollouts
from factory.engines import Sampling
from factory.files import write_table
from factory.prompts import Prompt
from factory.recipe.component import Component, parse
from factory.recipe.curation import Curation
from factory.recipe.groups import Rollout
from factory.sampling.rollout import roll_out
from factory.sampling.worker import MAX_ENGINE_DEATHS, Job, Pass
from schemas import QUESTIONS

SHARDS, ROWS = 4, 3


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    with connected():
        yield


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    for shard in range(SHARDS):
        sums = [(10 * shard + row, row) for row in range(ROWS)]
        rows = [
            {
                "question_id": f"{a}+{b}",
                "corpus": "sums",
                "split": "train",
                "question": f"{a}+{b}",
                "answer": str(a + b),
            }
            for a, b in sums
        ]
        write_table(tmp_path / "questions" / f"{shard:05}.parquet", pa.Table.from_pylist(rows, schema=QUESTIONS))
    return tmp_path / "questions"


STAR = {"_component_": "factory.strategies.star.star", "samples": 2, "hinted_samples": 1}


def job(
    questions: Path, out: Path, engine: str, settings: dict[str, Any], seed: int = 0, strategy: Any = STAR, **more: Any
) -> Job:
    return Job(
        model=Path("model"),
        model_name="model",
        generation=0,
        seed=seed,
        engine=Component(engine, settings),
        verifier=Component("factory.verifiers.exact.Exact", {}),
        prompt=Prompt(),
        passes=(Pass(questions, out, parse(strategy), Sampling()),),
        log=out.parent / "log",
        **more,
    )


def rollouts(job: Job, in_flight: int) -> pl.DataFrame:
    roll_out(job, Rollout(shards_in_flight=in_flight), lambda tally, pace: None)
    return pl.read_parquet(job.passes[0].out)


def test_the_same_rows_however_it_is_spread(questions: Path, tmp_path: Path) -> None:
    scripted = ("factory.engines.scripted.Scripted", {"accuracy": 0.4, "hinted_accuracy": 0.7})
    first = rollouts(job(questions, tmp_path / "a", *scripted), in_flight=1)
    assert first["question_id"].n_unique() == len(first) == SHARDS * ROWS
    assert 0 < first["solved"].sum() < len(first)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "00002.parquet").write_bytes((tmp_path / "a" / "00002.parquet").read_bytes())
    assert rollouts(job(questions, tmp_path / "b", *scripted), in_flight=4).equals(first)
    assert not rollouts(job(questions, tmp_path / "c", *scripted, seed=1), in_flight=4).equals(first)


def test_dialogues_of_student_and_teacher(questions: Path, tmp_path: Path) -> None:
    strategy = {
        "_component_": "factory.strategies.rise.rise",
        "turns": [{"samples": 1}, {"samples": 2, "temperature": 0.2}, {"by": "teacher"}],
        "window": 2,
    }
    scripted = ("factory.engines.scripted.Scripted", {"accuracy": 0.3})
    teacher = Component("factory.engines.scripted.Scripted", {"accuracy": 1.0})
    more: dict[str, Any] = {"strategy": strategy, "teacher": teacher, "teacher_name": "a-teacher"}
    first = rollouts(job(questions, tmp_path / "a", *scripted, **more), in_flight=1)
    assert rollouts(job(questions, tmp_path / "b", *scripted, **more), in_flight=4).equals(first)
    assert first["solved"].all()
    asked_by_turn = {0: 0, 1: 0, 2: 0}
    for row in first.iter_rows(named=True):
        attempts = row["attempts"]
        assert len({one["attempt_id"] for one in attempts}) == len({one["seed"] for one in attempts}) == len(attempts)
        taken: list[dict[str, Any]] = []
        for turn in range(max(one["turn"] for one in attempts) + 1):
            made = [one for one in attempts if one["turn"] == turn]
            asked_by_turn[turn] += len(made)
            assert [one["sample"] for one in made] == list(range(len(made)))
            told = [{"role": "user", "content": row["question"]}]
            for one in taken[-1:]:  # the window shows one attempt beside the new one
                told.append({"role": "assistant", "content": one["completion"]})
                told.append({"role": "user", "content": Prompt().feedback})
            assert all(one["context"] == told for one in made)
            assert {one["teacher"] for one in made} == {"a-teacher" if turn == 2 else None}
            assert {round(one["temperature"], 2) for one in made} == {0.2 if turn == 1 else 0.7}
            assert [one["reward"] for one in made] == [float(one["verdict"] == "correct") for one in made]
            taken.append(max(made, key=lambda one: one["reward"]))
    solved_at_once = first["attempts"].list.eval(pl.element().struct["turn"].max()).list.first().eq(0).sum()
    assert asked_by_turn[0] == SHARDS * ROWS
    assert asked_by_turn[1] == 2 * (SHARDS * ROWS - solved_at_once)
    assert asked_by_turn[2] > 0


def dialogues_of(window: int | None) -> dict[str, Any]:
    turns = [{"samples": 1}] * 3 + [{"samples": 4}]
    return {"_component_": "factory.strategies.rise.rise", "turns": turns, "window": window}


def test_no_turn_waits_for_another_question(questions: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    engine = ("tests.support.engines.Forgetful", {"limit": 99, "notes": notes})
    rollouts(job(questions, tmp_path / "out", *engine, strategy=dialogues_of(None)), in_flight=4)
    requests = [tuple(map(float, line.split())) for line in notes.read_text().splitlines()]
    for turn in range(3):
        first_of_next = min(came for number, came, _ in requests if number == turn + 1)
        assert first_of_next < max(answered for number, _, answered in requests if number == turn)


def test_a_dialogue_that_overflows_is_cut_by_the_window_or_a_reject(questions: Path, tmp_path: Path) -> None:
    engine = ("tests.support.engines.Forgetful", {"limit": 4, "notes": tmp_path / "notes"})
    whole = rollouts(job(questions, tmp_path / "a", *engine, strategy=dialogues_of(None)), in_flight=4)
    examples, rejects = curate_rollouts(whole, Rules(Curation(criterion="all")))
    reasons = dict(rejects["reason"].value_counts().iter_rows())
    assert reasons.keys() - {"duplicate"} == {"context_overflow"}
    assert set(examples["turn"]) == {0, 1}
    windowed = rollouts(job(questions, tmp_path / "b", *engine, strategy=dialogues_of(2)), in_flight=4)
    examples, rejects = curate_rollouts(windowed, Rules(Curation(criterion="all")))
    assert "context_overflow" not in set(rejects["reason"])
    assert set(examples["turn"]) == {0, 1, 2, 3}


def test_a_dead_engine_is_replaced_and_a_deadly_question_is_quarantined(questions: Path, tmp_path: Path) -> None:
    mortal = {"poison": "10+0", "stumble": "30+0", "notes": tmp_path}
    rows = rollouts(job(questions, tmp_path / "out", "tests.support.engines.Mortal", mortal), in_flight=1)
    assert rows["question_id"].n_unique() == len(rows) == SHARDS * ROWS
    quarantined = rows.filter(pl.col("attempts").list.eval(pl.element().struct["verdict"] == "error").list.all())
    assert quarantined["question_id"].to_list() == ["10+0", "11+1", "12+2"]
    assert quarantined["pass_rate"].is_null().all()
    assert f"{MAX_ENGINE_DEATHS} times" in quarantined["attempts"][0][0]["error"]
    assert rows.filter(~pl.col("question_id").is_in(quarantined["question_id"].to_list()))["solved"].all()
    assert not list((tmp_path / "out").glob(".*"))
