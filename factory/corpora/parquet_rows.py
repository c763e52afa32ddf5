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
    short = [field for field in batch.schema if _is_short(field.type)]
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
        for field in short:
            row[field.name] = _shortest(row[field.name], field.type)
        yield row


def _is_short(kind: pa.DataType) -> bool:
    """Whether numbers of 16 or 32 bits are in a column, or in its lists and mappings."""
    inner = [kind.field(at).type for at in range(kind.num_fields)]
    return pa.types.is_float16(kind) or pa.types.is_float32(kind) or any(map(_is_short, inner))


def _shortest(value: Any, kind: pa.DataType) -> Any:
    """In 32 bits 0.1 is 0.1; in 64 it would be 0.10000000149."""
    if value is None or not _is_short(kind):
        return value
    if isinstance(value, float):
        return Decimal(str(np.float16(value) if pa.types.is_float16(kind) else np.float32(value)))
    if isinstance(value, list):
        return [_shortest(one, kind.value_type) for one in value]
    if pa.types.is_map(kind):
        return {key: _shortest(one, kind.item_type) for key, one in value.items()}
    return {key: _shortest(one, kind.field(key).type) for key, one in value.items()}
