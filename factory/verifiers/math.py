r"""The final expression of a completion, compared as mathematics (MATH, Hendrycks et al. 2021, arXiv 2103.03874).

Most answers are settled as strings or as fractions. Only what is neither goes to math-verify, which reads LaTeX into
sympy; it does so in a :mod:`factory.verifiers.child`, where ``9^{9^{9^9}}`` ends at a deadline.
"""

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

from pydantic import PositiveFloat

from factory.attempt import Question
from factory.verifiers import Verdict
from factory.verifiers.child import Child, ChildError
from factory.verifiers.numeric import parse_number, plain_ending

MAX_LENGTH = 1000
"""Characters of an answer. The longest one of MATH has fewer than 200."""

_MARK = re.compile(r"####|\banswer(?:\*\*)?\s*(?:is|=|:)", re.IGNORECASE)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_INLINE = re.compile(r"(?<!\\)\$+(.+?)(?<!\\)\$|\\[(\[](.+?)\\[)\]]")
_SENTENCE_END = re.compile(r"[.!?]\s+(?=\W*[A-Z])")
# "5 apples", "$1,234.50, since ...": prose goes on behind the number, and not with a further part of the value.
_NUMBER_IN_PROSE = re.compile(
    r"(-?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?%?)[,;:]?\s+\(?(?!(?:or|and|to|plus|minus|times|over|sqrt|pi)\b)[A-Za-z]{2}"
)

_DROPPED = ("$", "%", "\N{DEGREE SIGN}", "^\\circ", "^{\\circ}", "\\!", "\\,", "\\;", "\\:", "\\ ", "~")
_TEXT = re.compile(r"\\(?:text|mbox|textbf|textit|mathrm|mathbf)\s*\{([^{}]*)\}")
_SIZE = re.compile(r"\\(?:left|right|displaystyle)(?![a-zA-Z])")
_FRACTION = re.compile(r"\\[dtc]?frac(?![a-zA-Z])")
_SPACE = re.compile(r"(?<!\d)\s+|\s+(?!\d)")
_LIST = re.compile(r"(?<=\d),\s+(?=\d{3}(?!\d))")  # "100, 200" must not become 100,200
_SUBSCRIPT = re.compile(r"_\{(\w+)\}")
# Plain numbers only: what Fraction reads besides would take 52_8 for 528 and for ever over 1e99999999.
_PLAIN = re.compile(r"-?(?:\d+\.?|\d{1,3}(?:,\d{3})+|(?:\d+ )?\d+/\d+|(?:\d+|\d{1,3}(?:,\d{3})+)?\.\d+)", re.ASCII)
_MIXED = re.compile(r"(-?)(\d*)\\frac(?:\{(-?\d+)\}|(\d))(?:\{(\d+)\}|(\d))", re.ASCII)
_RATIO = re.compile(r"\d\s*:\s*\d")
_BASE = re.compile(r"\d_\{?(\d+)")


class Math:
    r"""The expression in the last ``\boxed{}``; without a box, behind the last ``####`` or "answer is".

    ``$``, ``%``, degrees, thousands separators, spaces and the size of brackets do not count: a gold of ``50\%`` is
    met by 50 and not by 0.5. Numbers are compared exactly, whatever else by value: ``\frac{\sqrt 3}{3}`` is
    ``1/\sqrt{3}``, ``1,-2`` is ``-2,1``, a missing unit or base is no fault. Times and ratios (``3:30``) are compared
    as text only, two numbers in different bases are different. A comparison that needs more than ``deadline``
    seconds of processor time, or kills its process, gives the verdict ``error``.
    """

    name: ClassVar[str] = "math"
    version: ClassVar[str] = "1"

    def __init__(self, deadline: PositiveFloat = 2.0):
        self._equal = Child(load, deadline)

    def verify(self, completion: str, question: Question) -> Verdict:
        if not question.answer or question.answer.isspace():
            raise ValueError("the gold answer is empty")
        predicted = final_answer(completion)
        if predicted is None:
            return Verdict("unparseable", reason="no answer in a box or behind a marker")
        same = compare(question.answer, predicted)
        if same is None and len(predicted) > MAX_LENGTH:
            return Verdict("unparseable", reason=f"the answer has more than {MAX_LENGTH} characters")
        if same is None:
            try:
                same = self._equal(_prepared(question.answer), _prepared(predicted))
            except ChildError as error:
                return Verdict("error", predicted, f"verifier {self.name}: {error}")
        return Verdict("correct" if same else "wrong", predicted)

    def state(self, question: Question) -> str:
        return rf"The answer is \boxed{{{question.answer}}}."


def final_answer(text: str) -> str | None:
    """What stands in the last box; without any, behind the last marker up to the end of its sentence."""
    box = text.rfind("\\boxed{")
    if box >= 0:
        return _braced(text, box + len("\\boxed{"))
    plain = plain_ending(text)
    if plain:
        return plain
    end = max((mark.end() for mark in _MARK.finditer(text)), default=-1)
    if end < 0:
        return None
    line = text[end:].lstrip(" \t\r\n*:").partition("\n")[0].strip()
    inline = _INLINE.search(line)
    if inline:
        return (inline[1] or inline[2]).strip() or None
    number = _NUMBER_IN_PROSE.match(line)
    if number:
        return number[1].rstrip(",")
    return _SENTENCE_END.split(line, maxsplit=1)[0].rstrip("*. ") or None


def _braced(text: str, start: int) -> str | None:
    """What stands between an opening brace and its closing one; None if that never comes."""
    depth = 1
    for match in _BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return text[start : match.start()].strip() or None
    return None


def compare(gold: str, predicted: str) -> bool | None:
    """Whether two answers are the same, as far as that can be told without sympy; None: it cannot."""
    if gold == predicted:
        return True
    (gold_text, gold_value), (text, value) = _read(gold), _read(predicted)
    if gold_text == text:
        return True
    if gold_value is not None and value is not None:
        return gold_value == value
    if _RATIO.search(gold_text) or _RATIO.search(text):
        return False
    gold_base, base = _BASE.search(gold_text), _BASE.search(text)
    if gold_base and base and gold_base[1] != base[1]:
        return False
    return None


@lru_cache(maxsize=1 << 14)
def _read(answer: str) -> tuple[str, Fraction | None]:
    """An answer in the form in which strings are compared, and its value if it is a plain number."""
    if len(answer) > MAX_LENGTH:
        return answer, None
    text = answer.replace("\N{MINUS SIGN}", "-").replace("{,}", ",")
    text = _LIST.sub(";", re.sub(r",\\!\s*", ",", text))
    text = _FRACTION.sub(r"\\frac", _SIZE.sub("", _TEXT.sub(r"\1", text)))
    for mark in _DROPPED:
        text = text.replace(mark, "")
    text = re.sub(r"\\(?=$|\d)", "", text)  # what is left of \$ and \%
    text = _SUBSCRIPT.sub(r"_\1", _SPACE.sub("", text.strip())).rstrip(".")
    return text.casefold() if text.isalpha() and len(text) > 2 else text, _number(text)


def _number(text: str) -> Fraction | None:
    if _PLAIN.fullmatch(text):
        return parse_number(text)
    mixed = _MIXED.fullmatch(text)
    if mixed is None:
        return None
    sign, whole, *parts = mixed.groups()
    numerator, denominator = (int(part) for part in parts if part)
    if not denominator:
        return None
    value = int(whole or 0) + Fraction(numerator, denominator)
    return -value if sign else value


def _prepared(answer: str) -> str:
    """An answer as math-verify gets it. It takes 50% for 50 and for 0.5, so it gets no percent signs."""
    return answer.replace("\N{MINUS SIGN}", "-").replace("\\%", "").replace("%", "").replace("\\$", "").replace("$", "")


def load() -> Callable[[str, str], bool]:
    """In the child: math-verify on two extracted answers, each in a box of its own. Its own deadlines use signals and
    are off."""
    from math_verify import LatexExtractionConfig, parse, verify

    config = [LatexExtractionConfig(boxed_match_priority=0)]

    def equal(gold: str, predicted: str) -> bool:
        parsed = [parse(rf"\boxed{{{answer}}}", config, parsing_timeout=None) for answer in (gold, predicted)]
        return bool(verify(*parsed, timeout_seconds=None))

    equal(r"\frac{\sqrt{3}}{3}", r"1/\sqrt{3}")  # the first call builds the parser's tables
    return equal
