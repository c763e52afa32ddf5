"""Rollouts of the eval split in, accuracy out."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from factory.run import shards

SCHEMA = {"difficulty": pl.String, "pass_rate": pl.Float32}


def evaluate(rollouts: Path, reported_apart: Sequence[str] = ()) -> dict[str, Any]:
    """``{"pass@1": float | None, "interval": [low, high] | None, "questions": int, "by_difficulty": {group: float}}``.

    pass@1 is the mean over questions of correct / judged attempts, with its 95 % interval. Attempts whose verdict is
    ``error`` count neither way, and a question with no other attempt is left out. Groups in ``reported_apart`` stand
    in ``by_difficulty`` only. Groups are in natural order ("2 digits" before "10 digits").
    """
    files = shards(rollouts)
    rows = pl.scan_parquet(files).select(*SCHEMA).collect() if files else pl.DataFrame(schema=SCHEMA)
    rows = rows.drop_nulls("pass_rate").with_columns(pl.col("pass_rate").cast(pl.Float64))
    counted = rows.filter(~pl.col("difficulty").is_in(list(reported_apart)).fill_null(False))
    number = pl.col("difficulty").str.extract(r"(\d+)").cast(pl.Int64)
    groups = (
        rows.drop_nulls("difficulty")
        .group_by("difficulty")
        .agg(pl.col("pass_rate").mean())
        .sort(number, "difficulty", nulls_last=True)
    )
    mean: float | None = counted.select(pl.col("pass_rate").mean()).item()
    return {
        "pass@1": None if mean is None else round(mean, 4),
        "interval": None if mean is None else [round(bound, 4) for bound in wilson(mean, counted.height)],
        "questions": counted.height,
        "by_difficulty": {group: round(accuracy, 4) for group, accuracy in groups.iter_rows()},
    }


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``n`` questions (Wilson's score interval).

    Also for means of pass rates over several samples, where it is wider than need be: their variance is smaller.
    """
    z2 = 1.96**2 / n
    centre, half = share + z2 / 2, 1.96 * math.sqrt(share * (1 - share) / n + z2 / (4 * n))
    return (centre - half) / (1 + z2), (centre + half) / (1 + z2)
