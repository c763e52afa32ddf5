"""Two generations are not compared if the files of one are not what they should be; and the message says which."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.reading.diff.diff import diff
from factory.targets import PublishError
from factory.targets.registry import Folder

pytest_plugins = ("tests.support.chain",)

DATA, ROLLOUTS = (f"{folder}/train-00000-of-00001.parquet" for folder in ("data", "rollouts"))


def truncated(path: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).write_bytes((folder / path).read_bytes()[:-100])


def overwritten(path: str) -> Callable[[Path], None]:
    """Pages that cannot be unpacked; the footer is as it was."""

    def damage(folder: Path) -> None:
        content = (folder / path).read_bytes()
        (folder / path).write_bytes(content[:4] + b"\xff" * (len(content) // 4) + content[4 + len(content) // 4 :])

    return damage


def rewritten(path: str, change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    return lambda folder: pq.write_table(change(pq.read_table(folder / path)), folder / path)


def numbered(table: pa.Table) -> pa.Table:
    return table.set_column(0, "question_id", pa.array(range(len(table))))


def unnamed(folder: Path) -> None:
    """Take the rollouts out of the manifest."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] = {path: entry for path, entry in manifest["files"].items() if "rollouts" not in path}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def linked(folder: Path) -> None:
    """Have a file of the folder be one of another folder, with the right content."""
    (folder / DATA).rename(folder.parent / "elsewhere.parquet")
    (folder / DATA).symlink_to(folder.parent / "elsewhere.parquet")


DAMAGED = "the Parquet of a table is damaged, or has other columns"
DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda folder: (folder / DATA).unlink(), f"{DATA} is in the manifest and not there"),
    "no rollouts": (unnamed, "its manifest names no files in rollouts"),
    "a link": (linked, f"{DATA} is a link to somewhere else"),
    "empty": (lambda folder: (folder / DATA).write_bytes(b""), DAMAGED),
    "truncated examples": (truncated(DATA), DAMAGED),
    "truncated rollouts": (truncated(ROLLOUTS), DAMAGED),
    "overwritten examples": (overwritten(DATA), DAMAGED),
    "overwritten rollouts": (overwritten(ROLLOUTS), DAMAGED),
    "another type": (rewritten(ROLLOUTS, numbered), DAMAGED),
    "no rationales": (rewritten(DATA, lambda table: table.drop_columns("rationale")), DAMAGED),
    "no attempts": (rewritten(ROLLOUTS, lambda table: table.drop_columns("attempts")), DAMAGED),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_told(home: Path, name: str) -> None:
    damage, told = DAMAGES[name]
    damaged = home / "gen-1"
    damage(damaged)
    whole = Folder(home / "gen-0")
    for sides in ((whole, Folder(damaged)), (Folder(damaged), whole)):
        with pytest.raises(PublishError) as raised:
            diff(*sides)
        assert str(raised.value).startswith(f"{damaged} cannot be compared: {told}")
