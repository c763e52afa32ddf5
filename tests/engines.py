"""Engines with faults, for the tests of the rollout."""

from pathlib import Path

from factory.engines import Completion, EngineDead, Sampling
from factory.engines.scripted import Scripted
from factory.prompts import Message


class Mortal(Scripted):
    """Dies at every request for ``poison``, and once, at its first request for ``stumble`` (noted in ``notes``)."""

    def __init__(self, model: str, /, *, poison: str, stumble: str, notes: Path):
        super().__init__(model, accuracy=1.0)
        self.poison, self.stumble, self.notes = poison, stumble, notes

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        asked = messages[-1]["content"]
        note = self.notes / "stumbled"
        if asked == self.poison or (asked == self.stumble and not note.exists()):
            note.touch()
            raise EngineDead(asked)
        return await super().sample(messages, seed, sampling)
