"""Rollouts of the eval split in, accuracy out.

Of a question's attempts, those of turn 0 are parallel: they know nothing of each other. Sample 0 may be gone on with,
turn after turn: sample 0 of every turn is the dialogue.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from factory.estimates import wilson
from factory.files import shards

SCHEMA = {
    "rollout": pl.UInt32,
    "difficulty": pl.String,
    "sample": pl.Int32,
    "turn": pl.Int32,
    "predicted_answer": pl.String,
    "verdict": pl.String,
}


def evaluate(rollouts: Path, reported_apart: Sequence[str] = ()) -> dict[str, Any]:
    """``{"pass@1": float | None, "interval": [low, high] | None, "questions": int, "by_difficulty": {group: float}}``.

    pass@1 is the mean over questions of correct / judged attempts of turn 0, with its 95 % interval. Attempts whose
    verdict is ``error`` count neither way, and a question with no other attempt is left out. Groups in
    ``reported_apart`` stand in ``by_difficulty`` only. Groups are in natural order ("2 digits" before "10 digits").

    A strategy of several turns also gets the figures of RISE (arXiv 2407.18219, section 5), shares of questions, for
    its own numbers K of parallel attempts and T of turns::

        m1@t1   the first attempt is correct          m1@tT   the majority over the turns of the dialogue is
        mK@t1   the majority of the parallel ones is  p1@tT   some turn is (takes an oracle to find it)
        per_turn  {"questions": n, "accuracy": [..., of turn T alone], "m1": [m1@t1, ..., m1@tT],
                   "p1": [p1@t1, ..., p1@tT], "parallel": [m1@t1, ..., mK@t1]}

    m1@tT and mK@t1 cost the same where T = K. The majority is among predicted answers, compared as texts; an attempt
    without one has no vote, and of tied answers the one given last wins. All of them are of the same ``n`` questions:
    one with an attempt whose verdict is ``error``, after which a dialogue ends, is left out. A figure without questions
    is None. A strategy that stops on success has no such figures, for it used an oracle.
    """
    attempts = _read(rollouts)
    rates = (
        attempts.filter(pl.col("turn") == 0, pl.col("verdict") != "error")
        .group_by("rollout", "difficulty", maintain_order=True)
        .agg(rate=(pl.col("verdict") == "correct").mean())
    )
    apart = pl.col("difficulty").is_in(list(reported_apart)).fill_null(False)
    counted = rates.filter(~apart)
    number = pl.col("difficulty").str.extract(r"(\d+)").cast(pl.Int64)
    groups = (
        rates.drop_nulls("difficulty")
        .group_by("difficulty", maintain_order=True)
        .agg(pl.col("rate").mean())
        .sort(number, "difficulty", nulls_last=True)
    )
    mean: float | None = counted.select(pl.col("rate").mean()).item()
    return {
        "pass@1": None if mean is None else round(mean, 4),
        "interval": None if mean is None else [round(bound, 4) for bound in wilson(mean, counted.height)],
        "questions": counted.height,
        **_over_turns(attempts.filter(~apart)),
        "by_difficulty": {group: round(accuracy, 4) for group, accuracy in groups.iter_rows()},
    }


def _read(rollouts: Path) -> pl.DataFrame:
    """A row an unhinted attempt, with the columns of ``SCHEMA``; ``rollout`` numbers the questions."""
    files = shards(rollouts)
    if not files:
        return pl.DataFrame(schema=SCHEMA)
    attempts = (
        pl.scan_parquet(files)
        .with_row_index("rollout")
        .select("rollout", "difficulty", "attempts")
        .explode("attempts", empty_as_null=False, keep_nulls=False)
        .unnest("attempts")
    )
    return attempts.filter(~pl.col("hinted")).select(SCHEMA.keys()).collect(engine="streaming")


def _over_turns(attempts: pl.DataFrame) -> dict[str, Any]:
    """The figures of RISE; none where nothing went beyond turn 0, or where dialogues stopped of themselves."""
    in_dialogue, in_parallel = pl.col("sample") == 0, pl.col("turn") == 0
    turns = (attempts.filter(in_dialogue).select(pl.col("turn").max()).item() or 0) + 1
    samples = (attempts.filter(in_parallel).select(pl.col("sample").max()).item() or 0) + 1
    questions = attempts.group_by("rollout").agg(
        turns=in_dialogue.sum(), samples=in_parallel.sum(), failed=(pl.col("verdict") == "error").any()
    )
    stopped = questions.filter(~pl.col("failed") & (pl.col("turns") < turns)).height
    if turns == 1 or stopped:
        return {}
    whole = questions.filter(~pl.col("failed") & (pl.col("turns") == turns) & (pl.col("samples") == samples))
    attempts = attempts.join(whole.select("rollout"), on="rollout", how="semi")
    dialogue = attempts.filter(in_dialogue).rename({"turn": "place"})
    parallel = attempts.filter(in_parallel).rename({"sample": "place"})
    per_turn = {
        "accuracy": [_any(dialogue.filter(pl.col("place") == turn)) for turn in range(turns)],
        "m1": [_majority(dialogue.filter(pl.col("place") <= turn)) for turn in range(turns)],
        "p1": [_any(dialogue.filter(pl.col("place") <= turn)) for turn in range(turns)],
        "parallel": [_majority(parallel.filter(pl.col("place") <= sample)) for sample in range(samples)],
    }
    return {
        "m1@t1": per_turn["m1"][0],
        f"m{samples}@t1": per_turn["parallel"][-1],
        f"m1@t{turns}": per_turn["m1"][-1],
        f"p1@t{turns}": per_turn["p1"][-1],
        "per_turn": {"questions": whole.height, **per_turn},
    }


def _any(attempts: pl.DataFrame) -> float | None:
    """The share of questions with a correct attempt among these."""
    return _mean(attempts.group_by("rollout").agg((pl.col("verdict") == "correct").any()).drop("rollout"))


def _majority(attempts: pl.DataFrame) -> float | None:
    """The share of questions whose answer given most often among these attempts is correct."""
    votes = attempts.with_columns(votes=pl.col("predicted_answer").is_not_null())
    answers = votes.group_by("rollout", "predicted_answer").agg(
        pl.col("votes").sum(),
        last=pl.col("place").max(),
        correct=pl.col("verdict").sort_by("place").last() == "correct",
    )
    chosen = answers.sort("votes", "last").group_by("rollout").last()
    return _mean(chosen.select(pl.col("correct") & (pl.col("votes") > 0)))


def _mean(shares: pl.DataFrame) -> float | None:
    """The mean of a frame's only column, to four digits; None without rows."""
    mean: float | None = shares.select(pl.all().mean()).item()
    return None if mean is None else round(mean, 4)


def rollout_counts(rollouts: Path) -> dict[str, Any]:
    """``{"questions", "solved", "attempts", "hinted", "errors", "completion_tokens"}`` of a folder of rollouts."""
    rows = pl.scan_parquet(shards(rollouts))
    attempts = rows.select("attempts").explode("attempts", empty_as_null=False, keep_nulls=False).unnest("attempts")
    questions = rows.select(questions=pl.len(), solved=pl.col("solved").sum())
    sums = attempts.select(
        attempts=pl.len(),
        hinted=pl.col("hinted").sum(),
        errors=(pl.col("verdict") == "error").sum(),
        completion_tokens=pl.col("completion_tokens").cast(pl.Int64).sum(),
    )
    return pl.concat([questions, sums], how="horizontal").collect().row(0, named=True)
