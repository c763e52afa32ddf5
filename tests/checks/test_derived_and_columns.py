"""Derived answers and written sums: what is derived, and what only looks like it."""

import pytest

from factory.checks import READ, Result, failed, not_applicable
from factory.checks.columns import Columns
from factory.checks.derived import Derived
from factory.corpora.arithmetic import rationale
from tests.support.rationales import wrote


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("64 - 27 = 37. The answer is 37.", "37"),
        ("So 64 rolls - 27 rolls = 37 rolls.", "37"),
        ("37 = 64 - 27", "37"),
        ("She pays $1,200.50 + $99.50 = $1,300.", "1300"),
        (r"\(6 \times 8 = 48\)", "48"),
        ("6 x 8 = 48", "48"),
        ("6 \u00d7 8 = 48", "48"),
        ("96 \u00f7 4 = 24", "24"),
        ("64 \u2212 27 = 37", "37"),
        ("20% of 50 = 10", "10"),
        (r"\frac{1}{2} * 8 = 4", "4"),
        ("10 / 3 = 3.33", "3.33"),
        ("(2 + 3) * 4 = 5 * 4 = 20", "20"),
        ("- 64 - 27 = 37", "37"),
        ("**64 - 27 = 37**", "37"),
        ("2 + 2 = 5, no: 64 - 27 = 37", "37"),
        ("3 - 5 = -2", "-2"),
        ("Take half of it: 8 / 2 = 4.", "4.0"),
    ],
)
def test_a_true_equation_that_gives_the_answer_derives_it(text: str, answer: str) -> None:
    assert Derived().check(wrote(text, answer)).passed


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("11 pounds is 19. The answer is 19.", "19"),
        ("64 - 27 = 38. The answer is 37.", "37"),
        ("64 - 27 = 37. The answer is 38.", "38"),
        ("37 = 37", "37"),
        ("37 + 0 = 37", "37"),
        ("1 * 37 = 37", "37"),
        ("64 - 27 is 37", "37"),
        ("64 - x = 37", "37"),
        ("64 - = 37", "37"),
        ("5 / 0 = 37", "37"),
        ("9 ** 9 ** 9 = 37", "37"),
        ("(((64 - 27 = 37", "37"),
        ("10 / 3 = 3", "3"),
        ("1+" * 5000 + "1 = 37", "37"),
        ("", "37"),
    ],
)
def test_a_restated_or_falsely_reasoned_answer_is_not_derived(text: str, answer: str) -> None:
    assert Derived().check(wrote(text, answer)) == failed("no true equation gives the answer")


def test_grounded_numbers_come_from_the_question_or_from_an_equation_before() -> None:
    def result(text: str, grounded: bool = True) -> Result:
        question = "A box holds twelve eggs and there are 7 boxes; 10 eggs break."
        return Derived(grounded=grounded).check(wrote(text, "74", question))

    assert result("12 * 7 = 84. 84 - 10 = 74.").passed
    told = "the equation that gives the answer uses what neither question nor steps have: "
    assert result("70 + 4 = 74.") == failed(told + "4, 70")
    assert result("80 - 6 = 74. 64 + 10 = 74.") == failed(told + "6, 64, 80")
    assert result("70 + 4 = 74.", grounded=False).passed


def test_what_is_no_number_is_not_derived_and_of_a_long_text_only_the_beginning_is_read() -> None:
    assert Derived().check(wrote("64 - 27 = 37", "B")) == not_applicable("the gold answer is no number")
    late = Derived().check(wrote("so " * (READ // 3) + "64 - 27 = 37"))
    assert late.passed is None
    assert late.reason == "no equation in the first 50,000 characters gives the answer; more are not read"


def test_the_columns_of_a_right_sum_pass_and_any_slip_fails() -> None:
    def result(text: str, question: str = "624+259", answer: str = "883") -> Result:
        return Columns().check(wrote(text, answer, question))

    good = rationale(624, 259)
    assert result(good).passed
    assert result(rationale(99, 1), "99+1", "100").passed
    slips = {
        good.replace("4+9+0=13", "9+4+0=13"): "column 1 adds 9, 4 and 0 instead of 4, 9 and 0",
        good.replace("4+9+0=13", "4+9+0=12"): "column 1 does not add up: 4+9+0=12",
        good.replace("2+5+1=08", "2+6+0=08"): "column 2 adds 2, 6 and 0 instead of 2, 5 and 1",
        good.replace("6+2+0=08", "6+2+0=08\n0+0+0=00"): "it has 4 columns instead of 3",
        good.partition("\n")[2]: "it has 2 columns instead of 3",
        "The answer is 883": "it has 0 columns instead of 3",
        "It is easy.\n" + good: "a line before the answer is no column",
        "": "it has 0 columns instead of 3",
    }
    for slip, reason in slips.items():
        assert result(slip) == failed(reason), slip
    assert result(good, answer="884") == failed("its columns spell 0883")
    assert result(good, "What is 624+259?") == not_applicable("the question is not the sum of two numbers")
