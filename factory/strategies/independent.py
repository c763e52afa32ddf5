"""Samples that know nothing of each other and see no hint: how a model is measured."""

from pydantic import PositiveInt

from factory.attempt import Ask, Attempt, Question


async def independent(question: Question, ask: Ask, /, samples: PositiveInt = 1) -> list[Attempt]:
    """Sample ``samples`` times, whatever comes back."""
    return await ask(question, n=samples)
