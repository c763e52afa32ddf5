r"""One spelling for what LaTeX and plain text spell in many ways: ``\dfrac``, ``½``, ``≤``, ``10,\!080``, ``sqrt``."""

import re
import unicodedata
from collections.abc import Iterator

_SYMBOLS = {
    "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{HYPHEN}": "-", "\N{NON-BREAKING HYPHEN}": "-",
    "\N{MULTIPLICATION SIGN}": "*", "\N{MIDDLE DOT}": "*", "\N{DOT OPERATOR}": "*", "\N{DIVISION SIGN}": "/",
    "\N{LESS-THAN OR EQUAL TO}": r"\le ", "\N{GREATER-THAN OR EQUAL TO}": r"\ge ", "\N{NOT EQUAL TO}": r"\ne ",
    "\N{INFINITY}": r"\infty ", "\N{SQUARE ROOT}": r"\sqrt ", "\N{PLUS-MINUS SIGN}": r"\pm ",
    "\N{MINUS-OR-PLUS SIGN}": r"\mp ", "\N{UNION}": r"\cup ", "\N{ELEMENT OF}": r"\in ", "\N{EMPTY SET}": r"\emptyset ",
    "\N{DEGREE SIGN}": r"\degree ", "\N{GREEK SMALL LETTER PI}": r"\pi ", "\N{GREEK SMALL LETTER THETA}": r"\theta ",
    "\N{GREEK SMALL LETTER ALPHA}": r"\alpha ", "\N{GREEK SMALL LETTER BETA}": r"\beta ",
    "\N{GREEK SMALL LETTER LAMDA}": r"\lambda ", "\N{HORIZONTAL ELLIPSIS}": r"\dots ", "...": r"\dots ",
    "\N{CENT SIGN}": r"\text{cents}", "\N{EURO SIGN}": r"\euro ", "\N{POUND SIGN}": r"\pounds ",
    "\N{IDEOGRAPHIC FULL STOP}": ".", "<=": r"\le ", ">=": r"\ge ", "!=": r"\ne ", "**": "^",
}  # fmt: skip
_SYMBOL = re.compile("|".join(map(re.escape, _SYMBOLS)))

_COMMANDS = {
    "frac": ("dfrac", "tfrac", "cfrac"), "binom": ("dbinom", "tbinom"), "le": ("leq", "leqslant", "leqq"),
    "ge": ("geq", "geqslant", "geqq"), "ne": ("neq",), "infty": ("infin",), "in": ("isin",), "degree": ("degrees",),
    "emptyset": ("varnothing", "empty"), "dots": ("ldots", "cdots", "dotsc", "dotsb", "hdots"),
    "text": ("mbox", "hbox", "textbf", "textit", "textrm", "textnormal", "textsf", "emph", "mathrm", "operatorname"),
    "mathbf": ("boldsymbol", "bm", "vec", "mathit", "mathsf", "overrightarrow", "underline", "bf"),
    "overline": ("bar",),
    "phi": ("varphi",), "epsilon": ("varepsilon",), "arcsin": ("asin",), "arccos": ("acos",), "arctan": ("atan",),
}  # fmt: skip
_NAMES = {alias: name for name, aliases in _COMMANDS.items() for alias in aliases}
_CHARACTERS = {
    "cdot": "*", "times": "*", "ast": "*", "div": "/", "lt": "<", "gt": ">", "lvert": "|", "rvert": "|", "vert": "|",
    "lbrace": r"\{", "rbrace": r"\}", "lbrack": "[", "rbrack": "]", "langle": "(", "rangle": ")", "colon": ":",
}  # fmt: skip
_NO_INK = """
    left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr displaystyle textstyle limits nolimits quad qquad
    thinspace medspace thickspace enspace space
"""
_INVISIBLE = frozenset(_NO_INK.split())
_COMMAND = re.compile(r"\\([a-zA-Z]+)\s*|\\[,;:! >]|~|(\\\\)")
_THOUSANDS = re.compile(r"(?<=\d)(?:,\\!\s*|\{,\}|\\,)(?=\d{3}(?!\d))")
_DELIMITERS = re.compile(r"(?s)\s*(?:\$\$(.*)\$\$|\$([^$]*)\$|\\\((.*)\\\)|\\\[(.*)\\\])\s*")
_SPOKEN_MINUS = re.compile(r"\A(?:minus|negative) (?=[\d\\$])", re.IGNORECASE)
_TYPED_TIMES = re.compile(r"(?<=\d) [xX] (?=\d)")
_DEGREES = re.compile(r"\^\s*(?:\{\s*\\circ\s*\}|\\circ(?![a-zA-Z]))")
_BEFORE_LETTER = re.compile(r"(\\[a-zA-Z]+) (?![a-zA-Z])")
_FONT = re.compile(
    r"\\mathbf(?:\{([^{}]*)\}| ?(?=[\w(]))|\\text\{([ei])\}|\\text\{([a-zA-Z])\}(?=\s*[\^_=+*/)-])"
    r"|\A\\text\{(\d[^{}]*)\}\Z"
)
_BLACKBOARD = re.compile(r"\\mathbb ([A-Z])")
_SUPERSCRIPTS = {character: str(digit) for digit, character in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {"⁻": "-"}
_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_OPENING, _CLOSING = frozenset("({["), frozenset(")}]")


def normal(answer: str) -> str:
    r"""An answer in one spelling. ``\frac``, ``\le``, ``\text``, ``*`` and ``/`` are left of their families, spaces
    are plain and single, a degree is ``\degree``, a dollar ``\$``; what makes brackets large or letters bold is gone.
    """
    text = answer.strip().strip('*`"').strip()
    while found := _DELIMITERS.fullmatch(text):
        text = next(part for part in found.groups() if part is not None).strip()
    text = _SUPERSCRIPT.sub(lambda found: f"^{{{''.join(map(_SUPERSCRIPTS.__getitem__, found[0]))}}}", text)
    text = "".join(map(_character, _SPOKEN_MINUS.sub("-", text)))
    text = _SYMBOL.sub(lambda found: _SYMBOLS[found[0]], unicodedata.normalize("NFKC", text))
    text = re.sub(r"(?<!\\)\$", r"\\$", _THOUSANDS.sub("", text)).replace(r"\%", "%")
    text = _TYPED_TIMES.sub("*", text)
    text = _DEGREES.sub(r"\\degree ", _COMMAND.sub(_command, text))
    text = _BEFORE_LETTER.sub(r"\1", text)
    text = _FONT.sub(lambda found: "".join(part or "" for part in found.groups()), text)
    text = _BLACKBOARD.sub(r"\\mathbb{\1}", text)
    return " ".join(text.split()).rstrip(".,;: \\")


def _character(character: str) -> str:
    """Before NFKC, which would make 21/2 of two and a half."""
    if unicodedata.category(character) == "Cf":
        return ""
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    if "VULGAR FRACTION" in unicodedata.name(character, ""):
        above, _, below = unicodedata.normalize("NFKC", character).partition("\N{FRACTION SLASH}")
        return rf"\frac{{{above}}}{{{below}}}"
    return character


def _command(found: re.Match[str]) -> str:
    name = found[1]
    if found[2]:
        return found[2]
    if name is None or name in _INVISIBLE:
        return " "
    if name in _CHARACTERS:
        return _CHARACTERS[name]
    return f"\\{_NAMES.get(name, name)} "


def pieces(text: str) -> Iterator[tuple[int, str, int]]:
    """Where each character or command stands, the command as a whole, and how many brackets are open before it.

    Brackets of all kinds count alike: an interval opens with one and closes with another.
    """
    at = depth = 0
    while at < len(text):
        size = 2 if text[at] == "\\" else 1
        while size >= 2 and at + size < len(text) and text[at + 1 : at + size + 1].isalpha():
            size += 1
        piece = text[at : at + size]
        closing = piece[-1] in _CLOSING
        depth -= closing
        yield at, piece, depth
        depth += piece[-1] in _OPENING
        at += size


def split(text: str, *separators: str) -> list[tuple[str, str]]:
    """The parts of a text between separators outside brackets, each with the separator before it ("" at first)."""
    parts, start, before = [], 0, ""
    for at, piece, depth in pieces(text):
        if depth == 0 and piece in separators:
            parts.append((before, text[start:at].strip()))
            start, before = at + len(piece), piece
    return [*parts, (before, text[start:].strip())]


def wrapped(text: str, opening: str, closing: str) -> str | None:
    r"""What stands between a text's first and last bracket if these belong together: ``1, 2`` of ``\{1, 2\}``."""
    if len(text) < len(opening) + len(closing) or not (text.startswith(opening) and text.endswith(closing)):
        return None
    for at, piece, depth in pieces(text):
        if at and depth == 0 and at < len(text) - len(closing) and piece[-1] not in " ":
            return None
    return text[len(opening) : -len(closing)].strip()
