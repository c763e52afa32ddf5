"""What records say of files, and whether it is still so: a stage reads only what the stage before it wrote.

A file is known by its digest as whoever wrote it reported it, before it was on a disk. Whatever is there beside that
(missing, truncated, changed, foreign) stops the stage that would read it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from factory.errors import FactoryError
from factory.files import digest, shards

Record = dict[str, Any]

Files = dict[str, Record]
"""``{path relative to the run: {"sha256", "rows"}}``; a writer's report may say more of a file."""

SHOWN = 5
"""Files that a message names; the others are counted."""


def described(run: Path, *folders: Path) -> Files:
    """Digest and row count of the shards of some folders.

    Raises:
        FactoryError: a shard cannot be read.
    """
    found: Files = {}
    for path in (path for folder in folders for path in shards(folder)):
        with readable(path):
            found[str(path.relative_to(run))] = {"sha256": digest(path), "rows": pq.read_metadata(path).num_rows}
    return found


def held_against(written: Files, run: Path, *folders: Path, way_out: str) -> Files:
    """The shards of some folders, which are exactly those that were ``written``: digest and row count of each.

    Args:
        written: as their writers reported them.
        way_out: what the user can do about one that is not.

    Raises:
        FactoryError: names every shard that is missing, foreign or not what was written.
    """
    there = {str(path.relative_to(run)): path for folder in folders for path in shards(folder)}
    problems = [*_differences(written, there)]
    if problems:
        more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        listed = "\n".join(f"  - {problem}" for problem in [*problems[:SHOWN], *more])
        raise FactoryError(f"run '{run}': files are not what was written\n{listed}\n  {way_out}")
    return {path: {"sha256": report["sha256"], "rows": report["rows"]} for path, report in written.items()}


def _differences(written: Files, there: dict[str, Path]) -> Iterator[str]:
    for name in sorted(written.keys() | there.keys()):
        if name not in there:
            report = written[name]
            by = f", and the worker on '{report['host']}' wrote it" if "host" in report else ", and it was written"
            yield f"{name} is missing{by} ({report['rows']:,} rows)"
        elif name not in written:
            yield f"{name} is foreign: no stage of this run wrote it"
        elif (now := digest(there[name])) != written[name]["sha256"]:
            kind = "was changed" if _is_parquet(there[name]) else "is truncated, or no Parquet file"
            yield f"{name} {kind}: sha256 {now[:16]}, written {written[name]['sha256'][:16]}"


def _is_parquet(path: Path) -> bool:
    try:
        pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return False
    return True


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Within the block a Parquet file is read: what is none is one line with its name.

    Raises:
        FactoryError: it cannot be read, or lacks a column that it should have.
    """
    try:
        yield
    except (OSError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        told = str(error).strip().partition("\n")[0]
        raise FactoryError(f"{path}: cannot be read as a Parquet file of this run: {told}") from error
