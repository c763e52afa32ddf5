"""An engine without a model, for tests and for measuring the pipeline itself: it follows a script.

It does sums: its prompt must end in ``a+b``, alone or with the answer in brackets, and attempts at it may follow.
"""

import asyncio
import random
import re
from typing import Annotated

from pydantic import Field, NonNegativeFloat

from factory.engines import Completion, Sampling, SamplingError
from factory.prompts import Message

_SUM = re.compile(r"(\d+)\+(\d+)(?: \((-?\d+)\))?$")


class Scripted:
    """Answers sums, right with a given probability that the request's seed decides.

    Args:
        accuracy: share of unhinted requests that are answered right.
        hinted_accuracy: the same where the prompt shows the answer.
        error_rate: share of requests that fail.
        seconds: time that a request takes.
    """

    def __init__(
        self,
        _model: str,
        /,
        *,
        accuracy: Annotated[float, Field(ge=0, le=1)] = 0.5,
        hinted_accuracy: Annotated[float, Field(ge=0, le=1)] = 0.9,
        error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0,
        seconds: NonNegativeFloat = 0.0,
    ):
        self.accuracy, self.hinted_accuracy = accuracy, hinted_accuracy
        self.error_rate, self.seconds = error_rate, seconds

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        await asyncio.sleep(self.seconds)
        prompt = "\n".join(message["content"] for message in messages)
        asked = next(filter(None, (_SUM.search(message["content"]) for message in reversed(messages))), None)
        draw = random.Random(seed)
        if asked is None or draw.random() < self.error_rate:
            raise SamplingError("scripted failure")
        left, right, hint = asked.groups()
        chance = self.accuracy if hint is None else self.hinted_accuracy
        answer = int(left) + int(right) + (0 if draw.random() < chance else 1)
        text = f"{left} and {right} make {answer}.\nThe answer is {answer}"
        return Completion(text, "stop", len(prompt), len(text))

    def close(self) -> None:
        pass
