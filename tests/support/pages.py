"""The pages of the documentation: their sections, their blocks of code, the commands they tell. Used by tests/docs."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from factory.recipe.settings import ROOT

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_SPAN = re.compile(r"`((?:[^`\n]|\n(?!\n))+)`")
_OURS = re.compile(r"(?:make|rationale-factory) \S|\S*python (?:-m (?!factory$)\S|\S+\.py)")


@dataclass(frozen=True)
class Told:
    """A command, word by word, and the text of the section in which it stands."""

    page: str
    words: tuple[str, ...]
    section: str

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


def blocks(text: str, language: str) -> list[str]:
    """The blocks of code of a language, in order."""
    return [code for name, code in _BLOCK.findall(text) if name == language]


def prose(text: str) -> str:
    """A text without its blocks of code."""
    return _BLOCK.sub("", text)


def spans(text: str) -> list[str]:
    """What stands between single backticks, outside of blocks."""
    return [" ".join(span.split()) for span in _SPAN.findall(prose(text))]


def anchors(text: str) -> set[str]:
    """What a link may name after ``#``, as GitHub makes it of the headings."""
    return {re.sub(r"[^\w\- ]", "", head.casefold()).replace(" ", "-") for head in _HEADING.findall(prose(text))}


def sections(text: str) -> list[str]:
    """A text, cut before each of its headings."""
    starts = [0, *(found.start() for found in re.finditer(r"^#+ [^\n]+$(?=\n\n)", text, re.MULTILINE)), len(text)]
    return [text[start:end] for start, end in pairwise(starts) if text[start:end].strip()]


def commands(page: Path) -> Iterator[Told]:
    """Every command of a page: each of a block of bash, and what begins as one of ours between backticks."""
    for section in sections(page.read_text(encoding="utf-8")):
        lines = [line for block in blocks(section, "bash") for line in block.replace("\\\n", " ").splitlines()]
        lines += [span for span in spans(section) if _OURS.match(span)]
        for line in lines:
            for words in simple(line):
                yield Told(page.relative_to(ROOT).as_posix(), words, " ".join(section.split()))


def simple(line: str) -> Iterator[tuple[str, ...]]:
    """The commands of a line, without its comment and without the variables that are set before them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if set(word) <= {";", "&"}:
            while words and re.match(r"[A-Z_]+=", words[0]):
                words.pop(0)
            if words:
                yield tuple(words)
            words = []
        else:
            words.append(word)
