"""Rows of a corpus whose form is known: each with its place, and left out if it is of another form."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from factory.corpora import LeftOut, QuestionRow, Questions
from factory.corpora.files import File, Layout, read_file
from factory.corpora.rows import Row, read_hub

Placed = tuple[str, Row | str]
"""A row, or why it cannot be read, with its place, such as ``train.jsonl, line 5``."""

INSTEAD = "path should name a copy of the original files of this corpus"


def placed(file: Path, folder: Path) -> Iterator[Placed]:
    """The rows of a file of any format (:data:`factory.corpora.files.FORMATS`), called by its path below the folder.

    Raises:
        OSError: there is no such file.
        ValueError: it cannot be read; names file and row.
    """
    found = File(file, file.relative_to(folder).as_posix())
    for number, row in read_file(found, (), set(), Layout()):
        yield f"{found.shown}, {found.unit} {number}", row


def placed_on_hub(dataset: str, split: str, name: str | None = None) -> Iterator[Placed]:
    """The rows of a split on the Hub (:func:`factory.corpora.rows.read_hub`)."""
    for number, row in enumerate(read_hub(dataset, split, name), 1):
        yield f"{dataset} {split}, row {number}", row


def questions(rows: Iterable[Placed], form: Callable[[Row], QuestionRow]) -> Questions:
    """What ``form`` makes of each row; where it finds no such row, :class:`factory.corpora.LeftOut`."""
    for place, row in rows:
        if isinstance(row, str):
            yield LeftOut(row, place, INSTEAD)
            continue
        try:
            yield form(row)
        except KeyError as error:
            yield LeftOut(f"rows without {error}", place, INSTEAD)
        except (TypeError, AttributeError, ValueError):  # not the text, the number or the choices that it should be
            yield LeftOut("rows of another form than this corpus has", place, INSTEAD)
