r"""A number as it is written: ``1,234.5``, ``2.5e3``, ``0.\overline{3}``, and mixed ones, ``1\frac45``, ``2 1/4``."""

import re
from fractions import Fraction

from factory.verifiers.mathematics.tree import Unreadable

MAX_EXPONENT = 10_000

_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)"
_REPEATING = re.compile(r"(\d*)\.(\d*)\\overline\s*\{(\d+)\}", re.ASCII)
_MIXED = re.compile(
    rf"({_DIGITS})\s*\\frac\s*(?:\{{\s*(\d+)\s*\}}|(\d))\s*(?:\{{\s*(\d+)\s*\}}|(\d))|({_DIGITS})\s+(\d+)/(\d+)(?![\d.])",
    re.ASCII,
)
_DECIMAL = re.compile(rf"({_DIGITS}(?:\.\d*)?|\.\d+)(?:[eE]([-+]?\d+)(?![\w.]))?", re.ASCII)
_PLAIN = re.compile(rf"{_DIGITS}(?:\.\d+)?", re.ASCII)


def numeral(text: str, at: int) -> tuple[Fraction, int]:
    """The number that begins at a place, and where it ends.

    Raises:
        Unreadable: there is none, or it may be a product as well.
        OverflowError: it is too large to be written down.
    """
    found = _REPEATING.match(text, at)
    if found:
        whole, fixed, again = found.groups()
        digits = int(whole + fixed + again) - int(whole + fixed or 0)
        return Fraction(digits, (10 ** len(again) - 1) * 10 ** len(fixed)), found.end()
    found = _MIXED.match(text, at)
    if found:
        whole, above, below = (part for part in found.groups() if part)
        if not 0 < int(above) < int(below):
            raise Unreadable(f"'{found[0]}' may be a mixed number or a product")
        return int(whole.replace(",", "")) + Fraction(int(above), int(below)), found.end()
    found = _DECIMAL.match(text, at)
    if not found:
        raise Unreadable("a number")
    exponent = int(found[2] or 0)
    if abs(exponent) > MAX_EXPONENT:
        raise OverflowError(f"a power of ten beyond {MAX_EXPONENT:,}")
    return Fraction(found[1].replace(",", "")) * Fraction(10) ** exponent, found.end()


def plain(text: str, at: int) -> tuple[Fraction, int]:
    r"""As :func:`numeral`, but of digits only: in ``3^2\frac12`` the exponent is 2."""
    found = _PLAIN.match(text, at)
    if not found:
        raise Unreadable("a number")
    return Fraction(found[0].replace(",", "")), found.end()
