"""RISE's evaluation (arXiv 2407.18219, section 5): answers in parallel, and one dialogue without an oracle."""

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
    """Answer ``parallel`` times; then tell the first of these answers, and each that follows, that it is incorrect.

    Right answers are told so too: nothing here looks at a verdict, but that a text that could not be sampled or judged
    (``error``) ends the dialogue. The sample number tells the parallel answers apart; the dialogue is sample 0.

    Args:
        turns: answers of the dialogue, the first included.
        parallel: answers at the first turn.
        window: most turns that a prompt shows, the new one included; all unless given.
    """
    attempts = await ask(question, n=parallel)
    dialogue = attempts[:1]
    while len(dialogue) < turns and dialogue[-1].verdict != "error":
        dialogue += await ask(question, after=window_of(dialogue, window))
    return attempts + dialogue[1:]
