r"""What an expression is worth, and when two are worth the same.

Rational numbers are computed exactly, whatever else to 80 digits. Variables are given a few values that mean nothing:
two expressions that agree on all of them are the same one (Schwartz, Zippel). That needs no symbolic algebra, which
may simplify for ever, and takes a hundredth of its time. Limits: two irrational numbers that agree to 60 digits are
equal; what holds for whole or for positive numbers only (``\cos n\pi = (-1)^n``, ``\sqrt{x^2} = x``) is no equality.
Where both are complex, though neither names ``i``, nothing is compared: ``\sqrt{1/n}`` is ``1/\sqrt{n}``.
"""

import random
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from factory.verifiers.mathematics.numbers import (
    OPERATIONS,
    Number,
    Undefined,
    checked,
    close,
    constant,
    is_real,
    is_zero,
    sign,
)
from factory.verifiers.mathematics.tree import Tree, imaginary, names

POINTS = 3
"""How often variables are given values."""


def value(tree: Tree, at: Mapping[str, Fraction]) -> Number:
    """The value of an expression whose variables are given.

    Raises:
        Undefined: it has none.
        OverflowError: a number on the way is too large, or an argument too large to be worth the time.
    """
    match tree:
        case ("number", number):
            return number
        case ("name", str(name)):
            return at[name] if name in at else constant(name)
        case (str(operation), *parts):
            numbers = [value(part, at) for part in parts if isinstance(part, tuple)]
            try:
                result = OPERATIONS[operation](*numbers)
            except ZeroDivisionError:
                raise Undefined("a division by zero") from None
            except ValueError:
                raise Undefined(f"'{operation}' of this number") from None
            return checked(result)
    raise TypeError(f"{tree} is no expression")


def same(left: Tree, right: Tree) -> bool:
    """Whether two expressions are equal wherever their variables are put."""
    pairs = [(value(left, at), value(right, at)) for at in points(names(left) | names(right))]
    if not (imaginary(left) or imaginary(right)):
        # where a root of a negative number makes both of them complex, neither is meant
        pairs = [pair for pair in pairs if is_real(pair[0]) or is_real(pair[1])] or pairs
    return all(close(*pair) for pair in pairs)


def proportional(left: Tree, right: Tree) -> int:
    """1 if an expression is a positive multiple of another, -1 if a negative one, 0 otherwise."""
    ratios = []
    for at in points(names(left) | names(right)):
        above, below = value(left, at), value(right, at)
        if is_zero(above) or is_zero(below):
            return 0
        ratios.append(OPERATIONS["/"](above, below))
    if len(ratios) < POINTS or not all(close(ratio, ratios[0]) for ratio in ratios[1:]):
        return 0
    return sign(ratios[0])


def points(variables: frozenset[str]) -> list[dict[str, Fraction]]:
    """Values for variables: the same for the same names in every process."""
    if not variables:
        return [{}]
    drawn = [{name: _point(f"{name}{number}") for name in sorted(variables)} for number in range(POINTS)]
    # one with positive values only, for roots and logarithms, and one with negative ones: |x| is not x
    return [{name: turn * abs(at[name]) for name in at} for turn, at in zip((1, -1), drawn, strict=False)] + drawn[2:]


@lru_cache(maxsize=1 << 10)
def _point(seed: str) -> Fraction:
    draw = random.Random(seed)
    return draw.choice((1, -1)) * Fraction(draw.randrange(200, 1000), draw.randrange(200, 1000))
