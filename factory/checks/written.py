"""Equations as people write them, found in a text: what the checks of equations share. Cost grows linearly up to
:data:`factory.checks.READ` characters, and nothing behind them is read.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from factory.checks import READ
from factory.checks.calculation import MOST_DIGITS, Number, apart, cleaned, number, value

Side = tuple[str, Number | None, bool]
"""One side of an equation as it is written, its value (None if it has none), and whether it calculates."""

MOST_CHARACTERS = 200
"""A longer side of an equation is not computed."""

_OPERATORS = frozenset("+-*/")
_TWO = re.compile(r" *(\d+) *([-+*]) *(\d+) *")
_FIRST = re.compile(r"[\d.]*")
_SIDE = r"[-+*/() \d]*+(?:\.(?=\d)[-+*/() \d]*+)*+"
_PLAIN = re.compile(rf"[-(\d](?!(?<=-) )(?:(?<=[A-Za-z,;:.?!] .)|(?<!..)){_SIDE}=(?:{_SIDE}=)*+{_SIDE}")
"""Sides without words, from the beginning of a line, or behind a word or a sign and a space."""

_LOOSE = re.compile(rf"(?<![-+*/() \d]){_SIDE}=(?:{_SIDE}=)*+{_SIDE}")
"""The same wherever they stand."""

_UNIT = re.compile(r"(\d) ?[A-Za-z]+(?: [A-Za-z]+){0,2}(?= ?[-+*/=)])")
_VALUE = r"\d++(?:\.\d++)?+(?: [a-z]{3,}+)?+"
_WITH_UNITS = re.compile(rf"(?:^|(?<=[A-Za-z,;:.?!] )){_VALUE}(?: ?[-+*/] ?{_VALUE})++ ?= ?-?{_VALUE}", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z]+")
_CALCULATING = frozenset(
    (
        *("times", "plus", "minus", "of", "by", "over", "to", "per", "and", "half", "twice", "double", "triple"),
        *("square", "squared", "cube", "cubed", "root", "power", "sqrt", "log", "ln", "sin", "cos", "tan", "e", "pi"),
        *("remainder", "rem", "r", "mod", "modulo", "percent", "cent", "cents", "pair", "pairs"),
        *("dozen", "hundred", "thousand", "million", "billion"),
    )
)
"""Words that make another equation of what stands beside them: ``3 dozen + 1 = 37``, ``10 / 3 = 3 remainder 1``."""


class Equation(NamedTuple):
    """One side that calculates, and what the other one says it is.

    Attributes:
        calculation: the side that calculates, as it is written.
        exact: its value.
        shown: the value of the other side.
        decimals: how many decimals the other side shows; 0 if it calculates as well.
        holds: whether the two are equal, or as good as equal (:func:`_as_good`).
        sure: that it can only be read like this. Of an equation that holds it is not asked.
    """

    calculation: str
    exact: Number
    shown: Number
    decimals: int
    holds: bool
    sure: bool = True

    @property
    def equal(self) -> bool:
        """Whether the two are equal, to the decimals shown: 10 / 3 = 3.33."""
        return self.exact == self.shown or _rounded(self.exact, self.shown, self.decimals)


class Found(NamedTuple):
    """The equations of a text, in order, and those of its calculator annotations (``<<48/2=24>>``, as in GSM8K)."""

    equations: list[Equation]
    annotations: list[Equation]


@lru_cache(maxsize=8)
def read(text: str) -> Found:
    """The equations of a text, those that hold and those that do not.

    A run of equations is not held against itself: of ``2 + 3 = 5 * 4 = 20`` both parts are read.
    """
    found = Found([], [])
    if "=" not in text:
        return found
    text = text[:READ]
    percent = "%" in text
    if "<<" in text:
        text, notes = apart(text)
        for note in notes:
            found.annotations.extend(_pairs(note))
    found.equations.extend(_of_text(cleaned(text), percent))
    return found


def _of_text(text: str, percent: bool) -> list[Equation]:
    """Most texts have no words within their equations. Of the others' equations one that does not hold is sure if it
    stands there with no words, or with one unit."""
    plain, there = _plain(text, percent)
    if there == text.count("="):
        return plain
    bare = _UNIT.sub(r"\1", text)
    loose = [equation for match in _LOOSE.finditer(bare) for equation in _pairs(match.group())]
    if False not in [equation.holds for equation in loose]:
        return loose
    sure = [equation[:4] for equation in plain if equation.sure and not equation.holds]
    sure += [] if percent else [equation[:4] for equation in _with_units(text)]
    return [equation._replace(sure=equation[:4] in sure) for equation in loose]


def _plain(text: str, percent: bool) -> tuple[list[Equation], int]:
    """The equations of a text that have no words in them, and how many signs of equality these have."""
    found: list[Equation] = []
    there = 0
    for match in _PLAIN.finditer(text):
        stretch = match.group()
        there += stretch.count("=")
        for equation in _pairs(stretch):
            if not equation.holds and (percent or not _is_sure(text, *match.span(), equation.calculation)):
                equation = equation._replace(sure=False)
            found.append(equation)
    return found, there


def _is_sure(text: str, start: int, end: int, calculation: str) -> bool:
    """Whether no word and no sign around a stretch of a text can change what an equation in it says."""
    if calculation.count("/") > 1:
        return False
    before = text[max(0, start - 40) : start].rpartition("\n")[2].split()
    if before:
        word = before[-1].strip(",;:.?!(").casefold()
        goes_on = text[start] == "-" or not text[start:end].startswith(calculation)
        if goes_on or word in _CALCULATING or len(word) < 2 or word[-1].isdigit():
            return False
    behind = text[end : end + 40]
    if not behind or behind[0] == "\n" or (behind[0] in ".,;?)" and not behind[1:2].isdigit()):
        return True
    after = _WORD.match(behind)
    return after is not None and text[end - 1] == " " and after.group().casefold() not in _CALCULATING


def _with_units(text: str) -> Iterator[Equation]:
    """Equations in which one unit stands behind some of the numbers: ``8 apples - 3 apples = 5 apples``."""
    for match in _WITH_UNITS.finditer(text):
        words = {word.rstrip("s") for word in _WORD.findall(match.group())}
        if len(words) == 1 and not words & _CALCULATING and _is_sure(text, *match.span(), match.group()):
            yield from _pairs(_WORD.sub("", match.group()))


def _pairs(stretch: str) -> tuple[Equation, ...]:
    """The equations of what stands between signs of equality. Attempts at a question have many in common."""
    return _pairs_of_short(stretch) if len(stretch) <= MOST_CHARACTERS else _pairs_of(stretch)


def _pairs_of(stretch: str) -> tuple[Equation, ...]:
    read = [_side(side) if len(side) <= MOST_CHARACTERS else _NONE for side in stretch.split("=")]
    found = []
    for (left, a, calculates), (right, b, is_calculated) in pairwise(read):
        if a is None or b is None or not (calculates or is_calculated):
            continue
        if calculates and is_calculated:
            first = _FIRST.match(right)
            if a == b or first is None or number(first.group()) != a:  # else it goes on from the result
                found.append(Equation(left, a, b, 0, a == b))
            continue
        if is_calculated:
            left, a, right, b = right, b, left, a
        decimals = len(right.partition(".")[2])
        found.append(Equation(left, a, b, decimals, a == b or _as_good(left, a, b, decimals)))
    return tuple(found)


_pairs_of_short = lru_cache(maxsize=20_000)(_pairs_of)

_NONE: Side = ("", None, False)


@lru_cache(maxsize=50_000)
def _side(side: str) -> Side:
    text = " ".join(side.split())
    if text.isdecimal():
        return text, number(text), False
    if (two := _TWO.fullmatch(text)) and len(text) <= MOST_DIGITS:
        a, sign, b = int(two[1]), two[2], int(two[3])
        return text, a + b if sign == "+" else a - b if sign == "-" else a * b, True
    return text, value(text), not _OPERATORS.isdisjoint(text[1:])


def _rounded(exact: Number, shown: Number, decimals: int) -> bool:
    return decimals > 0 and 2 * abs(Fraction(exact) - shown) * Fraction(10**decimals) <= 1


def _as_good(calculation: str, exact: Number, shown: Number, decimals: int) -> bool:
    """Whether a result is the value rounded to the decimals shown. That of a division may be rounded to a whole number,
    and cut off behind its decimals (2 / 3 = 0.66)."""
    if _rounded(exact, shown, decimals):
        return True
    if "/" not in calculation:
        return False
    rest = abs(Fraction(exact) - shown) * Fraction(10**decimals)
    return 2 * rest <= 1 or (decimals > 0 and rest < 1 and abs(Fraction(shown)) < abs(Fraction(exact)))
