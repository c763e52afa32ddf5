"""Where questions come from: one file each, a function whose parameters are settings of the recipe.

A corpus yields rows of :data:`schemas.QUESTIONS` as dictionaries (columns it has nothing for may be left out), one
at a time, so that it never lies in memory; in place of a row that cannot be a question it may yield a
:class:`LeftOut`, which is counted. Its splits: ``train``, ``eval``, and ``seed`` for questions whose
``reference_rationale`` a base may be warmed up on. Rows come in any order; what occurs twice, or in two splits, is
taken out of the snapshot (:mod:`factory.intake.questions`).

A module may define ``CHECKS``, a list of component configs: the process checks that rationales on its questions are
put to unless the recipe says otherwise; and ``LICENSE``, the Hub's identifier of the licence its questions are under,
which the datasets made of them take over unless the recipe names another.
"""

import hashlib
import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

QuestionRow = dict[str, Any]
"""A row of :data:`schemas.QUESTIONS`."""


@dataclass(frozen=True)
class LeftOut:
    """A row that is no question.

    Args:
        reason: the kind, such as ``rows whose answer is a list``.
        place: where it was read, such as ``train.jsonl, line 5``.
        instead: what to write in the recipe; where most rows of a corpus are left out it is refused with that.
    """

    reason: str
    place: str
    instead: str = ""


Questions = Iterator[QuestionRow | LeftOut]


def text_id(*parts: str) -> str:
    """An id for a question whose corpus has none: 16 hexadecimal digits of the sha256 of its text.

    White space and case do not count, so the question keeps its id whichever copy of the corpus it is read from,
    and whatever is added, left out or put in another order around it.
    """
    text = "\0".join(" ".join(part.split()).casefold() for part in parts)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def place(question_id: str) -> float:
    """Where a question falls in [0, 1), evenly spread: the questions below 0.1 are a tenth of the corpus.

    It depends on the id alone: a question stays in its split when the corpus grows or is put in another order.
    """
    return int.from_bytes(hashlib.sha256(f"place {question_id}".encode()).digest()[:6]) / 2**48


def nth_place(question_ids: Iterable[str], n: int) -> float:
    """The place up to which there are ``n`` questions.

    Raises:
        ValueError: there are not more than n, so that none would be left.
    """
    lowest = heapq.nsmallest(n + 1, map(place, question_ids))
    if len(lowest) <= n:
        raise ValueError(f"there are {len(lowest)} questions: eval_rows={n} would leave none to train on")
    return lowest[n - 1]
