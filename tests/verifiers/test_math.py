"""The verifier of mathematics: its verdicts, what a model cannot do to it, and what that costs."""

import json
import random
import time
from pathlib import Path

import pytest

from factory.attempt import Question
from factory.verifiers import judge
from factory.verifiers.math import MAX_LENGTH, Math, compare, load


def asked(answer: str) -> Question:
    return Question("q1", "train", "How many?", answer)


@pytest.fixture(scope="module")
def math() -> Math:
    return Math(deadline=1)


@pytest.mark.parametrize(
    ("completion", "gold", "verdict"),
    [
        ("#### 1,234", "1234", "correct"),
        ("The answer is 12.", "12", "correct"),
        ("The answer is 12.", "13", "wrong"),
        ("The answer is 12 or 13.", "12", "wrong"),
        ("The answer is not 12, it is 15.", "12", "wrong"),
        ("The answer is $\\frac{1}{2}$.", "0.5", "correct"),
        ("The answer is $5$ cents.", r"\$5", "wrong"),
        (r"Hence \boxed{50\%}", "0.5", "correct"),
        (r"$15\frac12$, that is, \boxed{15\frac{1}{2}} or $\boxed{\frac{31}{2}}$", "15.5", "correct"),
        (r"\boxed{15.25} or $\boxed{\frac{31}{2}}$", "15.5", "unparseable"),
        (r"\boxed{7", "7", "unparseable"),
        ("It is 7", "7", "unparseable"),
        ("", "7", "unparseable"),
        (r"\boxed{1 + 9999}", "1" + "0" * 4, "correct"),
        (rf"\boxed{{1{' + 1' * 400}}}", "401", "unparseable"),
    ],
)
def test_the_verdict(math: Math, completion: str, gold: str, verdict: str) -> None:
    assert math.verify(completion, asked(gold)).verdict == verdict


@pytest.mark.parametrize(
    ("completion", "verdict"),
    [
        (r"so \boxed{42} no wait \boxed{4", "truncated"),
        (r"<think>so \boxed{42}, but wait", "truncated"),
        ("The answer is 42", "truncated"),
        (r"so \boxed{42}. It", "correct"),
    ],
)
def test_a_completion_that_was_cut_off(math: Math, completion: str, verdict: str) -> None:
    assert judge(math, completion, asked("42"), "length").verdict == verdict


@pytest.mark.parametrize(
    ("gold", "predicted", "same"),
    [
        ("7", "7.0", True),
        ("7", "8", False),
        ("1,234", "1234", True),
        ("-0.5", "-1/2", True),
        ("0.083333", "0.0833333", True),
        (r"\pi", r"\pi", True),
        ("x", "X", None),
        ("12", "1 2", None),
        ("12", "52_8", None),
        ("1", "3/0", None),
        ("1e99999999", "1", None),
        ("9" * 900, "1", False),
        ("9" * 9000, "1", None),
    ],
)
def test_what_is_settled_without_a_child(gold: str, predicted: str, same: bool | None) -> None:
    assert compare(gold, predicted) is same


@pytest.mark.parametrize(
    "predicted",
    [
        "9^{9^{9^9}}",
        "2^{2^{2^{2^{2^{2}}}}}",
        "(((((9!)!)!)!)!)!",
        "100000000!",
        "x^{10^{9}}",
        "e^{e^{e^{e^{10}}}}",
        r"\sinh{10^{9}}",
        r"\sin{10^{10^{3}}}",
        r"\binom{10^9}{10^8}",
        r"\log_{2^5}(\log_{2^4}(\log_{2^3}(\log_2x))) = 2^{2^{2^{2^{24}}}}",
        r"\sin(\tan(-4x^2-3)^3)",
        r"\sqrt{" * 150 + "2" + "}" * 150,
        "{" * 400 + "7" + "}" * 400,
        "{" * 20_000 + "7" + "}" * 20_000,
        "(" * 900,
        "1" + "+1" * 490,
        "x!" * 490,
        "1," * 490,
        r"\pm" * 300 + "1",
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
    assert "no result within" not in str(judged.reason)
    assert math.verify(r"\boxed{7 + x^2}", asked("x^2+7")).verdict == "correct"


def test_a_number_too_large_to_be_computed_is_no_verdict_on_the_answer(math: Math) -> None:
    judged = judge(math, r"\boxed{9^{9^{9^9}}}", asked("7"), "stop")
    assert (judged.verdict, judged.predicted_answer) == ("error", "9^{9^{9^9}}")
    assert judged.reason == "verifier math: a power in it is too large to be computed"


def test_a_gold_answer_beyond_all_numbers_takes_no_time(math: Math) -> None:
    assert math.verify(r"\boxed{1e10000000}", asked("1e10000000")).verdict == "correct"
    assert math.verify(r"\boxed{7}", asked("1e10000000")).verdict == "error"


def test_an_empty_gold_answer_is_an_error(math: Math) -> None:
    judged = judge(math, r"\boxed{7}", asked(" "), "stop")
    assert (judged.verdict, judged.reason) == ("error", "verifier math: ValueError: the gold answer is empty")


FRAGMENTS = [
    *("\\boxed{", "\\boxed ", "\\fbox{", "}", "{", "$", "\\(", "\\)", "\\[", "\\]", "####", "The answer is ", "answer"),
    *(". ", "\n", " ", "1", "1,000", "-", "or ", "and ", "wait", "hmm", "<think>", "</think>", "<answer>", "</answer>"),
    *("\\frac", "\\text{", "^", "_", "12", "B", "?", "*", "Q:", "<|im_end|>", "\\pm", "x", "maybe ", ", ", "= "),
]


@pytest.mark.parametrize("seed", range(60))
def test_the_cost_of_a_megabyte_is_bounded(math: Math, seed: int) -> None:
    """The bound is generous, for a busy machine: what is quadratic takes minutes."""
    draw = random.Random(seed)
    piece = "".join(draw.choices(FRAGMENTS, k=draw.randint(1, 4)))
    text = draw.choice(["", "The answer is ", "\\boxed{"]) + piece * (1_000_000 // len(piece))
    started = time.thread_time()
    math.verify(text, asked("x^2"))
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("seed", range(60))
def test_the_comparison_of_any_text_ends(seed: int) -> None:
    draw = random.Random(seed)
    parts = draw.choices([*FRAGMENTS, *"!()[],;<9", "\\cup", "\\in"], k=draw.randint(1, 150))
    started = time.thread_time()
    load()("x^2", "".join(parts)[:MAX_LENGTH])
    assert time.thread_time() - started < 1


def test_every_gold_answer_of_math_500_is_accepted(math: Math, data: Path) -> None:
    rows = [json.loads(line) for line in (data / "math500" / "test.jsonl").read_text().splitlines()]
    assert len(rows) == 500
    for row in rows:
        question = asked(row["answer"])
        for completion in (row["solution"], math.state(question)):
            assert math.verify(completion, question).verdict == "correct", completion


def test_every_gold_answer_of_gsm8k_is_accepted(math: Math, data: Path) -> None:
    rows = [json.loads(line) for line in (data / "gsm8k" / "test.jsonl").read_text().splitlines()]
    for row in rows:
        question = asked(row["answer"].rpartition("####")[2].strip())
        for completion in (row["answer"], math.state(question)):
            assert math.verify(completion, question).verdict == "correct", completion
