"""Running the command line on a small recipe, and finding what it leaves behind. Used by the tests of the loop."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

SMALL = [
    "corpus.train={1: 20, 2: 60, 3: 60}",
    "corpus.eval={1: 10, 2: 20, 3: 20}",
    "corpus.seeds={1: 20, 2: 60, 3: 40}",
    "evaluation.reported_apart=[]",
    "strategy.samples=2",
    "rollout.shard_rows=20",
    "rollout.shards_in_flight=2",
    "finetune.cpus=1",
]
TINY = [
    "corpus={_component_: factory.corpora.arithmetic.arithmetic, "
    "train: {1: 6, 2: 10}, eval: {1: 3, 2: 4}, seeds: {1: 4}}",
    "evaluation.reported_apart=[]",
    "strategy.samples=2",
    "rollout.shard_rows=8",
    "rollout.shards_in_flight=2",
    "finetune.cpus=1",
    "engine={_component_: factory.engines.scripted.Scripted, accuracy: 0.5, hinted_accuracy: 0.8}",
    "warmup.steps=0",
    "finetune.steps=2",
    "base={_component_: factory.bases.tiny_llama.tiny_llama, hidden_size: 32, layers: 1, intermediate_size: 8}",
]
"""The smallest run that has everything but a model that knows something: 16 questions."""

SCRIPTED = "engine={_component_: factory.engines.scripted.Scripted, accuracy: 0.5, hinted_accuracy: 0.8, seconds: 0.2}"
REAL = ("warmup.steps=150", "finetune.steps=30", "curation.checks_decide=[]", "publish_model=true")
"""Enough for a base that solves part of the sums, so that every table has rows of every kind; its rationalizations
are too poor to pass a check."""

MARK = "RATIONALE_FACTORY_TEST"


class Command:
    """``python -m factory iterate RECIPE`` in a process of its own; ``log`` holds what it printed."""

    def __init__(
        self,
        run: Path,
        *settings: str,
        generations: int = 1,
        registry: Path | None = None,
        recipe: str = "star_arithmetic",
        small: Sequence[str] = SMALL,
    ):
        self.mark = uuid.uuid4().hex
        self.run = run
        self.log = run.parent / f"{run.name}.{self.mark[:6]}.out"
        command = [sys.executable, "-m", "factory", "iterate", recipe, "--run", str(run)]
        command += [
            "--generations",
            str(generations),
            f"publish.registry={registry or run.parent / 'registry'}",
            *small,
            *settings,
        ]
        environment = os.environ | {MARK: self.mark, "HF_HUB_OFFLINE": "1"}
        with self.log.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment)

    def finish(self, seconds: float = 900) -> str:
        """Wait for a good end; returns what was printed."""
        assert self.process.wait(seconds) == 0, self.printed()
        return self.printed()

    def until(self, condition: Callable[[], bool], seconds: float = 600) -> None:
        """Wait until something is so; the command must not have ended before."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"ended too early:\n{self.printed()}"
            assert time.monotonic() < deadline, f"nothing happened:\n{self.printed()}"
            time.sleep(0.01)

    def end_after(self, stage: Path) -> str:
        """Kill it once a stage has left its record; returns what was printed."""
        self.until(stage.exists)
        self.stop(signal.SIGKILL)
        return self.printed()

    def stop(self, number: signal.Signals) -> float:
        """Send a signal and wait for the end; returns the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(60)
        return time.monotonic() - started

    def left_behind(self, seconds: float = 150) -> list[str]:
        """Processes that the command started and that still run after some patience.

        Ray's agents look for a control process for a minute before they notice that they were started in vain.
        """
        deadline = time.monotonic() + seconds
        while (left := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.5)
        return left

    def printed(self) -> str:
        return self.log.read_text()

    def _marked(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid} {' '.join(process.cmdline())[:100]}")
            except psutil.Error:
                continue
        return found


def tables(run: Path, *patterns: str) -> dict[str, bytes]:
    """The bytes of a run's tables, all or some, by path: equal bytes are equal tables, in content and in order."""
    found = [
        path for pattern in patterns or ("gen-*/*/*.parquet", "questions/*/*.parquet") for path in run.glob(pattern)
    ]
    return {str(path.relative_to(run)): path.read_bytes() for path in sorted(found)}
