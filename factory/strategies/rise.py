"""RISE: Recursive Introspection (Qu et al. 2024, arXiv 2407.18219, section 4): collecting dialogues.

The student makes an attempt; while it is wrong and turns remain, feedback says so and it makes another. The last turn's
comes from an improver: the best of N samples of the student itself (self-distillation), or a teacher (distillation).
"""

from collections import Counter
from dataclasses import replace
from typing import Annotated

from pydantic import AfterValidator, PositiveInt

from factory.attempt import Ask, Attempt, By, Question
from factory.engines import Temperature
from factory.recipe.settings import Settings
from factory.strategies import Window, window_of

CRITERION = "all"
"""What a recipe's curation keeps unless it says otherwise: ``all``, as in the authors' code."""

REWARDS = {"correct": 1.0, "wrong": 0.0, "unparseable": -1.0, "truncated": -1.0}
"""By verdict: right, wrong, no answer to be found. An error has none."""

MOST_REPEATED, LONGEST_WORD = 150, 300
"""Beyond so many occurrences of a word, or so many characters without a space, a text is degenerate (authors' code)."""

TRIES = 3
"""Times that a turn is sampled before a question whose texts are all degenerate is given up; the authors' code goes on
for ever."""


class Turn(Settings):
    """One turn: who is asked, for how many samples, at what temperature (the recipe's unless given)."""

    by: By = "student"
    samples: PositiveInt = 1
    temperature: Temperature | None = None


def _some(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    if not turns:
        raise ValueError("should have at least one turn")
    return turns


Turns = Annotated[tuple[Turn, ...], AfterValidator(_some)]

FIRST_ITERATION = (Turn(), Turn(samples=16))
"""Self-distillation: one attempt, and the best of 16 improved ones."""


async def rise(
    question: Question,
    ask: Ask,
    /,
    turns: Turns = FIRST_ITERATION,
    window: Window | None = None,
) -> list[Attempt]:
    """Make an attempt, and improve it turn by turn until it is right.

    Of a turn's samples the first with the highest reward is taken; the others stay in the rollout. The dialogue ends
    where a turn has no sample to go on from: every one an error or degenerate.

    Args:
        turns: the first k-1 roll out the student, the last is the improver. Iteration i of the paper has i+1 turns: a
            recipe gives later iterations longer lists (``then``).
        window: most turns that a prompt shows, the new one included; all unless given.
    """
    attempts: list[Attempt] = []
    dialogue: list[Attempt] = []
    for turn in turns:
        for _ in range(TRIES):
            sampled = await ask(
                question,
                n=turn.samples,
                after=window_of(dialogue, window),
                by=turn.by,
                temperature=turn.temperature,
            )
            sampled = [replace(attempt, reward=reward(attempt)) for attempt in sampled]
            attempts += sampled
            usable = [attempt for attempt in sampled if attempt.reward is not None]
            if usable or any(attempt.verdict == "error" for attempt in sampled):
                break
        if not usable:
            break
        best = max(usable, key=lambda attempt: attempt.reward or 0.0)
        dialogue.append(best)
        if best.correct:
            break
    return attempts


def reward(attempt: Attempt) -> float | None:
    """1 if right, 0 if wrong, -1 without an answer; None for what must neither be learnt from nor gone on from."""
    return None if is_degenerate(attempt.completion) else REWARDS.get(attempt.verdict)


def is_degenerate(text: str) -> bool:
    """Whether a text repeats one word, whatever its case, more than 150 times or has a word of over 300 characters."""
    counts = Counter(text.lower().split())
    return any(count > MOST_REPEATED or len(word) > LONGEST_WORD for word, count in counts.items())
