"""The verifier of mathematics: what it reads, what it takes for equal, and what a model cannot do to it."""

import json
from pathlib import Path

import pytest

from factory.attempt import Question
from factory.verifiers import judge
from factory.verifiers.math import Math, compare, final_answer


def asked(answer: str) -> Question:
    return Question("q1", "train", "How many?", answer)


@pytest.fixture(scope="module")
def math() -> Math:
    return Math(deadline=1)


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        (r"so \boxed{7}.", "7"),
        (r"\boxed{1} and then $\boxed{\frac{1}{2^{3}}}$, done", r"\frac{1}{2^{3}}"),
        (r"\boxed{\left\{ 1, 2 \right\}}", r"\left\{ 1, 2 \right\}"),
        (r"so \boxed{7}. The answer is correct. Answer: 8", "7"),
        ("#### 1,234", "1,234"),
        ("#### 5\n#### $7\n", "$7"),
        ("The answer is 12.", "12"),
        ("The answer is 5 apples.", "5"),
        ("The answer is $5, since 2+3=5.", "$5"),
        ("The final answer is $x + 1$. I hope it is correct.", "x + 1"),
        (r"**Answer:** \(\frac{1}{2}\)", r"\frac{1}{2}"),
        ("Answer: **5**", "5"),
        ("the answer is x^2 + 1. This follows from it.", "x^2 + 1"),
        ("The answer is 2 sqrt(3)", "2 sqrt(3)"),
        ("Answer: 5 or 6", "5 or 6"),
        ("The answer is 1.5", "1.5"),
        ("The answer is\n\n7", "7"),
        (r"\boxed{7", None),
        (r"\boxed{}", None),
        (r"\boxed{7} no, \boxed{8", None),
        ("The answer is .", None),
        ("It is 7", None),
        ("", None),
    ],
)
def test_the_final_answer(completion: str, answer: str | None) -> None:
    assert final_answer(completion) == answer


@pytest.mark.parametrize(
    ("gold", "predicted", "same"),
    [
        ("7", "7.0", True),
        ("7", "8", False),
        ("-7", "\N{MINUS SIGN}7", True),
        ("0.5", r"\dfrac{1}{2}", True),
        (r"\frac43", r"\frac{4}{3}", True),
        (r"\frac{-1}{2}", "-1/2", True),
        (r"1\frac{4}{5}", "1.8", True),
        (r"-1\frac{1}{2}", "-1.5", True),
        ("1/3", "0.333333", False),
        (r"10,\!080", "10080", True),
        (r"11,\! 111,\! 111,\! 100", "11,111,111,100", True),
        (r"\$32,\!348", "32348", True),
        ("1{,}234", "1234", True),
        (r"50\%", "50", True),
        ("50%", r"50\%", True),
        (r"50\%", "0.5", False),
        (r"90^\circ", "90", True),
        (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\frac{\pi}{2})", True),
        (r"\text{Evelyn}", "evelyn", True),
        ("x", "X", None),
        ("12", "1 2", None),
        ("100200", "100, 200", None),
        ("12", "52_8", None),
        ("3:30", "3:45", False),
        ("3:30", "3.5", False),
        ("52_8", "52_{8}", True),
        ("52_8", "52_9", False),
        (r"\frac{1}{0}", "1", None),
        ("1e99999999", "1", None),
        ("1_0", "10", None),
        ("9" * 900, "1", False),
    ],
)
def test_what_is_settled_without_sympy(gold: str, predicted: str, same: bool | None) -> None:
    assert compare(gold, predicted) is same


@pytest.mark.parametrize(
    ("gold", "predicted", "verdict"),
    [
        (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt 3}", "correct"),
        ("1,-2", "-2, 1", "correct"),
        ("(1,2)", "(2,1)", "wrong"),
        ("(3,4]", "[3,4]", "wrong"),
        ("100, 200", "100200", "wrong"),
        ("x=5", "5", "correct"),
        ("5", "x = 5", "correct"),
        ("52_8", "52", "correct"),
        (r"5.4 \text{ cents}", "5.4", "correct"),
        (r"15\mbox{ cm}^2", "15", "correct"),
        (r"\text{(C)}", "C", "correct"),
        (r"\text{(C)}", "(B)", "wrong"),
        (r"\text{east}", "seat", "wrong"),
        ("(a+5)(b+2)", "ab+2a+5b+10", "correct"),
        (r"x \in [-2,7]", "[-2,7]", "correct"),
        (r"3 \pm 2 \sqrt{2}", r"3+2\sqrt2, 3-2\sqrt2", "correct"),
        (r"\begin{pmatrix} 1/5 \\ -18/5 \end{pmatrix}", r"\begin{pmatrix} 0.2 \\ -3.6 \end{pmatrix}", "correct"),
        (r"\pi", "3.14159", "wrong"),
        ("12", "1 2", "wrong"),
        ("10", "1_0", "wrong"),
        ("3", "3/0", "wrong"),
        (r"50\% + x", "0.5 + x", "wrong"),
    ],
)
def test_what_only_sympy_can_tell(math: Math, gold: str, predicted: str, verdict: str) -> None:
    judged = math.verify(rf"\boxed{{{predicted}}}", asked(gold))
    assert (judged.verdict, judged.predicted_answer) == (verdict, predicted)


@pytest.mark.parametrize(
    "predicted",
    [
        "9^{9^{9^9}}",
        "(((((9!)!)!)!)!)!",
        "100000000!",
        r"\sqrt{" * 150 + "2" + "}" * 150,
        "{" * 400 + "7" + "}" * 400,
        "{" * 20_000 + "7" + "}" * 20_000,
        "(" * 900,
        r"\frac" * 20_000,
        r"\frac{1}{2}" * 80,
        r"\sum_{i=1}^{10^{10}} \frac{1}{i}",
        r"\begin{pmatrix}" + "1 & 2 \\\\ " * 90 + r"\end{pmatrix}",
        "1e999999999",
        "9" * 5000,
        "\x00",
        "7\x00",
        "\ud800",
        "\N{RIGHT-TO-LEFT OVERRIDE}7",
        "\\",
        "$",
        "%",
        "__import__('os').system('true')",
        "7 7 7",
        "}{",
        r"7}\boxed{7",
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_no_text_hangs_or_breaks_it_or_is_taken_for_right(math: Math, predicted: str) -> None:
    judged = math.verify(rf"\boxed{{{predicted}}}", asked("x^2+7"))
    assert judged.verdict in ("wrong", "unparseable", "error")
    assert math.verify(r"\boxed{7 + x^2}", asked("x^2+7")).verdict == "correct"


def test_a_comparison_that_takes_too_long_is_no_verdict_on_the_answer(math: Math) -> None:
    judged = judge(math, r"\boxed{9^{9^{9^9}}}", asked("7"), "stop")
    assert (judged.verdict, judged.predicted_answer) == ("error", "9^{9^{9^9}}")
    assert judged.reason == "verifier math: no result within 1 s"


def test_an_empty_gold_answer_is_an_error(math: Math) -> None:
    judged = judge(math, r"\boxed{7}", asked(" "), "stop")
    assert (judged.verdict, judged.reason) == ("error", "verifier math: ValueError: the gold answer is empty")


def test_every_gold_answer_of_math_500_is_accepted(math: Math, data: Path) -> None:
    rows = [json.loads(line) for line in (data / "math500" / "test.jsonl").read_text().splitlines()]
    assert len(rows) == 500
    for row in rows:
        question = asked(row["answer"])
        for completion in (row["solution"], math.state(question)):
            assert math.verify(completion, question).verdict == "correct", completion
