"""Where a completion writes its answer in mathematics, and how much of the text is the answer."""

import pytest

from factory.verifiers.doubt import NoAnswer
from factory.verifiers.mathematics.formula import plain_box, written


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        (r"so \boxed{7}.", "7"),
        (r"\boxed{1} and then $\boxed{\frac{1}{2^{3}}}$, done", r"\frac{1}{2^{3}}"),
        (r"\boxed{\left\{ 1, 2 \right\}}", r"\left\{ 1, 2 \right\}"),
        (r"so \boxed{7}. The answer is correct. Answer: 8", "7"),
        (r"so \boxed {5}", "5"),
        ("so\n- \\boxed{5}", "5"),
        (r"so **\boxed{5}**", "5"),
        (r"first \boxed{1}, finally $\boxed 5$", "5"),
        (r"so \fbox{42}", "42"),
        (r"\[ \boxed{42} \]", "42"),
        (r"\boxed{3} \pmod{7}", "3"),
        (r"$\boxed{28}$ to compute this.", "28"),
        (r"\boxed{\frac{1}{8}}. Alternatively, we can plug in $x$.", r"\frac{1}{8}"),
        (r"\boxed{5}\text{ cm}", r"5\text{ cm}"),
        (r"$\boxed{5}$ cents", r"5\text{ cents}"),
        (r"$x \in \boxed{(0,1)}$ in interval notation", "(0,1)"),
        (r"\boxed{7}, or $\boxed{7}$", "7"),
        ("#### 5\n#### $7\n", "$7"),
        ("The answer is 12.", "12"),
        ("The answer is 5 apples.", "5"),
        ("The answer is 5 cm.", r"5\text{ cm}"),
        ("The answer is $5, since 2+3=5.", "$5"),
        ("The answer is 5 million.", "5 million"),
        ("The final answer is $x + 1$. I hope it is correct.", "x + 1"),
        (r"**Answer:** \(\frac{1}{2}\)", r"\frac{1}{2}"),
        ("Answer: **5**", "5"),
        ("Answer: `$13$`", "13"),
        ("the answer is x^2 + 1. This follows from it.", "x^2 + 1"),
        (r"the answer is \frac{1}{2}, because it is half of it.", r"\frac{1}{2}"),
        ("The answer is 2 sqrt(3)", "2 sqrt(3)"),
        ("Answer: 5 or 6", "5 or 6"),
        ("The answer is 1.5", "1.5"),
        ("The answer is\n\n7", "7"),
        ("The answer is $x=3$ or $x=4$.", "x=3; x=4"),
        (r"the $\boxed{3}$ factors 10, 25 and 50", "3"),
        (r"$\boxed{\frac{1}{8}}$ of 2 feet", r"\frac{1}{8}"),
        ("The answer is 42</s>", "42"),
        ("The answer is 42<|im_end|>", "42"),
        ("<answer>The answer is 42</answer>", "42"),
        (r"<answer>\boxed{42}</answer>", "42"),
        (r"\boxed{90}^\circ", "90"),
        (r"_\boxed{5}_", "5"),
        ("The answer is the triple $(1,2,3)$.", "(1,2,3)"),
        (r"<think>so \boxed{41}</think>It is \boxed{42}", "42"),
    ],
)
def test_the_answer(completion: str, answer: str) -> None:
    assert written(completion, str.__eq__).text == answer


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        (r"\boxed{7", "the last box is not closed"),
        (r"\boxed{}", "the last box is empty"),
        (r"\boxed{7} no, \boxed{8", "the last box is not closed"),
        ("It is 7", "no answer in a box or behind a marker"),
        ("", "no answer in a box or behind a marker"),
        (r"<think>so \boxed{42}, but wait", "thinking that never ends"),
        (r"\boxed{11} \boxed{12} \boxed{13}", "several boxes side by side"),
        (r"\boxed{12} or $\boxed{13}$", "several boxes side by side"),
        (r"\boxed{12} or 13", "'or' behind the box"),
        (r"\boxed{12}?", "'?' behind the box"),
        (r"x = -\boxed{12}", "the box holds a part of a formula"),
        (r"\frac{1}{\boxed{12}}", "the box holds a part of a formula"),
        (r"3 + \boxed{12}", "the box holds a part of a formula"),
        (r"$\boxed{12}$, maybe", "'$, maybe' behind the box"),
        (r"\boxed{12}. Wait, that is wrong.", "'Wait' behind the box"),
        (r"\boxed{12} \pm 3", r"'\pm' behind the box"),
        (r"\boxed{12} and 13", "'and 1' behind the box"),
        (r"\boxed{12} + 13", "'+ 1' behind the box"),
        ("The answer is either $5$ or $6$.", "'either' before the formula"),
        ("The answer is 3 and $6$.", "'3 and' before the formula"),
        ("The answer is $5$ with $6$.", "several formulas in one sentence"),
        ("The answer is 5 dollars and 20 cents.", "'dollars and 2' behind the answer"),
        ("The answer is $5$ feet 3 inches.", "'feet 3' behind the answer"),
        (r"\boxed{5} dollars and 20 cents", "'dollars and 2' behind the box"),
        (r"\boxed{5}\pi", r"'\pi' behind the box"),
        (r"\boxed{5} million", "'million' behind the box"),
        (r"\boxed{5}\sqrt2", r"'\sqrt' behind the box"),
        (r"\boxed{5} \times 10^3", r"'\times' behind the box"),
        (r"\boxed{5}{,}000", "'{,}' behind the box"),
        (r"\boxed{5},000", "',0' behind the box"),
        (r"\boxed{5}.5", "'.5' behind the box"),
        (r"\boxed{5}^{2}", "'^' behind the box"),
        (r"\boxed{5}_{8}", "'_{8' behind the box"),
        (r"\boxed{5} \text{ or } \boxed{6}", "several boxes side by side"),
        (r"\textbf{\boxed{5}} or \textbf{\boxed{6}}", "several boxes side by side"),
        (r"\boxed{5}!", "'!' behind the box"),
        (r"\boxed{12} below zero", "'below zero' behind the box"),
        (r"\boxed{12}^\circ below zero", r"'^\circ below zero' behind the box"),
        ("\\boxed{12}°C below zero", "'°C below zero' behind the box"),
        ("(a) The answer is 12. (b) 13", "'(b) 1' behind the answer"),
        ("The answer is $12$. (b) $13$", "'(b) $1' behind the answer"),
        (r"(a) \boxed{12} (b) 13", "'(b) 1' behind the answer"),
        (r"negative $\boxed{5}$", "'negative $' before the answer"),
        ("The answer is $5$ million.", "'million' behind the formula"),
        ("The answer is minus $5$.", "'minus' before the formula"),
        ("The answer is half of $5$.", "'half of' before the formula"),
        ("The answer is less than $5$.", "'less than' before the formula"),
        ("The answer is $5$, maybe.", "'maybe' behind the answer"),
        ("I doubt that the answer is $5$", "'doubt' before 'answer is'"),
        ("The answer is 5 apples, or maybe 6.", "'or' behind the answer"),
    ],
)
def test_no_answer(completion: str, reason: str) -> None:
    with pytest.raises(NoAnswer) as refused:
        written(completion, str.__eq__)
    assert str(refused.value) == reason


def test_boxes_side_by_side_may_say_the_same() -> None:
    text = r"$15\frac{1}{2} = \boxed{15\frac{1}{2}}$ or $\boxed{15.5}$"
    assert written(text, lambda one, other: True).text == "15.5"


@pytest.mark.parametrize(
    ("completion", "unclosed"),
    [("The answer is 12", True), ("The answer is 12.", False), (r"\boxed{12}", False), ("The answer is $x$", False)],
)
def test_an_answer_that_nothing_closes_might_go_on(completion: str, unclosed: bool) -> None:
    assert written(completion, str.__eq__).open is unclosed


@pytest.mark.parametrize(
    ("completion", "plain"),
    [
        (r"The answer is $\boxed{1,234}$.", "1,234"),
        ("So\n\\boxed{-12}", "-12"),
        (r"\boxed{12} is \boxed{13}", None),
        (r"It is not \boxed{12}", None),
        (r"x = -\boxed{12}", None),
        (r"It is \boxed{12} or 13", None),
        (r"It is \boxed{x}", None),
        (r"<think>It is \boxed{12}", None),
    ],
)
def test_the_short_way_to_a_number_in_a_box(completion: str, plain: str | None) -> None:
    assert plain_box(completion) == plain
    if plain:
        assert written(completion, str.__eq__) == (plain, False)
