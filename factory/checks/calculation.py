"""Numbers and calculations as people write them, read exactly. Cost grows linearly with the text."""

import re
from fractions import Fraction

from factory.checks import READ

Number = int | Fraction

MOST_TOKENS = 60
"""A longer calculation is not computed."""

MOST_DIGITS = 40
"""Nor one that holds a longer number."""

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
_SUM = frozenset("+-")


def numbers(text: str) -> list[Number]:
    """The numbers of a text, in order, without their signs."""
    if not text.isascii() or _MARKED.search(text):
        text = cleaned(apart(text[:READ])[0])
    return [value for token in _NUMBER.findall(text) if (value := number(token)) is not None]


def tokens(text: str) -> list[str]:
    """Numbers, operators, words and other signs, as they are read in equations."""
    return _TOKEN.findall(cleaned(apart(text[:READ])[0]))


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


def apart(text: str) -> tuple[str, list[str]]:
    """A text without its calculator annotations, and what these hold."""
    parts = _ANNOTATION.split(text)
    return "".join(parts[::2]), [cleaned(note) if _MARKED.search(note) else note for note in parts[1::2]]


def cleaned(text: str) -> str:
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
