r"""The final expression of a completion, compared as mathematics (MATH, Hendrycks et al. 2021, arXiv 2103.03874).

Most answers are settled as strings or as fractions. Only what is neither is read as LaTeX and computed
(:mod:`.mathematics`), in a :mod:`.child` with a deadline, and what came out is remembered.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

from pydantic import PositiveFloat

from factory.attempt import Question
from factory.verifiers import Verdict
from factory.verifiers.answer import may_go_on, plain_ending
from factory.verifiers.child import ChildError
from factory.verifiers.children import Children
from factory.verifiers.doubt import NoAnswer
from factory.verifiers.mathematics.equality import equal, rounding
from factory.verifiers.mathematics.formula import plain_box, written

MAX_LENGTH = 1000
"""Characters of an answer. The longest one of MATH has fewer than 200."""


class Math:
    r"""The expression in the last ``\boxed{}``; without a box, behind the last other marker.

    ``$``, degrees, thousands separators, spaces and the size of brackets do not count. Numbers are compared exactly,
    whatever else by value: ``\frac{\sqrt 3}{3}`` is ``1/\sqrt{3}``, ``1,-2`` is ``-2,1``. A missing unit, base or
    ``x =`` is no fault, another unit is. A percent sign is a unit, so that a gold of ``50\%`` is met by 50 and not by
    0.5; but a gold from -1 to 1 without the sign is a share, and 50% meets 0.5. A gold of 6 decimals or more is met by
    what rounds to it. Times, ratios, dates and what cannot be read are compared as text. A number too large to be
    computed, or a comparison that takes more than ``deadline`` seconds of processor time, gives the verdict ``error``.
    """

    name: ClassVar[str] = "math"
    version: ClassVar[str] = "2"

    def __init__(self, deadline: PositiveFloat = 2.0):
        self._equal = Children(load, deadline)

    def verify(self, completion: str, question: Question) -> Verdict:
        gold = question.answer
        plain = plain_box(completion) if "\\" in completion else plain_ending(completion)
        if plain is not None:
            same = compare(gold, plain)
            if same is not None:
                return Verdict("correct" if same else "wrong", plain, open=may_go_on(completion))
        if not gold or gold.isspace():
            raise ValueError("the gold answer is empty")
        try:
            found = written(completion, self._same)
            same, reason = self._compared(gold, found.text)
        except NoAnswer as why:
            return Verdict("unparseable", reason=str(why))
        except ChildError as error:
            return Verdict("error", found.text, f"verifier {self.name}: {error}", open=found.open)
        return Verdict("correct" if same else "wrong", found.text, reason, open=found.open)

    def _compared(self, gold: str, predicted: str) -> tuple[bool, str | None]:
        """Whether two answers are the same, and why not where that takes words.

        Raises:
            NoAnswer: the predicted answer is none.
            ChildError: this cannot be told.
        """
        same = compare(gold, predicted)
        if same is not None:
            return same, None
        if len(predicted) > MAX_LENGTH:
            raise NoAnswer(f"the answer has more than {MAX_LENGTH:,} characters")
        same, reason = self._equal(gold, predicted)
        if same is None:
            raise ChildError(reason)
        return same, reason

    def _same(self, one: str, other: str) -> bool:
        try:
            return self._compared(one, other)[0]
        except (NoAnswer, ChildError):
            return False

    def state(self, question: Question) -> str:
        return rf"The answer is \boxed{{{question.answer}}}."


# Plain numbers only: what Fraction reads besides would take 52_8 for 528 and for ever over 1e99999999.
_PLAIN = re.compile(r"-?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|-?\.\d+|-?\d+/\d*[1-9]\d*", re.ASCII)


def compare(gold: str, predicted: str) -> bool | None:
    """Whether two answers are the same, as far as that can be told without computing; None: it cannot."""
    if gold == predicted:
        return True
    left, right = _read(gold), _read(predicted)
    if left is None or right is None:
        return None
    if left == right:
        return True
    slack = rounding(gold) if "." in gold else 0
    return slack > 0 and abs(left - right) <= slack


@lru_cache(maxsize=1 << 14)
def _read(answer: str) -> Fraction | None:
    """The value of a plain number."""
    if len(answer) > MAX_LENGTH or not _PLAIN.fullmatch(answer):
        return None
    return Fraction(answer.replace(",", ""))


def load() -> Callable[[str, str], tuple[bool | None, str | None]]:
    """In the child: the comparison, and why it came to nothing."""

    def bounded(gold: str, predicted: str) -> tuple[bool | None, str | None]:
        try:
            return equal(gold, predicted)
        except OverflowError as error:
            return None, str(error)
        except RecursionError:
            return None, "it is too long to be computed"

    return bounded
