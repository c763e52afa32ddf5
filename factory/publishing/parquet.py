"""Parquet as it is published: as the ``datasets`` library writes it, so that the Hub serves and stores it well."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features
from datasets.config import DEFAULT_CDC_OPTIONS

from factory.targets import PublishError
from schemas import EXAMPLES, PAIRS, PROMPT_COMPLETION, REJECTS, ROLLOUTS

TABLES = {"examples": (EXAMPLES, "data"), "rollouts": (ROLLOUTS, "rollouts"), "rejects": (REJECTS, "rejects")}
"""The schema of each published table and the folder it lies in; the first is the default config."""

ON_REQUEST = {"pairs": (PAIRS, "pairs"), "prompt_completion": (PROMPT_COMPLETION, "prompt_completion")}
"""The same of what is published where a recipe asks for it (``publish.configs``)."""


def tables_of(manifest: Mapping[str, Any]) -> dict[str, tuple[pa.Schema, str]]:
    """The tables of one generation, in the order in which they are told."""
    return {name: table for name, table in (TABLES | ON_REQUEST).items() if name in manifest["tables"]}


ROW_GROUP_BYTES = 100_000_000
FILE_BYTES = 500_000_000
"""Limits of the ``datasets`` library; like there, measured in memory, so files on disk are smaller."""

BATCH_ROWS = 64
"""Rows read at a time. Few, because a rollout with many turns holds up to a megabyte."""


def write_table(folder: Path, schema: pa.Schema, shards: list[Path]) -> dict[Path, int]:
    """Write the rows of the shards, in their order, as ``train-*.parquet`` files; at least one, even without rows.

    Content-defined chunking lets a generation that shares rows with the last one share their bytes in storage.

    Returns:
        The files with their row counts.
    """
    folder.mkdir()
    features = Features.from_arrow_schema(schema).arrow_schema.metadata  # as the datasets library writes them
    schema = schema.with_metadata(schema.metadata | features)
    groups = _row_groups(schema, shards)
    group = next(groups, None)
    rows: list[int] = []
    while group is not None or not rows:  # without rows: no row group, as datasets cannot read an empty one
        with pq.ParquetWriter(
            folder / f"part-{len(rows)}",
            schema,
            compression="zstd",
            use_content_defined_chunking=DEFAULT_CDC_OPTIONS,
            write_page_index=True,
        ) as writer:
            writer.add_key_value_metadata({"content_defined_chunking": json.dumps(DEFAULT_CDC_OPTIONS)})
            rows.append(0)
            room = FILE_BYTES
            while group is not None and (room == FILE_BYTES or group.nbytes <= room):
                writer.write_table(group)
                rows[-1] += group.num_rows
                room -= group.nbytes
                group = next(groups, None)
    # the names carry the number of files, which is known only now
    names = [folder / f"train-{number:05}-of-{len(rows):05}.parquet" for number in range(len(rows))]
    return {(folder / f"part-{number}").rename(path): rows[number] for number, path in enumerate(names)}


def _row_groups(schema: pa.Schema, shards: list[Path]) -> Iterator[pa.Table]:
    """The rows of the shards as tables of at most ``ROW_GROUP_BYTES`` (or one batch, if that is larger)."""
    pending: list[pa.RecordBatch] = []
    size = 0
    for shard in shards:
        with pq.ParquetFile(shard) as file:
            for read in file.iter_batches(BATCH_ROWS):
                try:
                    batch = _widened(read, schema).cast(schema)
                except (KeyError, ValueError, TypeError, pa.ArrowException) as error:
                    table = schema.metadata[b"schema"].decode()
                    raise PublishError(
                        f"{shard} does not hold {table} as schemas/{table}.py has them: {error}"
                    ) from error
                if pending and size + batch.nbytes > ROW_GROUP_BYTES:
                    yield pa.Table.from_batches(pending).combine_chunks()
                    pending, size = [], 0
                pending.append(batch)
                size += batch.nbytes
    if pending:
        yield pa.Table.from_batches(pending).combine_chunks()


def _widened(read: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The columns of a schema; those that came with a later minor version, all nullable, are null.

    Raises:
        KeyError: a column is missing that may not be null.
    """
    there = set(read.schema.names)
    for field in schema:
        if field.nullable and field.name not in there:
            read = read.append_column(field, pa.nulls(read.num_rows, field.type))
    return read.select(schema.names)
