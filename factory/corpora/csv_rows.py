"""Rows of CSV and TSV files, by the csv module in its strict mode: a quote out of place is an error, and not a row."""

import csv
import re
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain, islice
from typing import Any, TextIO

from factory.corpora.rows import Numbered

PEEKED = 100
"""Rows that say what the values of a column are."""
MOST_LINES = 10_000
"""Lines of one row. A quote that nobody closes would have the rest of the file in memory."""

SWALLOWED = 3
"""Lines of one row that all have a row's fields, from which on two stray quotes are likelier than a text of lines."""

MOST_DIGITS = 1000
"""Of a number; what is longer stays a text."""

_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_TRUTH = {"true": True, "false": False}


def read_csv(file: TextIO, delimiter: str, quote: str, typed: set[str]) -> Iterator[Numbered]:
    """The rows below the line that names the columns, as texts, numbered by the line in which each begins.

    Args:
        delimiter: the character between two fields.
        quote: the character around a field; empty: none has a meaning.
        typed: columns whose values are numbers or truth values where all of the first ones are written so, as in files
            that know such types.

    Raises:
        ValueError: a column is named twice, or a quote is out of place; says in which line.
    """
    rows = _records(file, delimiter, quote)
    _, names, _ = next(rows, (0, [], []))
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise ValueError(f"line 1: the columns {', '.join(map(repr, twice))} are named twice")

    def named() -> Iterator[Numbered]:
        for line, fields, lines in rows:
            if len(fields) != len(names):
                yield line, "rows with more or fewer fields than there are columns"
            elif quote and any(field[:1] == " " and field.lstrip()[:1] == quote for field in fields):
                yield line, "rows with a quote after a space, where it stands for itself"
            elif len(lines) >= SWALLOWED and all(one.count(delimiter) == len(names) - 1 for one in lines):
                yield line, "rows in which a pair of quotes holds lines that are rows themselves"
            else:
                yield line, dict(zip(names, fields, strict=True))

    found = named()
    first = list(islice(found, PEEKED))
    values = {name: [row[name].strip() for _, row in first if not isinstance(row, str)] for name in typed & {*names}}
    reading = {name: read for name in values if (read := _reading([value for value in values[name] if value]))}
    for line, row in chain(first, found):
        if reading and isinstance(row, dict):
            for name, read in reading.items():
                row[name] = read(row[name])
        yield line, row


def _records(file: TextIO, delimiter: str, quote: str) -> Iterator[tuple[int, list[str], list[str]]]:
    """The fields of each row, the line in which it begins, and its lines; lines without any fields are passed over."""
    lines = quotes = 0
    raw: list[str] = []

    def counted() -> Iterator[str]:
        nonlocal lines, quotes
        for line in file:
            lines += 1
            raw.append(line)
            if quote:
                quotes += line.count(quote)
            if lines - begun > MOST_LINES:
                raise csv.Error(f"a row of more than {MOST_LINES:,} lines")
            yield line

    csv.field_size_limit(sys.maxsize)  # 131,072 characters, also of a field that nobody asked for
    begun = 0
    how: dict[str, Any] = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(counted(), delimiter=delimiter, strict=True, **how)
    while True:
        try:
            fields = next(reader, None)
            if quotes % 2:
                raise csv.Error("an odd number of them")
        except csv.Error as error:
            raise ValueError(
                f"line {begun + 1}: a quote that is out of place, or never closed ({error}); if {quote or 'it'} is a "
                "character like any other here, set corpus.quote: ''"
            ) from error
        if fields is None:
            return
        if fields:
            yield begun + 1, fields, raw
        begun, quotes = lines, 0
        raw.clear()


def _reading(values: list[str]) -> Callable[[str], Any] | None:
    """How the values of a column are read if all of these are numbers, or all truth values."""
    if values and all(map(_NUMBER.fullmatch, values)):
        return _number
    if values and all(value.casefold() in _TRUTH for value in values):
        return _truth
    return None


def _number(value: str) -> Any:
    value = value.strip()
    if len(value) > MOST_DIGITS or not _NUMBER.fullmatch(value):
        return value
    return Decimal(value) if {*".eE"} & {*value} else int(value)


def _truth(value: str) -> Any:
    return _TRUTH.get(value.strip().casefold(), value)
