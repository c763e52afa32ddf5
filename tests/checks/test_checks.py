"""The process checks: what is derived, and what only looks like it."""

from fractions import Fraction

import pytest

from factory.attempt import Question
from factory.checks.columns import Columns
from factory.checks.derived import Derived, true_equations
from factory.corpora.arithmetic import rationale


def asked(answer: str, question: str = "There are 64 rolls and 27 are sold.") -> Question:
    return Question("q", "train", question, answer)


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
    assert Derived().passes(text, asked(answer))


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
    assert not Derived().passes(text, asked(answer))


def test_grounded_numbers_come_from_the_question_or_from_an_equation_before() -> None:
    question = asked("74", "A box holds twelve eggs and there are 7 boxes; 10 eggs break.")
    check = Derived(grounded=True)
    assert check.passes("12 * 7 = 84. 84 - 10 = 74.", question)
    assert not check.passes("70 + 4 = 74.", question)
    assert not check.passes("80 - 6 = 74. 64 + 10 = 74.", question)
    assert Derived().passes("70 + 4 = 74.", question)


def test_equations_are_found_in_order() -> None:
    found = [
        (" ".join(side), value) for side, value in true_equations("2 * 3 = 6 and 6 + 1 = 7.\n7 - 2 = 4\n8 = 9 - 1")
    ]
    assert found == [("2 * 3", Fraction(6)), ("6 + 1", Fraction(7)), ("9 - 1", Fraction(8))]


def test_the_columns_of_a_right_sum_pass_and_any_slip_fails() -> None:
    question = asked("883", "624+259")
    good = rationale(624, 259)
    assert Columns().passes(good, question)
    assert Columns().passes(rationale(99, 1), asked("100", "99+1"))
    slips = [
        good.replace("4+9+0=13", "9+4+0=13"),
        good.replace("4+9+0=13", "4+9+0=12"),
        good.replace("2+5+1=08", "2+6+0=08"),
        good.replace("6+2+0=08", "6+2+0=08\n0+0+0=00"),
        good.partition("\n")[2],
        "The answer is 883",
        "It is easy.\n" + good,
        "",
    ]
    for slip in slips:
        assert not Columns().passes(slip, question), slip
