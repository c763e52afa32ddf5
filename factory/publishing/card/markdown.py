"""Markdown of data: text that shows as it is written, lists, tables, quotes and fenced blocks."""

import re
from collections.abc import Iterable

LONGEST_TEXT = 2_000
"""Characters of a text that a block shows."""


def text(value: object) -> str:
    """Data as one line of Markdown that shows as it is written. Underscores inside words need no escape."""
    return re.sub(r"([\\`*{}\[\]<>#|~&$]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", " ".join(str(value).split()))


def bullets(lines: Iterable[str]) -> str:
    """A list of lines that are Markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def fact_list(facts: dict[str, object]) -> str:
    """One line per fact; those that are missing (None or empty) have none."""
    return bullets(f"{label}: {text(fact)}" for label, fact in facts.items() if fact not in (None, ""))


def warning(content: str) -> str:
    """Markdown in a box that warns, on GitHub and on the Hub; elsewhere a quotation."""
    return "\n".join(f"> {line}".rstrip() for line in ["[!WARNING]", *content.split("\n")])


def table(names: list[str], rows: Iterable[list[str]]) -> str:
    """A table of cells that are Markdown already."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [names, ["---"] * len(names), *rows])


def block(content: str, language: str) -> str:
    """Data as a fenced block; the fence is longer than any run of backticks in the text."""
    shown = content if len(content) <= LONGEST_TEXT else f"{content[:LONGEST_TEXT]}\n[...]"
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", shown))])
    return f"{fence}{language}\n{shown}\n{fence}"
