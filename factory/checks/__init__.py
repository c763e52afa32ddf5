"""Process checks: what is looked at in a rationale beyond its final answer. One file each, a class whose parameters
are settings of the recipe.

A check is put to every correct attempt. Its result is written beside each example and each reject; whether an attempt
that fails is kept is up to the recipe (``curation.checks_decide``). It never changes a verdict.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from factory.attempt import Question

READ = 50_000
"""Characters of a rationale that a check reads: what is behind them (or, for a check that looks at the end, before
them) is not seen. So no text makes a check slow."""


class Rationale(NamedTuple):
    """What a check looks at: an attempt that reached the gold answer.

    Attributes:
        text: what the model wrote, with the final answer.
        question: what was asked; its choices are not known here.
        predicted_answer: what the verifier read as the final answer; None if it reads none.
        hinted: whether the prompt showed the gold answer.
        hints: what a hinted prompt adds to a question, and to the right one of its choices: ``("(5)", "(CORRECT)")``.
        tokens: length of the text in the model's tokens.
        tokens_of_all: the same of every correct attempt at the question, this one too, ascending.
    """

    text: str
    question: Question
    predicted_answer: str | None = None
    hinted: bool = False
    hints: tuple[str, ...] = ()
    tokens: int = 0
    tokens_of_all: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a check says of a rationale.

    Attributes:
        passed: None where the check has nothing to say of such a text.
        reason: why it failed or does not apply, as a sentence that people read; None if it passed.
    """

    passed: bool | None
    reason: str | None = None


PASSED = Result(True)


def failed(reason: str) -> Result:
    return Result(False, reason)


def not_applicable(reason: str) -> Result:
    return Result(None, reason)


class Check(Protocol):
    """``name`` and ``version`` are written beside every result; a change of what it says raises the version."""

    name: str
    version: str

    def check(self, rationale: Rationale) -> Result:
        """Whether the rationale holds what the check looks for.

        The same rationale must give the same result. What it raises becomes the reason for ``not_applicable``.
        """
        ...
