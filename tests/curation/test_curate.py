"""Curation: every attempt becomes an example or a reject with its reason, and nothing is lost or made up."""

import itertools
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.curation.curate import Rules, curate, curate_rollouts, to_schema
from factory.curation.duplicates import EVIDENCE
from factory.files import write_table
from factory.recipe.curation import Curation
from schemas import EXAMPLES, REJECTS, ROLLOUTS
from schemas.examples import ORIGINS
from schemas.rejects import REASONS
from schemas.rollouts import VERDICTS

Row = dict[str, Any]


def attempt(key: str, completion: str, verdict: str = "correct", hinted: bool = False, tokens: int = 9) -> Row:
    question = key.partition("/")[0]
    return {
        "attempt_id": key,
        "sample": 0,
        "turn": 0,
        "hinted": hinted,
        "context": [{"role": "system", "content": "Add."}, {"role": "user", "content": f"What is {question}?"}],
        "completion": completion,
        "predicted_answer": None if verdict in ("unparseable", "truncated", "error") else "5",
        "verdict": verdict,
        "verifier": "exact/1",
        "reward": None,
        "finish_reason": "stop",
        "prompt_tokens": 7,
        "completion_tokens": tokens,
        "mean_logprob": -0.5,
        "seed": 2**31 - 1,
        "temperature": 0.7,
        "error": "no reply" if verdict == "error" else None,
    }


def rollout(question_id: str, attempts: list[Row], difficulty: str | None = "1 digit") -> Row:
    return {
        "question_id": question_id,
        "question": f"What is {question_id}?",
        "answer": "5",
        "split": "train",
        "difficulty": difficulty,
        "generation": 2,
        "strategy": "star",
        "model": "gen-1/checkpoint",
        "attempts": attempts,
        "solved": any(made["verdict"] == "correct" and not made["hinted"] for made in attempts),
        "pass_rate": None,
    }


def curated(rollouts: list[Row], **settings: Any) -> tuple[list[Row], list[Row]]:
    frame = pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(rollouts, schema=ROLLOUTS)))
    examples, rejects = curate_rollouts(frame, Rules(Curation(**settings)))
    return to_schema(examples, EXAMPLES).to_pylist(), to_schema(rejects, REJECTS).to_pylist()


def keys(rows: list[Row]) -> list[str]:
    return [row["attempt_id"] for row in rows]


def test_an_example_is_the_attempt_without_its_hint() -> None:
    sampled, rationalized = attempt("q/1", "2+3=5\nThe answer is 5\n"), attempt("r/1", "It is 5", hinted=True)
    examples, rejects = curated([rollout("q", [sampled]), rollout("r", [rationalized], difficulty=None)])
    assert rejects == []
    for example, made, origin in zip(examples, (sampled, rationalized), ("sampled", "rationalized"), strict=True):
        assert example == {
            "example_id": made["attempt_id"],
            "question_id": made["attempt_id"][0],
            "question": f"What is {made['attempt_id'][0]}?",
            "answer": "5",
            "rationale": made["completion"],
            "messages": [*made["context"], {"role": "assistant", "content": made["completion"]}],
            "origin": origin,
            "difficulty": "1 digit" if origin == "sampled" else None,
            "turn": 0,
            "weight": 1.0,
            "reward": None,
            "verdict": "correct",
            "verifier": "exact/1",
            "checks": [],
            "generation": 2,
            "model": "gen-1/checkpoint",
            "attempt_id": made["attempt_id"],
            "temperature": pytest.approx(0.7),
            "seed": 2**31 - 1,
        }
        assert origin in ORIGINS


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("hinted", [False, True])
def test_what_is_not_correct_is_rejected_with_its_verdict(verdict: str, hinted: bool) -> None:
    made = attempt("q/1", "It is 5", verdict, hinted)
    examples, rejects = curated([rollout("q", [made])])
    if verdict == "correct":
        assert (keys(examples), rejects) == (["q/1"], [])
        return
    assert examples == []
    kept = {name: made[name] for name in ("attempt_id", "turn", "hinted", "completion", "predicted_answer")}
    told = {"question_id": "q", "generation": 2, "reason": verdict, "checks": []}
    assert rejects == [kept | told | dict.fromkeys(EVIDENCE)]


CASES: dict[str, tuple[Row, list[Row], list[str], dict[str, str]]] = {
    "the first": ({}, [attempt("q/1", "a"), attempt("q/2", "b")], ["q/1"], {"q/2": "over_cap"}),
    "what is not kept does not count": (
        {"per_question": 2},
        [
            attempt("q/1", "a", "wrong"),
            attempt("q/2", ""),
            attempt("q/3", "b"),
            attempt("q/4", "b"),
            attempt("q/5", "c"),
        ],
        ["q/3", "q/5"],
        {"q/1": "wrong", "q/2": "empty", "q/4": "duplicate"},
    ),
    "the same text but for white space at its ends": (
        {"per_question": 9},
        [attempt("q/1", "a b"), attempt("q/2", " a b\n"), attempt("q/3", "a  b"), attempt("q/4", "\n \t")],
        ["q/1", "q/3"],
        {"q/2": "duplicate", "q/4": "empty"},
    ),
    "an answer alone is no rationale": (
        {"per_question": 9},
        [
            attempt("q/1", "The answer is 5."),
            attempt("q/2", "5"),
            attempt("q/3", "6", "wrong"),
            attempt("q/4", "2+3=5"),
        ],
        ["q/4"],
        {"q/1": "check_reasoning", "q/2": "check_reasoning", "q/3": "wrong"},
    ),
    "a wrong twin is no duplicate": (
        {"per_question": 9},
        [attempt("q/1", "a", "wrong"), attempt("q/2", "a"), attempt("q/3", "a", "error")],
        ["q/2"],
        {"q/1": "wrong", "q/3": "error"},
    ),
    "the shortest": (
        {"prefer": "shortest"},
        [attempt("q/1", "a", tokens=9), attempt("q/2", "b", tokens=3), attempt("q/3", "c", tokens=3)],
        ["q/2"],
        {"q/1": "over_cap", "q/3": "over_cap"},
    ),
    "hinted after unhinted": (
        {"prefer": "shortest"},
        [attempt("q/1", "a", hinted=True, tokens=1), attempt("q/2", "b"), attempt("q/3", "a", tokens=10)],
        ["q/2"],
        {"q/1": "duplicate", "q/3": "over_cap"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_kept(case: str) -> None:
    settings, attempts, kept, dropped = CASES[case]
    examples, rejects = curated([rollout("q", attempts)], **settings)
    assert keys(examples) == kept
    assert {row["attempt_id"]: row["reason"] for row in rejects} == dropped


def test_questions_do_not_touch_each_other() -> None:
    """Cap and duplicates count within a question: the same text under two questions is two examples."""
    rollouts = [rollout(name, [attempt(f"{name}/1", "It is 5"), attempt(f"{name}/2", "So 5")]) for name in "zab"]
    examples, rejects = curated(rollouts)
    assert keys(examples) == ["z/1", "a/1", "b/1"]
    assert keys(rejects) == ["z/2", "a/2", "b/2"]


def by_hand(attempts: list[Row], per_question: int, prefer: str) -> dict[str, str]:
    """The reason for each attempt of one question, "kept" for examples: the rules, attempt by attempt."""
    shortest = prefer == "shortest"
    reasons, seen = dict[str, str](), set[str]()
    for made in sorted(attempts, key=lambda made: (made["hinted"], made["completion_tokens"] if shortest else 0)):
        text = made["completion"].strip()
        if made["verdict"] != "correct":
            reason = made["verdict"]
        elif not text:
            reason = "empty"
        elif text in seen:
            reason = "duplicate"
        else:
            reason = "kept" if list(reasons.values()).count("kept") < per_question else "over_cap"
            seen.add(text)
        reasons[made["attempt_id"]] = reason
    return reasons


def some_rollouts(draw: random.Random, questions: int) -> list[Row]:
    def one(key: str) -> Row:
        text, verdict = draw.choice(["a", "b ", " b", "c", ""]), draw.choice(VERDICTS + ("correct",) * 6)
        return attempt(key, text, verdict, hinted=draw.random() < 0.4, tokens=draw.randrange(4))

    return [rollout(f"q{i}", [one(f"q{i}/{j}") for j in range(draw.randrange(9))]) for i in range(questions)]


@pytest.mark.parametrize(("per_question", "prefer"), list(itertools.product([1, 2, 5], ["first", "shortest"])))
def test_every_attempt_is_in_exactly_one_table_for_the_right_reason(per_question: int, prefer: str) -> None:
    rollouts = some_rollouts(random.Random(per_question), 300)
    examples, rejects = curated(rollouts, per_question=per_question, prefer=prefer)
    made = keys([made for row in rollouts for made in row["attempts"]])
    place = {key: number for number, key in enumerate(made)}
    assert sorted(keys(examples) + keys(rejects), key=place.__getitem__) == made
    expected: dict[str, str] = {}
    for row in rollouts:
        expected |= by_hand(row["attempts"], per_question, prefer)
    assert {row["attempt_id"]: row["reason"] for row in rejects} | dict.fromkeys(keys(examples), "kept") == expected
    others = {
        "check_reasoning",
        "context_overflow",
        "degenerate",
        "not_best",
        "criterion",
        *("same_equations", "near_duplicate", "near_duplicate_question", "contaminated"),
        *("over_rationalized_share", "over_difficulty_share"),
    }  # each has tests of its own
    others |= {"over_cap"} if per_question == 5 else set()
    assert set(expected.values()) == {*REASONS, "kept"} - others
    for table in (examples, rejects):
        assert [place[key] for key in keys(table)] == sorted(place[key] for key in keys(table))


@pytest.mark.parametrize("rollouts", [[], [rollout("q", [])]], ids=["no rollout", "no attempt"])
def test_nothing_makes_two_empty_tables(rollouts: list[Row]) -> None:
    assert curated(rollouts) == ([], [])


class InProcess:
    """The part of ray.data that curate uses, without its cluster; the tests of the loop run it with the real one."""

    def from_items(self, rows: list[Row]) -> Self:
        self.block = pa.Table.from_pylist(rows)
        return self

    def map_batches(self, function: Callable[[pa.Table], pa.Table], **_: Any) -> Self:
        self.block = function(self.block)
        return self

    def iter_rows(self) -> Iterator[Row]:
        return iter(self.block.to_pylist())


def test_shard_by_shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A shard of rollouts is a shard of the same name in both tables, with their schemas, even where it is empty."""
    monkeypatch.setattr("ray.data", InProcess())
    shards = [some_rollouts(random.Random(7), 20), [], [rollout("w", [attempt("w/1", "a", "wrong")])]]
    for number, rollouts in enumerate(shards):
        write_table(tmp_path / "rollouts" / f"{number:05}.parquet", pa.Table.from_pylist(rollouts, schema=ROLLOUTS))
    curate(tmp_path / "rollouts", tmp_path / "examples", tmp_path / "rejects", Curation(per_question=2))
    for number, rollouts in enumerate(shards):
        expected = curated(rollouts, per_question=2)
        for table, schema, rows in zip(("examples", "rejects"), (EXAMPLES, REJECTS), expected, strict=True):
            written = pq.read_table(tmp_path / table / f"{number:05}.parquet")
            assert (written.schema, written.schema.metadata) == (schema, schema.metadata)
            assert [field.metadata for field in written.schema] == [field.metadata for field in schema]
            assert written.to_pylist() == rows
    assert len(list(tmp_path.rglob("*.parquet"))) == 9


def test_where_the_recipe_shows_answers_alone_they_are_kept() -> None:
    frame = pl.DataFrame(pl.from_arrow(pa.Table.from_pylist([rollout("q", [attempt("q/1", "5")])], schema=ROLLOUTS)))
    examples, rejects = curate_rollouts(frame, Rules(Curation(), answers_only=True))
    assert (examples["attempt_id"].to_list(), rejects.height) == (["q/1"], 0)
