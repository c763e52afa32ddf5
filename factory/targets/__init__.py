"""Where datasets are published: a folder of this machine or the Hugging Face Hub, with the same files in both.

A target is written as people type it: ``hub:owner/name``, or the folder of a dataset, such as ``registry/sums``. One
published generation is ``registry/sums/gen-3`` or ``owner/name@gen-3``.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from factory.errors import FactoryError

Progress = Callable[[int, int], None]
"""Is told the bytes that have been handed over, and how many there are."""


class PublishError(FactoryError):
    """A generation cannot be published, or not be read: refused, out of reach, or other content under its name."""


class Published(Protocol):
    """One published generation, which never changes."""

    @property
    def where(self) -> str:
        """What to type to find it again: ``registry/sums/gen-3`` or ``owner/name@gen-3``."""
        ...

    @property
    def commit(self) -> str | None:
        """The Hub's commit; None in a folder."""
        ...

    def manifest(self) -> dict[str, Any]:
        """``manifest.json``, as :mod:`factory.publishing.tree` writes it."""
        ...

    def digests(self) -> dict[str, str]:
        """The sha256 of every file that lies there, by path: read anew, or as the Hub's storage has it."""
        ...

    def folder(self, *patterns: str) -> Path:
        """A folder of this machine with the files that match, such as ``data/*``; from the Hub they are fetched."""
        ...

    def sibling(self, generation: int) -> "Published | None":
        """Another generation of the same dataset; None if it is not published."""
        ...


class Target(Protocol):
    """A dataset (or the models of one) that generations are added to."""

    @property
    def name(self) -> str:
        """``sums``, or on the Hub ``owner/sums``."""
        ...

    @property
    def spelled(self) -> str:
        """What to type to publish to it: ``registry/sums`` or ``hub:owner/name``."""
        ...

    def where(self, generation: int) -> str:
        """What to type to find a generation that may not be there yet."""
        ...

    def generation(self, number: int) -> Published | None:
        """A generation that has been published whole; None if it has not."""
        ...

    def workspace(self, generation: int, near: Path) -> AbstractContextManager[Path]:
        """An empty folder to make the files of a generation in; it is gone afterwards.

        Args:
            near: a folder of the run, for targets that have no disk of their own.
        """
        ...

    def publish(self, tree: Path, generation: int, title: str, on_progress: Progress) -> Published:
        """Publish the files of a workspace as a generation, whole or not at all.

        Returns:
            what is published as that generation now: if another process was faster, what that one has published.
        """
        ...

    def models(self) -> "Target":
        """Where the models go that are trained on this dataset."""
        ...

    def problems(self) -> list[str]:
        """Why nothing can be published here, as far as that can be known beforehand; empty if nothing is in the way."""
        ...
