"""What a rationale comes to, and whether that is its answer."""

from typing import Any

import pytest

from factory.checks import PASSED, failed, not_applicable
from factory.checks.conclusion import Conclusion
from tests.support.rationales import wrote


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("64 - 27 = 37. The answer is 37.", {}),
        ("64 rolls less 27 rolls is what is left. So 37 are left. The answer is 37.", {}),
        ("So 64 - 27 = <<64-27=37>>37 rolls\n#### 37", {}),
        ("37 = 64 - 27, that is all. The answer is 37", {}),
        ("75 / 2 = 37.5, so 37 pairs. The answer is 37", {}),
        ("110 / 3 = 36.67. The answer is 37", {}),
        ("37 / 100 = 0.37, which is 37%. The answer is 37%", {"predicted_answer": "37"}),
        ("$1.00 - $0.63 = $0.37. The answer is 37", {}),
        ("27 - 64 = -37. The answer is -37.", {"answer": "-37"}),
        ("The answer is 37, because 64 - 27 = 37. The answer is 37.", {}),
    ],
)
def test_what_comes_to_its_answer(text: str, more: dict[str, Any]) -> None:
    assert Conclusion().check(wrote(text, **more)) == PASSED


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("64 - 27 = 36. The answer is 37.", {}, "its last step comes to 36, and its answer is 37"),
        ("64 + 27 = <<64+27=91>>91 rolls\n#### 37", {}, "its last step comes to 91, and its answer is 37"),
        ("Some are sold. So 27 are left. The answer is 37.", {}, "its conclusion is 27, and its answer is 37"),
        ("64 - 28 = 36. The answer is 36. The answer is 37.", {}, "it first gives the answer 36, and then 37"),
        (
            "The answer is (a). No: the answer is (b).\nThe answer is (b).",
            {"answer": "b"},
            "it first gives the answer a, and then b",
        ),
    ],
)
def test_what_comes_to_something_else(text: str, more: dict[str, Any], reason: str) -> None:
    assert Conclusion().check(wrote(text, **more)) == failed(reason)


@pytest.mark.parametrize(
    ("text", "more", "reason"),
    [
        ("64 - 27 = 37", {"predicted_answer": None}, "no answer was read"),
        (
            "4+9+0=13\n6+2+1=09\nThe answer is 93",
            {"answer": "93", "question": "64+29"},
            "the question is a calculation: steps give parts of its answer",
        ),
        (
            "The answer is 37. The answer is 37 rolls.",
            {"predicted_answer": "37 rolls"},
            "the answer is no number",
        ),
        ("You sit on it. The answer is (b).", {"answer": "b"}, "the answer is no number"),
        ("There are 64. The answer is 37.", {}, "nothing is concluded before the answer"),
        ("37", {}, "nothing is concluded before the answer"),
        ("37 + 27 = 64. The answer is 37.", {}, "the last step uses the answer, as one that checks it does"),
        ("x = y. The answer is 37.", {}, "the last step gives no number that can be read"),
        (
            "17 000 / 5 = 3 400. The answer is 3400.",
            {"answer": "3400"},
            "the last step gives no number that can be read",
        ),
    ],
)
def test_what_it_says_nothing_of(text: str, more: dict[str, Any], reason: str) -> None:
    assert Conclusion().check(wrote(text, **more)) == not_applicable(reason)
