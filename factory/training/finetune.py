"""Examples and a base checkpoint in, a fine-tuned checkpoint out: the one seam to torchtune.

Both checkpoints are Hugging Face folders. The fine-tune always starts from ``base``, runs a torchtune recipe in a
process of its own and is never resumed: one that was interrupted starts again.
"""

import json
import math
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.dataset
import ray
from omegaconf import DictConfig, OmegaConf
from ray.exceptions import RayError

from factory.errors import ConfigError, cause, nearest
from factory.recipe.settings import located
from factory.training.architecture import MODEL_TYPES
from factory.training.process import RECIPES, FinetuneError, TrainingLog, processes, run_recipe

SET_HERE = {
    "output_dir",
    "checkpointer",
    "resume_from_checkpoint",
    "dataset",
    "seed",
    "shuffle",
    "epochs",
    "max_steps_per_epoch",
    "metric_logger",
    "log_every_n_steps",
}
"""Entries of a torchtune YAML that each fine-tune fills in itself."""

KEPT_FILES = ("generation_config.json", "*token*", "vocab.*", "merges.txt", "chat_template*")
"""What a fine-tuned checkpoint takes from its base besides ``config.json``; a model card would no longer be true."""

DTYPES = {"fp32": "float32", "bf16": "bfloat16"}
"""The ``dtype`` of a torchtune YAML, as ``config.json`` calls it."""


@dataclass(frozen=True)
class FinetuneResult:
    """What a fine-tune did.

    Args:
        steps: optimizer steps made.
        rows: rows trained on, steps * batch size * gradient accumulation steps * processes.
        examples: distinct examples that the rows were drawn from.
        too_long: examples left out because they exceed the model's length.
        tokens: tokens of all rows, prompts included, padding not.
        loss_first: mean loss per trained token, times its example's weight, over the first tenth of the steps.
        loss_last: the same over the last tenth.
        seconds: from the start of the process to its end.
    """

    steps: int
    rows: int
    examples: int
    too_long: int
    tokens: int
    loss_first: float
    loss_last: float
    seconds: float


def train(
    base: Path,
    examples: Path | Sequence[Path],
    config: Path,
    out: Path,
    *,
    steps: int,
    seed: int,
    overrides: Mapping[str, Any],
    log: Path,
    on_progress: Callable[[int, int, float], None] | None = None,
    num_cpus: float = 1,
    num_gpus: float = 0,
) -> FinetuneResult:
    """Fine-tune ``base`` on the examples for exactly ``steps`` steps and write the result to ``out``.

    The recipe runs as a Ray task, so on a cluster it runs where ``num_cpus`` and ``num_gpus`` are free; every path
    must be readable there under the same name; it stays on one machine. Ray must have been initialised.

    Args:
        base: Hugging Face folder of a Llama or Qwen2: ``config.json``, safetensors, tokenizer and chat template.
        examples: one or several Parquet files with a ``messages`` column (:mod:`schemas.examples`).
        config: torchtune YAML, whose ``recipe`` says what runs.
        out: folder to write, adapters merged; appears complete or not at all, and replaces one of an earlier call.
        steps: optimizer steps.
        seed: seed of the order of the examples and of torchtune.
        overrides: see :func:`configure`.
        log: file that torchtune's output and the loss of each step are appended to.
        on_progress: called about twice a second with the step, the number of steps and the loss.
        num_cpus: CPUs that Ray sets aside, and threads that torch uses.
        num_gpus: GPUs that Ray sets aside; see :func:`processes`.

    Raises:
        ConfigError: an override does not fit the YAML, or the YAML wants a GPU and none is set aside.
        FinetuneError: there is nothing to train, the recipe failed, a loss is not finite, or torchtune made another
            number of steps.
    """
    settings = configure(config, overrides)
    ranks = processes(settings, num_cpus, num_gpus)
    base, out, log = (path.resolve() for path in (base, out, log))
    files = [str(path.resolve()) for path in ([examples] if isinstance(examples, Path) else examples)]
    if steps < 1 or not pyarrow.dataset.dataset(files, format="parquet").count_rows():
        raise FinetuneError(f"nothing to train: {steps} steps on the examples in {', '.join(files) or 'no file'}")
    work = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    output = TrainingLog(log, start=log.stat().st_size)
    _fill_in(settings, base, files, steps, ranks, seed, work, log)
    # One file and not key=value arguments: torchtune refuses an argument whose value, such as a path, has a = in it.
    OmegaConf.save(settings, work / "config.yaml")

    started = time.monotonic()
    run = ray.remote(num_cpus=num_cpus, num_gpus=num_gpus)(run_recipe)
    task = run.remote(settings.recipe, work / "config.yaml", log, ranks, max(1, int(num_cpus) // ranks))
    try:
        while not ray.wait([task], timeout=0.5)[0]:
            losses = output.losses()
            if on_progress and losses:
                on_progress(len(losses), steps, losses[-1])
        exit_code = ray.get(task)
    except RayError as error:
        raise output.failure(f"the task of the fine-tune died: {cause(str(error))}") from error
    except BaseException:  # Ctrl-C as well: whatever ends this call ends the recipe
        ray.cancel(task, force=True)
        raise
    seconds = time.monotonic() - started
    if exit_code:
        raise output.failure(f"torchtune ended with exit code {exit_code}")
    losses = output.losses()
    if len(losses) != steps:
        raise output.failure(f"torchtune made {len(losses)} steps instead of {steps}")
    if on_progress:
        on_progress(steps, steps, losses[-1])

    counts = json.loads((work / "summary.json").read_text())
    _publish(base, work, out, DTYPES[settings.dtype])
    tenth = math.ceil(steps / 10)
    return FinetuneResult(
        steps=steps,
        loss_first=sum(losses[:tenth]) / tenth,
        loss_last=sum(losses[-tenth:]) / tenth,
        seconds=seconds,
        **counts,
    )


def configure(config: Path, overrides: Mapping[str, Any]) -> DictConfig:
    """A torchtune YAML with overrides: dotted keys and values, read as on torchtune's command line (1e-4 is a number).

    Its ``recipe`` is one of torchtune's :data:`RECIPES`, or the path of a ``.py`` file that does the same.

    Raises:
        ConfigError: lists every override without an entry in the YAML or set by each fine-tune, and a missing recipe.
    """
    settings = OmegaConf.load(config)
    assert isinstance(settings, DictConfig)
    entries = {key: key.split(".")[0] for key in overrides}
    names = [str(name) for name in settings if name not in SET_HERE]
    problems = [
        f"'{key}' is set by the factory" if entry in SET_HERE else f"no entry '{entry}'{nearest(entry, names)}"
        for key, entry in entries.items()
        if entry not in names
    ]
    recipe = str(overrides.get("recipe", settings.get("recipe", "")))
    file = located(Path(recipe))
    if recipe not in RECIPES and not (file.suffix == ".py" and file.is_file()):
        problems.append(f"recipe '{recipe}' is neither one of torchtune's nor a .py file{nearest(recipe, RECIPES)}")
    if problems:
        raise ConfigError(f"torchtune config {config.name}", problems)
    dotlist = [f"{key}={'null' if value is None else value}" for key, value in overrides.items()]
    settings.merge_with(OmegaConf.from_dotlist(dotlist))
    settings.recipe = recipe if recipe in RECIPES else str(file.resolve())
    return settings


def _fill_in(
    settings: DictConfig, base: Path, files: list[str], steps: int, ranks: int, seed: int, work: Path, log: Path
) -> None:
    """Add what this fine-tune reads and writes. One epoch over the stream, in its order, is exactly ``steps`` steps:
    of R processes, number r takes rows r, r + R, ... of the stream, so that each step trains on the rows that one
    process would with a batch R times as large."""
    model_type = json.loads((base / "config.json").read_text())["model_type"]
    index = base / "model.safetensors.index.json"
    weights = json.loads(index.read_text())["weight_map"].values() if index.exists() else ["model.safetensors"]
    settings.merge_with(
        {
            "output_dir": str(work),
            "checkpointer": {
                "checkpoint_dir": str(base),
                "checkpoint_files": sorted(set(weights)),
                "model_type": MODEL_TYPES.get(model_type, settings.checkpointer.model_type),
            },
            "resume_from_checkpoint": False,
            "dataset": {
                "source": files,
                "rows": steps * settings.batch_size * settings.gradient_accumulation_steps * ranks,
                "seed": seed,
                "summary": str(work / "summary.json"),
            },
            "seed": seed,
            "shuffle": False,
            "epochs": 1,
            "max_steps_per_epoch": None,
            "metric_logger": {
                "_component_": "torchtune.training.metric_logging.DiskLogger",
                "log_dir": str(log.parent),
                "filename": log.name,
            },
            "log_every_n_steps": 1,
        }
    )


def _publish(base: Path, work: Path, out: Path, dtype: str) -> None:
    """Put the trained weights and the base's other files into one folder, then let it appear as ``out``."""
    model = work / "model"
    model.mkdir()
    weights = sorted((work / "epoch_0").glob("model-*.safetensors"))
    if len(weights) == 1:
        weights[0].rename(model / "model.safetensors")
    else:
        for file in [*weights, work / "epoch_0" / "model.safetensors.index.json"]:
            file.rename(model / file.name)
    for pattern in KEPT_FILES:
        for file in base.glob(pattern):
            shutil.copyfile(file, model / file.name)
    config = json.loads((base / "config.json").read_text())
    config.pop("torch_dtype", None)  # the name that transformers 4 gave to dtype
    (model / "config.json").write_text(json.dumps(config | {"dtype": dtype}, indent=2) + "\n")
    for file in model.iterdir():
        file.chmod(0o644)  # safetensors writes 0600, which hides the weights from everyone else
    shutil.rmtree(out, ignore_errors=True)
    model.rename(out)
    shutil.rmtree(work)
