"""Any table of questions: files of rows, or a dataset on the Hub, with its columns named (``docs/corpora.md``).

::

    corpus:
      _component_: factory.corpora.table.table
      path: data/exams # a file, a folder or a pattern
      columns: {question: "{body} {question}", answer: gold, id: uuid, difficulty: meta.level}
      filters: {meta.language: en, meta.level: [1, 2]}
      eval_rows: 500

Files are read a row or a batch of rows at a time, however large they are. A row that cannot be a question is left out
with its reason and place (:class:`factory.corpora.LeftOut`).
"""

import difflib
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt

from factory.corpora import LeftOut, QuestionRow, Questions, nth_place, place
from factory.corpora.cells import text
from factory.corpora.choices import Ambiguous, Reading
from factory.corpora.files import Layout, find_files, read_file
from factory.corpora.mapping import COLUMNS, MISSING, Form, value_of
from factory.corpora.rows import Numbered, Row, read_hub
from factory.errors import nearest

PEEKED = 100
"""Rows that are looked at to find out which columns a file has: a JSON object need not have all of them."""

Value = str | int | float | bool


def _one_group(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise ValueError(f"is no regular expression: {error}") from error
    if groups != 1:
        raise ValueError(f"should have one group, which is the answer, not {groups}")
    return pattern


def _columns(columns: dict[str, str]) -> dict[str, str]:
    unknown = [f"'{name}' is no column of a question{nearest(name, COLUMNS)}" for name in columns.keys() - {*COLUMNS}]
    missing = [f"'{name}' is missing" for name in COLUMNS[:2] if name not in columns]
    if unknown or missing:
        raise ValueError("; ".join([*sorted(unknown), *missing]))
    return columns


def _answer_map(given: object) -> object:
    """Keys as the answers are written: YAML makes truth values of True and yes, and numbers of digits."""
    if not isinstance(given, dict):
        return given
    for meant in given.values():
        if not isinstance(meant, str):
            raise ValueError(f"should be texts in quotes: '{text(meant)}', not {meant}")
    return {str(text(key)): meant for key, meant in given.items()}


def _encoding(name: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), name, "surrogateescape").read()
    except (LookupError, ValueError):  # codecs such as hex and idna are none of text
        raise ValueError("is no encoding, such as latin-1 or utf-16") from None
    return name


@dataclass(frozen=True)
class _Source:
    """Rows with their numbers: a file, or a split on the Hub."""

    name: str
    shown: str
    unit: str
    rows: Iterator[Numbered]

    def place(self, number: int) -> str:
        return f"{self.shown}, {self.unit} {number}"


def table(
    columns: Annotated[dict[str, str], AfterValidator(_columns)],
    path: str | None = None,
    dataset: str | None = None,
    name: str | None = None,
    streaming: bool = False,
    train: str | None = None,
    eval: str | None = None,
    eval_rows: PositiveInt | None = None,
    eval_share: Annotated[float, Field(gt=0, lt=1)] | None = None,
    filters: dict[str, Value | list[Value]] | None = None,
    answer_pattern: Annotated[str, AfterValidator(_one_group)] | None = None,
    answer_map: Annotated[dict[str, str], BeforeValidator(_answer_map)] | None = None,
    answer_is: Reading | None = None,
    answers: Literal["one", "any"] = "one",
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None,
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None,
    quote: Annotated[str, Field(max_length=1)] = '"',
) -> Questions:
    r"""Yield the rows of a table as questions; those that are none are left out and counted.

    Choices are a list of texts (labelled A, B, ...), texts by label, a list of ``{label, text}``, or the Hub's
    ``{label: [...], text: [...]}``; labels that the texts carry themselves are taken out. The answer of a question with
    choices is a label, a choice's text, or its index from 0. Questions without an ``id`` column get the hash of their
    text and choices for an id. A dialogue for a question is its first user turn, under what its system says.

    Args:
        columns: the table's column for each of :data:`COLUMNS` that it has, question and answer at least; ``a.b`` is
            the field ``b`` of column ``a``, ``a.0`` the first item of a list, ``"{a} {b}"`` a text made of two.
        path: a file, a folder (all its files of a known format) or a pattern such as ``data/*.jsonl``.
        dataset: instead of a path, a dataset on the Hub.
        name: the configuration of the dataset.
        streaming: whether the dataset is read on the way instead of being downloaded first.
        train: pattern of the files in the folder that are trained on (all but those of ``eval``), or a split on the
            Hub (``train``).
        eval: pattern of the files that are for measuring, or a split on the Hub.
        eval_rows: instead of ``eval``, measure with this many of the rows, drawn by a hash of the id.
        eval_share: the same as a share of the rows, between 0 and 1; the table is read once instead of twice.
        filters: only rows that have this value, or one of these values, in a column.
        answer_pattern: a regular expression with a group: its last match in the answer column is the answer, such
            as ``#### (\S+)``.
        answer_map: the answer that is meant by what stands in the answer column (or by what the pattern finds there);
            rows with anything else are left out. Case does not count.
        answer_is: which reading of an answer counts where there are choices. Without it a table is refused in which a
            row's answer means one choice as a label, as an index or as a text, and another otherwise.
        answers: ``any``: a list or a mapping of answers, each of which is accepted; the first is the one of the hint.
        encoding: of text files; UTF-8 unless given.
        delimiter: between the fields of CSV files; a comma, in ``.tsv`` a tab, unless given.
        quote: around the fields of CSV files; empty where quotes are characters like any other.

    Raises:
        OSError: there is no such file, or the Hub cannot be reached.
        ValueError: the settings contradict one another, columns are not there, a file cannot be read, or an answer
            means two choices.
    """
    if (path is None) == (dataset is None):
        raise ValueError("needs either a path or a dataset")
    if sum(given is not None for given in (eval, eval_rows, eval_share)) != 1:
        raise ValueError("needs one of eval, eval_rows and eval_share: which questions are for measuring")
    chosen = {
        column: {str(value).casefold() for value in (values if isinstance(values, list) else [values])}
        for column, values in (filters or {}).items()
    }
    form = Form(columns, answer_pattern, answer_map, answer_is, answers)
    wanted, typed = [*form.wanted, *chosen], {columns["answer"]}
    layout = Layout(encoding, delimiter, quote)

    def sources(part: str | None, but: str | None) -> Iterator[_Source]:
        if dataset is not None:
            split = part or "train"
            yield _Source(dataset, f"{dataset} {split}", "row", enumerate(read_hub(dataset, split, name, streaming), 1))
            return
        left_out = find_files(str(path), but) if but and not part else []
        for file in find_files(str(path), part):
            if file not in left_out:
                yield _Source(str(file.path), file.shown, file.unit, read_file(file, wanted, typed, layout))

    def questions(part: str | None, but: str | None = None) -> Questions:
        for source in sources(part, but):
            for number, row in _with_columns(source, wanted):
                if isinstance(row, str):
                    yield LeftOut(row, source.place(number), "the file may be damaged, or of another format")
                # compared as text: some kinds of file have nothing else
                elif all(_shown(value_of(row, column)) in values for column, values in chosen.items()):
                    try:
                        yield form.question(row, source.place(number))
                    except Ambiguous as error:
                        raise ValueError(f"{source.place(number)}: {error}") from error

    if eval is not None:
        for split, rows in (("eval", questions(eval)), ("train", questions(train, but=eval))):
            yield from (_placed(row, split) for row in rows)
    else:
        below = eval_share or 0
        ids = (row["question_id"] for row in questions(train) if not isinstance(row, LeftOut))
        last = nth_place(ids, eval_rows) if eval_rows else -1.0
        for row in questions(train):
            drawn = 1.0 if isinstance(row, LeftOut) else place(row["question_id"])
            yield _placed(row, "eval" if drawn < below or drawn <= last else "train")
    form.meant.refuse_from_one()


def _placed(row: QuestionRow | LeftOut, split: str) -> QuestionRow | LeftOut:
    if not isinstance(row, LeftOut):
        row["split"] = split
    return row


def _shown(value: object) -> str:
    return str(None if value is MISSING else value).casefold()


def _with_columns(source: _Source, wanted: Iterable[str]) -> Iterator[Numbered]:
    """The rows, unless their first ones have columns missing."""
    first = list(itertools.islice(source.rows, PEEKED))
    known = [row for _, row in first if not isinstance(row, str)]
    missing = [name for name in dict.fromkeys(wanted) if all(value_of(row, name) is MISSING for row in known)]
    if known and missing:
        there = {column for row in known for column in _names(row)}
        near = {column: difflib.get_close_matches(column, there, n=1, cutoff=0.5) for column in missing}
        told = [f"'{column}'" + (f" (did you mean '{near[column][0]}'?)" if near[column] else "") for column in missing]
        (only,) = there if len(there) == 1 else [""]
        mark = next((mark for mark in ";\t|" if mark in only), "")
        hint = f"; is its delimiter {mark!r}? set corpus.delimiter" if mark else ""
        raise ValueError(f"{source.name} has no column {', '.join(told)}; it has {', '.join(sorted(there))}{hint}")
    return itertools.chain(first, source.rows)


def _names(row: Row, prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        yield f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")
