"""Verifiers: what they read as the final answer, and the five verdicts."""

import json
import random
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest

from factory.attempt import Question
from factory.verifiers import Verdict, Verifier, judge
from factory.verifiers.answer import may_go_on, plain_ending
from factory.verifiers.exact import Exact
from factory.verifiers.number import parse_number
from factory.verifiers.numeric import Numeric
from schemas.rollouts import VERDICTS


def asked(answer: str) -> Question:
    return Question("q1", "train", "How many?", answer)


@pytest.mark.parametrize(
    ("completion", "answer", "verdict", "predicted"),
    [
        ("4+9+0=13\nThe answer is 13", "13", "correct", "13"),
        ("The answer is 13", "31", "wrong", "13"),
        ("The answer is  13 . \nand so on", "13", "correct", "13"),
        ("The answer is 13\r\n", "13", "correct", "13"),
        ("The answer is Blotter (E).", "blotter (e)", "correct", "blotter (e)"),
        ("The answer is 13 apples", "13", "wrong", "13 apples"),
        ("The answer is 013", "13", "wrong", "013"),
        ("The answer is: 13", "13", "correct", "13"),
        ("**The answer is** 13", "13", "correct", "13"),
        ("The answer is **13**.", "13", "correct", "13"),
        ("The answer is 13<|im_end|>", "13", "correct", "13"),
        ("<think>The answer is 12</think>\nThe answer is 13", "13", "correct", "13"),
        ("<think>\nThe answer is 12\n</think>\nIt is 13.", "12", "unparseable", None),
        ("The answer is cafe\u0301", "caf\u00e9", "correct", "caf\u00e9"),
        ("The answer is 13 or 14", "13", "unparseable", None),
        ("The answer is 13 or 14", "13 or 14", "correct", "13 or 14"),
        ("The answer is not 13", "13", "unparseable", None),
        ("I doubt that The answer is 13", "13", "unparseable", None),
        ("The answer is 13\nWait, it is 14", "13", "unparseable", None),
        ("The answer is *", "*", "correct", "*"),
        ("The answer is 1\nNo: The answer is 2", "2", "correct", "2"),
        ("The answer is 1\nNo: The answer is 2", "1", "wrong", "2"),
        ("The answer is 2\n\nQ: 3+3\nThe answer is 6", "2", "correct", "2"),
        ("the answer is 13", "13", "unparseable", None),
        ("It is 13", "13", "unparseable", None),
        ("The answer is", "13", "unparseable", None),
        ("The answer is .", "13", "unparseable", None),
        ("The answer is\n13", "13", "unparseable", None),
        ("", "13", "unparseable", None),
    ],
)
def test_exact(completion: str, answer: str, verdict: str, predicted: str | None) -> None:
    judged = Exact().verify(completion, asked(answer))
    assert (judged.verdict, judged.predicted_answer) == (verdict, predicted)


def test_exact_with_a_marker_of_its_own() -> None:
    verifier = Exact(marker="####")
    assert verifier.verify("The answer is 1\n#### 2", asked("2")).verdict == "correct"
    assert verifier.verify("The answer is 2", asked("2")).verdict == "unparseable"


@pytest.mark.parametrize(
    ("completion", "answer", "verdict", "predicted"),
    [
        # where the answer stands
        ("The answer is 7.", "7", "correct", "7"),
        ("the ANSWER is: 7", "7", "correct", "7"),
        ("Answer: 7", "7", "correct", "7"),
        ("The answer is **7**", "7", "correct", "7"),
        ("The answer is (7)", "7", "correct", "7"),
        ("The answer is\n7", "7", "correct", "7"),
        ("3 + 4 = 7\n#### 7", "7", "correct", "7"),
        (r"so \boxed{7}.", "7", "correct", "7"),
        (r"so \boxed{\$7}.", "7", "correct", "7"),
        (r"\boxed{x = 7}", "7", "correct", "7"),
        ("The answer is 3 + 4 = 7", "7", "correct", "7"),
        ("The answer is 3 + 4 = 7", "3", "wrong", "7"),
        ("The answer is 7 apples and 3 pears", "7", "correct", "7"),
        ("The answer is 7 (since 3+4=7).", "7", "correct", "7"),
        ("#### 5 is wrong\n#### 7", "7", "correct", "7"),
        ("There are 3 and 4, so 7 of them", "7", "correct", "7"),
        ("There are 3 and 4, so 7 of them", "4", "wrong", "7"),
        # how it is written
        ("#### 1,234,567", "1234567", "correct", "1,234,567"),
        ("#### 1234", "1,234", "correct", "1234"),
        ("The answer is $5.00.", "5", "correct", "5.00"),
        ("The answer is -$5", "-5", "correct", "-5"),
        ("The answer is \N{MINUS SIGN}5", "-5", "correct", "-5"),
        ("The answer is 5", "\N{MINUS SIGN}5", "wrong", "5"),
        ("The answer is 50%", "50", "correct", "50"),
        ("The answer is 3/4", "0.75", "correct", "3/4"),
        ("The answer is .75", "3/4", "correct", ".75"),
        ("The answer is 1/3", "0.333", "wrong", "1/3"),
        ("The answer is 0.1", "0.1000", "correct", "0.1"),
        ("The answer is 100000000000000000001", "100000000000000000000", "wrong", "100000000000000000001"),
        ("5-3", "3", "unparseable", None),
        ("5 - 3", "-3", "unparseable", None),
        ("It is between 5 and -3", "-3", "unparseable", None),
        ("The answer is 3/0", "3", "wrong", "3/0"),
        # what ran away into a question of its own is no part of the answer
        ("The answer is 7\nQ: And 3+5?\nA: 8", "7", "correct", "7"),
        ("The answer is 7\nQ: And 3+5?\nA: The answer is 8", "7", "correct", "7"),
        # nothing to read
        ("", "7", "unparseable", None),
        ("I do not know.", "7", "unparseable", None),
        ("I have 7, but the answer is not known", "7", "unparseable", None),
        ("7 of them\n####", "7", "unparseable", None),
    ],
)
def test_numeric(completion: str, answer: str, verdict: str, predicted: str | None) -> None:
    judged = Numeric().verify(completion, asked(answer))
    assert (judged.verdict, judged.predicted_answer) == (verdict, predicted)


@pytest.mark.parametrize(
    ("completion", "part"),
    [
        ("The answer is 3/4", "3"),
        ("The answer is 1,234", "1"),
        ("The answer is 0.5", "5"),
        (r"\boxed{\frac{3}{4}}", "3"),
        ("The answer is 2 1/2", "2"),
        ("The answer is 1.5e3", "1.5"),
        ("The answer is 7 = 3 + 4", "3"),
    ],
)
def test_a_part_of_the_final_number_is_not_the_answer(completion: str, part: str) -> None:
    assert Numeric().verify(completion, asked(part)).verdict != "correct"


def test_numeric_that_reads_marked_answers_only() -> None:
    verifier = Numeric(marked_only=True)
    assert verifier.verify("There are 7", asked("7")).verdict == "unparseable"
    assert verifier.verify("There are 3. The answer is 7", asked("7")).verdict == "correct"


def test_the_short_way_to_a_number_finds_what_the_long_way_does() -> None:
    draw = random.Random(0)
    marks = [
        "####",
        "\nThe answer is",
        "#####",
        "answer is",
        "the answer is ",
        "myanswer is",
        "_answer is",
        "Answer: ",
        r"\boxed{",
        " = ",
    ]
    numbers = ["7", "-7", "- 7", "007", "1,234", "1234,567", "12,34", "1,234,567.5", "3/4", "2 1/2", "1e3", "+5", "7."]
    others = [
        " ",
        "\n",
        "\t",
        ".",
        ",",
        "$",
        "%",
        "}",
        "x",
        "It is 3. ",
        "\N{MINUS SIGN}7",
        "\N{NO-BREAK SPACE}",
        "9" * 40,
    ]
    found = 0
    for _ in range(32_000):
        parts = [draw.choice(draw.choice((marks, numbers, others))) for _ in range(draw.randint(0, 4))]
        text = "".join([*parts, draw.choice(marks), draw.choice(["", " "]), draw.choice(numbers), draw.choice(others)])
        short = plain_ending(text)
        if short is not None:
            found += 1
            number, unclosed = Numeric()._final_number(text)
            assert (number.written, unclosed) == (short, may_go_on(text)), text
    assert found > 1000


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", Fraction(7)),
        (" -1,234.50 ", Fraction(-2469, 2)),
        ("$5.", Fraction(5)),
        ("20%", Fraction(20)),
        ("6/8", Fraction(3, 4)),
        ("\N{MINUS SIGN}0.5", Fraction(-1, 2)),
        ("", None),
        ("seven", None),
        ("7 apples", None),
        ("3/0", None),
        ("9" * 5000, None),  # beyond what Python reads
    ],
)
def test_parse_number(text: str, value: Fraction | None) -> None:
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("completion", "gold", "verdict"),
    [
        ("5/6", "0.8333333333333334", "correct"),
        ("0.8333333333333334", "0.8333333333333334", "correct"),
        ("0.3", "0.30000000000000004", "correct"),
        ("12345678.9", "12345678.900000001", "correct"),
        ("1/3", "0.333333", "correct"),
        ("1/3", "33.333333%", "wrong"),
        ("0.833333", "0.8333333333333334", "wrong"),
        ("2", "2.0000001", "wrong"),
        ("0", "0.0000001", "wrong"),
        ("1/3", "0.33333", "wrong"),
        ("1/3", "0.333", "wrong"),
        ("1", "1e-999", "wrong"),
    ],
)
def test_a_gold_that_is_a_rounded_float_is_met_by_what_rounds_to_it(completion: str, gold: str, verdict: str) -> None:
    assert Numeric().verify(f"The answer is {completion}.", asked(gold)).verdict == verdict


@pytest.mark.parametrize("gold", ["1e10000000", "9" * 5000, "1e999999999999", "2^99999999"])
def test_a_monstrous_gold_answer_is_refused_at_once(gold: str) -> None:
    started = time.process_time()
    judged = judge(Numeric(), "The answer is 1.", asked(gold), "stop")
    assert judged.verdict == "error"
    assert time.process_time() - started < 1


@pytest.mark.parametrize("verifier", [Exact(), Exact(marker="####"), Numeric(), Numeric(marked_only=True)])
@pytest.mark.parametrize("answer", ["0", "7", "-12", "1,234", "3.5", "10000000"])
def test_the_gold_answer_as_a_verifier_states_it_is_accepted(verifier: Verifier, answer: str) -> None:
    assert verifier.verify(verifier.state(asked(answer)), asked(answer)) == Verdict("correct", answer)


@dataclass(frozen=True)
class Broken:
    name: str = "broken"
    version: str = "1"

    def verify(self, completion: str, question: Question) -> Verdict:
        raise RecursionError("too deep")

    def state(self, answer: str) -> str:
        return answer


@pytest.mark.parametrize(
    ("verifier", "completion", "finish_reason", "verdict", "reason"),
    [
        (Numeric(), "The answer is 7", "stop", "correct", None),
        (Numeric(), "The answer is 7 and I go on and", "length", "correct", None),
        (Numeric(), "The answer is 8.", "length", "wrong", None),
        (Numeric(), "The answer is 8", "length", "truncated", "the token limit came before a final answer"),
        (Numeric(), "The answer is 7 thou", "length", "truncated", "the token limit came before a final answer"),
        (Numeric(), "The answer is 7 apples", "length", "correct", None),
        (Numeric(), r"\boxed{7}", "length", "correct", None),
        (Numeric(), r"\boxed{7", "length", "truncated", "the token limit came before a final answer"),
        (Numeric(), "#### 7\n", "length", "correct", None),
        (Numeric(), "So there are 7 of them", "length", "truncated", "the token limit came before a final answer"),
        (Numeric(), "I do not know", "stop", "unparseable", "no number where the answer should be"),
        (Numeric(), "First I take", "length", "truncated", "the token limit came before a final answer"),
        (Exact(), "4+9+0=13\n2+5", "length", "truncated", "the token limit came before a final answer"),
        (Exact(), "4+9+0=13\n2+5", "stop", "unparseable", "no 'The answer is'"),
        (Broken(), "The answer is 7", "stop", "error", "verifier broken: RecursionError: too deep"),
        (Broken(), "The answer is 7", "length", "error", "verifier broken: RecursionError: too deep"),
    ],
)
def test_the_five_verdicts(
    verifier: Verifier, completion: str, finish_reason: str, verdict: str, reason: str | None
) -> None:
    judged = judge(verifier, completion, asked("7"), finish_reason)
    assert (judged.verdict, judged.reason) == (verdict, reason)
    assert judged.verdict in VERDICTS


def test_a_gold_answer_that_is_no_number_is_an_error_and_not_the_models() -> None:
    judged = judge(Numeric(), "The answer is 7", asked("seven"), "stop")
    assert judged == Verdict("error", None, "verifier numeric: ValueError: the gold answer 'seven' is not a number")


@pytest.mark.parametrize(("file", "rows"), [("train.jsonl", 7473), ("test.jsonl", 1319)])
def test_every_gold_answer_of_gsm8k_is_accepted(file: str, rows: int, data: Path) -> None:
    solutions = [json.loads(line)["answer"] for line in (data / "gsm8k" / file).read_text().splitlines()]
    assert len(solutions) == rows
    for solution in solutions:
        gold = solution.rpartition("####")[2].strip()
        for completion in (solution, Numeric().state(asked(gold)), f"So there are {gold} of them."):
            assert Numeric().verify(completion, asked(gold)).verdict == "correct", completion
