"""The order of published examples: rows of questions that were published before keep their place, new ones follow.

The Hub stores chunks of some hundred rows. New rows among the old ones would change every chunk, behind them few.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq


def known_first(shards: Sequence[Path], earlier: Sequence[Sequence[Path]], folder: Path) -> list[Path]:
    """The same rows in other shards: by the first generation that has an example of their question, else as they were.

    Args:
        shards: ordered Parquet shards with the examples of a generation.
        earlier: those of the generations before it, oldest first; only ``question_id`` is read.
        folder: where the new shards are written, at most one a generation.

    Returns:
        the new shards, in order.
    """
    asked = [
        pl.scan_parquet(list(files), glob=False).select("question_id", first=pl.lit(n))
        for n, files in enumerate(earlier)
        if files
    ]
    if not asked:
        return list(shards)
    known = pl.concat(asked).group_by("question_id").agg(pl.col("first").min()).collect()
    writers: dict[int, pq.ParquetWriter] = {}
    with ExitStack() as files:
        for shard in shards:
            rows = pq.read_table(shard)
            ids = pl.DataFrame({"question_id": rows["question_id"]})
            first = ids.join(known, on="question_id", how="left", maintain_order="left")["first"].fill_null(
                len(earlier)
            )
            for generation in first.unique().sort():
                if generation not in writers:
                    writer = pq.ParquetWriter(folder / f"{generation:05}.parquet", rows.schema)
                    writers[generation] = files.enter_context(writer)
                writers[generation].write_table(rows.filter((first == generation).to_arrow()))
    return [folder / f"{generation:05}.parquet" for generation in sorted(writers)]
