"""Does a sum, written column by column, add up? For the rationales of :mod:`factory.corpora.arithmetic`."""

import re
from dataclasses import dataclass
from typing import ClassVar

from factory.attempt import Question

_COLUMN = re.compile(r"(\d)\+(\d)\+([01])=(\d)(\d)")


@dataclass(frozen=True)
class Columns:
    """Every column holds the digits of the question's numbers and the carry of the column before it, from the right;
    each adds up; and their digits, with the last carry, spell the answer. Nothing else stands before the answer.
    """

    name: ClassVar[str] = "columns"
    version: ClassVar[str] = "1"

    def passes(self, rationale: str, question: Question) -> bool:
        left, _, right = question.question.partition("+")
        width = max(len(left), len(right))
        lines = rationale.strip().splitlines()[:-1]
        columns = [match.groups() for line in lines if (match := _COLUMN.fullmatch(line))]
        if len(columns) != len(lines) or len(lines) != width:
            return False
        carry, digits = "0", ""
        for a, b, (first, second, carried, tens, ones) in zip(
            left.zfill(width)[::-1], right.zfill(width)[::-1], columns, strict=True
        ):
            if (first, second, carried) != (a, b, carry) or int(a) + int(b) + int(carry) != int(tens + ones):
                return False
            carry, digits = tens, ones + digits
        return int(carry + digits) == int(question.answer)
