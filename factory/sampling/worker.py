"""One worker of the rollout: an engine, and what is done with a shard of questions.

An actor of :mod:`factory.sampling.rollout`'s pool. A strategy asks, the worker samples, verifies and counts.
"""

import asyncio
import hashlib
import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factory.attempt import Attempt, By, Question
from factory.engines import Completion, Engine, EngineDead, Sampling, SamplingError, cut
from factory.files import shards, write_table, write_text
from factory.prompts import Prompt
from factory.recipe.component import Component
from factory.record import Record
from factory.sampling.again import Before, errors, is_settled, rollouts_in, sampled
from factory.sampling.failures import HALF, escaped, refuse_unsampled, told
from factory.verifiers import judge
from factory.verifiers.children import processors
from schemas import ROLLOUTS

MAX_ENGINE_DEATHS = 3
"""A shard that was in flight at this many engine deaths is not sampled again: its questions become errors."""


@dataclass(frozen=True)
class Pass:
    """One table of rollouts to make: which questions, what to do with each, how to sample, where to write.

    With ``again`` nothing new is sampled: of these shards, by name, the errors are tried again.
    """

    questions: Path
    out: Path
    strategy: Component
    sampling: Sampling
    again: frozenset[str] = frozenset()

    def missing(self) -> list[Path]:
        """The shards of questions whose rollouts are not there yet."""
        done = {path.name for path in shards(self.out)}
        return [path for path in shards(self.questions) if path.name not in done]

    def left(self) -> list[Path]:
        """The shards of questions to work on."""
        return [path for path in shards(self.questions) if path.name in self.again] if self.again else self.missing()


@dataclass(frozen=True)
class Job:
    """What a worker needs to know: the same for every shard of a generation."""

    model: Path
    model_name: str
    generation: int
    seed: int
    engine: Component
    verifier: Component
    prompt: Prompt
    passes: tuple[Pass, ...]
    log: Path
    teacher: Component | None = None
    teacher_name: str = ""


@dataclass(frozen=True)
class Request:
    """One attempt to be made: see :class:`factory.attempt.Ask`."""

    question: Question
    sample: int
    turn: int
    hint: bool
    tried: Sequence[str]
    by: By
    sampling: Sampling
    quarantined: bool
    before: Before


Tally = Counter[str]
"""Running counts: ``questions``, ``attempts``, ``unhinted`` (those with a verdict), ``correct``, ``tokens``."""


class Worker:
    """An actor: one engine, any number of shards in flight. Its noise goes to the run's log."""

    def __init__(self, job: Job, board: Any):
        self.job, self.board = job, board
        self.engines: dict[By, Engine] = {}
        # a slow verdict must keep neither the engine waiting for requests nor the other verdicts
        self.judging = ThreadPoolExecutor(processors())
        self.unsent: Tally = Counter()
        self.sent = time.monotonic()
        self.failure: str | None = None
        try:
            _redirect_output(job.log)
            self.verifier = job.verifier()
            self.engines["student"] = job.engine(str(job.model))
            if job.teacher:
                self.engines["teacher"] = job.teacher(job.teacher_name)
        except Exception as error:  # Ray would start an actor that raises here over and over
            self.failure = told(error)

    async def __call__(self, batch: pa.Table) -> pa.Table:
        row = batch.to_pylist()[0]
        shard, task = Path(row["shard"]), self.job.passes[row["pass"]]
        out, deaths = task.out / shard.name, task.out / f".{shard.name}.deaths"
        if self.failure:
            return _outcome(out, self.failure)
        try:
            quarantined = deaths.exists() and int(deaths.read_text()) >= MAX_ENGINE_DEATHS
            questions = [Question.of(row) for row in pq.read_table(shard).to_pylist()]
            there = rollouts_in(out) if task.again else {}
            rows = await asyncio.gather(
                *(self._rollout(question, task, quarantined, there.get(question.question_id)) for question in questions)
            )
            if not (quarantined or task.again):
                refuse_unsampled(rows)
            written = write_table(out, pa.Table.from_pylist(rows, schema=ROLLOUTS)) | {"errors": errors(rows)}
            deaths.unlink(missing_ok=True)
        except EngineDead as error:
            # The actor would live on without its engine: leave, so that Ray starts another with the same shards.
            write_text(deaths, str(int(deaths.read_text()) + 1 if deaths.exists() else 1))
            print(f"engine died: {error}", flush=True)
            os._exit(1)
        except Exception as error:  # what Ray raises in the driver does not tell the cause
            return _outcome(out, told(error))
        self._report(Counter(), at_once=True)
        return _outcome(out, None, written)

    def __del__(self) -> None:
        for engine in getattr(self, "engines", {}).values():
            engine.close()

    async def _rollout(
        self, question: Question, task: Pass, quarantined: bool, there: dict[str, Any] | None
    ) -> dict[str, Any]:
        if there and (quarantined or not errors([there])):
            self._report(Counter(questions=1))
            return there
        before = Before.of(there) if there else Before()
        asked: Counter[tuple[int, bool]] = Counter()

        async def ask(
            question: Question,
            /,
            *,
            n: int = 1,
            hint: bool = False,
            after: Sequence[Attempt] = (),
            by: By = "student",
            temperature: float | None = None,
        ) -> list[Attempt]:
            turn = after[-1].turn + 1 if after else 0
            first = asked[turn, hint]
            asked[turn, hint] += n
            tried = [attempt.completion for attempt in after]
            sampling = task.sampling if temperature is None else task.sampling.at(temperature)
            requests = (
                Request(question, sample, turn, hint, tried, by, sampling, quarantined, before)
                for sample in range(first, first + n)
            )
            return list(await asyncio.gather(*map(self._attempt, requests)))

        attempts = await task.strategy(question, ask)
        self._report(Counter(questions=1))
        judged = [attempt for attempt in attempts if not attempt.hinted and attempt.verdict != "error"]
        return {
            "question_id": question.question_id,
            "question": question.question,
            "answer": question.answer,
            "split": question.split,
            "difficulty": question.difficulty,
            "generation": self.job.generation,
            "strategy": task.strategy.name,
            "model": self.job.model_name,
            "attempts": [attempt.as_row() for attempt in attempts],
            "solved": any(attempt.correct for attempt in judged),
            "pass_rate": sum(attempt.correct for attempt in judged) / len(judged) if judged else None,
        }

    async def _attempt(self, request: Request) -> Attempt:
        job, question, sampling = self.job, request.question, request.sampling
        sample, turn, hint = request.sample, request.turn, request.hint
        seed = request_seed(job.seed, question.question_id, job.generation, sample, turn, hint)
        messages = job.prompt.sampling_messages(
            question.question, question.answer, question.choices, job.generation, hint, request.tried, question.system
        )
        name = f"{question.question_id}/{job.generation}/s{sample}t{turn}{'h' if hint else ''}"
        context = job.prompt.training_messages(question.question, question.choices, request.tried, question.system)
        teacher = job.teacher_name if request.by == "teacher" else None
        known = request.before.known(name, context, sampling.temperature, teacher)
        if known and is_settled(known):
            return known
        error: str | None = None
        try:
            if request.quarantined:
                raise SamplingError(f"the engine died {MAX_ENGINE_DEATHS} times with this shard in flight")
            said = (known and sampled(known)) or await self.engines[request.by].sample(messages, seed, sampling)
            completion = cut(said, sampling.stop)
            text = escaped(completion.text)
            if text != completion.text:  # neither a table nor a tokenizer takes it
                completion = replace(completion, text=text, finish_reason="error")  # so it is never judged again
                verdict, predicted, error = "error", None, HALF
            else:
                judged = await asyncio.get_running_loop().run_in_executor(
                    self.judging, judge, self.verifier, text, question, completion.finish_reason
                )
                verdict, predicted = judged.verdict, judged.predicted_answer
                error = escaped(judged.reason or "no reason was given") if verdict == "error" else None
        except SamplingError as failure:
            completion = Completion("", "error", 0, 0)
            verdict, predicted, error = "error", None, escaped(str(failure))
        counted = not hint and verdict != "error"
        self._report(
            Counter(
                attempts=1,
                tokens=completion.completion_tokens,
                unhinted=int(counted),
                correct=int(counted and verdict == "correct"),
            )
        )
        mean = completion.mean_logprob
        return Attempt(
            attempt_id=name,
            sample=sample,
            turn=turn,
            hinted=hint,
            context=context,
            completion=completion.text,
            predicted_answer=predicted,
            verdict=verdict,
            verifier=f"{self.verifier.name}/{self.verifier.version}",
            reward=None,
            finish_reason=completion.finish_reason,
            prompt_tokens=completion.prompt_tokens,
            completion_tokens=completion.completion_tokens,
            mean_logprob=None if mean is None else round(mean, 4),  # beyond that it depends on the batch's company
            seed=seed,
            temperature=sampling.temperature,
            error=error,
            teacher=teacher,
        )

    def _report(self, counts: Tally, at_once: bool = False) -> None:
        self.unsent.update(counts)
        if at_once or time.monotonic() - self.sent > 0.5:
            self.board.add.remote(self.unsent)
            self.unsent, self.sent = Counter(), time.monotonic()


def request_seed(seed: int, question_id: str, generation: int, sample: int, turn: int, hinted: bool) -> int:
    """The seed of one request, in [0, 2**31): the same for the same attempt whenever and wherever it is sampled."""
    key = f"{seed}/{question_id}/{generation}/{sample}/{turn}/{hinted}"
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) >> 1


def _outcome(shard: Path, failure: str | None, written: Record | None = None) -> pa.Table:
    """What the driver is told: of a shard that was written its digest, rows and errors, and on which machine it was."""
    report = {"host": socket.gethostname(), "sha256": "", "rows": 0, "errors": 0} | (written or {})
    named = {"shard": [str(shard)], "failure": pa.array([failure], pa.string())}
    return pa.table(named | {name: [value] for name, value in report.items()})


def _redirect_output(log: Path) -> None:
    """Send all that this process and its children print to the run's log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
