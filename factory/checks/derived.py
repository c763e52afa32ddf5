"""Is the answer derived, or only stated? For word problems whose answer is a number.

STaR's weak spot on small models: shown the answer as a hint, they restate it ("11 pounds is 19. The answer is 19.").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import ClassVar

from factory.attempt import Question

_CLEANED = (
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"(\1)/(\2)"),
    (re.compile(r"\\(?:times|cdot)|[\u00d7\u00b7\u2217]|(?<=[\d)] )x(?= [\d($])|(?<=\d)x(?=\d)"), "*"),
    (re.compile(r"\\div|\u00f7"), "/"),
    (re.compile(r"[\u2212\u2013]"), "-"),
    (re.compile(r"(?<=\d),(?=\d{3}\b)|\\?\$|\\[()\[\],!;]|<<.*?>>"), ""),
    (re.compile(r"(?<!\d)\*\*|\*\*(?!\d)"), " "),  # bold, not a power
    (re.compile(r"\\?%\s+of\b"), "/100*"),
    (re.compile(r"\\?%"), "/100"),
)
_BULLET = re.compile(r"^\s*[-*\u2022]\s+")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\.\d+|[-+*/()=]|[^\W\d]+|[^\s]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_OPERATORS = set("+-*/")
_NAMES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NAMED = {name: number for number, name in enumerate(_NAMES, 1)} | {"half": 2, "twice": 2, "double": 2, "dozen": 12}
MOST_TOKENS = 60
"""A longer side of an equation is not evaluated."""


@dataclass(frozen=True)
class Derived:
    """Some true equation in the text yields the answer: ``64 - 27 = 37``.

    One side must calculate, the two must be equal (to the decimals shown) and so must the result and the gold
    answer. Restating it (``37 + 0 = 37``) is not deriving it. With ``grounded`` every number of that equation must
    come from the question, in digits or as a word up to twelve, or from a true equation before it.
    """

    name: ClassVar[str] = "derived"
    version: ClassVar[str] = "1"

    grounded: bool = False

    def passes(self, rationale: str, question: Question) -> bool:
        gold = _value(_tokens(question.answer))
        known = _numbers_of(question.question)
        for calculation, result in true_equations(rationale):
            used = {Fraction(token) for token in calculation if _NUMBER.fullmatch(token)}
            if self.grounded and not used <= known:
                continue
            known.add(result)
            if result == gold and not (gold in used and used <= {gold, 0, 1}):
                return True
        return False


def true_equations(text: str) -> Iterator[tuple[list[str], Fraction]]:
    """The true equations of a text in order: the tokens of the side that calculates, and the number it equals."""
    for line in text.splitlines():
        for sides in _equations(_tokens(_BULLET.sub("", line))):
            for (left, a), (right, b) in pairwise((side, _value(side)) for side in sides):
                if a is None or b is None:
                    continue
                if _calculates(left) and _equal(a, b, right):
                    yield left, b
                elif _calculates(right) and _equal(b, a, left):
                    yield right, a


def _tokens(text: str) -> list[str]:
    for pattern, replacement in _CLEANED:
        text = pattern.sub(replacement, text)
    return _TOKEN.findall(text)


def _equations(tokens: list[str]) -> Iterator[list[list[str]]]:
    """Stretches of numbers and operators with ``=`` in them, split there. Units are left out: of the words, those
    after a number and before an operator or a bracket (``8 apples - 3 apples = 5 apples``)."""
    stretch: list[str] = []
    words: list[str] = []
    for token in [*tokens, "."]:
        if token[0].isalpha():
            words.append(token)
            continue
        symbol = token in _OPERATORS or token in "()="
        if words and not (symbol and token != "(" and stretch and len(words) <= 3):
            yield from _split(stretch)
            stretch = []
        words = []
        if symbol or _NUMBER.fullmatch(token):
            stretch.append(token)
        else:
            yield from _split(stretch)
            stretch = []


def _split(stretch: list[str]) -> Iterator[list[list[str]]]:
    if "=" in stretch:
        sides: list[list[str]] = [[]]
        for token in stretch:
            if token == "=":
                sides.append([])
            else:
                sides[-1].append(token)
        yield sides


def _calculates(side: list[str]) -> bool:
    return any(token in _OPERATORS for token in side[1:])


def _equal(exact: Fraction, shown: Fraction, side: list[str]) -> bool:
    """Whether a result is the value of a calculation, as far as its decimals go: 10 / 3 = 3.33."""
    decimals = len(side[-1].partition(".")[2]) if not _calculates(side) else 0
    return exact == shown or (decimals > 0 and abs(exact - shown) <= Fraction(1, 2 * 10**decimals))


def _value(tokens: list[str]) -> Fraction | None:
    """The value of a calculation; None if it is none: the usual precedence, no names, no powers."""
    if not tokens or len(tokens) > MOST_TOKENS:
        return None
    rest = list(reversed(tokens))

    def sum_() -> Fraction:
        value = product()
        while rest and rest[-1] in "+-":
            value = value + product() if rest.pop() == "+" else value - product()
        return value

    def product() -> Fraction:
        value = factor()
        while rest and rest[-1] in "*/":
            value = value * factor() if rest.pop() == "*" else value / factor()
        return value

    def factor() -> Fraction:
        token = rest.pop()
        if token == "-":
            return -factor()
        if token == "(":
            value = sum_()
            if rest.pop() != ")":
                raise ValueError
            return value
        return Fraction(token)

    try:
        value = sum_()
    except (ValueError, IndexError, ZeroDivisionError):
        return None
    return None if rest else value


def _numbers_of(question: str) -> set[Fraction]:
    tokens = _tokens(question)
    digits = {Fraction(token) for token in tokens if _NUMBER.fullmatch(token)}
    return digits | {Fraction(_NAMED[token.lower()]) for token in tokens if token.lower() in _NAMED}
