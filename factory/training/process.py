"""A torchtune recipe in processes of its own: how they are started, how they end, and what their log says."""

import ctypes
import math
import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig

from factory.errors import ConfigError, FactoryError, in_a_line, of_the_system

RECIPES = (
    "full_finetune_single_device",
    "lora_finetune_single_device",
    "full_finetune_distributed",
    "lora_finetune_distributed",
)
"""The recipes of torchtune that a YAML may name as its ``recipe``."""


class FinetuneError(FactoryError):
    """Raised when a fine-tune made no usable checkpoint; the text names the log and shows its last lines."""


def is_distributed(recipe: str) -> bool:
    """Whether a recipe runs in one process for each device: torchtune names those ``..._distributed``, and so do we."""
    return Path(recipe).stem.endswith("_distributed")


def processes(settings: DictConfig, num_cpus: float, num_gpus: float) -> int:
    """How many processes a fine-tune takes: one, or with a distributed recipe one for each GPU that is set aside
    (for each CPU, if it trains on CPUs).

    Raises:
        ConfigError: the YAML trains on GPUs and none is set aside.
    """
    devices = num_cpus if settings.device == "cpu" else num_gpus
    if not devices:
        way_out = "set finetune.gpus, or the override device=cpu"
        raise ConfigError("fine-tune", [f"device '{settings.device}' needs a GPU and none is set aside: {way_out}"])
    return max(1, int(devices)) if is_distributed(settings.recipe) else 1


def run_recipe(recipe: str, config: Path, log: Path, ranks: int, threads: int) -> int:
    """Run a torchtune recipe to its end and return its exit code.

    Args:
        recipe: name of a torchtune recipe, or path of a file.
        config: the YAML, complete.
        log: file that everything printed is appended to.
        ranks: processes of a distributed recipe, each with a device of its own.
        threads: CPU threads of each process.
    """
    python_path = [str(Path(__file__).resolve().parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(python_path),
        "OMP_NUM_THREADS": str(threads),
        "OMP_WAIT_POLICY": "passive",  # spinning threads made steps ten times slower on a shared machine
        "TQDM_DISABLE": "1",
    }
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(ranks)]
    launch = ["-m", "factory.training.launch", recipe, "--config", str(config)]
    with log.open("a") as file:
        process = subprocess.Popen(
            [sys.executable, *(torchrun if is_distributed(recipe) else []), *launch],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
    try:
        return process.wait()
    finally:
        process.kill()


def die_with_parent() -> None:
    """Have the kernel end this process when the one that started it is gone: no orphan, not even after kill -9."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


@dataclass(frozen=True)
class TrainingLog:
    """A log file, and where in it a fine-tune begins, in bytes."""

    path: Path
    start: int

    def losses(self) -> list[float]:
        """The loss of each step so far, oldest first. What is still being written does not match.

        Raises:
            FinetuneError: a loss is not finite.
        """
        # not at the start of a line: a distributed recipe draws its progress bar whatever TQDM_DISABLE says
        lines = re.findall(r"Step (\d+) \| loss:(\S+) ", self._text())
        losses = {int(step): float(loss) for step, loss in lines}  # should Ray run the task again, the later run counts
        for step, loss in losses.items():
            if not math.isfinite(loss):
                raise self.failure(f"the loss of step {step} is {loss}")
        return list(losses.values())

    def failure(self, reason: str) -> FinetuneError:
        last_lines = self._text().splitlines()[-15:]
        for line in reversed(last_lines):
            if of_the_system(Exception(line)):
                return FinetuneError(f"{reason}: {in_a_line(Exception(line))}; the full story is in {self.path}")
        return FinetuneError("\n  ".join([f"{reason}; the last lines of {self.path}:", *last_lines]))

    def _text(self) -> str:
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read().decode(errors="replace")
