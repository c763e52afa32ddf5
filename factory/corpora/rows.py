"""Rows of files and of datasets on the Hub, one at a time.

All raise OSError where there is no such file or the Hub cannot be reached, and ValueError, which names the place, for
what cannot be read.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]
Numbered = tuple[int, Row | str]
"""A row with its number, or why it cannot be read: a kind, such as ``lines that are no JSON``."""


def read_hub(dataset: str, split: str, name: str | None = None, streaming: bool = False) -> Iterator[Row]:
    """The rows of a split of a dataset on the Hub: downloaded first, or with ``streaming`` on the way.

    Raises:
        OSError: the Hub cannot be reached, or has no such dataset.
        ValueError: the dataset has no such split or configuration.
    """
    import datasets
    import httpx

    try:
        yield from datasets.load_dataset(dataset, name, split=split, streaming=streaming)
    except (OSError, httpx.HTTPError) as error:
        raise OSError(f"{error}; a local copy can be named with corpus.path=...") from error
