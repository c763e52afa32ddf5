"""A hint is in the prompt that is sampled and never in the one that is trained on; strategies ask for it when due."""

import asyncio
import itertools
import random
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from factory.attempt import Attempt, Question
from factory.corpora.arithmetic import arithmetic
from factory.prompts import Prompt
from factory.run import Run, write_table
from factory.seeds import reference_examples, warmup_examples
from factory.strategies.independent import independent
from factory.strategies.star import star
from schemas import EXAMPLES, QUESTIONS

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


# --- seed questions


@pytest.fixture
def seeded(tmp_path: Path) -> Run:
    rows = [row for row in arithmetic({}, {}, seeds={1: 5, 3: 40}) if row["split"] == "seed"]
    for shard, part in enumerate((rows[:30], rows[30:])):
        table = pa.Table.from_pylist(part, schema=QUESTIONS)
        write_table(tmp_path / "run" / "questions" / "seed" / f"{shard:05}.parquet", table)
    return Run(tmp_path / "run")


def test_seeds_become_examples_without_hints(seeded: Run) -> None:
    examples = reference_examples(seeded, Prompt(instruction="Add."), generation=3)
    assert examples.schema.equals(EXAMPLES, check_metadata=True)
    rows = examples.to_pylist()
    assert len(rows) == len({row["example_id"] for row in rows}) == 45
    for row in rows:
        said = [("system", "Add."), ("user", row["question"]), ("assistant", row["rationale"])]
        assert [(message["role"], message["content"]) for message in row["messages"]] == said
        assert (row["origin"], row["generation"], row["weight"], row["model"]) == ("reference", 3, 1.0, None)


@pytest.mark.parametrize("hinted", [False, True])
def test_a_base_is_warmed_up_on_seeds_with_and_without_their_hint(seeded: Run, hinted: bool) -> None:
    asked = [row["messages"][0]["content"] for row in warmup_examples(seeded, Prompt(), hinted).to_pylist()]
    seeds = reference_examples(seeded, Prompt(), generation=0).to_pylist()
    expected = [[row["question"]] + hinted * [f"{row['question']} ({row['answer']})"] for row in seeds]
    assert asked == list(itertools.chain(*expected))


# --- strategies


class FakeAsk:
    """Answers with the verdicts it is given, one after the other, and notes what it was asked."""

    def __init__(self, *verdicts: str):
        self.verdicts, self.asked = iter(verdicts), list[tuple[int, bool]]()

    async def __call__(self, question: Question, /, *, n: int = 1, hint: bool = False) -> list[Attempt]:
        assert question == QUESTION
        self.asked += [(n, hint)] * (n > 0)
        return [attempt(hint, verdict) for verdict in itertools.islice(self.verdicts, n)]


QUESTION = Question("q1", "train", "3+4", "7")


def attempt(hinted: bool, verdict: str) -> Attempt:
    return Attempt(
        attempt_id="a", sample=0, turn=0, hinted=hinted, context=[], completion="", predicted_answer=None,
        verdict=verdict, verifier="exact/1", reward=None, finish_reason="stop", prompt_tokens=1, completion_tokens=1,
        mean_logprob=None, seed=0, temperature=1.0, error=None,
    )  # fmt: skip


UNHINTED, HINTED = False, True


@pytest.mark.parametrize(
    ("settings", "verdicts", "asked"),
    [
        ({}, ["correct"], [(1, UNHINTED)]),
        ({}, ["wrong", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["wrong", "wrong"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["unparseable", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["truncated", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["error", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({"samples": 4}, ["wrong", "wrong", "wrong", "correct"], [(4, UNHINTED)]),
        ({"samples": 2, "hinted_samples": 3}, ["wrong"] * 5, [(2, UNHINTED), (3, HINTED)]),
        ({"samples": 3, "hinted_samples": 0}, ["wrong"] * 3, [(3, UNHINTED)]),
    ],
)
def test_star_shows_the_hint_only_after_failure(
    settings: dict[str, int], verdicts: list[str], asked: list[tuple[int, bool]]
) -> None:
    ask = FakeAsk(*verdicts)
    attempts = asyncio.run(star(QUESTION, ask, **settings))
    assert ask.asked == asked
    assert [made.verdict for made in attempts] == verdicts
    assert [made.hinted for made in attempts] == [hint for n, hint in asked for _ in range(n)]


@pytest.mark.parametrize("samples", [1, 5])
def test_independent_samples_see_no_hint(samples: int) -> None:
    ask = FakeAsk(*["wrong"] * samples)
    assert len(asyncio.run(independent(QUESTION, ask, samples=samples))) == samples
    assert ask.asked == [(samples, UNHINTED)]


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
