"""One number, as people and models write it: its value, and when it is a gold answer."""

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

DIGITS = 1000
"""Digits of a number, before and behind an exponent is applied. More are no number: comparing them takes seconds."""

EXACT = 6
"""Decimals from which a gold answer is taken for a rounded float. One with fewer is what it says."""

FLOAT_DIGITS = 15
"""Significant digits that a float holds for sure: those behind them, as the 4 in 0.8333333333333334, are noise."""


class _Keyboard(dict[int, str]):
    """For ``str.translate``: digits and punctuation of any script; what shows nothing becomes a space, so that it
    never joins two numbers."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        if digit is not None:
            char = str(digit)
        elif 0xFF01 <= code <= 0xFF5E:
            char = chr(code - 0xFEE0)
        elif char != "\n" and unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn"):
            char = " "
        self[code] = char
        return char


_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_TURNED = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
"""Controls of the direction of writing: with them 12 is shown as 21. They stay a mark that no number may touch."""
_KEYBOARD = _Keyboard(
    {ord(dash): "-" for dash in _DASHES}
    | dict.fromkeys(_TURNED, "\ufffd")
    | {0x3002: ". ", 0x066B: ".", 0x066C: ",", 0x2044: "/"}
)

_FRACTION = re.compile(
    r"(\d?)\\[dtc]?frac\s{0,2}(?:\{\s{0,2}(-?\d{1,40})\s{0,2}\}|(\d))\s{0,2}(?:\{\s{0,2}(\d{1,40})\s{0,2}\}|(\d))"
)
_TEXT = re.compile(
    r"\\(?:text(?:bf|it|rm|sf|normal)?|math(?:rm|bf|it|sf)|mbox|operatorname|underline|bm|boldsymbol)\s?\{([^{}]*)\}"
)
_COMMAND = re.compile(
    r"\\(?:left|right|displaystyle)(?![a-zA-Z])|\\!|\\[()\[\]]|\^\\circ(?![a-zA-Z])|\^\{\s?\\circ\s?\}|\\degree(?![a-zA-Z])"
    r"|\\q?quad(?![a-zA-Z])|\\[,;: ]|(?<=[\w}])~(?=[\\a-zA-Z ])|\{,\}|\\[$%#&]|\\(?:times|cdot|div)(?![a-zA-Z])"
)
_AS = {
    "{,}": ",",
    **{rf"\{char}": char for char in "$%#&"},
    **{rf"\{char}": " " for char in ",;: "},
    **{"~": " ", r"\quad": " ", r"\qquad": " ", r"\times": "\u00d7", r"\cdot": "\u00b7", r"\div": "\u00f7"},
    **{"^\\circ": "\u00b0", "^{\\circ}": "\u00b0", "\\degree": "\u00b0"},
}
_SPACES = re.compile(r" {2,}")
_ANNOTATION = re.compile(r"<<[^<>\n]{0,200}>>")


def plainly(text: str) -> str:
    """A text with its numbers as a keyboard writes them: ASCII digits and signs, ``3/4`` for a fraction of LaTeX."""
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_KEYBOARD)
    if "<<" in text:
        text = _ANNOTATION.sub("", text)
    if "\\" in text or "{" in text or "~" in text:
        for _ in range(2):
            text = _TEXT.sub(r" \1 ", text)
        text = _SPACES.sub(" ", text)
        text = _FRACTION.sub(_fraction, text)
        text = _COMMAND.sub(lambda command: _AS.get(command[0], ""), text)
    return text


def flat(text: str) -> str:
    """A text on one line, in the characters of a keyboard."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text)
    return " ".join(plainly(text).split())


def _fraction(match: re.Match[str]) -> str:
    r"""With a space on both sides, for ``2\frac{1}{4}`` is 2 1/4, and ``\frac{1}{2}3`` is not 1/23."""
    whole, above, above_digit, below, below_digit = match.groups()
    return f"{whole}{' ' if whole else ''}{above or above_digit}/{below or below_digit} "


_RAISES = r"[\u207b\u2070\u00b9\u00b2\u00b3\u2074-\u2079]{1,9}"
_WHOLE = r"(?:[1-9]\d{0,2}(?:,\d{3}){1,300}|[1-9]\d?(?:,\d\d){1,300},\d{3}|\d{1,1000})"
NUMBER = re.compile(
    rf"(?P<mixed>\d{{1,40}})[ ](?P<above>\d{{1,40}})/(?P<below>\d{{1,40}})(?![\d/])"
    rf"|(?P<base>\d{{1,20}})"
    rf"(?:[ ]?(?:\^|\*\*)[ ]?(?:\{{\s?)?(?P<up>\d{{1,4}})(?:\s?\}})?(?!\.?\d|/)|(?P<lifted>{_RAISES}))"
    rf"|(?P<over>\d{{1,1000}})(?:[ ]?/[ ]?)(?P<under>\d{{1,1000}})"
    rf"|(?P<german>\d{{1,3}}(?:\.\d{{3}}){{1,9}},\d{{1,2}})(?!\d)"
    rf"|(?P<decimal>(?:{_WHOLE}(?:\.\d{{1,1000}})?|\.\d{{1,1000}}))"
    rf"(?:[eE](?P<exponent>[-+]?\d{{1,9}})(?!\.?\w)"
    rf"|[ ]?(?:[x\u00d7*\u00b7]|times)[ ]?10[ ]?(?:\^|\*\*)[ ]?(?:\{{\s?)?(?P<power>[-+]?\d{{1,9}})(?:\s?\}})?(?!\d)"
    rf"|[ ]?[x\u00d7*\u00b7][ ]?10(?P<raised>{_RAISES}))?",
    re.ASCII,
)
_RAISED = str.maketrans("\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789")


def value_of(match: re.Match[str]) -> Fraction | None:
    """None for what is written like a number and has no value, or too large a one: 3/0, 1e12345."""
    if match["base"]:
        power = (match["up"] or match["lifted"]).translate(_RAISED)
        small = power.isdigit() and int(power) * len(match["base"]) <= DIGITS
        return Fraction(int(match["base"]) ** int(power)) if small else None
    if match["over"]:
        below = int(match["under"])
        return Fraction(int(match["over"]), below) if below else None
    if match["mixed"]:
        above, below = int(match["above"]), int(match["below"])
        return int(match["mixed"]) + Fraction(above, below) if above < below else None
    if match["german"]:
        return Fraction(match["german"].replace(".", "").replace(",", "."))
    value = Fraction(match["decimal"].replace(",", ""))
    exponent = match["exponent"] or match["power"] or (match["raised"] or "").translate(_RAISED)
    if not exponent or exponent == "-":
        return value if not match["raised"] else None
    return value * Fraction(10) ** int(exponent) if abs(int(exponent)) <= DIGITS else None


PLAIN = re.compile(r"\s*(-?(?:[1-9][0-9]{0,2}(?:,[0-9]{3}){1,8}|[0-9]{1,30}))\s*(?:\.\s*)?", re.ASCII)
"""A text that is a whole number and nothing else: most answers."""

_GOLD = re.compile(r"\s*([-+]?)\s?[$\u20ac\u00a3\u00a5]?([-+]?)\s?")


@lru_cache(maxsize=1 << 14)
def parse_number(text: str) -> Fraction | None:
    """The value of a text that is one number and nothing else, or None: ``-1,234.50``, ``$5``, ``3/4``, ``2 1/2``,
    ``20%`` (which is 20: the sign is taken for a unit)."""
    if len(text) > 2 * DIGITS:
        return None
    text = plainly(text).strip().strip("$%").strip().rstrip(".")
    sign = _GOLD.match(text)
    number = NUMBER.match(text, sign.end() if sign else 0)
    if sign is None or number is None or number.end() != len(text) or (sign[1] and sign[2]):
        return None
    value = value_of(number)
    return -value if value is not None and "-" in sign[1] + sign[2] else value


def same_value(value: Fraction | None, gold: str) -> bool:
    """Whether a value is the gold answer. One of :data:`EXACT` decimals or more is a rounded float: it is met by what
    rounds to it at its own precision, as 0.8333333333333334 by 5/6."""
    expected = parse_number(gold)
    if value is None or expected is None or value == expected:
        return value is not None and value == expected
    decimals = _decimals(gold)
    if decimals < EXACT:
        return False
    held = FLOAT_DIGITS - len(str(abs(int(expected)))) if abs(expected) >= 1 else FLOAT_DIGITS + _zeros(expected)
    return abs(value - expected) <= Fraction(1, 2 * 10 ** min(decimals, max(held, EXACT)))


def _decimals(gold: str) -> int:
    text = gold.strip().rstrip("%$. ")
    return len(text.rpartition(".")[2]) if text.count(".") == 1 and text[-1:].isdigit() and "/" not in text else 0


def _zeros(value: Fraction) -> int:
    """Zeros behind the point, before the first other digit."""
    zeros = 0
    while value and abs(value) * 10 < 1 and zeros < DIGITS:
        value, zeros = value * 10, zeros + 1
    return zeros
