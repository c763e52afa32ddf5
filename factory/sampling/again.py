"""Errors that are tried again: which they are, and what a shard has already that need not be sampled once more.

The strategy is run again on the questions that have an error, and whatever it asks for is answered with the attempt
that is there, unless that is the error. All seeds follow from the attempt, so the rows become those of a run without
the fault: an attempt under a hint that was only made because another had failed is not in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from factory.attempt import Attempt
from factory.engines import Completion
from factory.prompts import Message
from schemas.rollouts import OVERFLOW

Row = dict[str, Any]


def errors(rows: Sequence[Row]) -> int:
    """How many attempts of some rollouts may do better if they are tried again."""
    return sum(_may_mend(attempt) for row in rows for attempt in row["attempts"])


def errors_in(shard: Path) -> int:
    """The same of a shard of rollouts."""
    return errors(pq.read_table(shard, columns=["attempts"]).to_pylist())


@dataclass(frozen=True)
class Before:
    """The attempts at one question that are there already, by their id; none of a question that is new."""

    attempts: Mapping[str, Attempt] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Row) -> "Before":
        """What strategies make of an attempt, its reward, is left to them."""
        made = (replace(Attempt(**attempt), reward=None) for attempt in row["attempts"])
        return cls({attempt.attempt_id: attempt for attempt in made})

    def known(self, name: str, context: list[Message], temperature: float, teacher: str | None) -> Attempt | None:
        """The attempt of that name, if it was asked for in the same way: a dialogue may have taken another turn."""
        found = self.attempts.get(name)
        same = found and found.context == context and found.teacher == teacher
        # the table holds temperatures in 32 bits
        return found if same and found and abs(found.temperature - temperature) < 1e-6 else None


def is_settled(attempt: Attempt) -> bool:
    """Whether an attempt stays as it is."""
    return not _may_mend(attempt.as_row())


def sampled(attempt: Attempt) -> Completion | None:
    """The completion of an attempt that only its verifier failed on; None if there is none."""
    if attempt.finish_reason == "error":
        return None
    tokens = attempt.prompt_tokens, attempt.completion_tokens
    return Completion(attempt.completion, attempt.finish_reason, *tokens, attempt.mean_logprob)


def rollouts_in(shard: Path) -> dict[str, Row]:
    """The rollouts of a shard by question."""
    return {row["question_id"]: row for row in pq.read_table(shard).to_pylist()}


def _may_mend(attempt: Mapping[str, Any]) -> bool:
    """A prompt that left no room for an answer would leave none again."""
    return attempt["verdict"] == "error" and not (attempt["error"] or "").startswith(OVERFLOW)
