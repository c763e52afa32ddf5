"""What a strategy works with: a question, a way to ask it, and the attempts that come back."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from factory.prompts import Choices, Message


@dataclass(frozen=True)
class Question:
    """The part of a ``questions`` row that sampling and verification need (see :mod:`schemas.questions`)."""

    question_id: str
    split: str
    question: str
    answer: str
    choices: Choices | None = None
    difficulty: str | None = None
    metadata: str | None = None
    system: str | None = None
    accepted_answers: Sequence[str] | None = None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Question":
        """The question of a row; of an earlier release's, which lacks the newer columns, too."""
        values: Iterator[Any] = map(row.get, cls.__match_args__)
        return cls(*values)


@dataclass(frozen=True)
class Attempt:
    """One sampled completion with its verdict: the columns of ``schemas.ATTEMPT``."""

    attempt_id: str
    sample: int
    turn: int
    hinted: bool
    context: list[Message]
    completion: str
    predicted_answer: str | None
    verdict: str
    verifier: str
    reward: float | None
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    mean_logprob: float | None
    seed: int
    temperature: float
    error: str | None
    teacher: str | None = None

    @property
    def correct(self) -> bool:
        return self.verdict == "correct"

    def as_row(self) -> dict[str, Any]:
        return asdict(self)


By = Literal["student", "teacher"]
"""Who is asked: the model of the generation, or the recipe's teacher."""


class Ask(Protocol):
    """Samples a question ``n`` times and verifies what comes back; with ``hint`` the prompt shows the gold answer.

    With ``after`` the question is asked again: the prompt shows it, then each of these attempts and the feedback that
    it is wrong, oldest first, and the new attempts are of the turn after the last of them. ``temperature`` takes the
    place of the recipe's.

    Calls are independent: a strategy may await several at once. The samples of a turn are numbered on from call to
    call, each with a seed of its own. A sample that fails is an attempt with verdict ``error``, never an exception.
    """

    async def __call__(
        self,
        question: Question,
        /,
        *,
        n: int = 1,
        hint: bool = False,
        after: Sequence[Attempt] = (),
        by: By = "student",
        temperature: float | None = None,
    ) -> list[Attempt]: ...
