"""What others wrote, or a disk has damaged, is no manifest; and the message says why."""

import json
from pathlib import Path

import pytest

from factory.reading.lineage import lineage
from factory.targets import PublishError
from factory.targets.registry import Folder
from tests.support.chain import changed

pytest_plugins = ("tests.support.chain",)


@pytest.mark.parametrize("content", ["", "\xff", "[" * 5000, '{"name": NaN}', '{"name": "\\ud800"}'])
def test_what_is_no_json_is_refused(home: Path, content: str) -> None:
    (home / "gen-2" / "manifest.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(PublishError, match=r"gen-2/manifest\.json cannot be read: "):
        lineage(Folder(home / "gen-2"))


SHAPES = {
    "files": ([], "files: Input should be a valid dictionary"),
    "facts": (None, "facts: Input should be a valid dictionary"),
    "generation": (True, "generation: Input should be a valid integer"),
    "name": (7, "name: Input should be a valid string"),
    "tables/rollouts": (None, "tables.rollouts: Input should be a valid dictionary"),
    "tables/examples/rows": ("3", "tables.examples.rows: Input should be a valid integer"),
    "tables/rejects/by_reason": ({"wrong": "2"}, "tables.rejects.by_reason.wrong: Input should be a valid integer"),
    "files/recipe.yaml": ("1f", "files.recipe.yaml: Input should be a valid dictionary"),
    "files/recipe.yaml/sha256": (None, "files.recipe.yaml.sha256: Input should be a valid string"),
    "facts/accuracy": ([{"generation": 0}], "facts.accuracy.0.accuracy: Field required"),
    "facts/model": ("gen-1", "facts.model: Input should be a valid dictionary"),
    "facts/model/trained_on": (
        1,
        "facts.model.trained_on: Input should be a valid dictionary",
    ),
    "facts/parent": ([1], "facts.parent: Input should be a valid dictionary"),
    "facts/validation": ({"failures": [3]}, "facts.validation.failures.0: Input should be a valid string"),
}


@pytest.mark.parametrize("path", SHAPES)
def test_what_has_another_shape_is_no_manifest(home: Path, path: str) -> None:
    change, told = SHAPES[path]
    changed(f"gen-2/{path}", change)(home)
    with pytest.raises(PublishError) as raised:
        lineage(Folder(home / "gen-2"))
    where = f"{home}/gen-2/manifest.json is not the manifest of a published generation: "
    assert str(raised.value) == where + told
    assert [one.generation for one in lineage(Folder(home / "gen-1"))] == [1, 0]


def test_everything_that_is_wrong_with_a_manifest_is_told(home: Path) -> None:
    (home / "gen-2" / "manifest.json").write_text('{"name": 7, "tables": {}}')
    with pytest.raises(PublishError) as raised:
        lineage(Folder(home / "gen-2"))
    for entry in ("name: Input should be", "generation: Field required", "files: Field required", "facts: Field req"):
        assert entry in str(raised.value)
    measured = {"generation": 0, "accuracy": None, "m1@t5": "0.5"}
    changed("gen-1/facts/accuracy", [measured])(home)
    with pytest.raises(PublishError, match=r"generation: facts\.accuracy\.0: m1@t5 is not a number$"):
        lineage(Folder(home / "gen-1"))


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../gen-1/recipe.yaml", "data/../../x", "data\\x", "a\0", "a//b", "", "."]
)
def test_a_manifest_names_files_of_its_own_folder_only(home: Path, path: str) -> None:
    manifest = home / "gen-2" / "manifest.json"
    changed = json.loads(manifest.read_text())
    changed["files"][path] = {"sha256": "00" * 32}
    manifest.write_text(json.dumps(changed))
    with pytest.raises(PublishError) as raised:
        lineage(Folder(home / "gen-2"))
    assert str(raised.value).endswith(f"generation: files: {path!r} is not a path within the folder")
