"""A hint is in the prompt that is sampled and never in the one that is trained on; strategies ask for it when due."""

import random
from pathlib import Path

import pytest
import yaml

from factory.prompts import Prompt

EXEMPLARS = [
    {"question": "1+1", "answer": 2, "rationale": "1+1+0=02\nThe answer is 2\n"},
    {"question": "5+6", "answer": "11", "rationale": "5+6+0=11\nThe answer is 11"},
]


@pytest.fixture
def exemplars(tmp_path: Path) -> Path:
    path = tmp_path / "exemplars.yaml"
    path.write_text(yaml.safe_dump(EXEMPLARS))
    return path


def sums() -> list[tuple[str, str]]:
    """Questions and answers; in some the answer stands in the question already, as in 0+7 and 12 of 112+0."""
    draw = random.Random(0)
    pairs = [(a, b) for a in range(10) for b in range(10)] + [(112, 0), (0, 0), (1000, 1000)]
    pairs += [(draw.randrange(10**5), draw.randrange(10**i)) for i in range(6) for _ in range(50)]
    return [(f"{a}+{b}", str(a + b)) for a, b in pairs]


HINTS = ["{question} ({answer})", "{question}\nThe answer is [{answer}]. Why?", "{answer} is the answer to: {question}"]


@pytest.mark.parametrize("hint", HINTS)
@pytest.mark.parametrize("instruction", [None, "Add the numbers."])
@pytest.mark.parametrize("shown", ["no exemplars", "exemplars", "exemplars in training"])
def test_a_hint_is_sampled_and_never_trained_on(
    exemplars: Path, hint: str, instruction: str | None, shown: str
) -> None:
    prompt = Prompt(
        instruction=instruction,
        hint=hint,
        exemplars=None if shown == "no exemplars" else exemplars,
        exemplars_in_training=shown == "exemplars in training",
    )
    all_sums = sums()
    assert any(answer in question for question, answer in all_sums)
    for question, answer in all_sums:
        hinted = prompt.sampling_messages(question, answer, None, 0, hinted=True)
        plain = prompt.sampling_messages(question, answer, None, 0, hinted=False)
        trained = prompt.training_messages(question, None)
        form = hint.format(question=question, answer=answer)
        assert hinted[-1] == {"role": "user", "content": form}
        assert plain[-1] == trained[-1] == {"role": "user", "content": question}
        assert [message["role"] for message in hinted] == [message["role"] for message in plain]
        # hinted and unhinted exemplars differ in nothing but the hint, and no training prompt shows theirs either
        for message in [*plain, *trained]:
            assert message["content"] != form
            assert "(" not in message["content"]
            assert "[" not in message["content"]
            assert "is the answer to" not in message["content"]
        if shown != "exemplars":
            assert trained == plain


def test_what_a_prompt_shows_in_which_order(exemplars: Path) -> None:
    prompt = Prompt(instruction="Add.", exemplars=exemplars)
    one, two = (exemplar["rationale"].strip() for exemplar in EXEMPLARS)
    said = [
        ("system", "Add."),
        ("user", "1+1"),
        ("assistant", one),
        ("user", "5+6"),
        ("assistant", two),
        ("user", "3+4"),
    ]
    messages = prompt.sampling_messages("3+4", "7", None, 0, hinted=False)
    assert [(message["role"], message["content"]) for message in messages] == said
    hinted = [message["content"] for message in prompt.sampling_messages("3+4", "7", None, 0, hinted=True)]
    assert hinted == ["Add.", "1+1 (2)", one, "5+6 (11)", two, "3+4 (7)"]
    assert [message["content"] for message in prompt.training_messages("3+4", None)] == ["Add.", "3+4"]


@pytest.mark.parametrize(("until", "shown"), [(None, [1, 1, 1, 1]), (0, [0, 0, 0, 0]), (2, [1, 1, 0, 0])])
@pytest.mark.parametrize("hinted", [False, True])
def test_exemplars_are_shown_until_a_generation(
    exemplars: Path, until: int | None, shown: list[int], hinted: bool
) -> None:
    prompt = Prompt(exemplars=exemplars, exemplar_generations=until)
    lengths = [len(prompt.sampling_messages("3+4", "7", None, generation, hinted)) for generation in range(4)]
    assert lengths == [1 + 4 * number for number in shown]
    assert len(prompt.training_messages("3+4", None)) == 1


def test_braces_of_a_question_are_left_alone() -> None:
    (message,) = Prompt().sampling_messages("What is {x} in {0}?", "{1, 2}", None, 0, hinted=True)
    assert message["content"] == "What is {x} in {0}? ({1, 2})"


CHOICES = [{"label": "A", "text": "pen"}, {"label": "B", "text": "blotter"}]


def test_choices_are_shown_and_only_a_hint_marks_the_right_one(tmp_path: Path) -> None:
    file = tmp_path / "exemplars.yaml"
    file.write_text("- {question: 'What writes?', choices: {A: ink, B: nib}, answer: B, rationale: It is nib (b).}\n")
    prompt = Prompt(exemplars=file, exemplars_in_training=True)
    asked = "What dries?\nAnswer Choices:\n(a) pen\n(b) blotter"
    shown = "What writes?\nAnswer Choices:\n(a) ink\n(b) nib"
    plain = prompt.sampling_messages("What dries?", "B", CHOICES, 0, hinted=False)
    hinted = prompt.sampling_messages("What dries?", "B", CHOICES, 0, hinted=True)
    assert [message["content"] for message in plain] == [shown, "It is nib (b).", asked]
    assert [message["content"] for message in hinted] == [
        f"{shown} (CORRECT)",
        "It is nib (b).",
        f"{asked} (CORRECT)",
    ]
    assert prompt.training_messages("What dries?", CHOICES) == plain


def test_the_mark_of_the_right_choice_is_a_setting() -> None:
    (message,) = Prompt(choice_hint="* {choice}").sampling_messages("What dries?", "a", CHOICES, 0, hinted=True)
    assert message["content"] == "What dries?\nAnswer Choices:\n* (a) pen\n(b) blotter"


def test_a_dialogue_shows_each_attempt_with_feedback() -> None:
    prompt = Prompt(instruction="Add.", feedback="Wrong. Again: {question}")
    sampling = prompt.sampling_messages("3+4", "7", None, 0, hinted=False, tried=["It is 6.", "It is 8."])
    assert [(message["role"], message["content"]) for message in sampling] == [
        ("system", "Add."),
        ("user", "3+4"),
        ("assistant", "It is 6."),
        ("user", "Wrong. Again: 3+4"),
        ("assistant", "It is 8."),
        ("user", "Wrong. Again: 3+4"),
    ]
    assert prompt.training_messages("3+4", None, tried=["It is 6.", "It is 8."]) == sampling
    hinted = prompt.sampling_messages("3+4", "7", None, 0, hinted=True, tried=["It is 6."])
    assert [message["content"] for message in hinted] == ["Add.", "3+4 (7)", "It is 6.", "Wrong. Again: 3+4"]
