"""Numbers of an expression and what is done with them: exact where they are rational, else to 80 digits."""

import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from mpmath import MPContext

MAX_BITS = 40_000
"""Of a number: 12,000 digits. A power that would have more is not computed."""

DIGITS, AGREE = 80, 60

_M: Any = MPContext()  # of our own: nobody else changes its precision
_M.dps = DIGITS
_TOLERANCE = _M.mpf(10) ** -AGREE

Number = Any
"""A Fraction where it is exact; else a real or complex number of mpmath."""


class Undefined(Exception):
    """Raised for what has no value: a division by zero, the factorial of -1."""


def constant(name: str) -> Number:
    return {"pi": _M.pi * 1, "e": _M.e * 1, "i": _M.mpc(0, 1)}[name]


def wide(number: Number) -> Number:
    return _M.mpf(number.numerator) / number.denominator if isinstance(number, Fraction) else number


def is_zero(number: Number) -> bool:
    return bool(number == 0)


def is_real(number: Number) -> bool:
    return not _M.im(wide(number))


def sign(number: Number) -> int:
    """1 or -1; 0 for zero and for a number that is not real."""
    number = wide(number)
    return 0 if _M.im(number) else int(_M.sign(_M.re(number)))


def close(left: Number, right: Number) -> bool:
    """Equal, exactly if both are exact. Zero is close to nothing else, however small that is."""
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left == right
    left, right = wide(left), wide(right)
    return bool(abs(left - right) <= _TOLERANCE * min(abs(left), abs(right)))


def near(left: Number, right: Number, slack: Fraction) -> bool:
    """Whether two numbers lie no further apart than that."""
    return bool(abs(wide(OPERATIONS["-"](left, right))) <= wide(slack))


def _bits(number: Number) -> int:
    """How long an exact number is, or how large or small any other, in bits."""
    if isinstance(number, Fraction):
        return max(number.numerator.bit_length(), number.denominator.bit_length())
    return _magnitude(number)


def _magnitude(number: Number) -> int:
    return 0 if is_zero(number) else abs(int(_M.mag(wide(number))))


def checked(number: Number) -> Number:
    if not isinstance(number, Fraction) and not _M.isfinite(number):
        raise Undefined("not a finite number")
    if _bits(number) > MAX_BITS:
        raise OverflowError("a number in it is too large to be computed")
    return number


def _arithmetic(operation: Callable[[Any, Any], Any]) -> Callable[[Number, Number], Number]:
    def computed(left: Number, right: Number) -> Number:
        exact = isinstance(left, Fraction) and isinstance(right, Fraction)
        return operation(left, right) if exact else operation(wide(left), wide(right))

    return computed


def _power(base: Number, exponent: Number) -> Number:
    if is_zero(base):
        if not isinstance(exponent, Fraction) or exponent <= 0:
            raise Undefined("a power of zero")
        return Fraction(0)
    if (_bits(base) + 1) * abs(wide(exponent)) > MAX_BITS:
        raise OverflowError("a power in it is too large to be computed")
    if isinstance(exponent, Fraction):
        if exponent.denominator == 1:
            return base**exponent.numerator
        return _root_power(base, exponent)
    return wide(base) ** wide(exponent)


def _root_power(base: Number, exponent: Fraction) -> Number:
    r"""A root of an exact square is exact. That of odd degree of a negative number is real: ``\sqrt[3]{-8} = -2``."""
    if exponent.denominator == 2 and isinstance(base, Fraction) and base > 0:
        above, below = math.isqrt(base.numerator), math.isqrt(base.denominator)
        if above**2 == base.numerator and below**2 == base.denominator:
            return Fraction(above, below) ** exponent.numerator
    number, power = wide(base), wide(exponent)
    if exponent.denominator % 2 and sign(number) < 0:
        return (-1) ** exponent.numerator * (-_M.re(number)) ** power
    return number**power


def _root(base: Number, degree: Number) -> Number:
    if not isinstance(degree, Fraction) or is_zero(degree):
        raise Undefined("a root of this degree")
    return _power(base, 1 / degree)


def _factorial(number: Number) -> Number:
    if isinstance(number, Fraction) and number.denominator == 1:
        if number > 2000:
            raise OverflowError("a factorial in it is too large to be computed")
        return Fraction(math.factorial(number.numerator))  # ValueError for a negative number
    if _magnitude(number) > 10:
        raise OverflowError("a factorial in it is too large to be computed")
    return _M.gamma(wide(number) + 1)


def _binomial(above: Number, below: Number) -> Number:
    if all(
        isinstance(number, Fraction) and number.denominator == 1 and 0 <= number <= 5000 for number in (above, below)
    ):
        return Fraction(math.comb(above.numerator, below.numerator))
    rest = wide(above) - wide(below)
    return wide(_factorial(above)) / (wide(_factorial(below)) * _factorial(rest))


def _of(function: Callable[[Any], Any], bits: int = 200) -> Callable[[Number], Number]:
    """A function of one number, which must not be so large that its digits before the point use up the 80."""

    def computed(number: Number) -> Number:
        if _magnitude(number) > bits:
            raise OverflowError("a function in it is asked for a value too far out")
        return function(wide(number))

    return computed


def _logarithm(number: Number) -> Number:
    if is_zero(number):
        raise Undefined("the logarithm of zero")
    return Fraction(0) if number == 1 else _M.ln(wide(number))


def _step(function: Callable[[Any], int]) -> Callable[[Number], Number]:
    def computed(number: Number) -> Number:
        if isinstance(number, Fraction):
            return Fraction(function(number))
        if _M.im(number) or _magnitude(number) > 100:
            raise Undefined("no whole number is near")
        return Fraction(int(_M.floor(number) if function is math.floor else _M.ceil(number)))

    return computed


OPERATIONS: Mapping[str, Callable[..., Number]] = {
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(operator.truediv),
    "^": _power,
    "root": _root,
    "!": _factorial,
    "binom": _binomial,
    "abs": abs,
    "floor": _step(math.floor),
    "ceil": _step(math.ceil),
    "ln": _logarithm,
    "lg": lambda number: wide(_logarithm(number)) / _M.ln(10),
    "exp": lambda number: _power(_M.e * 1, number),
    "cot": _of(lambda number: 1 / _M.tan(number)),
    "sec": _of(lambda number: 1 / _M.cos(number)),
    "csc": _of(lambda number: 1 / _M.sin(number)),
    "arcsin": _of(_M.asin),
    "arccos": _of(_M.acos),
    "arctan": _of(_M.atan),
    "sin": _of(_M.sin),
    "cos": _of(_M.cos),
    "tan": _of(_M.tan),
    "sinh": _of(_M.sinh, bits=12),
    "cosh": _of(_M.cosh, bits=12),
    "tanh": _of(_M.tanh, bits=12),
}
