"""RISE's evaluation (arXiv 2407.18219, section 5): attempts in parallel, and one dialogue without an oracle."""

from pydantic import PositiveInt

from factory.attempt import Ask, Attempt, Question
from factory.strategies import Window, window_of


async def introspection(
    question: Question,
    ask: Ask,
    /,
    turns: PositiveInt = 5,
    parallel: PositiveInt = 5,
    window: Window | None = None,
) -> list[Attempt]:
    """Attempt ``parallel`` times; then give feedback on the first of these, and on each attempt that follows it.

    Right attempts are called incorrect too: nothing here looks at a verdict, but that one which could not be sampled or
    judged (``error``) ends the dialogue. The sample number tells parallel attempts apart; the dialogue is sample 0.

    Args:
        turns: attempts of the dialogue, the first included.
        parallel: attempts at turn 0.
        window: most turns that a prompt shows, the new one included; all unless given.
    """
    attempts = await ask(question, n=parallel)
    dialogue = attempts[:1]
    while len(dialogue) < turns and dialogue[-1].verdict != "error":
        dialogue += await ask(question, after=window_of(dialogue, window))
    return attempts + dialogue[1:]
