"""STaR: Self-Taught Reasoner (Zelikman et al. 2022, arXiv 2203.14465, Algorithm 1, lines 3-6)."""

from pydantic import NonNegativeInt, PositiveInt

from factory.attempt import Ask, Attempt, Question


async def star(
    question: Question, ask: Ask, /, samples: PositiveInt = 1, hinted_samples: NonNegativeInt = 1
) -> list[Attempt]:
    """Sample; only if nothing reached the answer, sample again with the answer as a hint.

    Args:
        samples: attempts without a hint.
        hinted_samples: attempts with one; 0 is STaR without rationalization.
    """
    attempts = await ask(question, n=samples)
    if not any(attempt.correct for attempt in attempts):
        attempts += await ask(question, hint=True, n=hinted_samples)
    return attempts
