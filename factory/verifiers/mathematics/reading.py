r"""What kind of thing an answer is: a value with a unit, a point, an interval, a set, a matrix, an equation, a text.

Only expressions need computing; how they stand together is told from the brackets and separators. What has no shape
here is a text, which equals nothing but the same text.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product

from factory.verifiers.mathematics import latex, units
from factory.verifiers.mathematics.expression import expression
from factory.verifiers.mathematics.shapes import Based, Infinity, Many, Named, Range, Relation, Shape, Text, Value
from factory.verifiers.mathematics.tree import FUNCTIONS, Unreadable, names
from factory.verifiers.mathematics.values import same

MAX_PARTS = 100

_LETTER = re.compile(r"\(?\s*(?:\\text\s*\{\s*)?\(?\s*([A-Za-z])\s*\)?\s*(?:\})?\s*\)?")
_ALL_TEXT = re.compile(r"\\text\s*\{([^{}]*)\}")
_WORDS = re.compile(r"[^\W\d_]{2,}(?:[\s'.-]+[^\W\d_]+)*")
_COLON = re.compile(r"\d\s*:\s*\d")
_DATE = re.compile(r"\d{4}\s*-\s*\d{1,2}\s*-\s*\d{1,2}|\d{1,2}\s*[-/.]\s*\d{1,2}\s*[-/.]\s*\d{2,4}")
_BASED = re.compile(r"([0-9A-Za-z]*\d[0-9A-Za-z]*)_\s*(?:\{(\d{1,2})\}|(\d{1,2}))")
_AND = re.compile(r",?\s*(?:\\text\s*\{\s*,?\s*(?:and|or)\s*\}|(?<![a-zA-Z\\])(?:and|or)(?![a-zA-Z]))")
_MATRIX = re.compile(r"\\begin\s*\{([pbB]?matrix|array)\}(?:\{[lcr|]+\})?(.*)\\end\s*\{\1\}", re.DOTALL)
_NAME = re.compile(
    r"(?:\\text\s*\{[^{}]{1,40}\}|\\?[a-zA-Z]+'*(?:_(?:\w|\{\w+\}))?(?:\([a-zA-Z](?:,\s*[a-zA-Z])*\))?"
    r"|\([a-zA-Z](?:,\s*[a-zA-Z])*\)|[a-zA-Z](?:\s*[-+*]?\s*[a-zA-Z])*)"
)
_SPACED_COMMA = re.compile(r",\s")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_SIGNS = ("=", "<", ">", r"\le", r"\ge")
_BOTH = (r"\pm", r"\mp")
_TURNED = {">": "<", r"\ge": r"\le"}


@lru_cache(maxsize=1 << 12)
def shape(answer: str) -> Shape:
    r"""What an answer is, given as it was written.

    Raises:
        OverflowError: a number in it is too large to be written down.
    """
    text = latex.normal(answer)
    try:
        return _shape(text)
    except (Unreadable, RecursionError) as error:
        return Text(_plain(text), str(error))


def _plain(text: str) -> str:
    """A text in the form in which texts are compared: without spaces, but for those between digits."""
    text = _ALL_TEXT.sub(r" \1 ", text)
    text = re.sub(r"(?<!\d)\s+|\s+(?!\d)", "", text).strip('."`')
    return text.casefold() if text.isalpha() and (len(text) > 2 or text in ("No", "NO")) else text


def _shape(text: str, depth: int = 0) -> Shape:
    if depth > 6 or not text:
        raise Unreadable("nothing" if not text else "too many brackets within brackets")
    letter = _LETTER.fullmatch(text)
    if letter:
        return Value(("name", letter[1]), None, letter[1])
    bare = text.removeprefix(r"\text{").removesuffix("}") if _ALL_TEXT.fullmatch(text) else text
    if _WORDS.fullmatch(bare.strip()) and bare.split()[0] not in FUNCTIONS | {"pi", "infinity"}:
        raise Unreadable("words")
    if text in (r"\emptyset", r"\{\}", r"\{ \}"):
        return Many("set", ())
    if _COLON.search(text) or _DATE.fullmatch(text):
        raise Unreadable("a time, a date or a ratio")
    based = _BASED.fullmatch(text)
    if based:
        return Based(based[1].upper(), based[2] or based[3])
    return _many(text, depth) or _bracketed(text, depth) or _related(text, depth) or _value(text, depth)


def _many(text: str, depth: int, inside: bool = False) -> Shape | None:
    """Parts between commas, semicolons, "and", "or" or union signs, outside brackets."""
    if r"\dots" in text:
        raise Unreadable("an ellipsis")
    if r"\cup" in text:
        united = latex.split(text, r"\cup")
        if len(united) > 1:
            return Many("union", tuple(_shape(part, depth + 1) for _, part in united))
    parts = _listed(text, inside)
    if len(parts) < 2:
        return None
    kinds = tuple(_shape(part, depth + 1) for part in parts)
    if all(isinstance(part, Range) for part in kinds):
        return Many("union", kinds)
    flat = [
        inner for part in kinds for inner in (part.parts if isinstance(part, Many) and part.kind == "list" else (part,))
    ]
    return Many("list", tuple(flat))


def _listed(text: str, inside: bool = False) -> list[str]:
    """The parts of a list. Commas without a space behind them may stand between thousands: then those do not part;
    inside brackets, where nothing but they could, they do."""
    if _THOUSANDS.fullmatch(text):
        return text.split(",") if inside else [text]
    text = _split_words(text)
    if _SPACED_COMMA.search(text):
        parts, start = [], 0
        for at, piece, open_ in latex.pieces(text):
            if not open_ and (piece == ";" or (piece == "," and text[at + 1 : at + 2].isspace())):
                parts.append(text[start:at])
                start = at + 1
        parts.append(text[start:])
    else:
        parts = [part for _, part in latex.split(text, ";")]
    listed = []
    for part in map(str.strip, parts):
        listed += (
            [part] if _THOUSANDS.fullmatch(units.parted(part)[0]) else [inner for _, inner in latex.split(part, ",")]
        )
    if len(listed) > MAX_PARTS:
        raise Unreadable(f"a list of more than {MAX_PARTS}")
    return listed


def _split_words(text: str) -> str:
    """ "and" and "or" outside brackets as semicolons."""
    if "and" not in text and "or" not in text:
        return text
    open_at = {at: depth for at, _, depth in latex.pieces(text)}
    return _AND.sub(lambda found: found[0] if open_at.get(found.start()) else ";", text)


def _bracketed(text: str, depth: int) -> Shape | None:
    inside = latex.wrapped(text, r"\{", r"\}")
    if inside is not None:
        many = _many(inside, depth + 1, inside=True)
        if isinstance(many, Many) and many.kind == "list":
            return Many("set", many.parts)
        one = many or _shape(inside, depth + 1)
        return one if isinstance(one, Many) and one.kind == "list" else Many("set", (one,))
    for opening, closing in product("([", ")]"):
        inside = latex.wrapped(text, opening, closing)
        if inside is not None:
            parts = _listed(inside, inside=True)
            if len(parts) > 1:
                return Many(opening + closing, tuple(_shape(part, depth + 1) for part in parts))
    matrix = _MATRIX.fullmatch(text)
    if matrix:
        rows = [row for _, row in latex.split(matrix[2].strip().removesuffix(r"\\"), r"\\")]
        if len(rows) > MAX_PARTS:
            raise Unreadable(f"a matrix of more than {MAX_PARTS} rows")
        cells = [tuple(_shape(cell, depth + 1) for _, cell in latex.split(row, "&")) for row in rows]
        return Many("matrix", tuple(Many("row", row) for row in cells))
    return None


def _related(text: str, depth: int) -> Shape | None:
    """An equation, an inequality, or a membership."""
    member = latex.split(text, r"\in")
    if len(member) == 2 and _NAME.fullmatch(member[0][1]):
        return Named(member[0][1], _shape(member[1][1], depth + 1), None)
    parts = latex.split(text, *_SIGNS)
    if len(parts) == 1:
        return None
    signs, sides = [sign for sign, _ in parts[1:]], [side for _, side in parts]
    if set(signs) == {"="}:
        sides = _shortened(sides)
        if len(sides) == 1:
            return _shape(sides[0], depth + 1)
        signs = ["="]
    if signs == ["="] and _names_a_value(sides[0]):
        try:
            relation = Relation("=", ("-", expression(sides[0]), expression(sides[1])))
        except Unreadable:
            relation = None
        return Named(sides[0].replace(" ", ""), _shape(sides[1], depth + 1), relation)
    if "=" not in signs:
        found = _range(signs, sides, depth)
        if found:
            return found
    if len(sides) != 2:
        raise Unreadable("several relations in a row")
    left, right = map(expression, sides)
    if signs[0] in _TURNED:
        left, right = right, left
    return Relation(_TURNED.get(signs[0], signs[0]), ("-", left, right))


def _names_a_value(side: str) -> bool:
    return bool(_NAME.fullmatch(side)) and not side.lstrip("\\").startswith(tuple(FUNCTIONS))


def _shortened(sides: list[str]) -> list[str]:
    """``m+n = 256+37 = 293`` as ``m+n = 293``, and ``3+4 = 7`` as ``7``, if those sides are equal."""
    first = 0 if not _names_a_value(sides[0]) and not names(expression(sides[0])) else 1
    if len(sides) - first > 1:
        trees = [expression(side) for side in sides[first:]]
        if all(same(tree, trees[-1]) for tree in trees[:-1]):
            return [*sides[:first], sides[-1]]
        if len(sides) > 2 or not names(trees[-1]):
            raise Unreadable("sides that are not equal")
    return sides


def _range(signs: list[str], sides: list[str], depth: int) -> Range | None:
    """``2 < x \\le 5``, ``x > 2``: one variable between bounds without variables."""
    if all(sign in _TURNED for sign in signs):
        signs, sides = [_TURNED[sign] for sign in reversed(signs)], sides[::-1]
    if any(sign in _TURNED for sign in signs) or len(sides) > 3:
        return None
    middle = next((at for at, side in enumerate(sides) if _variable(side)), -1)
    if middle < 0 or (len(sides) == 3 and middle != 1):
        return None
    low: Shape = Infinity(-1) if middle == 0 else _shape(sides[middle - 1], depth + 1)
    high: Shape = Infinity(1) if middle == len(sides) - 1 else _shape(sides[middle + 1], depth + 1)
    for bound in (low, high):
        if not isinstance(bound, Infinity) and not (isinstance(bound, Value) and not names(bound.tree)):
            return None
    opening = "[" if middle and signs[middle - 1] == r"\le" else "("
    closing = "]" if middle < len(sides) - 1 and signs[middle] == r"\le" else ")"
    return Range(sides[middle], opening + closing, low, high)


def _variable(side: str) -> bool:
    try:
        tree = expression(side)
    except Unreadable:
        return False
    return tree[0] == "name" and bool(names(tree))


def _value(text: str, depth: int) -> Shape:
    bare, unit = units.parted(text)
    signless = bare.lstrip("+-")
    if signless in (r"\infty", "infinity") and len(bare) - len(signless) < 2 and not unit:
        return Infinity(-1 if bare[0] == "-" else 1)
    pieces = [piece for _, piece, _ in latex.pieces(text)]
    both = [piece for piece in pieces if piece in _BOTH]
    if not both:
        return Value(expression(bare), unit, bare)
    if len(both) > 3:
        raise Unreadable("many signs that are both")
    # several \pm vary by themselves, unless a \mp says that they vary together
    choices: Iterable[Sequence[str]] = product("+-", repeat=len(both))
    if r"\mp" in both:
        choices = [["+" if sign == plus else "-" for sign in both] for plus in _BOTH]
    values = []
    for choice in map(iter, choices):
        chosen = "".join(next(choice) if piece in _BOTH else piece for piece in pieces)
        values.append(_shape(chosen, depth + 1))
    return Many("list", tuple(values))
