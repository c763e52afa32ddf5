"""Eval sets in, their questions out: what the examples of a run are held against."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

import pyarrow as pa

from factory.corpora.cells import NotText, text
from factory.corpora.files import Layout, find_files, read_file
from factory.corpora.mapping import MISSING, value_of
from factory.corpora.rows import Row, read_hub
from factory.recipe.decontamination import EvalSet

EVAL_SETS = pa.schema(
    [
        pa.field("set", pa.string(), nullable=False),
        pa.field("place", pa.string(), nullable=False),
        pa.field("question", pa.string(), nullable=False),
    ]
)
"""``set`` (as cards call it), ``place`` (the set and the number of the row there) and ``question``."""


def read_eval_sets(sets: Sequence[EvalSet]) -> pa.Table:
    """The questions of some eval sets, in their order: a table of :data:`EVAL_SETS`.

    Raises:
        ValueError: tells of every set that cannot be read, has no such column, or has a row without a question: nobody
            could say then that the examples had been held against it.
    """
    rows, problems = list[dict[str, str]](), list[str]()
    for number, one in enumerate(sets):
        try:
            rows += _questions(one)
        except (OSError, ValueError) as error:
            told = str(error).replace("corpus.path=...", "path")
            problems.append(f"decontamination.sets.{number}: {told}")
    if problems:
        raise ValueError("\n".join(problems))
    return pa.Table.from_pylist(rows, schema=EVAL_SETS)


def _questions(one: EvalSet) -> list[dict[str, str]]:
    found, without = list[dict[str, str]](), list[str]()
    there = set[str]()
    for place, row in _rows(one):
        try:
            asked = None if isinstance(row, str) else text(_known(value_of(row, one.question)))
        except NotText:
            asked = None
        if not isinstance(row, str):
            there |= row.keys()
        if asked is None:
            without.append(place)
        else:
            found.append({"set": one.shown, "place": place, "question": asked})
    if not found:
        near = get_close_matches(one.question, there, n=1, cutoff=0.5)
        hint = f" (did you mean '{near[0]}'?)" if near else ""
        columns = f"; it has {', '.join(sorted(there))}" if there else ""
        raise ValueError(f"{one.shown} has no question in column '{one.question}'{hint}{columns}")
    if without:
        raise ValueError(
            f"{len(without):,} rows have no question in column '{one.question}', the first is {without[0]}"
        )
    return found


def _rows(one: EvalSet) -> Iterator[tuple[str, Row | str]]:
    """The rows of a set, each with its place."""
    if one.dataset is not None:
        for number, row in enumerate(read_hub(one.dataset, one.split, one.name), 1):
            yield f"{one.shown}, row {number}", row
        return
    files = find_files(str(one.path), None)
    for file in files:
        within = one.shown if len(files) == 1 else f"{one.shown}: {file.shown}"
        for number, found in read_file(file, [one.question], set(), Layout()):
            yield f"{within}, {file.unit} {number}", found


def _known(value: object) -> object:
    return None if value is MISSING else value
