r"""The one number that a statement gives: "$12, since 3 * 4 = 12", "She has 12 eggs left", ``m + n = 5 + 7 = 12``.

A number is read whole or not at all: what could be a piece of something else (``2^10``, ``12:00``, ``1.5 million``,
``12,5``, ``5k``, ``3/4/2020``) is no answer, nor is a number beside another one.
"""

import re
from fractions import Fraction
from typing import NamedTuple

from factory.verifiers.doubt import REASON, NoAnswer, doubted, sentence
from factory.verifiers.number import NUMBER, PLAIN, parse_number, value_of

# What makes another value of a number when it follows: "1.5 million", "5 squared", "2 dozen", "3 halves".
_MAGNITUDES = (
    r"(?:hundred|thousand|million|billion|trillion|quadrillion|dozen)s?|milli(?:onen|ones|ard|arden)|mil|thou|tausend"
    r"|hundert|score|gross|lakhs?|crores?|mio|mln|mrd|bn|mn|half|halves|thirds?|quarters?|fourths?|fifths?|sixths?"
    r"|sevenths?|eighths?|ninths?|tenths?|hundredths?|thousandths?|millionths?|squared|cubed|factorial|plus|minus|over"
    r"|divided|multiplied|mod|modulo|pi|sqrt|roots?|point|choose|fold|(?-i:[kKMB])|[einxyz]|st|nd|rd|th"
    r"|(?:less|more|fewer|greater) than (?=[-$(]?\d)|times (?=[-$(]?\d)|times as \w{1,20} as (?=[-$(]?\d)"
)
_PIECE = re.compile(
    r"[.,:/'\u2019_]\d|[ ]?:[ ]?\d|\d|[ ]?[+]|[ ]?[-*\u00b7\u00d7][ ]?[a-z](?![a-z'\u2019])"
    r"|[ ]?[\^!\\|&@#~\u00b2\u00b3\u00b9\u2070\u2074-\u207e\u00bc-\u00be\u2150-\u215e\u221a\u03c0]"
    r"|[ ]?(?:\*\*|[-+*/x\u00d7\u00b7\u00f7\u2022]|\.\.+|\u2026)[ ]?[-+]?(?:[$(]?\.?\d|[(\u221a\u03c0\\])"
    r"|[ ]?/(?!(?:hour|hr|day|week|month|year|minute|second|person|item|unit|lb|kg)s?\b)"
    r"|[ ]?[=<>\u2248\u00b1\u2264\u2265\u2260\u00d7\u00f7\u00b7]|[ ][-+]?[$\[{]?\d"
    r"|[ ]?\([-$]{0,2}\d+(?![\d.,]{0,30}\s?[-+*/x\u00d7\u00f7])"
    rf"|[ -]?(?:{_MAGNITUDES})(?![a-z])|[ ]?[\u5341\u767e\u5343\u4e07\u842c\u4ebf\u5104\u5146]"
    r"|[ ](?:of|by|in|to|per|for|out of|from|over|on|with|at|into|and|through|thru|till|until|versus)[ ][-$(]{0,2}[\d.]"
    r"|[ ]and[ ](?:an?|one|two|three)[ -](?:half|third|quarter|fourth|fifth|eighth|halves|thirds|quarters|fifths)",
    re.IGNORECASE,
)
_UNITS = frozenset(
    [
        *("kg", "g", "mg", "cm", "mm", "km", "ml", "cl", "dl", "l", "lb", "lbs", "oz", "ft", "in", "yd", "mi"),
        *("mph", "kmh", "hrs", "hr", "h", "min", "mins", "s", "sec", "secs", "am", "pm", "cents", "cent", "c"),
        *("f", "usd", "eur", "gbp", "deg", "percent", "pts"),
    ]
)
"""What may stand right behind the digits."""

_LETTERS = re.compile(r"[^\W\d_\u00b2\u00b3]+")

# In which circumstances: numbers behind it are no part of the answer.
_CIRCUMSTANCE = re.compile(
    r"\b(?:after|before|when|where|while|during|in|on|at|from|with|each|every|among|for|who|that|which)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r"(?:\band|\bplus|\bthen|\bto|\bof|\bby|[,;&/])\s?[-$(]{0,2}(?:[^\W\d]{1,30} )?\Z", re.IGNORECASE)
_BESIDE = re.compile(r" ((?:[^\W\d]{1,30} ){0,3}[^\W\d]{1,30}),? and \d[\d,.]* ([^\W\d]+)[^\d]*\Z")
_SMALLER = frozenset(
    [
        *("cent", "cents", "penny", "pence", "minute", "minutes", "min", "mins", "second", "seconds", "sec"),
        *("secs", "inch", "inches", "ounce", "ounces", "oz", "pound", "pounds", "gram", "grams", "cm", "mm"),
        *("hour", "hours", "day", "days", "week", "weeks", "month", "months"),
    ]
)
"""Units of which a number beside another one makes a sum: 2 hours and 30 minutes."""
_WORDED = re.compile(
    r"(?:[,;]|\band)\s(?:an? )?(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w{1,9}teen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|half|quarter)\b",
    re.IGNORECASE,
)
_NEXT = re.compile(r"\s*[-$]{0,2}\d[\d.,]*\s*(?:[.,;]|$)")

_REJECTED = re.compile(r"\A,? (?:and )?(?:not|rather than|instead of) [-$]{0,2}\d(?:[\d.,/]{0,40}\d)?(?![\w%])")
"""A value that is named to be refused: "12, not 13"."""
_POWER = re.compile(r"(?<=[a-z])\s?\^\s?(?:\{[23]\}|[23])(?!\d)")
"""Of a unit: cm^2."""

_CALCULATION = re.compile(r"[\d)]\s?(?:[-+*/^\u00d7\u00b7\u00f7]|x)\s?[-$(]?\d")
_LIST = re.compile(r",(?!\d{3})|;|\b(?:and|or)\b")

_CURRENCY = re.compile(r"(?:US\$|A\$|C\$|[$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9]|\b(?:USD|EUR|GBP|Rs\.?))\Z")
_OPENING = " \t\n*_`\"'\u201c\u2018([{$:=,"
# The words that may stand before a number in a sentence that gives it: "she has 12", not "she lacks 12".
_GIVES = re.compile(
    r"\b(?:is|are|was|were|be|been|being|has|have|had|having|equals?|equal to|comes to|amounts to|total of|totals?"
    r"|exactly|only|just|still|now|therefore|thus|so|then|that|becomes?|remains?|leaves|left with|obtain"
    r"|gets?|got|gives?|gave|makes?|made|costs?|needs?|takes?|took|earns?|earned|spends?|spent|pays?|paid|eats?|ate"
    r"|sells?|sold|buys?|bought|uses?|used|contains?|holds?|receives?|received|saves?|saved|reads?|runs?|ran|walks?"
    r"|walked|drives?|drove|travels?|collects?|collected|picks?|picked|planted|drinks?|drank|weighs?|charges?|charged"
    r"|owes?|owed|works?|worked|owns?|finds?|found|requires?|produces?|produced|bakes?|baked|wins?|won|scores?|scored"
    r"|result|simply|indeed|clearly|definitely)\Z",
    re.IGNORECASE,
)


class Stated(NamedTuple):
    """A number as it is written, its value (None for 3/0), and what of the statement follows it."""

    written: str
    value: Fraction | None
    rest: str


def stated(text: str, alone: bool = False) -> Stated:
    """The number that a statement gives, a text in the characters of a keyboard (see :func:`plainly`).

    Of an equation the side that is no calculation counts, the right-hand one if neither is. With ``alone`` no other
    number may stand in the sentence, whatever for.

    Raises:
        NoAnswer: there is no number, or more than one, or more to it than a number.
    """
    plain = PLAIN.fullmatch(text)
    if plain:
        return Stated(plain[1], parse_number(plain[1]), text[plain.end(1) :])
    said, _ = sentence(text)
    first = _digit(said)
    head = _before_reason(said, first)
    if "=" in head:
        text = _side(head) + text[len(head) :]
    place = _digit(text)
    sign, lead = _signed(text[:place])
    direct = _leads(lead)
    number = NUMBER.match(text, place)
    if number is None:
        raise NoAnswer("no number where the answer should be")
    _whole(text, place, number.end())
    value = value_of(number)
    if value is None and not number["under"]:
        raise NoAnswer(f"'{text[place:][:24]}' is no number that can be compared")
    rest = _POWER.sub("", _REJECTED.sub("", text[number.end() :], count=1))
    _alone(rest, alone, direct)
    return Stated(sign + number[0], -value if sign and value is not None else value, rest)


def _before_reason(said: str, start: int = 0) -> str:
    """A sentence up to where it says why, or opens a bracket."""
    reason, bracket = REASON.search(said, start), said.find("(", start)
    end = reason.start() if reason else len(said)
    return said[: min(end, bracket) if bracket >= 0 else end]


def _digit(text: str) -> int:
    found = re.search(r"\.?\d", text)
    if found is None:
        raise NoAnswer("no number where the answer should be")
    return found.start()


def _side(head: str) -> str:
    """The side of an equation that is the answer."""
    sides = head.split("=")
    last = sides[-1]
    if any(_LIST.search(side) or doubted(side) for side in sides[:-1]):
        raise NoAnswer("more than one equation")
    if _CALCULATION.search(last):
        if len(sides) == 2 and not _CALCULATION.search(sides[0]):
            return sides[0]
        raise NoAnswer(f"'{last.strip()[:24]}' is not worked out")
    values = [parse_number(side) for side in sides if "/" not in side]
    if len({value for value in values if value is not None}) > 1:
        raise NoAnswer("an equation of different numbers")
    return last


def _signed(before: str) -> tuple[str, str]:
    """The sign of the number that follows, and what stands before sign and currency."""
    sign, seen = "", False
    while True:
        bare = before.rstrip(" ")
        currency = _CURRENCY.search(bare[-4:])
        word = re.search(r"\b(?:minus|negative)\Z", bare[-9:], re.IGNORECASE)
        if currency:
            before = bare[: len(bare) - len(currency[0])]
        elif (word or bare[-1:] in ("-", "+")) and not seen:
            seen = True
            sign = "" if bare[-1:] == "+" else "-"
            before = bare[: len(bare) - len(word[0] if word else "-")]
        else:
            return sign, before


def _leads(lead: str) -> bool:
    """Whether nothing but punctuation stands before the number.

    Raises:
        NoAnswer: what stands there does not give it.
    """
    words = lead.rstrip(_OPENING)
    if not words:
        return True
    doubt = doubted(lead)
    if doubt:
        raise NoAnswer(f"'{doubt}' before the number")
    if not (_GIVES.search(words[-20:]) or lead.rstrip(" *_$")[-1:] in (":", "=")):
        raise NoAnswer(f"'{words[-24:].strip()}' before the number")
    return False


def _whole(text: str, start: int, end: int) -> None:
    """Hold what touches a number against it."""
    letters = _LETTERS.match(text, end)
    if letters:
        if letters[0].casefold() in _UNITS and not text[letters.end() : letters.end() + 1].isdecimal():
            return
        raise NoAnswer(f"'{text[start : letters.end()][:24]}' is more than a number")
    piece = _PIECE.match(text, end)
    if piece:
        raise NoAnswer(f"'{text[start : piece.end()].strip()[:24]}' is more than a number")


def _are_apart(unit: str, other: str) -> bool:
    """Whether two numbers with these units are of different things: "7 apples and 3 pears", but not "2 hours and 3
    minutes", nor "7 for Ana and 3 for Bo"."""
    return unit != other and other not in _SMALLER and not _CIRCUMSTANCE.search(f"{unit} {other}")


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether the digits between two places are a number by themselves, and no piece of something else."""
    try:
        _whole(text, start, end)
    except NoAnswer:
        return False
    return True


def _alone(rest: str, alone: bool, direct: bool) -> None:
    """Hold the other numbers of a sentence against the one that was read."""
    said, more = sentence(rest)
    if alone and re.search(r"\d", said):
        raise NoAnswer("more than one number and no marker")
    said = _before_reason(said)
    worded = _WORDED.search(said)
    if worded:
        raise NoAnswer(f"'{worded[0]}' beside the number")
    beside = _BESIDE.match(said)
    if not (direct and beside and _are_apart(beside[1], beside[2])):
        circumstance = _CIRCUMSTANCE.search(said)
        for digit in re.finditer(r"(?<!\d)\d", said):
            before = said[: digit.start()]
            if circumstance is None or circumstance.start() > digit.start() or _LISTED.search(before[-40:]):
                raise NoAnswer(f"'{said[digit.start() :][:12].strip()}' beside the number")
    if _NEXT.match(more):
        raise NoAnswer("several numbers")
