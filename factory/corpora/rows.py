"""Rows of files and of datasets on the Hub, one at a time.

All raise OSError where there is no such file or the Hub cannot be reached, and ValueError, which names the place, for
what cannot be read.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Row = Mapping[str, Any]
KINDS = (".parquet", ".jsonl", ".csv")


def read_file(file: Path, wanted: Sequence[str]) -> Iterator[Row]:
    """The rows of a file of one of the :data:`KINDS`; of a Parquet file only the columns that are wanted, if it has
    them all (``a.b`` is a field of column ``a``)."""
    if file.suffix == ".parquet":
        return read_parquet(file, wanted)
    return read_csv(file) if file.suffix == ".csv" else read_jsonl(file)


def read_jsonl(file: Path) -> Iterator[Row]:
    """The rows of a file with a JSON object a line.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a line is no JSON object; says which.
    """
    with file.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise ValueError(f"{file}, line {number}: {error}") from error
            if not isinstance(row, dict):
                raise ValueError(f"{file}, line {number}: is no JSON object")
            yield row


def read_csv(file: Path) -> Iterator[Row]:
    """The rows of a file whose first line names the columns; every value is a text."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        try:
            for number, row in enumerate(csv.DictReader(lines), 1):
                if None in row:
                    raise ValueError(f"{file}, row {number}: has more fields than there are columns")
                yield row
        except csv.Error as error:
            raise ValueError(f"{file}: {error}") from error


def read_parquet(file: Path, wanted: Sequence[str]) -> Iterator[Row]:
    """The rows of a Parquet file, a batch at a time."""
    try:
        with pq.ParquetFile(file, memory_map=True) as parquet:
            there = parquet.schema_arrow.names
            read = [column if column in there else column.partition(".")[0] for column in wanted]
            # what is not there is told beside all that is
            narrow = read if set(read) <= set(there) else None
            for batch in parquet.iter_batches(batch_size=1024, columns=narrow):
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise ValueError(f"{file}: {error}") from error


def read_hub(dataset: str, split: str, name: str | None = None, streaming: bool = False) -> Iterator[Row]:
    """The rows of a split of a dataset on the Hub: downloaded first, or with ``streaming`` on the way.

    Raises:
        OSError: the Hub cannot be reached, or has no such dataset.
        ValueError: the dataset has no such split or configuration.
    """
    import datasets
    import httpx

    try:
        yield from datasets.load_dataset(dataset, name, split=split, streaming=streaming)
    except (OSError, httpx.HTTPError) as error:
        raise OSError(f"{error}; a local copy can be named with corpus.path=...") from error
