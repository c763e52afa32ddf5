"""The verifier of multiple choice: which choice a completion names, and when it names none or several."""

import json
from pathlib import Path

import pytest

from factory.attempt import Question
from factory.prompts import Choices
from factory.verifiers import judge
from factory.verifiers.choice import Choice


def choices(*texts: str, labels: str = "ABCDEFGHIJ") -> Choices:
    return [{"label": label, "text": text} for label, text in zip(labels, texts, strict=False)]


def asked(answer: str, of: Choices | None) -> Question:
    return Question("q1", "train", "Where?", answer, of)


PLACES = choices("apple", "pear", "bank", "bank vault", "washington d.c")


@pytest.mark.parametrize(
    ("completion", "label"),
    [
        # STaR's form
        ("It is soaked up. Therefore, the answer is pear (b).", "B"),
        ("The answer is bank vault (d).", "D"),
        ("The answer is the bank (c). A bank vault (d) is within.", "C"),
        ("The answer is Washington D.C. (e). It is there.", "E"),
        # by label
        ("**Answer: C**", "C"),
        ("**Answer:** C", "C"),
        ("Answer: (C)", "C"),
        ("answer is c", "C"),
        ("The answer is C.", "C"),
        ("The answer is C)", "C"),
        ("The answer is: option C", "C"),
        ("The correct answer is **(C) bank**", "C"),
        ("The answer is C. Bank", "C"),
        ("The answer is C. It is not (a).", "C"),
        ("The answer is C because a bank has one", "C"),
        ("The answer is\n\n(d)", "D"),
        (r"so \boxed{C}.", "C"),
        (r"so $\boxed{\text{(C)}}$", "C"),
        ("#### C", "C"),
        # by text
        ("the answer is a bank", "C"),
        ("The answer is the Bank Vault.", "D"),
        ("the answer is e.g. a pear", "B"),
        ("the answer is Washington D.C. for it is the capital.", "E"),
        # the last marker counts
        ("The answer is (a). No, the answer is (b).", "B"),
        # nothing but a choice
        ("C", "C"),
        (" (c) bank\n", "C"),
        ("bank vault.", "D"),
    ],
)
def test_the_choice_that_is_named(completion: str, label: str) -> None:
    other = "A" if label != "A" else "B"
    judged = Choice().verify(completion, asked(label, PLACES))
    assert (judged.verdict, judged.predicted_answer) == ("correct", label)
    judged = Choice().verify(completion, asked(other, PLACES))
    assert (judged.verdict, judged.predicted_answer) == ("wrong", label)


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        ("The answer is apple (a) or pear (b).", "names A and B"),
        ("The answer is A or B", "names A and B"),
        ("The answer is a/b", "names A and B"),
        ("Answer: A, B", "names A and B"),
        ("The answer is (a), (b) or (c)", "names A and B and C"),
        ("The answer is apple or pear", "names A and B"),
        ("The answer is pear (a).", "names A and B"),
        ("The answer is A: pear", "names A and B"),
        ("The answer is A bank", "names A and C"),
        ("The answer is not (a).", "names no choice"),
        ("The answer is a savings account", "names no choice"),
        ("The answer is (f)", "names no choice"),
        ("The answer is", "names no choice"),
        ("The answer is banks", "names no choice"),
        ("I would go to the bank", "no 'answer is'"),
        ("A or B", "no 'answer is'"),
        ("", "no 'answer is'"),
    ],
)
def test_what_names_no_choice_or_several(completion: str, reason: str) -> None:
    judged = Choice().verify(completion, asked("A", PLACES))
    assert (judged.verdict, judged.predicted_answer, judged.reason) == ("unparseable", None, reason)


@pytest.mark.parametrize(
    "of",
    [
        choices("C", "A", "B"),
        choices("a", "b", "c"),
        choices("1", "2", "3"),
        choices("2", "3", "1", labels="123"),
        choices("bank", "bank", "the bank"),
        choices("(none of these)", "not known", "the answer is: A"[:3]),
        choices("3.5", "3", "5."),
        choices("a (b) c", "b", "x.y z."),
        choices("", "b", "c"),
    ],
)
def test_the_gold_answer_as_it_is_stated_is_accepted_whatever_the_texts(of: Choices) -> None:
    for choice in of:
        for gold in (choice["label"], choice["label"].lower()):
            judged = Choice().verify(Choice().state(asked(gold, of)), asked(gold, of))
            assert (judged.verdict, judged.predicted_answer) == ("correct", choice["label"])


def test_a_text_that_two_choices_have_names_neither() -> None:
    judged = Choice().verify("The answer is bank.", asked("A", choices("bank", "bank", "pear")))
    assert (judged.verdict, judged.reason) == ("unparseable", "names A and B")


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (asked("A", None), "ValueError: the question has no choices"),
        (asked("F", PLACES), "ValueError: the gold answer 'F' is none of the labels A, B, C, D, E"),
    ],
)
def test_a_question_that_is_at_fault(question: Question, reason: str) -> None:
    judged = judge(Choice(), "The answer is (a).", question, "stop")
    assert (judged.verdict, judged.reason) == ("error", f"verifier choice: {reason}")


@pytest.mark.parametrize(("file", "rows"), [("train_rand_split.jsonl", 9741), ("dev_rand_split.jsonl", 1221)])
def test_every_gold_answer_of_commonsense_qa_is_accepted(file: str, rows: int, data: Path) -> None:
    lines = (data / "commonsense_qa" / file).read_text().splitlines()
    assert len(lines) == rows
    for row in map(json.loads, lines):
        question = asked(row["answerKey"], row["question"]["choices"])
        text = {choice["label"]: choice["text"] for choice in question.choices or []}[question.answer]
        for completion in (
            Choice().state(question),
            f"Answer: {question.answer}",
            f"**Answer: {question.answer}. {text}**",
            f"It is the best. So the answer is ({question.answer.lower()}) {text}.",
        ):
            assert Choice().verify(completion, question).verdict == "correct", completion
