"""Does a sum, written column by column, add up? For the rationales of :mod:`factory.corpora.arithmetic`."""

import re
from dataclasses import dataclass
from typing import ClassVar

from factory.checks import PASSED, READ, Rationale, Result, failed, not_applicable

_SUM = re.compile(r"(\d{1,1000})\+(\d{1,1000})")
_COLUMN = re.compile(r"(\d)\+(\d)\+([01])=(\d)(\d)")


@dataclass(frozen=True)
class Columns:
    """Every column holds the digits of the question's numbers and the carry of the column before it, from the right;
    each adds up; and their digits, with the last carry, spell the answer. Nothing else stands before the answer.

    Not applicable where the question is not the sum of two numbers.
    """

    name: ClassVar[str] = "columns"
    version: ClassVar[str] = "2"

    def check(self, rationale: Rationale) -> Result:
        asked = _SUM.fullmatch(rationale.question.question)
        if asked is None:
            return not_applicable("the question is not the sum of two numbers")
        left, right = asked.groups()
        width = max(len(left), len(right))
        lines = rationale.text[:READ].strip().splitlines()[:-1]
        columns = [match.groups() for line in lines if (match := _COLUMN.fullmatch(line))]
        if len(columns) != len(lines) or len(lines) != width:
            return failed(_of_another_form(lines, len(columns), width))
        carry, digits = "0", ""
        for number, (a, b, (first, second, carried, tens, ones)) in enumerate(
            zip(left.zfill(width)[::-1], right.zfill(width)[::-1], columns, strict=True), 1
        ):
            if (first, second, carried) != (a, b, carry):
                return failed(f"column {number} adds {first}, {second} and {carried} instead of {a}, {b} and {carry}")
            if int(a) + int(b) + int(carry) != int(tens + ones):
                return failed(f"column {number} does not add up: {first}+{second}+{carried}={tens}{ones}")
            carry, digits = tens, ones + digits
        if int(carry + digits) != int(rationale.question.answer):
            return failed(f"its columns spell {carry + digits}")
        return PASSED


def _of_another_form(lines: list[str], columns: int, width: int) -> str:
    if len(lines) != columns:
        return "a line before the answer is no column"
    return f"it has {columns} columns instead of {width}"
