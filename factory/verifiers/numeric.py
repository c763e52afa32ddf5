"""The final number of a completion, compared by value (GSM8K style)."""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

from factory.attempt import Question
from factory.verifiers import Verdict

_LATEX_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_MARK = re.compile(r"####|\\boxed\{|\banswer\s*(?:is|=|:)", re.IGNORECASE)
# A sign counts only where no digit, letter or bracket stands before it, so that "5-3" holds 5 and 3.
_NUMBER = re.compile(
    r"(?:(?<![\w.)\]])[-+])?(?:\d+ (?=\d+/\d))?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+|/\d+)?(?<=\d)(?:[eE][-+]?\d{1,3}\b)?"
)
# What stands behind the last marker of nearly every completion: a whole number and the end of the text.
_PLAIN = re.compile(r"\s*(-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,8}|[0-9]{1,30}))\s*\.?\s*")
_CALCULATION = re.compile(r"\d\s*[-+*\u00d7]\s*\d")


@dataclass(frozen=True)
class Numeric:
    r"""The number after the last ``####``, ``\boxed{`` or "answer is"; without any of these, the last number.

    Thousands separators, ``$``, ``%``, a unicode minus and trailing zeros do not count; fractions ``3/4`` and
    decimals are compared exactly, as fractions. With ``marked_only`` a completion without a marker is
    ``unparseable`` instead of being read for its last number.
    """

    name: ClassVar[str] = "numeric"
    version: ClassVar[str] = "1"

    marked_only: bool = False

    def verify(self, completion: str, question: Question) -> Verdict:
        gold = _value(question.answer)
        if gold is None:
            raise ValueError(f"the gold answer {question.answer!r} is not a number")
        predicted = plain_ending(completion) or self._final_number(completion)
        if predicted is None:
            return Verdict("unparseable", reason="no number where the answer should be")
        if predicted == question.answer:
            return Verdict("correct", predicted)
        return Verdict("correct" if _value(predicted) == gold else "wrong", predicted)

    def state(self, question: Question) -> str:
        return f"The answer is {question.answer}."

    def _final_number(self, text: str) -> str | None:
        """The number as it is written. After a marker only the rest of its line is read, and its first number is
        the answer, unless an equation stands there: then that of the side that is no calculation, the right-hand
        one if neither is ("the answer is 3 + 4 = 7", "the answer is 7 = 3 + 4")."""
        text = _LATEX_FRACTION.sub(r"\1/\2", text.replace("\N{MINUS SIGN}", "-"))
        marks = list(_MARK.finditer(text))
        if marks:
            line = text[marks[-1].end() :].lstrip().partition("\n")[0]
            left, _, right = line.rpartition("=")
            side = left if left and _CALCULATION.search(right) else right
            numbers = _numbers(re.sub(r"^\s*-\s+", "-", side))
            return numbers[0] if numbers else None
        if self.marked_only:
            return None
        numbers = _numbers(text)
        return numbers[-1] if numbers else None


def plain_ending(text: str) -> str | None:
    """The whole number that a text ends in after ``####`` or "answer is", as it is written; None for any other text.

    It is the number that the full reading finds, found ten times as fast: nothing but digits follows the marker, so
    no other marker does, and nobody needs to look for one.
    """
    before, mark, rest = text.rpartition("####")
    if not mark:
        before, mark, rest = text.rpartition("answer is")
        if not mark or before[-1:].isalnum() or before[-1:] == "_":
            return None
    found = _PLAIN.fullmatch(rest)
    return found[1] if found else None


def parse_number(text: str) -> Fraction | None:
    """The value of a number as people write it, or None if it is not one: ``-1,234.50``, ``$5``, ``3/4``, ``20%``
    (which is 20: the sign is taken for a unit)."""
    text = text.replace("\N{MINUS SIGN}", "-").replace(",", "").strip().strip("$%").rstrip(".")
    whole, _, part = text.rpartition(" ")  # 2 1/2
    try:
        if not whole:
            return Fraction(part)
        return Fraction(whole) + (-Fraction(part) if whole.startswith("-") else Fraction(part))
    except (ValueError, ZeroDivisionError):
        return None


_value = lru_cache(maxsize=1 << 14)(parse_number)


def _numbers(text: str) -> list[str]:
    return [match.group() for match in _NUMBER.finditer(text.replace("$", "")) if match.group()]
