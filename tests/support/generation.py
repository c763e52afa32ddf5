"""A small generation that the gate accepts, and judging it: used by the tests of the gate."""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas import ATTEMPT, EXAMPLES, QUESTIONS, REJECTS, ROLLOUTS
from schemas.rollouts import VERDICTS
from validation import Judgement, Limits, validate

Row = dict[str, Any]
Tables = dict[str, list[Row]]

LIMITS = Limits(per_question=2, min_examples=3, max_error_share=0.15)


def optional(fields: Any) -> list[pa.Field]:
    return [field.with_nullable(True) for field in fields]


# written nullable, as some writers do, so that a null can be written at all
WRITTEN = {
    "rollouts": pa.schema(optional(ROLLOUTS)).set(
        ROLLOUTS.get_field_index("attempts"), pa.field("attempts", pa.list_(pa.struct(optional(ATTEMPT))))
    ),
    "examples": pa.schema(optional(EXAMPLES)),
    "rejects": pa.schema(optional(REJECTS)),
    "questions": QUESTIONS,
}


def said(*contents: str) -> list[Row]:
    return [{"role": ("user", "assistant")[i % 2], "content": content} for i, content in enumerate(contents)]


def attempt(key: str, context: list[Row], verdict: str, answer: str | None = None, **columns: Any) -> Row:
    return {
        "attempt_id": key,
        "sample": 0,
        "turn": 0,
        "hinted": False,
        "context": context,
        "completion": f"It is {answer}.",
        "predicted_answer": answer,
        "verdict": verdict,
        "verifier": "numeric/1",
        "finish_reason": "stop",
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "seed": 7,
        "temperature": 0.8,
    } | columns


def rollout(question: str, text: str, answer: str, attempts: list[Row], solved: bool, rate: float | None) -> Row:
    return {
        "question_id": question,
        "question": text,
        "answer": answer,
        "split": "train",
        "generation": 0,
        "strategy": "star",
        "model": "base",
        "attempts": attempts,
        "solved": solved,
        "pass_rate": rate,
    }


def example(key: str, origin: str, source: Row, tried: Row | None) -> Row:
    rationale = tried["completion"] if tried else "Given."
    context = tried["context"] if tried else said(source["question"])
    return {
        "example_id": key,
        "question_id": source["question_id"],
        "question": source["question"],
        "answer": source["answer"],
        "rationale": rationale,
        "messages": [*context, {"role": "assistant", "content": rationale}],
        "origin": origin,
        "turn": 0,
        "weight": 1.0,
        "verdict": tried and tried["verdict"],
        "checks": [{"name": "equations/1", "passed": True}],
        "generation": 0,
        "attempt_id": tried and tried["attempt_id"],
    }


def valid() -> Tables:
    """One question solved, one rationalized, one corrected, one that met an error; and one of the eval split."""
    corrected = said("2+5?", "It is 9.", "Try again.")
    rollouts = [
        rollout("q1", "2+2?", "4", [attempt("q1/a", said("2+2?"), "correct", "4")], True, 1.0),
        rollout(
            "q2",
            "2+3?",
            "5",
            [
                attempt("q2/a", said("2+3?"), "wrong", "6"),
                attempt("q2/b", said("2+3?"), "truncated", finish_reason="length"),
                attempt("q2/h", said("2+3?"), "correct", "5", hinted=True),
            ],
            False,
            0.0,
        ),
        rollout(
            "q3",
            "2+5?",
            "7",
            [
                attempt("q3/a", said("2+5?"), "wrong", "9"),
                attempt("q3/b", corrected, "correct", "7", turn=1),
            ],
            True,
            0.5,
        ),
        rollout(
            "q4",
            "2+9?",
            "11",
            [
                attempt("q4/a", said("2+9?"), "error", finish_reason="error", error="engine died"),
                attempt("q4/b", said("2+9?"), "unparseable"),
                attempt("q4/c", said("2+9?"), "correct", "11"),
            ],
            True,
            0.5,
        ),
        rollout("e1", "1+1?", "2", [attempt("e1/a", said("1+1?"), "wrong", "3")], False, 0.0) | {"split": "eval"},
    ]
    solved, rationalized, revised = rollouts[0], rollouts[1], rollouts[2]
    examples = [
        example("x1", "sampled", solved, solved["attempts"][0]),
        example("x2", "rationalized", rationalized, rationalized["attempts"][2]),
        example("x3", "corrected", revised, revised["attempts"][1]),
        *(example(f"x{n}", "reference", solved, None) for n in (4, 5)),
    ]
    questions = [
        {"corpus": "sums", **{key: row[key] for key in ("question_id", "question", "answer", "split")}}
        for row in rollouts
    ]
    return {"rollouts": rollouts, "examples": examples, "questions": questions}


def rejects_of(tables: Tables) -> list[Row]:
    """A reject for each attempt that is no example."""
    kept = {row["attempt_id"] for row in tables["examples"]}
    found = {}
    for row in tables["rollouts"]:
        for tried in row["attempts"]:
            names = ("attempt_id", "turn", "hinted", "completion", "predicted_answer")
            reason = tried["verdict"] if tried["verdict"] in VERDICTS[1:] else "over_cap"
            own = {"question_id": row["question_id"], "generation": 0, "reason": reason}
            if tried["attempt_id"] not in kept:
                found.setdefault(tried["attempt_id"], {name: tried[name] for name in names} | own)
    return list(found.values())


WEIGHED = replace(LIMITS, tau=0.4)


def weighed(centred: bool = False) -> Tables:
    """The same with rewards and weights: the first attempts at q2 and q3 are wrong, and examples all the same."""
    tables = valid()
    rewards = {"correct": 1.0, "wrong": 0.0, "unparseable": -1.0, "truncated": -1.0, "error": None}
    made = {}
    for row in tables["rollouts"]:
        for tried in row["attempts"]:
            tried["reward"] = rewards[tried["verdict"]]
            made[tried["attempt_id"]] = tried
    _, second, third = tables["rollouts"][:3]
    tables["examples"][1:1] = [
        example("w2", "sampled", second, made["q2/a"]),
        example("w3", "sampled", third, made["q3/a"]),
    ]
    means = {"q1": 1.0, "q2": 0.0, "q3": 0.5}
    for row in tables["examples"]:
        row["reward"] = made[row["attempt_id"]]["reward"] if row["attempt_id"] else 1.0
        mean = means[row["question_id"]] if row["attempt_id"] else 1.0
        row["weight"] = math.exp((row["reward"] - (mean if centred else 0)) / 0.4)
    return tables


def judge(
    tables: Tables,
    folder: Path,
    limits: Limits = LIMITS,
    change: Callable[[pa.Table], pa.Table] | None = None,
    tests: Sequence[str] = (),
    earlier: Sequence[Path] = (),
) -> Judgement:
    """Write each table as two files, so that none of several files goes unjudged, and validate them.

    Args:
        tables: without ``rejects``, those that belong to the attempts and examples.
        change: what is done to the last file of the examples.
        tests: test questions, if there are eval sets.
        earlier: files of rollouts of earlier generations.
    """
    files: dict[str, list[Path]] = {}
    for name, rows in ({"rejects": rejects_of(tables)} | tables).items():
        files[name] = []
        for part, some in enumerate((rows[: len(rows) // 2], rows[len(rows) // 2 :])):
            table = pa.Table.from_pylist(copy.deepcopy(some), schema=WRITTEN[name])
            files[name].append(folder / f"{name}-{part}.parquet")
            pq.write_table(change(table) if change and name == "examples" and part else table, files[name][-1])
    rows = [files[name] for name in ("rollouts", "examples", "rejects", "questions")]
    eval_sets = [folder / "eval_sets.parquet"] if tests else []
    for path in eval_sets:
        pq.write_table(pa.table({"question": list(tests)}), path)
    return validate(*rows, folder / "validation", limits, eval_sets, earlier)
