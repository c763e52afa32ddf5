r"""Where a completion gives its final answer: the one reader behind all verifiers of text.

A verifier asks :func:`final_answer` for the span behind the last marker, finds the one value in it, and hands what
stands behind the value to :func:`settled`. What is left over, doubted or taken back is no answer: :class:`NoAnswer`,
whose message becomes the reason of the verdict ``unparseable``.

Models write anything, up to a megabyte of it: only the last ``READ`` characters are read, and no pattern here has a
repetition without a bound inside another, so that cost grows linearly up to there and not at all behind it.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from factory.verifiers.doubt import NoAnswer, denied
from factory.verifiers.marks import BOX, Mark, last_mark
from factory.verifiers.number import PLAIN
from factory.verifiers.visible import READ, invented_question, may_be_tagged, visible

SPAN = 4_000
"""Characters of a box, a tag or a line behind a marker. More are no answer."""

CLOSERS = frozenset(".!?)]}>*_`$;:%\"'\u201d\u2019\u3002")
"""What may end an answer, so that it does not go on behind."""


class Answer(NamedTuple):
    """What stands behind the last marker, in the characters of the completion.

    Attributes:
        text: what is in the box or between the tags; behind another marker the rest of its line, or the next line with
            anything on it; without any marker the whole text. White space around it is gone.
        behind: what follows the span, up to where reading ends.
        mark: by what it was found.
        open: nothing closes the span: a completion cut off by the token limit may have been cut within it.
    """

    text: str
    behind: str
    mark: Mark
    open: bool


def final_answer(completion: str) -> Answer:
    r"""The span behind the last of ``\boxed{}``, ``<answer>``, ``####``, "answer is", "Answer:", or a heading "Answer".

    A remark such as "I hope the answer is correct" is no marker.

    Raises:
        NoAnswer: nothing but thinking, an unclosed box, boxes side by side, or an answer that is denied before it.
    """
    text = visible(completion)
    found = last_mark(text)
    if found is None:
        return Answer(text.strip(), "", "none", True)
    mark, start, end = found
    if mark == "line":
        _not_denied(text, start)
        return _line(text, end)
    answer = _box(text, start, end) if mark == "box" else _tag(text, end)
    _one_of_its_kind(text, start, answer)
    return answer


def last_box(completion: str, same: Callable[[str, str], bool]) -> Answer | None:
    r"""The last ``\boxed{}`` or ``\fbox{}`` whatever other marker follows it; None without any.

    Args:
        same: whether two boxes side by side say the same.

    Raises:
        NoAnswer: as :func:`final_answer`.
    """
    text = visible(completion)
    for match in reversed(list(BOX.finditer(text))):
        answer = _box(text, match.start(), match.end())
        _one_of_its_kind(text, match.start(), answer, same)
        return answer
    return None


_CLAUSE_LENGTH = 80
_SURE = ("\n", "\nThe ", ". The ", ", the ", "so the ", "So the ", "re, the ", "us, the ", "ce, the ")
"""What stands before "answer is" in most completions, and denies nothing."""


def _not_denied(text: str, start: int) -> None:
    before = text[max(0, start - _CLAUSE_LENGTH) : start]
    if not before.endswith(_SURE):
        word = denied(before)
        if word:
            raise NoAnswer(f"'{word}' before 'answer is'")


_SKIPPED = " \t\r\n*:_=\uff1a"
"""What may stand between a marker and the answer, new lines included."""


_FENCES = frozenset(["$$", "$", "\\[", "\\(", "```"])
"""What may have a line of its own before the answer."""


def _line(text: str, end: int) -> Answer:
    """The rest of the line, or the next one with anything on it."""
    line, newline, behind = text[end:].lstrip(_SKIPPED).partition("\n")
    if line.strip() in _FENCES:
        line, newline, behind = behind.lstrip(_SKIPPED).partition("\n")
    if len(line) > SPAN:
        raise NoAnswer(f"more than {SPAN:,} characters on the line of the answer")
    line = line.rstrip()
    closing = line.find("</")
    if closing >= 0 and _CLOSED.match(line, closing):
        return Answer(line[:closing].rstrip(), newline + behind, "line", False)
    return Answer(line, newline + behind, "line", not newline and line[-1:] not in CLOSERS)


_CLOSED = re.compile(r"</(?:final_)?answer>", re.IGNORECASE)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)


def _box(text: str, start: int, end: int) -> Answer:
    r"""What is in a box: between its braces, or the one token behind ``\boxed``."""
    if text[end : end + 1] != "{":
        token = _TOKEN.match(text, end)
        if token is None or not token[0]:
            raise NoAnswer("the last box is empty")
        return Answer(token[0], text[token.end() :], "box", token.end() == len(text))
    depth = 0
    for brace in _BRACE.finditer(text, end, end + SPAN):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if not depth:
            inside = text[end + 1 : brace.start()].strip()
            if not inside:
                raise NoAnswer("the last box is empty")
            return Answer(inside, text[brace.end() :], "box", False)
    raise NoAnswer("the last box is not closed")


_TOKEN = re.compile(r"-?[\w.,/]{0,40}(?<![.,])")


def _tag(text: str, end: int) -> Answer:
    closing = text.find("</", end)
    if closing < 0:
        return _line(text, end)
    closed = _CLOSED.match(text, closing)
    if closed is None or closing - end > SPAN:
        raise NoAnswer("the tag of the answer is not closed")
    inside = text[end:closing].strip()
    if not inside:
        raise NoAnswer("the tag of the answer is empty")
    return Answer(inside, text[closed.end() :], "tag", False)


_GAP = r"(?:[\s$,;.&/|}]|\\q?quad\b|\\[()\[\],;:\\ ]|</?(?:final_)?answer>)"
_BETWEEN = re.compile(
    rf"{_GAP}{{0,20}}(?:(?:\\text\s?\{{\s{{0,3}})?(?:or|and|to)\b{_GAP}{{0,9}})?"
    r"(?:\\(?:text|math)(?:bf|it|rm)\s?\{\s?)?",
    re.IGNORECASE,
)
_TAG_BESIDE = re.compile(r"</(?:final_)?answer>[\s,;]{0,9}(?:(?:or|and|to)\s{1,9})?\Z", re.IGNORECASE)
_DENIED_BOX = re.compile(
    r"(?:\b(?:n(?:ot|ever|either|egative(?: of)?)|m(?:aybe|inus)|p(?:erhaps|ossibly)|either|cannot be|twice"
    r"|half(?: of)?|(?:square|root|reciprocal|opposite) of)|n['\u2019]t)"
    r"(?:\s(?:be|equal|equal to|exactly))?[\s$\\(\[{]{0,9}\Z",
    re.IGNORECASE,
)


# "-\boxed{5}", "\frac{1}{\boxed{5}}": the answer is more than what is in the box
_PART_OF_MORE = re.compile(
    r"(?:[-\u2212/^\d]|\\(?:pm|mp|cdot|times)\s?|\\(?:sqrt|frac)\s?\{\s?|\\frac\{[^{}\n]{1,20}\}\{\s?|\S ?[-+]\s)\Z"
)


def _one_of_its_kind(text: str, start: int, answer: Answer, same: Callable[[str, str], bool] = str.__eq__) -> None:
    """Boxes side by side are a list, unless they say the same; nor does "not" stand before the last one."""
    before = text[max(0, start - 300) : start]
    boxes = [match for match in BOX.finditer(before) if before.find("}", match.end()) >= 0]
    if answer.mark == "box" and boxes:
        other = _box(before, boxes[-1].start(), boxes[-1].end())
        if _BETWEEN.fullmatch(other.behind) and not same(other.text, answer.text):
            raise NoAnswer("several boxes side by side")
    if answer.mark == "tag" and _TAG_BESIDE.search(before[-60:]):
        raise NoAnswer("several answers side by side")
    if answer.mark == "box" and _PART_OF_MORE.search(before[-40:]):
        raise NoAnswer("the box holds a part of a formula")
    denial = _DENIED_BOX.search(before[-40:])
    if denial:
        raise NoAnswer(f"'{denial[0].strip()}' before the answer")


def plain_ending(text: str) -> str | None:
    """The whole number that a text ends in after ``####`` or "answer is", as it is written; None for any other text.

    It is what the full reading finds, found ten times as fast: nothing but digits follows the marker, and nothing
    before it can be a tag, an invented question or a denial.
    """
    if len(text) > READ:
        return None
    before, mark, rest = text.rpartition("####")
    if not mark:
        before, mark, rest = text.rpartition("answer is")
        if not (rest[:1].isspace() and (before.endswith(_SURE[1:]) or before in ("The ", "the "))):
            return None
    number = rest.strip().removesuffix(".")
    if not (number.isdigit() and number.isascii() and len(number) <= 30):
        found = PLAIN.fullmatch(rest)
        if found is None:
            return None
        number = found[1]
    return None if may_be_tagged(before) or invented_question(before) is not None else number


def may_go_on(text: str) -> bool:
    """Whether a text that ends in a number might have gone on with it: no full stop and no new line stands behind."""
    if text[-1:].isdigit():
        return True
    end = text.rstrip()
    return end[-1:].isdigit() and "\n" not in text[len(end) :]
