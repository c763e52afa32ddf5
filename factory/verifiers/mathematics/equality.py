"""When two answers in mathematics are the same one."""

import re
from fractions import Fraction

from factory.verifiers.mathematics import units
from factory.verifiers.mathematics.numbers import Undefined, near
from factory.verifiers.mathematics.reading import shape
from factory.verifiers.mathematics.shapes import Based, Infinity, Many, Named, Range, Relation, Shape, Text, Value
from factory.verifiers.mathematics.tree import names
from factory.verifiers.mathematics.values import proportional, same, value

DECIMALS, DIGITS = 6, 4
"""A gold answer with so many decimals and so many digits behind its zeros, or more, was rounded."""

FLOAT_DIGITS = 15
"""Digits of a number that survive in a float; those behind them are noise."""

_DECIMAL = re.compile(r"-?\d*\.(\d+)", re.ASCII)
_SMALL_UNIT = re.compile(r"[a-zA-Z](?:\^\d)?")


def equal(gold: str, predicted: str) -> tuple[bool, str | None]:
    """Whether a predicted answer is the gold one, and why not where that is no plain comparison.

    Raises:
        OverflowError: a number in one of them is too large to be computed.
    """
    wanted, found = shape(gold), shape(predicted)
    if isinstance(wanted, Value) and wanted.unit and _SMALL_UNIT.fullmatch(wanted.unit):
        stripped = predicted.strip().removesuffix(wanted.unit)  # "5m", which might be five times m
        if stripped != predicted.strip() and stripped[-1:].isdigit():
            found = shape(stripped)
    try:
        if _equal(wanted, found):
            return True, None
    except Undefined as error:
        return False, f"the answer has no value: {error}"
    if isinstance(wanted, Value) and isinstance(found, Value) and not units.agree(wanted.unit, found.unit):
        return False, f"the unit is {found.unit} and not {wanted.unit}"
    if isinstance(found, Text) and not isinstance(wanted, Text):
        return False, f"the answer is not read as mathematics: {found.why}"
    if isinstance(wanted, Text) and not isinstance(found, Text):
        return False, f"the gold answer is compared as text: {wanted.why}"
    return False, None


def _equal(gold: Shape, predicted: Shape) -> bool:
    match gold, predicted:
        case Text(), Text():
            return gold.text == predicted.text
        case Value(), Value():
            return _values(gold, predicted)
        case Infinity(), Infinity():
            return gold == predicted
        case Based(), Based():
            return gold == predicted
        case Based(), Value():
            return gold.digits == predicted.text
        case Value(), Based():
            return predicted.base == "10" and gold.text == predicted.digits
        case Named(), Named() if gold.name == predicted.name:
            return _equal(gold.body, predicted.body)
        case (Named() | Relation() as left, Named() | Relation() as right):
            return _relations(left, right)
        case Range(), Range():
            same_variable = gold.variable == predicted.variable
            return same_variable and gold.brackets == predicted.brackets and _bounds(gold, predicted)
        case (Range() as span, Many() as pair) | (Many() as pair, Range() as span):
            return span.brackets == pair.kind and all(map(_equal, (span.low, span.high), pair.parts))
        case Many(), Many():
            return _parts(gold, predicted)
        case (Many(kind="set", parts=(one,)), Value() as other) | (Value() as other, Many(kind="set", parts=(one,))):
            return _equal(one, other) if other is predicted else _equal(other, one)
        case (Named() as named, other) | (other, Named() as named):
            return _equal(named.body, other) if named is gold else _equal(other, named.body)
    return False


def _values(gold: Value, predicted: Value) -> bool:
    if not units.agree(gold.unit, predicted.unit):
        return False
    tree = predicted.tree
    if (
        predicted.unit == units.PERCENT
        and gold.unit is None
        and not names(gold.tree)
        and abs(value(gold.tree, {})) <= 1
    ):
        tree = ("/", tree, ("number", Fraction(100)))
    if same(gold.tree, tree):
        return True
    slack = rounding(gold.text)
    if not slack or names(tree):
        return False
    return near(value(gold.tree, {}), value(tree, {}), slack)


def rounding(gold: str) -> Fraction:
    """How far from a gold answer that was rounded another value may lie; 0 if the answer is exact."""
    decimal = _DECIMAL.fullmatch(gold)
    digits = len(gold.replace(".", "").lstrip("-0"))
    if not decimal or len(decimal[1]) < DECIMALS or digits < DIGITS:
        return Fraction(0)
    return Fraction(1, 2 * 10 ** (len(decimal[1]) - max(0, digits - FLOAT_DIGITS)))


def _bounds(gold: Range, predicted: Range) -> bool:
    return _equal(gold.low, predicted.low) and _equal(gold.high, predicted.high)


def _relations(gold: Named | Relation, predicted: Named | Relation) -> bool:
    left = gold.relation if isinstance(gold, Named) else gold
    right = predicted.relation if isinstance(predicted, Named) else predicted
    if left is None or right is None or left.sign != right.sign:
        return False
    factor = proportional(left.tree, right.tree)
    return factor > 0 or (factor < 0 and left.sign == "=")


def _parts(gold: Many, predicted: Many) -> bool:
    unordered = {"list", "set"}
    if gold.kind != predicted.kind and not {gold.kind, predicted.kind} <= unordered:
        return False
    if len(gold.parts) != len(predicted.parts):
        return False
    if gold.kind not in (*unordered, "union") or _names_one_side(gold, predicted):
        return all(map(_equal, gold.parts, predicted.parts))
    left = list(predicted.parts)
    for part in gold.parts:
        match = next((at for at, other in enumerate(left) if _equal(part, other)), None)
        if match is None:
            return False
        del left[match]
    return True


def _names_one_side(gold: Many, predicted: Many) -> bool:
    """Whether one side says which variable each value is of, and the other gives values only: these are in order."""
    said = [{part.name for part in many.parts if isinstance(part, Named)} for many in (gold, predicted)]
    return (len(said[0]) > 1 and not said[1]) or (len(said[1]) > 1 and not said[0])
