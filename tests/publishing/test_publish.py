"""A published generation loads as a dataset, tells the truth about itself, and never changes."""

import errno
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

from factory.publishing import parquet, tree
from factory.publishing.card.card import card
from factory.targets import PublishError
from factory.targets.manifest import manifest_digest
from factory.targets.registry import Registry
from schemas import EXAMPLES, REJECTS, ROLLOUTS
from tests.support.publishing import FACTS, RATIONALE, Inputs, example, made_in, publish_all
from tests.support.publishing import publish as publish_to

Load = Callable[..., datasets.Dataset]
Publish = Callable[..., Path]
FOLDERS = {"data": EXAMPLES, "rollouts": ROLLOUTS, "rejects": REJECTS}
ONLY_FILE = "train-00000-of-00001.parquet"


@pytest.fixture
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    monkeypatch.setattr(tree, "draw", lambda *_: None)  # figures take longer than all the rest
    return made_in(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry" / "sums")


@pytest.fixture
def publish(home: Registry, inputs: Inputs) -> Publish:
    """Publishes the inputs, some of them changed, as generation 0; returns the folder."""

    def publish(generation: int = 0, **changes: Any) -> Path:
        return Path(publish_to(home, inputs | changes, generation).where)

    return publish


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    cache = str(tmp_path / "cache")
    return lambda *args, **more: datasets.load_dataset(*map(str, args), split="train", cache_dir=cache, **more)


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tree_and_manifest_tell_the_truth(
    inputs: Inputs, home: Registry, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # with figures
    folder = publish()
    assert folder == home.home / "gen-0"
    published = files(folder)
    manifest = json.loads(published.pop("manifest.json"))
    figures = {path for path in published if path.startswith("figures/") and path.endswith(".png")}
    tables = {f"{subfolder}/{ONLY_FILE}" for subfolder in FOLDERS}
    assert set(published) == {"README.md", "recipe.yaml"} | tables | figures
    assert figures
    assert published["recipe.yaml"].decode() == inputs["recipe"]
    assert {path: (entry["sha256"], entry["bytes"]) for path, entry in manifest["files"].items()} == {
        path: (hashlib.sha256(content).hexdigest(), len(content)) for path, content in published.items()
    }
    assert manifest["files"][f"rejects/{ONLY_FILE}"]["rows"] == 3
    assert (manifest["name"], manifest["generation"], manifest["facts"]) == (
        "sums",
        0,
        FACTS | {"parent": None, "examples_sha256": f"{0:064}", "model": FACTS["model"] | {"trained_on": None}},
    )
    assert manifest["tables"] == {
        "examples": {
            "rows": 12,
            "schema_version": "1.2",
            "dialogues": 0,
            "by_origin": {"sampled": 8, "rationalized": 4},
        },
        "rollouts": {"rows": 12, "schema_version": "1.1"},
        "rejects": {"rows": 3, "schema_version": "1.3", "by_reason": {"wrong": 2, "truncated": 1}},
    }
    assert all(path.stat().st_mode & stat.S_IRGRP for path in folder.rglob("*")), "a dataset is for others to read"


def test_loads_with_datasets_polars_and_pandas(inputs: Inputs, publish: Publish, load: Load) -> None:
    folder = publish()
    for config, schema in zip(("examples", "rollouts", "rejects"), FOLDERS.values(), strict=True):
        assert load(folder, config).features == datasets.Features.from_arrow_schema(schema)
    examples = load(folder)
    assert examples.to_list() == [example(number) for number in range(12)]
    assert load(folder, "rollouts")[3]["attempts"][0]["completion"] == RATIONALE
    assert polars.scan_parquet(folder / "data/*.parquet").collect().to_dicts() == examples.to_list()
    assert list(pandas.read_parquet(folder / "data")["example_id"]) == list(examples["example_id"])


def test_publishing_the_same_rows_again_changes_nothing(inputs: Inputs, publish: Publish) -> None:
    folder = publish()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert publish() == folder
    for path in [path for paths in inputs["tables"].values() for path in paths]:
        polars.read_parquet(path).write_parquet(path)  # large strings, everything nullable, no metadata
    assert publish() == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert left_in(folder.parent) == {"gen-0"}


def test_large_tables_are_split(inputs: Inputs, publish: Publish, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in {"BATCH_ROWS": 1, "ROW_GROUP_BYTES": 700, "FILE_BYTES": 1700}.items():
        monkeypatch.setattr(parquet, limit, value)
    folder = publish()
    parts = sorted((folder / "data").iterdir())
    assert len(parts) > 1
    assert [part.name for part in parts] == [f"train-{n:05}-of-{len(parts):05}.parquet" for n in range(len(parts))]
    assert pq.read_metadata(parts[0]).num_row_groups > 1
    assert list(load(folder)["example_id"]) == [f"e{number}" for number in range(12)]
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    assert [entries[f"data/{part.name}"]["rows"] for part in parts] == [pq.read_metadata(p).num_rows for p in parts]


def test_other_content_is_refused(inputs: Inputs, publish: Publish) -> None:
    folder = publish()
    before = files(folder)
    changes: dict[str, dict[str, Any]] = {
        "the fact seed": {"facts": FACTS | {"seed": 8}},
        f"data/{ONLY_FILE}": {"tables": inputs["tables"] | {"examples": inputs["tables"]["examples"][:-1]}},
    }
    for difference, change in changes.items():
        with pytest.raises(PublishError, match=rf"\({difference} differs\).*publish under another name"):
            publish(**change)
    assert files(folder) == before
    assert left_in(folder.parent) == {"gen-0"}


@pytest.mark.parametrize("path", ["README.md", f"rejects/{ONLY_FILE}"])
def test_what_was_changed_in_its_place_is_found(publish: Publish, path: str) -> None:
    (publish() / path).write_bytes(b"")
    with pytest.raises(PublishError, match=rf"\({path} is not what its manifest says\)"):
        publish()


def test_a_later_release_may_show_the_same_content_in_another_way(
    publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = publish()
    before = files(folder)
    monkeypatch.setattr(tree, "card", lambda *_: "# Another card")
    assert publish(recipe="# the same settings\nseed: 7\n") == folder
    assert files(folder) == before


def test_a_failure_leaves_nothing_and_is_made_good(
    home: Registry, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        publish()
    assert not left_in(home.home)
    monkeypatch.setattr(tree, "card", card)
    (home.home / ".gen-0.tmp" / "data").mkdir(parents=True)  # as killed processes leave them
    (home.home / ".gen-1.tmp" / "data").mkdir(parents=True)
    publish()
    assert left_in(home.home) == {"gen-0"}


def test_a_generation_names_the_one_before_it(home: Registry, inputs: Inputs) -> None:
    first, second = publish_all(home, inputs, 2)
    assert first.manifest()["facts"]["parent"] is None
    parent = {"generation": 0, "commit": None, "manifest_sha256": manifest_digest(first)}
    assert second.manifest()["facts"]["parent"] == parent
    assert first.sibling(1).where == second.where
    assert second.sibling(2) is None


@pytest.mark.parametrize("another", [{"recipe_fingerprint": "another"}, {"examples_sha256": "another"}])
def test_a_generation_of_another_run_is_no_parent(home: Registry, inputs: Inputs, another: dict[str, str]) -> None:
    publish_to(home, inputs)
    manifest = home.home / "gen-0" / "manifest.json"
    found = json.loads(manifest.read_text())
    found["facts"] |= another
    manifest.write_text(json.dumps(found))
    with pytest.raises(PublishError, match=r"registry/sums/gen-0 is published already, and of another run"):
        publish_to(home, inputs, 1)
    assert left_in(home.home) == {"gen-0"}


def test_a_registry_says_what_is_in_the_way(home: Registry, publish: Publish, tmp_path: Path) -> None:
    assert home.problems() == []
    folder = publish()
    (problem,) = Registry(folder).problems()
    assert "is a published generation; name the folder of the dataset" in problem
    (tmp_path / "file").touch()
    (problem,) = Registry(tmp_path / "file" / "sums").problems()
    assert problem.endswith("cannot be written: Not a directory")
    (folder / "manifest.json").unlink()
    with pytest.raises(PublishError, match=r"gen-0 is there and has no manifest\.json"):
        publish()


def test_a_full_disk_is_told_in_a_line(home: Registry, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tree, "write_table", full)
    with pytest.raises(PublishError, match=r"registry/sums/gen-0: No space left on device"):
        publish()
    assert not left_in(home.home)


def test_generations_are_published_in_their_order(home: Registry, publish: Publish) -> None:
    with pytest.raises(PublishError, match=r"registry/sums/gen-0 is not published, and gen-1 names it as its parent"):
        publish(1)
    folder = publish()
    before = files(folder)
    publish(1)
    assert files(folder) == before
    folder.rename(home.home / "elsewhere")
    with pytest.raises(PublishError, match=r"registry/sums/gen-1 is published already; gen-0 would come after it"):
        publish()


@pytest.mark.parametrize("rejects", ["no shards", "an empty shard"])
def test_empty_tables_load(inputs: Inputs, publish: Publish, load: Load, rejects: str) -> None:
    shard = inputs["tables"]["rejects"][0]
    pq.write_table(REJECTS.empty_table(), shard)
    inputs["tables"]["rejects"] = [shard] if rejects == "an empty shard" else []
    folder = publish()
    # datasets 5.2 opens a split without rows only when it streams
    loaded = load(folder, "rejects", streaming=True)
    assert (list(loaded), loaded.features) == ([], datasets.Features.from_arrow_schema(REJECTS))
    assert polars.read_parquet(folder / "rejects/*.parquet").columns == REJECTS.names
    assert len(load(folder)) == 12, "the other tables are not disturbed"
    assert "rejects = load_dataset" not in (folder / "README.md").read_text()


@pytest.mark.parametrize("broken", ["missing", "null"])
def test_a_shard_that_does_not_fit_is_refused(inputs: Inputs, publish: Publish, broken: str) -> None:
    shard = inputs["tables"]["rejects"][0]
    rejects = polars.read_parquet(shard)
    (rejects.drop("reason") if broken == "missing" else rejects.with_columns(reason=None)).write_parquet(shard)
    with pytest.raises(PublishError, match=r"does not hold rejects.*reason"):
        publish()
