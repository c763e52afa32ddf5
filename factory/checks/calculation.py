"""Equations as people write them, found in a text and computed: what the checks of equations share.

Numbers are exact. Cost grows linearly up to :data:`READ` characters, and nothing behind them is read.
"""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from factory.checks import READ

Number = int | Fraction

Side = tuple[str, Number | None, bool]
"""One side of an equation as it is written, its value (None if it has none), and whether it calculates."""

MOST_TOKENS = 60
"""A longer side of an equation is not computed."""

MOST_DIGITS = 40
"""Nor one that holds a longer number."""

MOST_CHARACTERS = 200
"""Nor one that is longer."""

# Each begins with a character that is searched for as fast as memory is read.
_LATEX = (
    (re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}"), r"(\1)/(\2)"),
    (re.compile(r"\\(?:times|cdot)"), "*"),
    (re.compile(r"\\div"), "/"),
    (re.compile(r"\\[()\[\],!;$]"), ""),
    (re.compile(r"\\%"), "%"),
)
_SIGNS = str.maketrans("\u00d7\u00b7\u2217\u00f7\u2212\u2013\u2022", "***/--*")
_TIMES = re.compile(r"x(?:(?<=[\d)] x)(?= [\d($])|(?<=\dx)(?=\d))")
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}\b)")
_ANNOTATION = re.compile(r"<<([^<>\n]*)>>")
_MARKED = re.compile(r"[^-+*/().=\d ]")
_BOLD = re.compile(r"\*\*(?:(?<!\d\*\*)|(?!\d))")  # and not a power
_PERCENT_OF = re.compile(r"%\s+of\b")
_INDENT = re.compile(r"^(?:[ \t]++(?:[-*][ \t]+)?|[-*][ \t]+)", re.MULTILINE)

_TOKEN = re.compile(r"\d+(?:\.\d+)?|\.\d+|[-+*/()=]|[^\W\d]+|[^\s]")
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")
_TWO = re.compile(r" *(\d+) *([-+*]) *(\d+) *")
_OPERATORS = frozenset("+-*/")
_SUM = frozenset("+-")

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
        text, notes = _apart(text)
        for note in notes:
            found.annotations.extend(_pairs(note.split("=")))
    found.equations.extend(_of_text(_cleaned(text), percent))
    return found


def numbers(text: str) -> list[Number]:
    """The numbers of a text, in order, without their signs."""
    if not text.isascii() or _MARKED.search(text):
        text = _cleaned(_apart(text[:READ])[0])
    return [value for token in _NUMBER.findall(text) if (value := number(token)) is not None]


def tokens(text: str) -> list[str]:
    """Numbers, operators, words and other signs, as they are read in equations."""
    return _TOKEN.findall(_cleaned(_apart(text[:READ])[0]))


def number(token: str) -> Number | None:
    """What a token says if it is a number."""
    if len(token) > MOST_DIGITS or not (token.isdecimal() or _NUMBER.fullmatch(token)):
        return None
    whole, _, decimals = token.partition(".")
    numerator, denominator = int(whole + decimals), 10 ** len(decimals)
    return Fraction(numerator, denominator) if numerator % denominator else numerator // denominator


def value(text: str) -> Number | None:
    """The value of a calculation; None if it is none: the usual precedence, no names, no powers."""
    found = _TOKEN.findall(text)
    if len(found) == 1:
        return number(text.strip())
    if not found or len(found) > MOST_TOKENS:
        return None
    try:
        return _Calculation(found).value()
    except (ValueError, IndexError, ZeroDivisionError):
        return None


def shown(number: Number) -> str:
    """A number for people."""
    return str(number) if isinstance(number, int) else f"{float(number):.6g}"


def _apart(text: str) -> tuple[str, list[str]]:
    """A text without its calculator annotations, and what these hold."""
    parts = _ANNOTATION.split(text)
    return "".join(parts[::2]), [_cleaned(note) if _MARKED.search(note) else note for note in parts[1::2]]


def _cleaned(text: str) -> str:
    """The text with one sign for each operation, and without what means nothing for the value."""
    if not text.isascii():
        text = text.translate(_SIGNS)
    if "\\" in text:
        for pattern, replacement in _LATEX:
            text = pattern.sub(replacement, text)
    if "x" in text:
        text = _TIMES.sub("*", text)
    if "," in text:
        text = _THOUSANDS.sub("", text)
    if "$" in text:
        text = text.replace("$", "")
    if "**" in text:
        text = _BOLD.sub(" ", text)
    if "%" in text:
        text = _PERCENT_OF.sub("/100*", text).replace("%", "/100")
    if text[:1] in " \t-*" or "\n " in text or "\n-" in text or "\n*" in text or "\n\t" in text:
        text = _INDENT.sub("", text)
    return text


def _of_text(text: str, percent: bool) -> list[Equation]:
    """Most texts have no words within their equations. Of the others' equations one that does not hold is sure if it
    stands there with no words, or with one unit."""
    plain, there = _plain(text, percent)
    if there == text.count("="):
        return plain
    bare = _UNIT.sub(r"\1", text)
    loose = [equation for match in _LOOSE.finditer(bare) for equation in _pairs(match.group().split("="))]
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
        sides = match.group().split("=")
        there += len(sides) - 1
        for equation in _pairs(sides):
            if not equation.holds and (percent or not _is_sure(text, match.start(), match.end(), equation)):
                equation = equation._replace(sure=False)
            found.append(equation)
    return found, there


def _is_sure(text: str, start: int, end: int, equation: Equation) -> bool:
    """Whether no word and no sign around a stretch of a text can change what an equation in it says."""
    if equation.calculation.count("/") > 1:
        return False
    before = text[max(0, start - 40) : start].rpartition("\n")[2].split()
    if before:
        word = before[-1].strip(",;:.?!(").casefold()
        goes_on = text[start] == "-" or not text[start:end].startswith(equation.calculation)
        if goes_on or word in _CALCULATING or len(word) < 2 or word[-1].isdigit():
            return False
    behind = text[end : end + 40]
    if not behind or behind[0] == "\n" or (behind[0] in ".,;?)" and not behind[1:2].isdigit()):
        return True
    after = _WORD.match(behind)
    return after is not None and text[end - 1] == " " and after.group().casefold() not in _CALCULATING


def _with_units(line: str) -> Iterator[Equation]:
    """Equations in which one unit stands behind some of the numbers: ``8 apples - 3 apples = 5 apples``."""
    for match in _WITH_UNITS.finditer(line):
        words = {word.rstrip("s") for word in _WORD.findall(match.group())}
        if len(words) == 1 and not words & _CALCULATING:
            for equation in _pairs(_WORD.sub("", match.group()).split("=")):
                if _is_sure(line, match.start(), match.end(), equation._replace(calculation="")):
                    yield equation


def _pairs(sides: list[str]) -> list[Equation]:
    """The equations of what stands between signs of equality."""
    read = [_side(side) if len(side) <= MOST_CHARACTERS else _NONE for side in sides]
    found = []
    for (left, a, calculates), (right, b, is_calculated) in pairwise(read):
        if a is None or b is None or not (calculates or is_calculated):
            continue
        if calculates and is_calculated:
            if a == b or not right.startswith(str(a)):  # else it goes on from the result
                found.append(Equation(left, a, b, 0, a == b))
            continue
        if is_calculated:
            left, a, right, b = right, b, left, a
        decimals = len(right.partition(".")[2])
        found.append(Equation(left, a, b, decimals, a == b or _as_good(left, a, b, decimals)))
    return found


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


class _Calculation:
    """A calculation that is read from its first token to its last."""

    def __init__(self, tokens: list[str]):
        self.rest = tokens[::-1]

    def value(self) -> Number:
        value = self._sum()
        if self.rest:
            raise ValueError
        return value

    def _sum(self) -> Number:
        value = self._product()
        while self.rest and self.rest[-1] in _SUM:
            value = value + self._product() if self.rest.pop() == "+" else value - self._product()
        return value

    def _product(self) -> Number:
        value = self._factor()
        while self.rest and self.rest[-1] in "*/":
            value = value * self._factor() if self.rest.pop() == "*" else _divided(value, self._factor())
        return value

    def _factor(self) -> Number:
        token = self.rest.pop()
        if token == "-":
            return -self._factor()
        if token == "(":
            value = self._sum()
            if self.rest.pop() != ")":
                raise ValueError
            return value
        found = number(token)
        if found is None:
            raise ValueError
        return found


def _divided(value: Number, by: Number) -> Number:
    exact = Fraction(value) / by
    return exact.numerator if exact.denominator == 1 else exact
