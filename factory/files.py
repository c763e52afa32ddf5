"""The files of a run: written whole or not at all, known by their digests."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from factory.errors import FactoryError, named


def address(path: Path) -> str | None:
    """The address that was taken for a path, such as ``s3://bucket/runs``; None for a path of this machine."""
    found = re.fullmatch(r"([a-z][a-z0-9+.-]+):/+(.*)", str(path))
    return f"{found[1]}://{found[2]}" if found else None


def shards(folder: Path) -> list[Path]:
    """The Parquet shards of a folder, in order."""
    return sorted(folder.glob("*.parquet"))


def write_table(path: Path, table: pa.Table) -> dict[str, Any]:
    """Write a Parquet file so that it is either there and whole, or not there.

    Returns:
        ``{"sha256", "rows"}`` of what was to be written: the disk has no part in it.
    """
    content = pa.BufferOutputStream()
    pq.write_table(table, content, compression="zstd")
    written = content.getvalue()
    with _atomically(path) as temporary:
        temporary.write_bytes(written)
    return {"sha256": hashlib.sha256(written).hexdigest(), "rows": table.num_rows}


def to_schema(frame: pl.DataFrame, schema: pa.Schema) -> pa.Table:
    """A polars frame as an Arrow table with the columns, order, types and metadata of a schema."""
    return frame.select(schema.names).to_arrow().cast(schema)


def write_text(path: Path, text: str) -> None:
    with _atomically(path) as temporary:
        temporary.write_text(text)


def write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, sort_keys=True, default=str) + "\n")


def read_json(path: Path) -> Any:
    """What a JSON file of a run, or of a model, holds.

    Raises:
        FactoryError: it is damaged; ours are written whole or not at all, so something else did that.
    """
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise FactoryError(f"{path}: is damaged, for it is no JSON ({error}); put it back from a copy") from error


@contextmanager
def folder_atomically(path: Path) -> Iterator[Path]:
    """A temporary folder that takes the place of ``path`` when the block ends well."""
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    yield temporary
    shutil.rmtree(path, ignore_errors=True)
    temporary.rename(path)


@contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """An empty folder that is gone afterwards; what a process that was killed has left in it goes first."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _atomically(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with named(path):
            yield temporary
            with open(temporary, "rb") as written:
                os.fsync(written.fileno())
            temporary.replace(path)
    finally:
        with suppress(OSError):  # what went wrong before is what matters
            temporary.unlink(missing_ok=True)


def digest(path: Path) -> str:
    """sha256 of a file, or of a folder's files and names (a checkpoint)."""
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listing = "\n".join(f"{file.relative_to(path)} {digest(file)}" for file in files)
        return hashlib.sha256(listing.encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
