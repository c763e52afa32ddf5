"""What gives away that the answer was shown."""

from typing import Any

import pytest

from factory.checks import PASSED, READ, failed, not_applicable
from factory.checks.hint_leak import HintLeak
from tests.support.rationales import ROLLS, wrote

HINTS = ("(37)", "(CORRECT)")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("We know 64 - 27. As the given answer says, it is 37.", "given answer"),
        ("64 rolls, as stated, leave 37.", "as stated"),
        ("Since the answer is 37, 27 were sold.", "since the answer is"),
        ("The pan is (b) Kitchen (CORRECT), so (b).", "(correct)"),
        ("The answer was given as 37, so we take it.", "answer was given"),
        ("64 - 27 matches the hint.", "matches the hint"),
        ("We are told that the answer is 37.", "we are told that the answer"),
        ("According to the hint it is 37.", "according to the hint"),
        ("We already know the answer, 37.", "we already know the answer"),
        ("The solution provided is 37.", "solution provided"),
    ],
)
def test_what_says_that_the_answer_was_given(text: str, said: str) -> None:
    assert HintLeak().check(wrote(text, hints=HINTS)) == failed(f'it says that the answer was given: "{said}"')


@pytest.mark.parametrize(
    "text",
    [
        "The answer is 37, because 27 of 64 are sold.",
        "37. There are 64 rolls and 27 are sold.",
        "37\n64 - 27 = 37",
        "**The answer is 37.** It is what is left.",
        "Answer: 37",
        "#### 37",
    ],
)
def test_what_begins_with_its_answer(text: str) -> None:
    assert HintLeak().check(wrote(text)) == failed("it gives its answer before any step")


@pytest.mark.parametrize(
    ("text", "hints", "mark"),
    [
        (f"{ROLLS} (37) It is 64 - 27.", ("(37)",), "(37)"),
        ("How many are left?(37) It is 64 - 27.", ("(37)",), "(37)"),
        ("It is 64 - 27. Hint: 37", ("Hint: 37",), "Hint: 37"),
        ("It is the second [the right one].", ("(37)", "[the right one]"), "[the right one]"),
    ],
)
def test_what_has_the_form_of_the_hint(text: str, hints: tuple[str, ...], mark: str) -> None:
    assert HintLeak().check(wrote(text, hints=hints)) == failed(f'it has the form of the hint: "{mark}"')


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("64 - 27 = 37. The answer is 37.", {}),
        ("27 were given away, so 64 - 27 = 37 (37) are left.", {}),
        ("As stated in the question, 27 are sold. 64 - 27 = 37.", {}),
        ("As given above, 64 - 27 = 37.", {}),
        ("37 + 27 = 64, so 37 are left.", {}),
        ("3.7 is too few. 64 - 27 = 37.", {"answer": "3"}),
        ("The answer must be something you cook in. The answer is (b).", {"answer": "b"}),
        ("He was given 64, and told his answer to nobody.", {}),
        ("The hint is the first letter. It is 37.", {"question": "The hint is a letter. What is it?"}),
    ],
)
def test_what_gives_nothing_away(text: str, more: dict[str, Any]) -> None:
    assert HintLeak().check(wrote(text, hints=HINTS, **more)) == PASSED


def test_phrases_of_the_recipe() -> None:
    leak = HintLeak(phrases=("Solution Key",))
    assert leak.check(wrote("The solution key has 37.")) == failed('it says that the answer was given: "Solution Key"')
    assert HintLeak().check(wrote("The solution key has 37.")) == PASSED


def test_where_it_does_not_apply() -> None:
    assert HintLeak().check(wrote("64 - 27", predicted_answer=None)) == not_applicable("no answer was read")
    assert HintLeak().check(wrote("As stated.", predicted_answer=None)).passed is False
    long = HintLeak().check(wrote("64 - 27 " * (READ // 8 + 1)))
    assert long == not_applicable("nothing of the kind is said in the first 50,000 characters; more are not read")
