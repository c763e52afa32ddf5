"""Engines, and a verifier, with faults: for the tests of the rollout."""

import asyncio
import errno
import os
import random
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from factory.attempt import Question
from factory.engines import Completion, ContextOverflow, EngineDead, Sampling, SamplingError
from factory.engines.scripted import Scripted
from factory.prompts import Message
from factory.verifiers import Verdict
from factory.verifiers.exact import Exact


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


class Forgetful(Scripted):
    """Holds ``limit`` messages; notes, a line a request, the turn, when it came and when it was answered."""

    def __init__(self, model: str, /, *, limit: int, notes: Path):
        super().__init__(model, accuracy=0.2)
        self.limit, self.notes = limit, notes

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        if len(messages) > self.limit:
            raise ContextOverflow(f"{len(messages)} messages")
        came = time.monotonic()
        await asyncio.sleep(random.Random(seed).random() * 0.3)
        with self.notes.open("a") as notes:
            notes.write(f"{len(messages) // 2} {came} {time.monotonic()}\n")
        return await super().sample(messages, seed, sampling)


class Critic(Scripted):
    """A judge that goes by the correct answer, modulo 4: it fails 0, mutters at 1, cannot be asked at 2, passes 3."""

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        (answer,) = re.findall(r"^Correct answer: (\d+)$", messages[-1]["content"], re.MULTILINE)
        if int(answer) % 4 == 2:
            raise SamplingError("the judge is out")
        said = {0: "FAIL: step 1 is invented.", 1: "Hm.", 3: "PASS: it holds."}[int(answer) % 4]
        return Completion(said, "stop", len(messages[-1]["content"]), len(said))


class Forgotten(Scripted):
    """Works on a disk that loses one write: ``loses``, as soon as it is there, once (noted in ``notes``)."""

    def __init__(self, model: str, /, *, loses: Path, notes: Path):
        super().__init__(model, accuracy=0.5)
        if not notes.exists():
            threading.Thread(target=self._lose, args=(loses, notes), daemon=True).start()

    @staticmethod
    def _lose(loses: Path, notes: Path) -> None:
        while not loses.exists():
            time.sleep(0.001)
        loses.unlink()
        notes.touch()


class Faulty(Scripted):
    """Fails a share of the requests that the seed decides, each the first time that it is asked (noted in ``notes``, a
    line a request); of these as many fail for ever as ``for_ever`` says, a tenth of which the context is blamed for."""

    def __init__(self, model: str, /, *, notes: Path, faults: float = 0.3, for_ever: float = 0.0, seconds: float = 0.0):
        super().__init__(model, accuracy=0.4, hinted_accuracy=0.7, seconds=seconds)
        self.notes, self.faults, self.for_ever = notes, faults, for_ever

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        asked = self.notes.read_text().split() if self.notes.exists() else []
        with self.notes.open("a") as notes:
            notes.write(f"{seed}\n")
        draw = random.Random(f"fault/{seed}")
        if draw.random() < self.faults:
            for_ever = draw.random() < self.for_ever
            if for_ever and draw.random() < 0.1:
                raise ContextOverflow("too long")
            if for_ever or str(seed) not in asked:
                raise SamplingError("nobody knows why")
        return await super().sample(messages, seed, sampling)


class FullDisk(Scripted):
    """Answers as where the disk has no room: its process can write no table any more."""

    def __init__(self, model: str, /):
        super().__init__(model, accuracy=1.0)
        Path.write_bytes = _no_room


def _no_room(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@dataclass(frozen=True)
class Moody(Exact):
    """A verifier that fails the first time that it sees a wrong answer to a question (noted in ``notes``)."""

    notes: Path = Path("notes")

    def verify(self, completion: str, question: Question) -> Verdict:
        verdict = super().verify(completion, question)
        seen = self.notes.read_text().split("\n") if self.notes.exists() else []
        if verdict.verdict == "wrong" and question.question_id not in seen:
            with self.notes.open("a") as notes:
                notes.write(f"{question.question_id}\n")
            raise TimeoutError("the deadline was missed")
        return verdict
