"""Where a completion writes its answer in mathematics, and how much of the text is the answer."""

import re
from collections.abc import Callable
from typing import NamedTuple

from factory.verifiers.answer import Answer, final_answer, last_box
from factory.verifiers.doubt import BELOW_ZERO, NoAnswer, doubted, refuse_next_part, sentence, settled
from factory.verifiers.mathematics import units
from factory.verifiers.visible import READ, invented_question, may_be_tagged


class Formula(NamedTuple):
    """An answer as it is written, and whether nothing closes it."""

    text: str
    open: bool


_INLINE = re.compile(
    r"(?<!\\)\$(?!\$)([^$]{1,1000})(?<!\\)\$|\$\$([^$]{1,1000})\$\$"
    r"|\\\(((?:[^\\]|\\(?![()])){1,1000})\\\)|\\\[((?:[^\\]|\\(?![\[\]])){1,1000})\\\]"
)
_LISTED = re.compile(r"\s?(?:[,;]|,?\s(?:and|or)\b)\s?")
_PREFIX_WORDS = 6
# "5 apples", "$1,234.50, since ...": prose goes on behind the number, and not with a further part of the value.
_NUMBER = re.compile(r"[-\u2212\u2013]?\\?\$?\d[\d,]*(?:\.\d+)?(?:/\d+)?(?:\\?%)?(?=[,;:]?\s+\(?[A-Za-z]{2})")
_WORD = re.compile(r"[,;:\s]*\(?([A-Za-z]+)")
_MORE_OF_IT = """
    and or to plus minus times over divided sqrt root pi million billion trillion thousand hundred dozen half halves
    third thirds quarter quarters mod modulo base point factorial squared cubed choose
"""
_GOES_ON = frozenset(_MORE_OF_IT.split())
_CHANGED = re.compile(
    r"\b(?:(?:minus|negative|twice|thrice|half|double)[\s*]{0,4}\Z|(?:than|times|above|below|under|over|beyond|different"
    r"|(?:square|root|cube|reciprocal|inverse|opposite|negation|negative|half|third|quarter|double|multiple) of)\b)",
    re.IGNORECASE,
)
"""Words before a formula that make another value of it."""
_REASON = re.compile(r"[,;]?\s+\(?(?:because|since|which|so|where|as)\s")
_BESIDE_BOX = re.compile(
    r"[a-zA-Z(!]|[.,]?\d|\{,\}|\^(?!\s?\{?\s?\\circ)|_\{?\d|\s?\\(?:pi|sqrt|frac|cdot|times|div)(?![a-zA-Z])|"
    rf"{BELOW_ZERO}|"
    r"\s?(?:\\text\s?\{\s?)?(?:million|billion|thousand|hundred|dozen)s?\b|"
    r"(?:[\s$*_)\]},]|\\[)\]]){0,12}(?:\?|(?:or|maybe|perhaps|possibly|probably|but|not|if|unless)\b|\\pm(?![a-z])"
    r"|(?:[-+/]|(?:and|to)\s)[\s$]{0,3}[\d\\])",
    re.IGNORECASE,
)
_TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|sorry|oops|hmm{0,9}|nope|scratch that|correction|disregard|not sure|unsure|uncertain|i doubt"
    r"|incorrect|(?:is|was|looks|seems|be|that's|it's) (?:wrong|false|not right|not correct)|my mistake"
    r"|made an? (?:mistake|error)|recalculate|let me re|should (?:be|have been)"
    r"|(?:isn|wasn|can|couldn)['\u2019]?t (?:be )?(?:right|correct)|(?:might|could) be (?:\$|\d|\\)|a guess"
    r"|second thought|or (?:maybe|perhaps|possibly))\b",
    re.IGNORECASE,
)
# "5 dollars and 20 cents", "5 feet 3 inches"
_FURTHER = re.compile(
    r"[\s$*_)\]]{0,9}(?:\\text\s?\{)?\s{0,3}([a-zA-Z]{1,20})\}?\.?[\s$,]{1,5}(?:(and|plus|minus|to)\s[\s$]{0,3})?\d",
    re.IGNORECASE,
)
_UNIT = re.compile(r"\s*(\\text\s?\{[^{}]{1,40}\}|[a-zA-Z]{2,20}|\\?%)(\s?\^\s?\{?[23]\}?)?")


_PLAIN_BOX = re.compile(r"(-?(?:[1-9][0-9]{0,2}(?:,[0-9]{3}){1,8}|[0-9]{1,30}))\}\$?\.?\s*", re.ASCII)
_BEFORE_BOX = ("\n", "is ", "is $", "= ", ": ", ": $", "so ")
"""What stands before most boxes, and neither denies what is in them nor makes it a part of more."""


def plain_box(text: str) -> str | None:
    """The whole number in the box that a text ends in, as it is written; None for any other text. It is what the full
    reading finds: see :func:`factory.verifiers.answer.plain_ending`."""
    before, mark, rest = text.rpartition("\\boxed{")
    found = _PLAIN_BOX.fullmatch(rest) if mark and len(text) <= READ and before.endswith(_BEFORE_BOX) else None
    if found is None or "box{" in before or "boxed" in before or may_be_tagged(before):
        return None
    return found[1] if invented_question(before) is None else None


def written(completion: str, same: Callable[[str, str], bool]) -> Formula:
    """The answer that a completion gives.

    Args:
        same: whether two boxes side by side say the same.

    Raises:
        NoAnswer: it gives none, or takes it back.
    """
    answer = (last_box(completion, same) if "box" in completion else None) or final_answer(completion)
    if answer.mark == "none":
        raise NoAnswer("no answer in a box or behind a marker")
    if answer.mark == "box":
        _kept(answer.behind)
        return Formula(_with_unit(answer.text, answer.behind.lstrip("$")), answer.open)
    text = answer.text.strip("`*_ ")
    for part in (_inline, _number):
        found = part(text)
        if found:
            value, rest = found
            further = _further(rest)
            if further:
                raise NoAnswer(f"'{further[0].strip()}' behind the answer")
            refuse_next_part(rest, answer.behind)
            settled(rest, answer.behind)
            return Formula(_with_unit(value, rest), answer.open and not rest)
    return _statement(text, answer)


def _kept(behind: str) -> None:
    """Hold what follows a box against it. A solution often goes on behind its box, with remarks and other ways to the
    same end, so only what takes the answer back counts.

    Raises:
        NoAnswer: something does.
    """
    refuse_next_part(behind)
    back = _BESIDE_BOX.match(behind) or _further(behind) or _TAKEN_BACK.search(behind)
    if back:
        raise NoAnswer(f"'{back[0].strip()[:40]}' behind the box")


def _further(rest: str) -> re.Match[str] | None:
    """A further number that belongs to the answer: behind a unit, or behind "and" and the like."""
    found = _FURTHER.match(rest)
    return found if found and (found[2] or units.known(found[1])) else None


def _inline(text: str) -> tuple[str, str] | None:
    """The first formula of a line, or several as one list ("$x=3$ or $x=4$"), and what follows."""
    formulas = list(_INLINE.finditer(text))
    if not formulas:
        return None
    before, last = text[: formulas[0].start()], formulas[0]
    if before and (
        doubted(before)
        or _CHANGED.search(before)
        or any(map(str.isdigit, before))
        or len(before.split()) > _PREFIX_WORDS
    ):
        raise NoAnswer(f"'{before.strip()[:40]}' before the formula")
    values = [_inside(last)]
    for formula in formulas[1:]:
        if not _LISTED.fullmatch(text, last.end(), formula.start()):
            break
        values.append(_inside(formula))
        last = formula
    rest = text[last.end() :].lstrip("*`_ ")
    word = _WORD.match(rest)
    if word and word[1].lower() in _GOES_ON - {"and", "or", "to"}:
        raise NoAnswer(f"'{word[1]}' behind the formula")
    if _INLINE.search(sentence(rest)[0]) and not _REASON.match(f" {rest}"):
        raise NoAnswer("several formulas in one sentence")
    return "; ".join(values), rest


def _inside(formula: re.Match[str]) -> str:
    value = next(part for part in formula.groups() if part is not None).strip()
    if not value:
        raise NoAnswer("an empty formula")
    return value


def _number(text: str) -> tuple[str, str] | None:
    found = _NUMBER.match(text)
    word = _WORD.match(text, found.end()) if found else None
    if not found or not word or word[1].lower() in _GOES_ON:
        return None
    return found[0].rstrip(","), text[found.end() :]


def _statement(text: str, answer: Answer) -> Formula:
    """The first sentence, up to a reason."""
    said, more = sentence(text)
    reason = _REASON.search(said)
    value = (said[: reason.start()] if reason else said).rstrip("*`_. ")
    if not value:
        raise NoAnswer("no answer behind the marker")
    refuse_next_part(more, answer.behind)
    settled(said[reason.end() :] if reason else "", more + answer.behind)
    return Formula(value, answer.open)


def _with_unit(value: str, rest: str) -> str:
    """A value with the unit behind its box or formula, if one stands there that is known."""
    found = _UNIT.match(rest)
    if not found or not units.known(found[1]) or units.parted(value)[1]:
        return value
    unit = found[0].strip()
    return f"{value}{unit}" if unit.startswith("\\") or unit == "%" else rf"{value}\text{{ {unit}}}"
