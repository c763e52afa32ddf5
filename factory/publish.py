"""examples -> registry: one finished generation becomes an immutable, loadable dataset.

::

    <registry>/<name>/gen-2/
        README.md                            dataset card
        manifest.json                        digests, counts and facts: everything but itself
        recipe.yaml                          the resolved recipe
        data/train-00000-of-00003.parquet    examples, the default config
        rollouts/train-00000-of-00007.parquet
        rejects/train-00000-of-00001.parquet

:func:`make_tree` makes this tree in any folder; :func:`publish` puts it in its place in a local registry.
"""

import hashlib
import json
import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Features
from datasets.config import DEFAULT_CDC_OPTIONS

from factory.card import card
from factory.errors import FactoryError
from schemas import EXAMPLES, REJECTS, ROLLOUTS

TABLES = {"examples": (EXAMPLES, "data"), "rollouts": (ROLLOUTS, "rollouts"), "rejects": (REJECTS, "rejects")}
"""The schema of each published table and the folder it lies in."""

ROW_GROUP_BYTES = 100_000_000
FILE_BYTES = 500_000_000
"""Limits of the ``datasets`` library; like there, measured in memory, so files on disk are smaller."""

BATCH_ROWS = 64
"""Rows read at a time. Few, because a rollout with many turns holds up to a megabyte."""


class PublishError(FactoryError):
    """The generation is published already with other content, or a shard does not hold the table it should."""


def publish(
    *, registry: Path, name: str, generation: int, tables: dict[str, list[Path]], recipe: str, facts: dict[str, Any]
) -> Path:
    """Publish one generation to a local registry and return its folder, ``registry/name/gen-N``.

    The folder appears whole or not at all. Publishing the same content again changes nothing. One process at a
    time may publish under a name.

    Args:
        registry: folder of all published datasets; made if missing.
        name: name of the dataset.
        generation: 0-based generation.
        tables: ``examples``, ``rollouts`` and ``rejects``, each with its ordered Parquet shards (there may be none).
        recipe: the resolved recipe as YAML text.
        facts: what the run knows of this generation, as JSON values; see :mod:`factory.card` for those the card
            shows. Wall-clock times do not belong here: they would make the same content look different.

    Raises:
        PublishError: this generation is published with other content, or a shard does not fit its table's schema.
    """
    home = registry / name
    published = home / f"gen-{generation}"
    home.mkdir(parents=True, exist_ok=True)
    for leftover in home.glob(".gen-*.tmp"):  # of a publish that was killed
        shutil.rmtree(leftover)
    temporary = home / f".gen-{generation}.tmp"
    temporary.mkdir()
    try:
        make_tree(temporary, name=name, generation=generation, tables=tables, recipe=recipe, facts=facts)
        if not published.exists():
            _sync(*temporary.rglob("*"), temporary)
            temporary.rename(published)
            _sync(home, registry)
        elif difference := _first_difference(published, temporary):
            raise PublishError(
                f"gen-{generation} of {name} is published already with other content ({difference}) and a published "
                f"generation never changes: publish under another name, or delete {published} if nobody uses it."
            )
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return published


def make_tree(
    folder: Path, *, name: str, generation: int, tables: dict[str, list[Path]], recipe: str, facts: dict[str, Any]
) -> None:
    """Fill an empty folder with the files of one published generation.

    Args:
        folder: an empty folder; the other arguments are those of :func:`publish`.

    Raises:
        PublishError: a shard does not fit its table's schema.
    """
    manifest: dict[str, Any] = {"name": name, "generation": generation, "tables": {}, "files": {}, "facts": facts}
    files, scans = manifest["files"], {}
    for table, (schema, subfolder) in TABLES.items():
        parts = _write_table(folder / subfolder, schema, tables[table])
        files |= {path.relative_to(folder).as_posix(): _entry(path) | {"rows": rows} for path, rows in parts.items()}
        version = schema.metadata[b"schema_version"].decode()
        manifest["tables"][table] = {"rows": sum(parts.values()), "schema_version": version}
        scans[table] = pl.scan_parquet(list(parts), glob=False)
    manifest["tables"]["examples"]["by_origin"] = _counts(scans["examples"], "origin")
    manifest["tables"]["rejects"]["by_reason"] = _counts(scans["rejects"], "reason")

    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    files["recipe.yaml"] = _entry(folder / "recipe.yaml")
    shown = _draw_examples(scans["examples"], seed=facts.get("seed", 0))
    (folder / "README.md").write_text(card(manifest, shown), encoding="utf-8")
    files["README.md"] = _entry(folder / "README.md")
    text = json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def _write_table(folder: Path, schema: pa.Schema, shards: list[Path]) -> dict[Path, int]:
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
                    batch = read.select(schema.names).cast(schema)
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


def _draw_examples(examples: pl.LazyFrame, seed: int, each: int = 3) -> list[dict[str, Any]]:
    """Up to ``each`` examples per origin, drawn by seed; only keys are held for the draw."""
    keys = examples.select("example_id", "origin").collect().sort("origin", "example_id")
    drawn: list[str] = []
    for _, group in keys.group_by("origin", maintain_order=True):
        drawn += random.Random(seed).sample(group["example_id"].to_list(), min(each, len(group)))
    rows = examples.filter(pl.col("example_id").is_in(drawn)).collect()
    return rows.sort("origin", "example_id").to_dicts()


def _counts(rows: pl.LazyFrame, column: str) -> dict[str, int]:
    """How many rows hold each value of a column, most frequent first."""
    counts = rows.group_by(column).len().collect()
    return dict(counts.sort(["len", column], descending=[True, False]).iter_rows())


def _entry(path: Path) -> dict[str, Any]:
    """What the manifest says of a file: ``{"sha256": ..., "bytes": ...}``."""
    return {"sha256": _digest(path), "bytes": path.stat().st_size}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_difference(published: Path, made: Path) -> str | None:
    """The first thing that differs, files before facts before the card that follows from both; None if equal.

    What is published is read, not believed: a file that was changed in its place is a difference.
    """
    if not (published / "manifest.json").exists():
        return "it has no manifest.json"
    old, new = (json.loads((folder / "manifest.json").read_text(encoding="utf-8")) for folder in (published, made))

    def differs(path: str) -> bool:
        digests = [_digest(folder / path) if (folder / path).exists() else None for folder in (published, made)]
        return digests[0] != digests[1]

    for path in sorted((old["files"].keys() | new["files"].keys()) - {"README.md"}):
        if differs(path):
            return f"{path} differs"
    for fact in sorted(old["facts"].keys() | new["facts"].keys()):
        if old["facts"].get(fact) != new["facts"].get(fact):
            return f"the fact {fact} differs"
    return "README.md differs" if differs("README.md") else None


def _sync(*paths: Path) -> None:
    """Make files and folders outlive a power cut."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
