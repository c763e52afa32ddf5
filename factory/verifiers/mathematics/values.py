r"""What an expression is worth, and when two are worth the same.

Rational numbers are computed exactly, whatever else to 80 digits. Variables are given a few values that mean nothing:
two expressions that agree on all of them are the same one (Schwartz, Zippel). That needs no symbolic algebra, which
may simplify for ever, and takes a hundredth of its time. Limits: two irrational numbers that agree to 60 digits are
equal; what holds for whole or for positive numbers only (``\cos n\pi = (-1)^n``, ``\sqrt{x^2} = x``) is no equality.
"""

import random
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from factory.verifiers.mathematics.numbers import OPERATIONS, Number, Undefined, checked, close, constant, is_zero, sign
from factory.verifiers.mathematics.tree import Tree, names

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
    variables = names(left) | names(right)
    return all(close(value(left, at), value(right, at)) for at in points(variables))


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
    return [{name: _point(f"{name}{number}") for name in sorted(variables)} for number in range(POINTS)]


@lru_cache(maxsize=1 << 10)
def _point(seed: str) -> Fraction:
    draw = random.Random(seed)
    return draw.choice((1, -1)) * Fraction(draw.randrange(200, 1000), draw.randrange(200, 1000))
