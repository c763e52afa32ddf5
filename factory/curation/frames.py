"""Shards of rollouts, some at a time as one frame, and what was made of it apart again.

Of the few hundred attempts of a shard most of the time that polars takes is not theirs.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import polars as pl

from factory.record import readable

FRAME = 8
"""Shards that are curated as one frame: of a thousand attempts most of the time is not theirs."""


def frames(paths: Iterable[Path]) -> Iterator[tuple[list[Path], pl.DataFrame]]:
    """Shards of rollouts, some at a time as one frame, with the number of each row's shard among them."""
    read: list[tuple[Path, pl.DataFrame]] = []
    for path in paths:
        with readable(path):
            frame = pl.read_parquet(path)
        if read and (len(read) == FRAME or frame.schema != read[0][1].schema):  # one of an earlier release
            yield _as_one(read)
            read = []
        read.append((path, frame))
    if read:
        yield _as_one(read)


def _as_one(read: Sequence[tuple[Path, pl.DataFrame]]) -> tuple[list[Path], pl.DataFrame]:
    numbered = [frame.with_columns(shard=pl.lit(number, pl.Int32)) for number, (_, frame) in enumerate(read)]
    return [path for path, _ in read], pl.concat(numbered)


def by_shard(made: pl.DataFrame, frame: pl.DataFrame, shards: int) -> list[pl.DataFrame]:
    """What was made of a frame, apart again by the shard of its question; in the same order."""
    numbered = made.join(frame.select("question_id", "shard"), on="question_id", how="left", maintain_order="left")
    parts = numbered.partition_by("shard", as_dict=True, include_key=False)
    return [parts.get((number,), made.clear()) for number in range(shards)]
