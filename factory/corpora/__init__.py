"""Where questions come from: one file each, a function whose parameters are settings of the recipe.

A corpus yields rows of :data:`schemas.QUESTIONS` as dictionaries (columns it has nothing for may be left out), one
at a time, so that it never lies in memory. Its splits: ``train``, ``eval``, and ``seed`` for questions whose
``reference_rationale`` a base may be warmed up on. No question is in two of them.
"""

from collections.abc import Iterator
from typing import Any

QuestionRow = dict[str, Any]
Questions = Iterator[QuestionRow]
"""Rows of :data:`schemas.QUESTIONS`."""
