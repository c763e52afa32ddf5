"""What a judge has said: the results of the process check ``judge``, which another model gives."""

from pathlib import Path
from typing import Any

import polars as pl

from factory.attempt import Question
from factory.recipe.advisers import JUDGE
from factory.recipe.curation import Curation
from factory.record import readable
from factory.verifiers.judgement import REASON, Judgement


def with_judgements(attempts: pl.DataFrame, judgements: pl.DataFrame, curation: Curation) -> pl.DataFrame:
    """The attempts with one result more in ``checks`` where the judge was asked, and with ``failed`` where it decides.

    Args:
        attempts: as :func:`factory.curation.checked.checked` gives them.
        judgements: see :func:`said`.
    """
    joined = attempts.join(judgements, on="attempt_id", how="left", maintain_order="left")
    result = pl.struct(name=pl.lit(f"{JUDGE}/{Judgement.version}"), passed="judge passed", reason="judge reason")
    decides = pl.col("origin").is_in(curation.decided_by(JUDGE)) & pl.col("judge passed").eq(False)
    return joined.with_columns(
        checks=pl.when("judged").then(pl.concat_list("checks", result)).otherwise("checks"),
        failed=pl.coalesce("failed", pl.when(decides).then(pl.lit(JUDGE))),
    ).select(attempts.columns)


def said(judgements: Path) -> pl.DataFrame:
    """What a shard of the judge's answers says: ``attempt_id``, ``judge passed`` (null: not
    applicable), ``judge reason`` and ``judged`` (true).

    No rows if there is no such shard: nothing of it was asked.
    """
    with readable(judgements):
        there = judgements.exists()
        answers = pl.read_parquet(judgements, columns=["question_id", "attempts"]).rows() if there else []
    rows = []
    for attempt_id, (attempt, *_) in answers:
        passed = {"correct": True, "wrong": False}.get(attempt["verdict"])
        rows.append((attempt_id, passed, None if passed else _reason(attempt, passed)))
    columns = {"attempt_id": pl.String, "judge passed": pl.Boolean, "judge reason": pl.String}
    return pl.DataFrame(rows, columns, orient="row").with_columns(judged=pl.lit(True))


def _reason(attempt: dict[str, Any], passed: bool | None) -> str:
    """In the judge's own words, why it failed an attempt, or why it cannot be told what it said."""
    if attempt["verdict"] == "error":
        return f"the judge could not be asked: {attempt['error']}"[:REASON]
    if attempt["verdict"] == "truncated":
        return "the judge was cut off before it had judged"
    read = Judgement().verify(attempt["completion"] or "", Question("", "train", "", "pass")).reason
    return (read or "no reason was given") if passed is False else f"what the judge said cannot be read: {read}"
