"""Process checks: what is looked at in a rationale beyond its final answer. One file each, a class whose parameters
are settings of the recipe.

A check is put to every correct attempt. Its result is written beside each example; whether an attempt that fails is
kept is up to the recipe (``curation.checks_decide``). It never changes a verdict.
"""

from typing import Protocol

from factory.attempt import Question


class Check(Protocol):
    """``name`` and ``version`` are written beside every result; a change of behaviour raises the version."""

    name: str
    version: str

    def passes(self, rationale: str, question: Question) -> bool:
        """Whether the rationale, which gives the gold answer, holds what the check looks for."""
        ...
