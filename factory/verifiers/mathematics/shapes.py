"""The kinds of thing that an answer can be."""

from dataclasses import dataclass

from factory.verifiers.mathematics.tree import Tree


@dataclass(frozen=True)
class Text:
    """Compared letter by letter; ``why`` says what kept it from being more."""

    text: str
    why: str = ""


@dataclass(frozen=True)
class Value:
    tree: Tree
    unit: str | None
    text: str


@dataclass(frozen=True)
class Infinity:
    sign: int


@dataclass(frozen=True)
class Based:
    """Digits in a base other than ten, which may go unsaid."""

    digits: str
    base: str


@dataclass(frozen=True)
class Many:
    """Parts: in order if ``kind`` is the brackets of a tuple (``"(]"``) or ``row``; in any order if it is ``set``,
    ``list`` or ``union``. How often each occurs counts."""

    kind: str
    parts: tuple["Shape", ...]


@dataclass(frozen=True)
class Range:
    """The values of a variable between two bounds, as an inequality gives them."""

    variable: str
    brackets: str
    low: "Shape"
    high: "Shape"


@dataclass(frozen=True)
class Relation:
    """``sign`` is ``=``, ``<`` or ``\\le``; the tree is the left side minus the right one."""

    sign: str
    tree: Tree


@dataclass(frozen=True)
class Named:
    """``x = 5``, ``f(x) = 2x``, ``x \\in [1, 2]``; ``relation`` is the equation if it is one between expressions."""

    name: str
    body: "Shape"
    relation: Relation | None


Shape = Text | Value | Infinity | Based | Many | Range | Relation | Named
