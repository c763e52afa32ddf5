"""Seed questions: what a base is warmed up on, and what they weigh among other examples."""

import itertools
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from factory.curation.seeds import reference_examples, warmup_examples
from factory.files import write_table
from factory.prompts import Prompt
from factory.recipe.curation import Curation
from factory.recipe.groups import Warmup
from factory.run import Run
from schemas import EXAMPLES, QUESTIONS


def seed(question: str, answer: str, difficulty: str | None = "easy") -> dict[str, Any]:
    return dict.fromkeys(QUESTIONS.names) | {
        "question_id": question,
        "corpus": "c",
        "split": "seed",
        "question": question,
        "answer": answer,
        "difficulty": difficulty,
        "reference_rationale": f"It is {answer}.",
    }


@pytest.fixture
def run(tmp_path: Path) -> Run:
    seeds = [seed("1+1", "2"), seed("9+9", "18", "hard"), seed("0+2", "2"), seed("1+2", "3"), seed("2+2", "4")]
    seeds.append(seed("3", "3", None))
    run = Run(tmp_path)
    for number, rows in enumerate((seeds[:3], seeds[3:])):
        table = pa.Table.from_pylist(rows, schema=QUESTIONS)
        write_table(run.questions("seed") / f"{number:05}.parquet", table)
    return run


def shown(run: Run, **warmup: Any) -> list[list[str]]:
    rows = warmup_examples(run, Prompt(feedback="No."), Warmup(steps=1, **warmup)).to_pylist()
    assert all([message["role"] for message in row["messages"]][-1] == "assistant" for row in rows)
    return [[message["content"] for message in row["messages"]] for row in rows]


def test_seeds_become_examples_without_hints(run: Run) -> None:
    examples = reference_examples(run, Prompt(instruction="Add."), 3, Curation(), False)
    assert examples.schema.equals(EXAMPLES, check_metadata=True)
    rows = examples.to_pylist()
    assert len(rows) == len({row["example_id"] for row in rows}) == 6
    for row in rows:
        said = [("system", "Add."), ("user", row["question"]), ("assistant", row["rationale"])]
        assert [(message["role"], message["content"]) for message in row["messages"]] == said
        assert (row["origin"], row["generation"], row["weight"], row["model"]) == ("reference", 3, 1.0, None)


@pytest.mark.parametrize("hinted", [False, True])
def test_a_base_is_warmed_up_on_seeds_with_and_without_their_hint(run: Run, hinted: bool) -> None:
    rows = reference_examples(run, Prompt(), 0, Curation(), False).to_pylist()
    expected = [[row["question"]] + hinted * [f"{row['question']} ({row['answer']})"] for row in rows]
    assert [dialogue[0] for dialogue in shown(run, hinted=hinted)] == list(itertools.chain(*expected))


def test_a_failed_attempt_is_that_of_another_seed_with_another_answer(run: Run) -> None:
    dialogues = [dialogue for dialogue in shown(run, hinted=False, dialogues=True) if len(dialogue) > 2]
    assert dialogues == [
        ["1+1", "It is 3.", "No.", "It is 2."],  # not of 0+2, which has the same answer
        ["0+2", "It is 3.", "No.", "It is 2."],
        ["1+2", "It is 4.", "No.", "It is 3."],
        ["2+2", "It is 2.", "No.", "It is 4."],
    ]  # the others are alone in their difficulty


@pytest.mark.parametrize(
    ("curation", "weight", "reward"),
    [
        (Curation(), 1.0, None),
        (Curation(criterion="all", tau=0.5), math.exp(2), 1.0),
        (Curation(criterion="success", tau=0.5, centred=True), 1.0, 1.0),
    ],
)
def test_a_reference_weighs_as_much_as_a_right_attempt(
    run: Run, curation: Curation, weight: float, reward: float | None
) -> None:
    rows = reference_examples(run, Prompt(), 1, curation, True).to_pylist()
    assert len(rows) == 6 + 4
    assert [(len(row["messages"]), row["turn"]) for row in rows].count((4, 1)) == 4
    assert len({row["example_id"] for row in rows}) == 10
    assert {round(row["weight"], 4) for row in rows} == {round(weight, 4)}
    assert {row["reward"] for row in rows} == {reward}
    assert {row["verdict"] for row in rows} == {None}
