"""Any table of questions: Parquet, JSONL and CSV files, or a dataset on the Hub, with its columns named.

::

    corpus:
      _component_: factory.corpora.table.table
      path: data/exams # a file, a folder or a pattern
      columns: {question: prompt, answer: gold, id: uuid, difficulty: meta.level}
      filters: {meta.language: en, meta.level: [1, 2]}
      eval_rows: 500

Files are read a row or a batch of rows at a time, however large they are.
"""

import difflib
import glob
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, PositiveInt

from factory.corpora import QuestionRow, Questions, nth_place, place, text_id
from factory.corpora.rows import KINDS, Row, read_file, read_hub
from factory.errors import nearest

COLUMNS = ("question", "answer", "id", "choices", "difficulty", "reference_rationale")
LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
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
) -> Questions:
    r"""Yield the rows of a table as questions.

    Choices are a list of texts (labelled A, B, ...), texts by label, a list of ``{label, text}``, or the Hub's
    ``{label: [...], text: [...]}``. The answer of a question with choices is a label, a choice's text, or its index
    from 0. Questions without an ``id`` column get the hash of their text and choices for an id.

    Args:
        columns: the table's column for each of :data:`COLUMNS` that it has, question and answer at least; ``a.b`` is
            the field ``b`` of column ``a``.
        path: a file, a folder (all its Parquet, JSONL and CSV files) or a pattern such as ``data/*.jsonl``.
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

    Raises:
        OSError: there is no such file, or the Hub cannot be reached.
        ValueError: the settings contradict one another, columns are not there, or a file cannot be read.
    """
    if (path is None) == (dataset is None):
        raise ValueError("needs either a path or a dataset")
    if sum(given is not None for given in (eval, eval_rows, eval_share)) != 1:
        raise ValueError("needs one of eval, eval_rows and eval_share: which questions are for measuring")
    chosen = {
        column: {str(value).casefold() for value in (values if isinstance(values, list) else [values])}
        for column, values in (filters or {}).items()
    }
    wanted = [*columns.values(), *chosen]

    def questions(part: str | None, but: str | None = None) -> Questions:
        sources: list[tuple[str, Iterator[Row]]]
        if dataset is not None:
            sources = [(dataset, read_hub(dataset, part or "train", name, streaming))]
        else:
            left_out = _files(str(path), but) if but and not part else []
            sources = [(str(file), read_file(file, wanted)) for file in _files(str(path), part) if file not in left_out]
        for source, rows in sources:
            for row in _with_columns(rows, wanted, source):
                # compared as text: some kinds of file have nothing else
                if all(str(_value(row, column)).casefold() in values for column, values in chosen.items()):
                    yield _question(row, columns, answer_pattern)

    if eval is not None:
        for split, rows in (("eval", questions(eval)), ("train", questions(train, but=eval))):
            for question in rows:
                question["split"] = split
                yield question
    else:
        below = eval_share or 0
        last = nth_place((question["question_id"] for question in questions(train)), eval_rows) if eval_rows else -1.0
        for question in questions(train):
            drawn = place(question["question_id"])
            question["split"] = "eval" if drawn < below or drawn <= last else "train"
            yield question


def _question(row: Row, columns: dict[str, str], answer_pattern: str | None) -> QuestionRow:
    asked, given = _text(_value(row, columns["question"])) or "", _value(row, columns["answer"])
    answer, choices, shown = _text(given), None, []
    if answer_pattern and answer:
        *_, answer = [None, *re.findall(answer_pattern, answer)]
    if "choices" in columns and (offered := _value(row, columns["choices"])):
        choices = _choices(offered)
        shown = [text for choice in choices for text in choice.values()]
        answer = answer and _label(answer, choices, index_first=isinstance(given, int))
    question = {
        "question_id": _text(_value(row, columns["id"])) if "id" in columns else text_id(asked, *shown),
        "corpus": "table",
        "question": asked,
        "answer": answer,
        "choices": choices,
    }
    for name in ("difficulty", "reference_rationale"):
        if name in columns:
            question[name] = _text(_value(row, columns[name]))
    return question


def _choices(given: Any) -> list[dict[str, str]]:
    if isinstance(given, str):  # a file of texts only, such as CSV, holds them as JSON
        given = json.loads(given)
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(given, dict) and given.keys() == {"label", "text"} and isinstance(given["text"], list):
        pairs = zip(given["label"], given["text"], strict=True)
    elif isinstance(given, dict):
        pairs = ((label, text) for label, text in given.items() if text is not None)
    elif all(isinstance(one, dict) for one in given):
        pairs = ((one["label"], one["text"]) for one in given)
    else:
        pairs = zip(LABELS[: len(given)], given, strict=True)
    return [{"label": str(label), "text": str(text)} for label, text in pairs]


def _label(answer: str, choices: list[dict[str, str]], index_first: bool) -> str:
    """The label that an answer means; the answer itself if it means none: the verifier will reject it."""
    index = [choices[int(answer)]["label"]] if answer.isdecimal() and int(answer) < len(choices) else []
    by_label, by_text = (
        [choice["label"] for choice in choices if choice[key].strip().casefold() == answer.casefold()]
        for key in ("label", "text")
    )
    meant = (by_label, index, by_text) if index_first else (by_label, by_text, index)
    return next((labels[0] for labels in meant if len(labels) == 1), answer)


def _text(value: Any) -> str | None:
    """A value as people write it, without white space around it; None for nothing at all."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return None if value is None else str(value).strip() or None


def _value(row: Row, column: str) -> Any:
    """What a row has in a column, or in a field of one; None if it has nothing there."""
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _with_columns(rows: Iterator[Row], wanted: Iterable[str], source: str) -> Iterator[Row]:
    """The rows, unless their first ones have columns missing."""
    first = list(itertools.islice(rows, PEEKED))
    there = {column for row in first for column in _names(row)}
    missing = [column for column in dict.fromkeys(wanted) if column not in there]
    if first and missing:
        near = {column: difflib.get_close_matches(column, there, n=1, cutoff=0.5) for column in missing}
        told = [f"'{column}'" + (f" (did you mean '{near[column][0]}'?)" if near[column] else "") for column in missing]
        raise ValueError(f"{source} has no column {', '.join(told)}; it has {', '.join(sorted(there))}")
    return itertools.chain(first, rows)


def _names(row: Row, prefix: str = "") -> Iterator[str]:
    for name, value in row.items():
        yield prefix + name
        if isinstance(value, Mapping):
            yield from _names(value, f"{prefix}{name}.")


def _files(path: str, pattern: str | None) -> list[Path]:
    place = Path(path).expanduser()
    if place.is_dir():
        found = sorted(place.glob(pattern or "**/*"))
    elif pattern:
        raise ValueError(f"'{path}' is no folder, so the files of a split cannot be found below it")
    else:
        found = [Path(file) for file in sorted(glob.glob(str(place), recursive=True))]
    files = [file for file in found if file.suffix in KINDS]
    if not files:
        where = f"'{pattern}' in '{path}'" if pattern else f"'{path}'"
        raise FileNotFoundError(f"no {', '.join(KINDS)} file is {where}")
    return files
