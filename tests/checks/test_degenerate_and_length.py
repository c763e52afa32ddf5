"""Texts that are none, and texts that are shorter or longer than others at their question."""

import random

import pytest

from factory.checks import PASSED, failed, not_applicable
from factory.checks.degenerate import Degenerate
from factory.checks.length import Length
from tests.support.rationales import wrote

DRAW = random.Random(0)
WORDS = " ".join("".join(DRAW.choices("abcdefghij", k=4)) for _ in range(60))
"""Sixty words without a run of four that comes twice."""


@pytest.mark.parametrize(
    "text",
    [
        "64 - 27 = 37. The answer is 37.",
        WORDS,
        "1+1+0=02\n" * 5 + "The answer is 22222",
        "She sells 4 rolls, so 60 are left.\nShe sells 5 rolls, so 55 are left.",
        "The angle is \u03c0/2, and \u03b1 + \u03b2 = \u03c0 in it, so 37.",
        "Caf\u00e9 cr\u00e8me costs 37\u20ac \u2013 that is all.",
    ],
)
def test_a_text(text: str) -> None:
    assert Degenerate().check(wrote(text)) == PASSED


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("So it is.\n" * 6, 'the line "So it is." comes 6 times in a row'),
        ("64 - 27 is what is left of them, " * 12, "91% of its runs of 4 words were there before"),
        ("It is " + "hahaho" * 30, '"hahaho" comes 30 times in a row'),
        ("1" * 400, '"1" comes 400 times in a row'),
        ("64 - 27 \u7b49\u4e8e 37 \u5377", "100% of its letters are of a script that the question does not use: Han"),
        ("It is \u0442\u0440\u0438\u0434\u0446\u0430\u0442\u044c \u0441\u0435\u043c\u044c", None),
        ("37.", "it has 3 characters, fewer than 10"),
        (WORDS * 70, "it has 20,930 characters, more than 20,000"),
    ],
)
def test_no_text(text: str, reason: str | None) -> None:
    reason = reason or "75% of its letters are of a script that the question does not use: Cyrillic"
    assert Degenerate().check(wrote(text)) == failed(reason)


def test_the_script_of_the_question_is_none_of_another() -> None:
    text, question = "64 - 27 \u7b49\u4e8e 37 \u5377", "64 \u5377\u5356\u51fa 27"
    assert Degenerate().check(wrote(text, question=question)) == PASSED
    assert Degenerate().check(wrote("It is thirty seven.", question=question)).passed is False


def test_an_empty_text_is_said_elsewhere() -> None:
    assert Degenerate().check(wrote(" \n")) == not_applicable("it is empty")


def test_limits_are_settings() -> None:
    twice = "It is so.\nIt is so.\n64 - 27 = 37"
    assert Degenerate().check(wrote(twice)) == PASSED
    assert Degenerate(loops=1).check(wrote(twice)).passed is False
    assert Degenerate(shortest=100).check(wrote(twice)).passed is False
    assert Degenerate(longest=20).check(wrote(twice)).passed is False
    again = f"{WORDS} {WORDS}"
    assert Degenerate().check(wrote(again)) == PASSED
    assert Degenerate(repeated=0.4).check(wrote(again)) == failed("49% of its runs of 4 words were there before")
    one = f"{WORDS} \u4e2d"
    assert (Degenerate().check(wrote(one)).passed, Degenerate(foreign=0).check(wrote(one)).passed) == (True, False)


@pytest.mark.parametrize(
    ("tokens", "others", "reason"),
    [
        (40, [40, 41, 42], None),
        (126, [40, 42, 44], None),
        (127, [40, 42, 44], "it has 127 tokens, more than 3 times the 42 of the question's others"),
        (13, [40, 42, 44, 46], "it has 13 tokens, fewer than 33% of the 43 of the question's others"),
        (1300, [40, 42, 42.0, 43], "it has 1,300 tokens, more than 3 times the 42 of the question's others"),
    ],
)
def test_lengths(tokens: int, others: list[int], reason: str | None) -> None:
    rationale = wrote("It is 37.", tokens=tokens, tokens_of_all=tuple(sorted([tokens, *others])))
    assert Length().check(rationale) == (failed(reason) if reason else PASSED)


def test_few_others_are_no_measure() -> None:
    rationale = wrote("It is 37.", tokens=900, tokens_of_all=(40, 41, 900))
    assert Length().check(rationale) == not_applicable("the question has fewer than 3 other correct attempts")
    assert Length(others=2).check(rationale).passed is False
