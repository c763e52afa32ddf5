"""A published generation loads as a dataset, tells the truth about itself, and never changes."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pandas
import polars
import pyarrow.parquet as pq
import pytest

from factory import publish as publishing
from factory.publish import PublishError, publish
from schemas import EXAMPLES, REJECTS, ROLLOUTS
from tests.publishing import FACTS, RATIONALE, Inputs, example, made_in

Load = Callable[..., datasets.Dataset]
FOLDERS = {"data": EXAMPLES, "rollouts": ROLLOUTS, "rejects": REJECTS}
ONLY_FILE = "train-00000-of-00001.parquet"


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return made_in(tmp_path)


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    cache = str(tmp_path / "cache")
    return lambda *args, **more: datasets.load_dataset(*map(str, args), split="train", cache_dir=cache, **more)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tree_and_manifest_tell_the_truth(inputs: Inputs) -> None:
    folder = publish(**inputs)
    assert folder == inputs["registry"] / "sums" / "gen-2"
    tree = files(folder)
    manifest = json.loads(tree.pop("manifest.json"))
    assert set(tree) == {"README.md", "recipe.yaml", *(f"{subfolder}/{ONLY_FILE}" for subfolder in FOLDERS)}
    assert tree["recipe.yaml"].decode() == inputs["recipe"]
    assert {path: (entry["sha256"], entry["bytes"]) for path, entry in manifest["files"].items()} == {
        path: (hashlib.sha256(content).hexdigest(), len(content)) for path, content in tree.items()
    }
    assert manifest["files"][f"rejects/{ONLY_FILE}"]["rows"] == 3
    assert (manifest["name"], manifest["generation"], manifest["facts"]) == ("sums", 2, FACTS)
    assert manifest["tables"] == {
        "examples": {"rows": 12, "schema_version": "1.1", "by_origin": {"sampled": 8, "rationalized": 4}},
        "rollouts": {"rows": 12, "schema_version": "1.1"},
        "rejects": {"rows": 3, "schema_version": "1.2", "by_reason": {"wrong": 2, "truncated": 1}},
    }
    assert all(path.stat().st_mode & stat.S_IRGRP for path in folder.rglob("*")), "a dataset is for others to read"


def test_loads_with_datasets_polars_and_pandas(inputs: Inputs, load: Load) -> None:
    folder = publish(**inputs)
    for config, schema in zip(("examples", "rollouts", "rejects"), FOLDERS.values(), strict=True):
        assert load(folder, config).features == datasets.Features.from_arrow_schema(schema)
    examples = load(folder)
    assert examples.to_list() == [example(number) for number in range(12)]
    assert load(folder, "rollouts")[3]["attempts"][0]["completion"] == RATIONALE
    assert polars.scan_parquet(folder / "data/*.parquet").collect().to_dicts() == examples.to_list()
    assert list(pandas.read_parquet(folder / "data")["example_id"]) == list(examples["example_id"])


def test_parquet_is_what_the_hub_expects(inputs: Inputs) -> None:
    folder = publish(**inputs)
    for subfolder, schema in FOLDERS.items():
        with pq.ParquetFile(folder / subfolder / ONLY_FILE) as file:
            metadata, written = file.metadata, file.schema_arrow
        info = json.loads(metadata.metadata[b"huggingface"])["info"]
        assert datasets.Features.from_dict(info["features"]) == datasets.Features.from_arrow_schema(schema)
        assert json.loads(metadata.metadata[b"content_defined_chunking"])["min_chunk_size"] == 256 * 1024
        assert written.metadata[b"schema_version"] == schema.metadata[b"schema_version"]
        assert written.equals(schema)
        assert all(field.metadata.items() <= written.field(field.name).metadata.items() for field in schema)
        columns = [metadata.row_group(0).column(number) for number in range(metadata.num_columns)]
        assert all(column.compression == "ZSTD" and column.has_column_index for column in columns)


def test_publishing_the_same_rows_again_changes_nothing(inputs: Inputs) -> None:
    folder = publish(**inputs)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert publish(**inputs) == folder
    for path in [path for paths in inputs["tables"].values() for path in paths]:
        polars.read_parquet(path).write_parquet(path)  # large strings, everything nullable, no metadata
    assert publish(**inputs) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert list(folder.parent.iterdir()) == [folder]


def test_large_tables_are_split(inputs: Inputs, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in {"BATCH_ROWS": 1, "ROW_GROUP_BYTES": 700, "FILE_BYTES": 1700}.items():
        monkeypatch.setattr(publishing, limit, value)
    folder = publish(**inputs)
    parts = sorted((folder / "data").iterdir())
    assert len(parts) > 1
    assert [part.name for part in parts] == [f"train-{n:05}-of-{len(parts):05}.parquet" for n in range(len(parts))]
    assert pq.read_metadata(parts[0]).num_row_groups > 1
    assert list(load(folder)["example_id"]) == [f"e{number}" for number in range(12)]
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    assert [entries[f"data/{part.name}"]["rows"] for part in parts] == [pq.read_metadata(p).num_rows for p in parts]


def test_other_content_is_refused(inputs: Inputs) -> None:
    folder = publish(**inputs)
    before = files(folder)
    changes: dict[str, dict[str, Any]] = {
        "recipe.yaml": {"recipe": "seed: 8\n"},
        "the fact seed": {"facts": FACTS | {"seed": 8}},
        f"data/{ONLY_FILE}": {"tables": inputs["tables"] | {"examples": inputs["tables"]["examples"][:-1]}},
    }
    for difference, change in changes.items():
        with pytest.raises(PublishError, match=rf"\({difference} differs\).*publish under another name"):
            publish(**inputs | change)
    assert files(folder) == before
    assert list(folder.parent.iterdir()) == [folder]
    (folder / "rejects" / ONLY_FILE).write_bytes(b"")  # not published with other content, but changed since
    with pytest.raises(PublishError, match=rf"\(rejects/{ONLY_FILE} differs\)"):
        publish(**inputs)


def test_a_failure_leaves_nothing_and_is_made_good(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    home = inputs["registry"] / "sums"
    monkeypatch.setattr(publishing, "card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        publish(**inputs)
    assert not list(home.iterdir())
    monkeypatch.undo()
    (home / ".gen-1.tmp" / "data").mkdir(parents=True)  # as killed processes leave them
    (home / ".gen-2.tmp" / "data").mkdir(parents=True)
    assert [publish(**inputs)] == list(home.iterdir())


def test_a_new_generation_leaves_the_old_one_alone(inputs: Inputs) -> None:
    old = publish(**inputs | {"generation": 1})
    before = files(old)
    assert {old, publish(**inputs)} == set(old.parent.iterdir())
    assert files(old) == before


@pytest.mark.parametrize("rejects", ["no shards", "an empty shard"])
def test_empty_tables_load(inputs: Inputs, load: Load, rejects: str) -> None:
    shard = inputs["tables"]["rejects"][0]
    pq.write_table(REJECTS.empty_table(), shard)
    inputs["tables"]["rejects"] = [shard] if rejects == "an empty shard" else []
    folder = publish(**inputs)
    # datasets 5.2 opens a split without rows only when it streams
    loaded = load(folder, "rejects", streaming=True)
    assert (list(loaded), loaded.features) == ([], datasets.Features.from_arrow_schema(REJECTS))
    assert polars.read_parquet(folder / "rejects/*.parquet").columns == REJECTS.names
    assert len(load(folder)) == 12, "the other tables are not disturbed"
    assert "rejects = load_dataset" not in (folder / "README.md").read_text()
    assert "| derived | rationalized | 50 | 248 |" in (folder / "README.md").read_text()


@pytest.mark.parametrize("broken", ["missing", "null"])
def test_a_shard_that_does_not_fit_is_refused(inputs: Inputs, broken: str) -> None:
    shard = inputs["tables"]["rejects"][0]
    rejects = polars.read_parquet(shard)
    (rejects.drop("reason") if broken == "missing" else rejects.with_columns(reason=None)).write_parquet(shard)
    with pytest.raises(PublishError, match=r"does not hold rejects.*reason"):
        publish(**inputs)
