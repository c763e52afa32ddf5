"""What can be told of a text by its look: whether it reasons, and whether Python wrote it down.

Both are told on the safe side: a form that nobody thought of counts as reasoning, and as somebody's own writing.
"""

import polars as pl

_ANSWERS = (
    r"[*_`]+",
    r"(?i)</?(?:think|thinking|thought|reasoning|answer|final_answer)>",
    # the sentence that gives the answer; it may begin to reason ("because"), and one that calculates, or is longer than
    # an answer is, is left ("The answer must be something that ...")
    r"(?im)(?:\b(?:so|therefore|thus|hence|then|and|finally)\b[\s,]*)*(?:\b(?:the|my|our|this)\s+)?"
    r"(?:\b(?:final|correct|right|best)\s+)?\banswer\s*(?:is|are|was|would be|will be|:|=)"
    r"(?:[^\n=]*?\b[a-z]\s*=)?[^\n=]{0,60}?(?:\bbecause\b|\bsince\b|[.!?](?:\s|$)|$)",
    r"(?im)^\W*(?:the\s+)?(?:final\s+)?answer\W*$",
    r"(?m)####[^\n]*$",
    r"\\(?:boxed|fbox)\s*\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}",
)
"""Patterns of what gives the final answer and nothing else."""

_BARE = r"^\W*(?:[-+]?\d[\d.,]*(?:/\d+)?)?\W*$"
"""Nothing, or a number."""

_PYTHON = (
    r"^(?:nan|NaN|None|NaT|<NA>|\[\]|\{\}|\(\)|set\(\))$",
    r"""^[bu]r?(?:'.*'|".*")$""",
    r"^<(?:class '|[\w.]+ object at 0x)",
    r"^(?:np|numpy|datetime|decimal|fractions|collections|torch|pd)\.\w+\(.*\)$",
    r"^(?:array|bytearray|Decimal|Fraction|Timestamp|OrderedDict|defaultdict|deque|frozenset|dict_\w+)\(.*\)$",
)
_BRACKETED = r"(?s)^(?:\[.*\]|\{.*\}|\(.*\))$"
_QUOTED = r"""[\[({,:]\s*[bu]?(?:'[^']*'|"[^"]*'[^"]*"|nan|None)\s*[,\])}:]"""
"""An element as Python shows a text, and JSON does not: in single quotes, or in double ones around a single one."""


def reasons(text: pl.Expr, answer: pl.Expr) -> pl.Expr:
    """Whether a text says more than its final answer: ``The answer is 7``, ``#### 7``, ``\\boxed{7}`` and ``7`` do not.

    Args:
        text: what a model wrote.
        answer: the gold answer, which may stand there alone.
    """
    rest = text
    for pattern in _ANSWERS:
        rest = rest.str.replace_all(pattern, " ")
    alone = _letters(text) == _letters(answer)
    return ~(rest.str.contains(_BARE) | alone).fill_null(True)


def is_repr(text: pl.Expr) -> pl.Expr:
    """Whether a text is what Python's ``str`` makes of something that is none: ``['5']``, ``{'value': 5}``, ``b'5'``,
    ``nan``. A list of numbers is not told from somebody's own writing."""
    stripped = text.str.strip_chars()
    found = stripped.str.contains(_BRACKETED) & stripped.str.contains(_QUOTED)
    for pattern in _PYTHON:
        found |= stripped.str.contains(pattern)
    return found.fill_null(False)


def _letters(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"[\s*_$.()]+", "").str.to_lowercase()
