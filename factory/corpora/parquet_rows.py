"""Rows of Parquet files, a batch at a time."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from factory.corpora.rows import Numbered

BATCH = 1024


def read_parquet(file: Path, wanted: Sequence[str]) -> Iterator[Numbered]:
    """The rows, numbered from 1; only the columns that are wanted, if the file has them all (``a.b`` is a field of
    column ``a``).

    Raises:
        ValueError: it is no Parquet file, or two of its columns have the same name.
    """
    number = 0
    with pq.ParquetFile(file, memory_map=True) as parquet:
        there = parquet.schema_arrow.names
        twice = sorted({name for name in there if there.count(name) > 1})
        if twice:
            raise ValueError(f"the columns {', '.join(map(repr, twice))} are there twice")
        read = [column if column in there else column.partition(".")[0] for column in wanted]
        # what is not there is told beside all that is
        narrow = read if set(read) <= set(there) else None
        for batch in parquet.iter_batches(batch_size=BATCH, columns=narrow):
            for row in _rows(batch):
                number += 1
                yield number, row


def _rows(batch: pa.RecordBatch) -> Iterator[dict[str, Any] | str]:
    short = [field.name for field in batch.schema if field.type in (pa.float32(), pa.float16())]
    try:
        rows = batch.to_pylist(maps_as_pydicts="strict")
    except (UnicodeDecodeError, KeyError):  # one row, of a thousand
        for at in range(batch.num_rows):
            try:
                (row,) = batch.slice(at, 1).to_pylist(maps_as_pydicts="strict")
            except UnicodeDecodeError:
                yield "rows with text that is not UTF-8"
            except KeyError:
                yield "rows with a key that comes twice"
            else:
                yield row
        return
    for row in rows:
        for name in short:  # in 32 bits 0.1 is 0.1, in 64 it would be 0.10000000149
            if row[name] is not None:
                row[name] = Decimal(str(np.float32(row[name])))
        yield row
