"""Rows of JSON files, decoded one at a time by the decoder of the standard library.

A streaming parser such as ijson is fast, but its yajl makes ``?`` of half a surrogate, knows no NaN, and says nothing
of a key that comes twice; each would be a wrong row, or a whole file refused for one. So it is the same decoder for
lines and for arrays, and the same row comes out of both.
"""

import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TextIO

from factory.corpora.cells import TWICE
from factory.corpora.rows import Numbered, Row

CHUNK = 1 << 20
LONG = 1000
"""Digits of a number from which on Python may refuse to read it as an integer, whoever asked for it."""
NEAR = 16
"""Characters before the end of what was read within which an error may only mean that there is more to read."""


def _once(pairs: list[tuple[str, Any]]) -> Any:
    found = dict(pairs)
    return found if len(found) == len(pairs) else TWICE


def _whole(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < LONG else Decimal(digits)


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=Decimal, parse_int=_whole)


def read_lines(lines: Iterable[str]) -> Iterator[Numbered]:
    """A row a line; a line that is no JSON object is the reason why not. Numbered by line, from 1."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = _DECODER.decode(line)
            except (ValueError, RecursionError):
                yield number, "lines that are no JSON"
            else:
                yield number, _row(row)


def read_json(file: TextIO, wanted: Sequence[str]) -> Iterator[Numbered]:
    """The rows of a file that is an array, an object with the rows under one key, one row, or a row a line.

    Args:
        wanted: columns; an object that has them all is a row, whatever lists of objects it holds.

    Raises:
        ValueError: it is none of these, or breaks off.
    """
    text = _Text(file)
    begin = text.peek()
    if begin == "[":
        text.skip()
        yield from _array(text)
    elif begin == "{":
        first, is_line = text.first_object()
        if is_line:
            yield from read_lines(text.lines())
            return
        if first is not None and all(column in first or column.partition(".")[0] in first for column in wanted):
            yield 1, first
            text.decode()
        else:
            yield from _object(text)
    elif begin:
        raise ValueError("is no JSON: it begins with neither [ nor {")
    if text.peek():
        raise ValueError(f"something follows after the end of the JSON: {text.rest()!r}")


def _row(value: Any) -> Row | str:
    if isinstance(value, dict):
        return value
    return "rows with a key that comes twice" if value is TWICE else "rows that are no JSON object"


def _array(text: "_Text") -> Iterator[Numbered]:
    """The elements of an array whose bracket has been read, and its end."""
    if text.peek() == "]":
        text.skip()
        return
    for number in itertools.count(1):
        try:
            row = text.decode()
        except ValueError as error:
            raise ValueError(f"row {number}: {error}") from error
        yield number, _row(row)
        separator = text.peek()
        text.skip()
        if separator == "]":
            return
        if separator != ",":
            told = (
                f"is followed by {separator!r}, and not by a comma" if separator else "is the last; the file breaks off"
            )
            raise ValueError(f"row {number} {told}")


def _object(text: "_Text") -> Iterator[Numbered]:
    """The rows under the one key of an object that has a list of objects."""
    text.skip()
    keys: list[str] = []
    found = ""
    while (begin := text.peek()) != "}":
        if begin == ",":
            text.skip()
            text.peek()
        key = text.decode()
        if text.peek() != ":":
            raise ValueError(f"key {key!r} has no value; the file breaks off")
        text.skip()
        keys.append(str(key))
        if text.peek() == "[" and text.begins_with_object():
            if found:
                raise ValueError(f"has rows under '{found}' and '{key}'; give a file for each")
            found = str(key)
            text.skip()
            yield from _array(text)
        else:
            text.decode()
    text.skip()
    if not found:
        raise ValueError(
            f"holds no rows: an array of objects, an object with such an array under one key, or an object a line; "
            f"it is an object with {', '.join(keys[:8]) or 'nothing'}"
        )


class _Text:
    """A JSON text that is read as far as it is needed."""

    def __init__(self, file: TextIO):
        self.file, self.read, self.at, self.ended = file, "", 0, False

    def more(self) -> bool:
        """Read on; as much again as a value needed so far, so that a long one is not decoded too often."""
        self.read = self.read[self.at :]
        self.at = 0
        chunk = self.file.read(max(CHUNK, len(self.read)))
        self.read += chunk
        self.ended = not chunk
        return not self.ended

    def peek(self) -> str:
        """The next character that is no white space; nothing at the end."""
        while True:
            rest = self.read[self.at : self.at + 64]
            stripped = rest.lstrip()
            self.at += len(rest) - len(stripped)
            if stripped:
                return stripped[0]
            if self.at >= len(self.read) and not self.more():
                return ""

    def skip(self) -> None:
        self.at += 1

    def decode(self) -> Any:
        """The next value.

        Raises:
            ValueError: there is none.
        """
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self.read, self.at)
            except json.JSONDecodeError as error:
                broken_off = error.pos >= len(self.read) - NEAR or error.msg.startswith("Unterminated string")
                if not broken_off or not self.more():
                    raise ValueError(f"{error.msg}: {self.read[error.pos : error.pos + 40]!r}") from error
            except RecursionError:
                raise ValueError("is nested too deeply") from None
            else:
                if end == len(self.read) and self.more():  # a number may go on
                    continue
                self.at = end
                return value

    def first_object(self) -> tuple[dict[str, Any] | None, bool]:
        """The first object, if what has been read holds it whole, and whether it is a line with others to follow."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.read, self.at)
            except (ValueError, RecursionError):
                return None, False
            line, _, rest = self.read[end:].partition("\n")
            if rest.strip() or not self.more():
                break
        alone = "\n" not in self.read[self.at : end] and not line.strip()
        return value if isinstance(value, dict) else None, alone and bool(rest.strip())

    def lines(self) -> Iterator[str]:
        """All that is left, by lines."""
        rest = self.read[self.at :] + self.file.readline()
        return itertools.chain(io.StringIO(rest), self.file)

    def begins_with_object(self) -> bool:
        """Whether the array that comes next has an object for its first element."""
        while True:
            inner = self.read[self.at + 1 :].lstrip()
            if inner or not self.more():
                return inner[:1] == "{"

    def rest(self) -> str:
        return self.read[self.at : self.at + 40]
