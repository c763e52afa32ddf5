"""The files of one published generation, the same wherever it is published.

::

    README.md                            dataset card
    figures/*.png                        its figures
    manifest.json                        digests, counts, lineage: everything but itself
    recipe.yaml                          the resolved recipe
    data/train-00000-of-00003.parquet    examples, the default config
    rollouts/train-00000-of-00007.parquet
    rejects/train-00000-of-00001.parquet
    pairs/, prompt_completion/           those that the recipe asks for

``manifest.json`` is ``{"name", "generation", "tables", "files", "facts"}``. ``tables`` has the ``rows`` and
``schema_version`` of each table, the examples ``by_origin`` and how many of them are ``dialogues`` (several messages of
the assistant), the rejects ``by_reason``; ``files`` the ``sha256``, the ``bytes`` and, of tables, the ``rows`` of each
file; ``facts`` what the run knows (:mod:`factory.publishing.facts`) and the ``parent``: generation, commit and manifest
digest of the generation before this one.

Nothing in these files is of the moment: made again from the same run they are the same, byte for byte.
"""

import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import polars as pl

from factory.files import digest
from factory.publishing.card.card import card
from factory.publishing.card.figures import draw
from factory.publishing.card.model import model_card
from factory.publishing.parquet import tables_of, write_table

DERIVED = ("README.md", "figures/", "recipe.yaml")
"""What follows from other files and facts (the recipe from its fingerprint): a later release of this project, or a
later stage of the run, may write them in another way."""


def dataset_tree(
    folder: Path, *, name: str, generation: int, tables: dict[str, list[Path]], recipe: str, facts: dict[str, Any]
) -> None:
    """Fill an empty folder with the files of one generation of a dataset.

    Args:
        name: of the dataset; ``owner/name`` on the Hub.
        generation: 0-based generation.
        tables: ``examples``, ``rollouts`` and ``rejects``, each with its ordered Parquet shards (there may be none);
            and those of :data:`factory.publishing.parquet.ON_REQUEST` that are wanted.
        recipe: the resolved recipe as YAML text.
        facts: JSON values. Wall-clock times do not belong here: they would make the same content look different.

    Raises:
        PublishError: a shard does not fit its table's schema.
    """
    manifest: dict[str, Any] = {"name": name, "generation": generation, "tables": {}, "files": {}, "facts": facts}
    files, scans = manifest["files"], {}
    for table, (schema, subfolder) in tables_of({"tables": tables}).items():
        parts = write_table(folder / subfolder, schema, tables[table])
        files |= {path.relative_to(folder).as_posix(): _entry(path) | {"rows": rows} for path, rows in parts.items()}
        version = schema.metadata[b"schema_version"].decode()
        manifest["tables"][table] = {"rows": sum(parts.values()), "schema_version": version}
        scans[table] = pl.scan_parquet(list(parts), glob=False)
    manifest["tables"]["examples"]["by_origin"] = _counts(scans["examples"], "origin")
    manifest["tables"]["examples"]["dialogues"] = _dialogues(scans["examples"])
    manifest["tables"]["rejects"]["by_reason"] = _counts(scans["rejects"], "reason")
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    draw(folder / "figures", manifest, scans["rollouts"], scans["examples"])
    _describe(folder, files)  # now, because the card shows the figures that are there
    shown = _draw_examples(scans["examples"], seed=facts.get("seed", 0))
    (folder / "README.md").write_text(card(manifest, shown), encoding="utf-8")
    _seal(folder, manifest)


def model_tree(folder: Path, *, name: str, generation: int, checkpoint: Path, facts: dict[str, Any]) -> None:
    """Fill an empty folder with the model that was trained on one generation.

    Args:
        name: of the model; ``owner/name`` on the Hub.
        generation: that of the dataset.
        checkpoint: the model's folder, of which every file is published.
        facts: JSON values; see :mod:`factory.publishing.card.model`.
    """
    shutil.copytree(checkpoint, folder, copy_function=_link, dirs_exist_ok=True)
    facts = {"name": name, "generation": generation} | facts
    (folder / "README.md").unlink(missing_ok=True)  # that of the base, if it had one
    (folder / "README.md").write_text(model_card(facts), encoding="utf-8")
    _seal(folder, {"name": name, "generation": generation, "tables": {}, "files": {}, "facts": facts})


def _seal(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest."""
    _describe(folder, manifest["files"])
    text = json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def _describe(folder: Path, files: dict[str, Any]) -> None:
    """Add the entries of the files that have none yet."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if name not in files:
            files[name] = _entry(path)


def _entry(path: Path) -> dict[str, Any]:
    """What the manifest says of a file: ``{"sha256": ..., "bytes": ...}``."""
    return {"sha256": digest(path), "bytes": path.stat().st_size}


def _link(source: str, destination: str) -> None:
    """A checkpoint is large and never changes, so it is not copied where that can be helped."""
    try:
        os.link(source, destination)
    except OSError:  # another disk
        shutil.copy2(source, destination)


def _draw_examples(examples: pl.LazyFrame, seed: int, each: int = 5) -> list[dict[str, Any]]:
    """Up to ``each`` examples per origin, drawn by seed; only keys are held for the draw."""
    keys = examples.select("example_id", "origin").collect().sort("origin", "example_id")
    drawn: list[str] = []
    for _, group in keys.group_by("origin", maintain_order=True):
        drawn += random.Random(seed).sample(group["example_id"].to_list(), min(each, len(group)))
    rows = examples.filter(pl.col("example_id").is_in(drawn)).collect()
    return rows.sort("origin", "example_id").to_dicts()


def _dialogues(examples: pl.LazyFrame) -> int:
    """How many examples have several messages of the assistant, of which only the last is to be trained on."""
    answers = pl.col("messages").list.eval(pl.element().struct.field("role") == "assistant").list.sum()
    count: int = examples.select((answers > 1).sum()).collect(engine="streaming").item()
    return count


def _counts(rows: pl.LazyFrame, column: str) -> dict[str, int]:
    """How many rows hold each value of a column, most frequent first."""
    counts = rows.group_by(column).len().collect()
    return dict(counts.sort(["len", column], descending=[True, False]).iter_rows())
