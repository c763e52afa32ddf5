"""Rollouts of the eval split in, accuracy out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from factory.run import shards

SCHEMA = {"difficulty": pl.String, "pass_rate": pl.Float32}


def evaluate(rollouts: Path, reported_apart: Sequence[str] = ()) -> dict[str, Any]:
    """``{"pass@1": float | None, "questions": int, "by_difficulty": {group: float}}``.

    pass@1 is the mean over questions of correct / judged attempts. Attempts whose verdict is ``error`` count neither
    way, and a question with no other attempt is left out. Groups in ``reported_apart`` stand in ``by_difficulty``
    only. Groups are in natural order ("2 digits" before "10 digits").
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
        "questions": counted.height,
        "by_difficulty": {group: round(accuracy, 4) for group, accuracy in groups.iter_rows()},
    }
