"""What is done per question: one async function a file.

A strategy takes a :class:`~factory.attempt.Question` and :class:`~factory.attempt.Ask`, both by position, and
returns the attempts in the order in which it asked for them; its further parameters are settings of the recipe.

A strategy that gives its attempts a ``reward`` has a ``CRITERION`` in its module: what a recipe's curation goes by
unless the recipe says otherwise (see :mod:`factory.curation.criteria`).
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from factory.attempt import Attempt

Window = Annotated[int, Field(ge=2)]
"""Most turns that a prompt shows, the new one included: with one alone it would be the first again."""


def window_of(dialogue: Sequence[Attempt], turns: int | None) -> Sequence[Attempt]:
    """The latest attempts of a dialogue that a prompt of at most ``turns`` turns shows, the one to come included."""
    return dialogue if turns is None else dialogue[len(dialogue) - min(turns - 1, len(dialogue)) :]
