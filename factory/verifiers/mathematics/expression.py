r"""Reads an expression, in LaTeX or as people type it: ``\frac{2\pi}{3}``, ``2*pi/3``, ``11\sqrt2``, ``1\frac45``.

What may mean two things is not read: ``7 7``, ``x2``, ``2\frac53``, a word. Nothing is computed here.
"""

import re
from dataclasses import dataclass
from fractions import Fraction

from factory.verifiers.mathematics.numerals import numeral, plain
from factory.verifiers.mathematics.tree import FUNCTIONS, GREEK, Tree, Unreadable

MAX_DEPTH = 40
"""Brackets within brackets. Answers have four."""

_BRACKETS = {"(": ")", "[": "]", "{": "}", "|": "|", r"\lfloor": r"\rfloor", r"\lceil": r"\rceil"}
_CALLED = {"|": "abs", r"\lfloor": "floor", r"\lceil": "ceil"}

_INDEX = re.compile(r"_\s*(?:\{([^{}]{1,20})\}|(\w))")
_COMMAND = re.compile(r"\\[a-zA-Z]+|\\.")
_LETTERS = re.compile(r"[^\W\d_]+")
_ONE_DIGIT = re.compile(r"\d(?:(?![\d.])|(?=\d(?![\d.])))", re.ASCII)


@dataclass
class _Reader:
    text: str
    at: int = 0
    depth: int = 0
    bars: int = 0

    def peek(self) -> str:
        """The next character or command; empty at the end."""
        while self.text.startswith(" ", self.at):
            self.at += 1
        found = _COMMAND.match(self.text, self.at)
        return found[0] if found else self.text[self.at : self.at + 1]

    def take(self, *wanted: str) -> str:
        piece = self.peek()
        if piece and piece in wanted:
            self.at += len(piece)
            return piece
        return ""

    def need(self, wanted: str) -> None:
        if not self.take(wanted):
            raise Unreadable(f"no {wanted}")

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.peek()
        found = pattern.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def sum(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise Unreadable("too many brackets within brackets")
        tree = self.product()
        while sign := self.take("+", "-"):
            tree = (sign, tree, self.product())
        self.depth -= 1
        return tree

    def product(self) -> Tree:
        """Factors side by side or with signs between them. A number stands side by side with nothing before it."""
        tree = self.signed()
        while True:
            sign = self.take("*", "/")
            if sign:
                tree = (sign, tree, self.signed())
            elif self.opens():
                tree = ("*", tree, self.power())
            else:
                return tree

    def signed(self) -> Tree:
        sign = self.take("+", "-")
        tree = self.signed_power() if sign else self.power()
        return ("-", ("number", Fraction(0)), tree) if sign == "-" else tree

    def signed_power(self) -> Tree:
        if self.peek() in ("+", "-", ""):
            raise Unreadable("two signs")
        return self.power()

    def opens(self) -> bool:
        """Whether a factor begins here that is no number."""
        piece = self.peek()
        if piece in _BRACKETS:
            return piece != "|" or not self.bars
        if piece.startswith("\\"):
            name = piece[1:]
            return name in FUNCTIONS or name in GREEK or name in ("frac", "binom", "pi")
        return piece.isalpha()

    def power(self) -> Tree:
        tree = self.postfix(self.atom())
        if self.take("^"):
            return self.postfix(("^", tree, self.exponent()))
        return tree

    def postfix(self, tree: Tree) -> Tree:
        if self.take("!"):
            if self.peek() == "!":
                raise Unreadable("a double factorial")
            return ("!", tree)
        return tree

    def exponent(self) -> Tree:
        """A group, a sign and a number as typed (``x^-2``), or one more power (``2^3^4``, as typed)."""
        sign = self.take("-")
        if self.peek().isdigit():
            value, self.at = plain(self.text, self.at)
            tree: Tree = ("number", value)
        else:
            tree = self.atom()
        if self.take("^"):
            tree = ("^", tree, self.exponent())
        return ("-", ("number", Fraction(0)), tree) if sign else tree

    def atom(self) -> Tree:
        piece = self.peek()
        if piece in _BRACKETS:
            bars, self.bars = self.bars, int(piece == "|")
            self.take(piece)
            tree = self.sum()
            self.need(_BRACKETS[piece])
            self.bars = bars
            return (_CALLED[piece], tree) if piece in _CALLED else tree
        if piece.isdigit() or piece == ".":
            return self.number()
        if piece.startswith("\\"):
            return self.command(piece[1:])
        return self.word()

    def number(self) -> Tree:
        value, self.at = numeral(self.text, self.at)
        return ("number", value)

    def command(self, name: str) -> Tree:
        if name not in ("frac", "binom", "pi") and name not in FUNCTIONS and name not in GREEK:
            raise Unreadable(f"\\{name}")
        self.take(f"\\{name}")
        if name == "frac":
            return ("/", self.argument(), self.argument())
        if name == "binom":
            return ("binom", self.argument(), self.argument())
        if name in FUNCTIONS:
            return self.function(name)
        return self.name(name)

    def argument(self) -> Tree:
        r"""What TeX takes: a group, one digit, one letter or one command. ``\frac123`` and ``\sqrt12`` are left."""
        piece = self.peek()
        if piece.isdigit():
            digit = self.match(_ONE_DIGIT)
            if not digit:
                raise Unreadable("more than one digit without braces")
            return ("number", Fraction(int(digit[0])))
        if piece.isalpha():
            self.take(piece)
            return ("name", piece)
        return self.atom()

    def function(self, name: str) -> Tree:
        if name == "sqrt":
            return self.root()
        index = self.match(_INDEX) if name == "log" else None
        power = self.exponent() if self.take("^") else None
        tree: Tree = (name, self.operand())
        if name == "log":
            base = expression(index[1] or index[2]) if index else ("name", "the base of log")
            tree = ("/", ("ln", tree[1]), ("ln", base))
        if power == ("-", ("number", Fraction(0)), ("number", Fraction(1))):
            if name not in ("sin", "cos", "tan"):
                raise Unreadable("an inverse")
            return (f"arc{name}", tree[1])
        return ("^", tree, power) if power else tree

    def operand(self) -> Tree:
        """Of a function: what brackets hold, or the factors that stand side by side up to the next function."""
        if self.peek() in ("(", "[", "{"):
            tree = self.atom()
            if self.text[self.at - 1] == "}" and self.peek() == "^":
                raise Unreadable("a power behind a function's braces")
            return tree
        sign = self.take("-")
        tree = self.power()
        while self.opens() and self.peek().lstrip("\\") not in FUNCTIONS and self.peek() not in ("(", "["):
            tree = ("*", tree, self.power())
        return ("-", ("number", Fraction(0)), tree) if sign else tree

    def root(self) -> Tree:
        degree = None
        if self.take("["):
            degree = self.sum()
            self.need("]")
        if self.peek() == "(":  # sqrt(2), as typed
            return ("root", self.atom(), degree or ("number", Fraction(2)))
        return ("root", self.argument(), degree or ("number", Fraction(2)))

    def word(self) -> Tree:
        """A letter, a function's name without its backslash, or up to three letters that are multiplied."""
        found = self.match(_LETTERS)
        if not found:
            raise Unreadable(f"'{self.peek() or 'the end'}'")
        word = found[0]
        if word in FUNCTIONS:
            return self.function(word)
        if word == "pi" or len(word) == 1:
            return self.name(word)
        if len(word) > 3:
            raise Unreadable(f"the word '{word[:20]}'")
        tree: Tree = ("name", word[0])
        for letter in word[1:-1]:
            tree = ("*", tree, ("name", letter))
        return ("*", tree, self.postfix_power(self.name(word[-1])))

    def postfix_power(self, tree: Tree) -> Tree:
        tree = self.postfix(tree)
        return ("^", tree, self.exponent()) if self.take("^") else tree

    def name(self, name: str) -> Tree:
        index = self.match(_INDEX)
        return ("name", f"{name}_{index[1] or index[2]}" if index else name)


def expression(text: str) -> Tree:
    """The tree of a text in the spelling of :func:`factory.verifiers.mathematics.latex.normal`.

    Raises:
        Unreadable: it is none, or not one only.
        OverflowError: a number in it is too large to be written down.
    """
    reader = _Reader(text)
    tree = reader.sum()
    if reader.peek():
        raise Unreadable(f"'{reader.text[reader.at :][:20]}' is left over")
    return tree
