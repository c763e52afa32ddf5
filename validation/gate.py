"""The gate: Great Expectations judges the tables of a generation, and its judgement is kept."""

import json
import logging
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow.parquet as pq

from validation.curated import example_facts, reject_facts
from validation.facts import Paths, attempt_facts, column_facts, question_facts, rollout_facts
from validation.limits import Limits

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

logger = logging.getLogger(__name__)

KEYS = ("table", "file", "column", "question_id", "attempt_id", "example_id", "answer")


@dataclass(frozen=True)
class Failure:
    """An expectation that does not hold.

    Args:
        table: the facts it was expected of: columns, questions, rollouts, attempts, examples or rejects.
        expectation: what was expected, in words.
        failing: how many rows are in breach of it, or how many are missing.
        total: how many rows it applies to, or how many are demanded.
        examples: keys, and the value in question, of the first failing rows.
    """

    table: str
    expectation: str
    failing: int
    total: int
    examples: tuple[dict[str, Any], ...]

    def __str__(self) -> str:
        breach = "fail" if self.examples else "are missing"
        text = f"{self.table}: expected that {self.expectation}; {self.failing:,} of {self.total:,} {breach}"
        shown = ["  " + ", ".join(f"{key}={value!r}" for key, value in row.items()) for row in self.examples]
        return "\n".join([text, *shown])


@dataclass(frozen=True)
class Judgement:
    """What the gate found.

    Args:
        success: whether the generation may be published.
        expectations: how many expectations were judged.
        failures: those that do not hold.
        data_docs: start page of the Data Docs, static HTML.
    """

    success: bool
    expectations: int
    failures: tuple[Failure, ...]
    data_docs: Path


def validate(
    rollouts: Paths,
    examples: Paths,
    rejects: Paths,
    questions: Paths,
    folder: Path,
    limits: Limits,
    eval_sets: Paths = (),
    earlier: Paths = (),
) -> Judgement:
    """Judge a generation by the suites of :mod:`validation.suites`, in one checkpoint run.

    Args:
        rollouts: Parquet files of the ROLLOUTS schema, all of the generation.
        examples: Parquet files of the EXAMPLES schema that are to be published.
        rejects: Parquet files of the REJECTS schema: what else became of the attempts.
        questions: Parquet files of the QUESTIONS schema: the snapshot. Those of the train split have all been sampled,
            those of the eval split must not be learnt.
        folder: gets ``facts/`` (the row facts as Parquet), ``data_docs/`` and, last, ``judgement.json``; an
            earlier result there is replaced. A local folder.
        limits: the limits of the recipe.
        eval_sets: Parquet files with the questions, in a column of this name, that must not be learnt either; of a
            recipe that holds its examples against any.
        earlier: Parquet files of the ROLLOUTS schema, all of the generations whose examples may be taken over: such an
            example is held against the rollouts of its own generation.

    Raises:
        FileNotFoundError: a file does not exist.
        RuntimeError: an expectation could not be evaluated. Says nothing about the data.
    """
    record, docs = folder / "judgement.json", folder / "data_docs"
    record.unlink(missing_ok=True)
    for outdated in (docs, folder / "facts"):
        shutil.rmtree(outdated, ignore_errors=True)
    (folder / "facts").mkdir(parents=True)

    files = {"rollouts": [*rollouts, *earlier], "examples": examples, "rejects": rejects, "questions": questions}
    facts = {"columns": column_facts(files)}
    if facts["columns"].filter(pl.col("expected") != pl.col("found")).is_empty():
        attempts = attempt_facts(rollouts, examples, rejects)
        facts |= {
            "questions": question_facts(questions, rollouts),
            "rollouts": rollout_facts(rollouts, questions),
            "attempts": attempts,
            "examples": example_facts(examples, attempts, questions, limits, eval_sets, earlier),
            "rejects": reject_facts(rejects, attempts),
        }
    for table, rows in facts.items():
        # not by polars, which does not always say so when a disk is full
        pq.write_table(rows.to_arrow(), folder / "facts" / f"{table}.parquet")

    # here, because the import takes seconds and only the end of a generation needs it
    from validation import checkpoint

    results = checkpoint.run(folder / "facts", facts, docs, limits)
    failures = tuple(
        _failure(table, result, facts[table]) for table in facts for result in results[table] if not result.success
    )
    expectations = sum(map(len, results.values()))
    judgement = Judgement(not failures, expectations, failures, docs / "index.html")
    content = asdict(judgement) | {"data_docs": "data_docs/index.html"}
    unfinished = record.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(content, indent=2) + "\n")
    os.replace(unfinished, record)
    logger.info("%d of %d expectations hold", expectations - len(failures), expectations)
    return judgement


def _failure(table: str, result: "ExpectationValidationResult", facts: pl.DataFrame) -> Failure:
    config, found = result.expectation_config, result.result
    assert config is not None
    if "raised_exception" not in result.exception_info or result.exception_info["raised_exception"]:
        raise RuntimeError(f"{table}: could not evaluate that {config.description}: {result.exception_info}")
    if "observed_value" in found:
        least = int(config.kwargs["min_value"])
        return Failure(table, str(config.description), least - int(found["observed_value"]), least, ())
    judged = [config.kwargs[name] for name in ("column", "column_A", "column_B") if name in config.kwargs]
    shown = [name for name in facts.columns if name in KEYS or (name in judged and facts[name].dtype != pl.Boolean)]
    rows = facts[found["partial_unexpected_index_list"]].select(shown).to_dicts()
    total = found["element_count"] - found["missing_count"]
    return Failure(table, str(config.description), found["unexpected_count"], total, tuple(rows))
