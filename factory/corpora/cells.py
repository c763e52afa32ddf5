"""What a cell of a table says: a text, or nothing, or something that is no text.

A list or a mapping is never turned into text: its repr would be a question, or a gold answer, that nobody meant.
"""

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np

WIDEST = 400
"""Digits of a number that is written out; a double has up to 309 before its point and 324 after it."""

_WRITTEN = re.compile(r"\[+\s*(?:['\"{]|\])|\{\s*(?:['\"]|\})|\(\s*['\"]|b['\"]")
"""How a list, a mapping or bytes begin that were written out. ``[-2, 7]`` may be an interval, ``(1, 2)`` a point."""
_CUT = re.compile(r"\[\s*['\"{].*\]|\{\s*['\"].*\}|\[\s*\{\s*['\"](?:role|content|from|value)['\"].*", re.DOTALL)
"""What was written out and cannot be read: numpy's ``[{...} {...}]`` without a comma, or half a dialogue."""
_OBJECT = re.compile(
    r"nan|NaN|NaT|<NA>|<(?:class|function|generator|bound|built-in|memory) .*>|<[\w.]+ (?:.* )?at 0x\w+>|"
    r"(?:Decimal|Fraction|(?:datetime|np|numpy|collections|torch|pd)\.\w+|tensor|array|Timestamp|Timedelta|OrderedDict|"
    r"defaultdict|deque|bytearray|frozenset|dict_\w+|(?:Wrapped|Mutable)?Array\w*|Row)\(.*\)|set\(\)|"
    r"\[object \w+\]|\[L?[BCDFIJSZ\w.]+;?@[0-9a-f]+|System\.[\w.`]+(?:\[.*\])?",
    re.DOTALL,
)
"""The repr of what is no text, as it stands where somebody called str(), in Python, Spark, JavaScript, Java or C#."""
_DIALOGUE = re.compile(
    r"<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>|<\|(?:user|assistant)\|>|\[/INST\]|<\uff5c(?:User|Assistant)\uff5c>|"
    r"^\s*(?:###? )?(?:human|user):.*\n\s*(?:###? )?(?:assistant|gpt|ai):",
    re.IGNORECASE | re.DOTALL,
)
"""What a chat template or a data set puts between the turns of a dialogue that it writes as one text."""
_SUSPECT = frozenset("[{(b<nNDFdtaTOfsWMAARSpc")
"""What a repr begins with; most texts need no closer look."""
_BRACKET = re.compile(r"[\[{]|b['\"]")


class NotText(ValueError):
    """Raised for a cell that is neither a text nor empty.

    Args:
        what: what it is, as in "rows whose answer is ...".
    """

    def __init__(self, what: str):
        self.what = what
        super().__init__(what)


@dataclass(frozen=True)
class Unclear:
    """What stands for a value that nobody can tell, such as a mapping with a key that comes twice."""

    what: str


TWICE = Unclear("a mapping with a key that comes twice")
BROKEN = Unclear("a list or a mapping, written out so that it cannot be read")


def text(value: Any) -> str | None:
    """A value as people write it, without white space around it; None for nothing at all.

    A number keeps its digits, whatever kind of file it stood in: 3.0 is ``3``, 1e-07 is ``0.0000001``. Bytes are text
    if they are UTF-8.

    Raises:
        NotText: for all that is neither text nor number, and for text that is no Unicode.
    """
    if isinstance(value, str):
        if not value.isascii():
            _refuse_halves(value)
        if "\0" in value:
            raise NotText("text with zeros in it, as a write that broke off leaves it")
        return value.strip() or None
    if value is None:
        return None
    if isinstance(value, bytes | bytearray | memoryview):
        try:
            return bytes(value).decode().strip() or None
        except UnicodeDecodeError:
            raise NotText("bytes that are not UTF-8") from None
    if isinstance(value, bool | int | date | time | UUID):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise NotText("no number (nan or infinite)")
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        return _digits(value)
    if isinstance(value, Unclear):
        raise NotText(value.what)
    raise NotText("a mapping" if isinstance(value, Mapping) else "a list" if is_list(value) else type(value).__name__)


def is_list(value: Any) -> bool:
    return isinstance(value, list | tuple | set | np.ndarray)


def plain(value: Any) -> str | None:
    """:func:`text`, for a value that is neither a list nor a mapping written out as text, as CSV files hold them.

    Raises:
        NotText: it is one.
    """
    found = text(value)
    if not found or found[0] not in _SUSPECT:
        return found
    if _OBJECT.fullmatch(found):
        raise NotText("the repr of a Python object")
    written = written_out(found)
    if isinstance(written, bytes):
        raise NotText("bytes")
    return found if written is None else text(written)


def written_out(found: str, whatever: bool = False) -> Any:
    """The list, the mapping or the bytes that a text writes out, as JSON or as Python's repr; None for any other text.
    One that cannot be read, such as numpy's, is :data:`BROKEN`.

    Args:
        whatever: also lists of numbers, which may be an answer: ``[-2, 7]``.
    """
    if not (_BRACKET if whatever else _WRITTEN).match(found):
        return None
    try:
        value = json.loads(found, parse_float=Decimal)
    except (ValueError, RecursionError):
        value = _from_repr(found)
    return value if isinstance(value, list | dict | bytes | Unclear) else None


def dialogue(value: Any) -> list[Mapping[str, Any]] | None:
    """The messages of a dialogue with the keys ``role`` and ``content``, whether in OpenAI's form or in ShareGPT's
    (``from``, ``value``), as a value or written out; None if it is no dialogue."""
    if isinstance(value, str):
        value = written_out(value.strip()) if value.lstrip()[:1] in ("[", "{") else None
    messages = [value] if isinstance(value, Mapping) else value
    if not isinstance(messages, list | tuple) or not messages:
        return None
    for role, content in (("role", "content"), ("from", "value")):
        if all(isinstance(one, Mapping) and role in one and content in one for one in messages):
            return [{"role": one[role], "content": one[content]} for one in messages]
    return None


def asked(value: Any) -> str | None:
    """:func:`plain`, for what is no dialogue in one text: what follows its first turn would be in the prompt.

    Raises:
        NotText: it is one.
    """
    found = plain(value)
    if found and _DIALOGUE.search(found):
        raise NotText("a dialogue that was written as one text")
    return None if found in ("None", "null") else found


def asked_in(messages: list[Mapping[str, Any]]) -> tuple[str | None, str | None]:
    """The first turn of the user in a dialogue, and what the system says before it. What follows is not looked at.

    Raises:
        NotText: the user says nothing, or no text.
    """
    said: list[str] = []
    for message in messages:
        role = str(message["role"]).casefold()
        if role in ("system", "developer"):
            said.append(_content(message) or "")
        elif role in ("user", "human"):
            return _content(message), "\n\n".join(filter(None, said)) or None
    raise NotText("a dialogue without a turn of the user")


def _content(message: Mapping[str, Any]) -> str | None:
    """The text of a message; of several parts if all of them are text."""
    content = message["content"]
    if not isinstance(content, list | tuple):
        return plain(content)
    if not all(isinstance(part, Mapping) and part.get("type") == "text" for part in content):
        raise NotText("a dialogue with parts that are no text")
    return text("".join(text(part.get("text")) or "" for part in content))


def _refuse_halves(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        escaped = "\udc80" <= value[error.start] <= "\udcff"  # how files are read: see factory.corpora.files
        raise NotText("bytes that are not UTF-8" if escaped else "no Unicode (half a surrogate)") from None


def _digits(number: Decimal) -> str:
    if not number.is_finite():
        raise NotText("no number (nan or infinite)")
    if abs(number.adjusted()) > WIDEST:
        raise NotText("a number beyond all measure")
    digits = f"{number:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits == "-0" else digits


def _from_repr(found: str) -> Any:
    try:
        value = ast.literal_eval(found)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return BROKEN if _CUT.fullmatch(found) else None
    if isinstance(value, list | tuple) and _side_by_side(found):  # Python reads ['a' 'b'] as ['ab']
        return BROKEN
    return list(value) if isinstance(value, tuple | set) else value


def _side_by_side(found: str) -> bool:
    kinds = [token.type for token in tokenize.generate_tokens(io.StringIO(found).readline)]
    strings = [kind for kind in kinds if kind not in (tokenize.NL, tokenize.NEWLINE)]
    return any(a == b == tokenize.STRING for a, b in pairwise(strings))
