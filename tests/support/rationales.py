"""Rationales to put to process checks."""

from typing import Any

from factory.attempt import Question
from factory.checks import Rationale

ROLLS = "There are 64 rolls and 27 are sold. How many are left?"


def wrote(text: str, answer: str = "37", question: str = ROLLS, **more: Any) -> Rationale:
    """A text that a model wrote and that reached the gold answer of a question."""
    return Rationale(text, Question("q", "train", question, answer), **({"predicted_answer": answer} | more))
