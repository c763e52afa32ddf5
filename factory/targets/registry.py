"""The local registry: a folder for each dataset, in it one for each generation."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from factory.files import digest, scratch_folder
from factory.targets import Progress, PublishError
from factory.targets.manifest import read_manifest


class Folder:
    """A generation that is published in a folder."""

    commit = None

    def __init__(self, folder: Path):
        self.where = str(folder)
        self.path = folder

    def manifest(self) -> dict[str, Any]:
        return read_manifest(self.path)

    def digests(self) -> dict[str, str]:
        files = sorted(path for path in self.path.rglob("*") if path.is_file())
        found = {path.relative_to(self.path).as_posix(): digest(path) for path in files}
        return {path: sha256 for path, sha256 in found.items() if path != "manifest.json"}

    def folder(self, *patterns: str) -> Path:
        return self.path

    def sibling(self, generation: int) -> "Folder | None":
        here = self.path if self.path.name else self.path.absolute()
        return Registry(here.parent).generation(generation)


class Registry:
    """The generations of one dataset, ``home/gen-N``; its models are in ``home/models/gen-N`` under the same name."""

    def __init__(self, home: Path, name: str | None = None):
        self.home = home
        self.name = name or home.absolute().name
        self.spelled = str(home)

    def where(self, generation: int) -> str:
        return str(self.home / f"gen-{generation}")

    def generation(self, number: int) -> Folder | None:
        found = Folder(self.home / f"gen-{number}")
        return found if (found.path / "manifest.json").is_file() else None

    @contextmanager
    def workspace(self, generation: int, near: Path) -> Iterator[Path]:
        """In the registry itself. One process at a time has one; others wait for it."""
        self.home.mkdir(parents=True, exist_ok=True)
        with open(self.home / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for leftover in self.home.glob(".gen-*.tmp"):  # of a process that was killed
                shutil.rmtree(leftover)
            with scratch_folder(self.home / f".gen-{generation}.tmp") as folder:
                yield folder

    def publish(self, tree: Path, generation: int, title: str, on_progress: Progress) -> Folder:
        published = Folder(self.home / f"gen-{generation}")
        if published.path.exists():
            raise PublishError(f"{published.where} is there and has no manifest.json: delete it, or publish elsewhere")
        _sync(*tree.rglob("*"), tree)
        tree.rename(published.path)
        _sync(self.home, self.home.absolute().parent)
        return published

    def models(self) -> "Registry":
        return Registry(self.home / "models", self.name)

    def problems(self) -> list[str]:
        if (self.home / "manifest.json").exists():
            return [f"'{self.home}' is a published generation; name the folder of the dataset that it is in"]
        try:
            self.home.mkdir(parents=True, exist_ok=True)
            with open(self.home / ".lock", "a"):
                return []
        except OSError as error:
            return [f"'{self.home}' cannot be written: {error.strerror}"]


def _sync(*paths: Path) -> None:
    """Make files and folders outlive a power cut."""
    for path in paths:
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
