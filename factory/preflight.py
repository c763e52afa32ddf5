"""What can be known to fail is said before any work is done."""

import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil
import ray
from safetensors import safe_open

from factory.errors import ConfigError
from factory.recipe.component import Component, find
from factory.recipe.recipe import Recipe
from factory.recipe.settings import located
from factory.run import Run
from factory.training.finetune import configure
from factory.training.process import RECIPES, processes

PAGES = 6 * 2**20
"""Bytes of the pages and facts of a validation: 4.5 MB of a generation of 16 questions."""

BYTES_PER_TOKEN = 2
"""Some four characters; shards of GSM8K's solutions take half of their bytes."""


def preflight(recipe: Recipe, run: Run, problems: Iterable[str]) -> None:
    """Hold the recipe against the Ray cluster.

    Args:
        problems: what is known to fail already; listed with the others.

    Raises:
        ConfigError: lists everything that does not fit.
    """
    problems, told = list(problems), set[str]()
    for number, phase in enumerate(recipe.phases):
        found = [
            *_resources(phase),
            *_finetune(phase),
            *_engines(phase, recipe.total),
            *_rewards(phase),
            *_likelihoods(phase),
        ]
        # what an earlier phase has, too, is said once
        prefix = f"then.{number - 1}." if number else ""
        problems += [prefix + one for one in found if one not in told]
        told |= set(found)
    if problems:
        raise ConfigError(f"run '{run.folder}'", problems)


def room(recipe: Recipe, run: Run, generations: int) -> tuple[str, list[str]]:
    """What disk and memory are asked for and have, and what they have no room for. Needs the base model.

    On disk every generation leaves a checkpoint, its tables, the pages of its validation and what it publishes (a model
    only where that is another disk). In memory an engine holds the weights and, without a GPU, its KV cache; on a GPU
    vLLM takes for it what is left.
    """
    parameters, weights = _size(run.base)
    dtype = configure(located(recipe.finetune.config), recipe.finetune.overrides).dtype
    checkpoints = sum(not run.model(n + 1).exists() for n in range(generations))
    disk = (checkpoints + 1) * parameters * (4 if dtype == "fp32" else 2)  # one more while it is being written
    left = [n for n in range(generations) if run.record("publish", n) is None]
    tables = sum(_tables(recipe.at(n), run) + PAGES for n in left)
    free = shutil.disk_usage(run.folder).free
    gpus = recipe.rollout.gpus_per_engine
    engine = recipe.engine.settings
    memory = 0 if "base_url" in engine else weights + (0 if gpus else engine.get("kv_cache_gib", 0) * 2**30)
    available = _gpu_memory(gpus) if gpus else psutil.virtual_memory().available
    where = f"{gpus:g} GPUs" if gpus else "this machine"
    told = {
        f"disk: {checkpoints} checkpoints need {_size_of(disk)}, tables, validation and publication of {len(left)} "
        f"generations {_size_of(tables)}, '{run.folder}' has {_size_of(free)} free": disk + tables > free,
        f"memory: an engine needs {_size_of(memory)}, {where} has {_size_of(available)}": memory > available,
    }
    return "; ".join(told), [problem for problem, is_one in told.items() if is_one]


def _tables(recipe: Recipe, run: Run) -> int:
    """Bytes of a generation's tables: an attempt stands among the rollouts and in an example or a reject, and all that
    once more where it is published or made ready for the Hub."""
    questions: int = (run.record("questions") or {}).get("counts", {}).get("train", 0)
    settings = recipe.strategy.settings
    attempts: int = settings.get("samples", 1) + settings.get("hinted_samples", 0)
    if isinstance(turns := settings.get("turns"), tuple):
        attempts = sum(getattr(turn, "samples", 1) for turn in turns)
    return 4 * questions * attempts * recipe.sampling.max_tokens * BYTES_PER_TOKEN


def _size(model: Path) -> tuple[int, int]:
    """Parameters and bytes of the weights in a HF folder."""
    parameters = 0
    files = list(model.glob("*.safetensors"))
    for file in files:
        with safe_open(file, framework="np") as weights:
            names = weights.keys()
            parameters += sum(math.prod(weights.get_slice(name).get_shape()) for name in names)
    return parameters, sum(file.stat().st_size for file in files)


def _gpu_memory(gpus: float) -> int:
    """Bytes of GPU memory that an engine gets, as seen where Ray would run it."""

    def look() -> int:
        import torch

        return sum(torch.cuda.mem_get_info(device)[1] for device in range(torch.cuda.device_count()))

    found: int = ray.get(ray.remote(num_gpus=gpus)(look).remote())
    return int(found * min(gpus, 1))


def _size_of(count: float) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def _engines(recipe: Recipe, generations: int) -> list[str]:
    """What the classes of the engines can say of their settings without being started."""
    problems = _said("engine", recipe.engine, recipe)
    if recipe.served_model and generations > 1:
        problems = [
            f"engine.served_model: generation 1 would sample '{recipe.served_model}' again; make one generation "
            "(generations=1), or leave it out and serve each model under the path of its checkpoint"
        ]
    if _asks_teacher(recipe.evaluation.strategy):
        problems.append("evaluation.strategy: asks the teacher, and would measure it as well")
    if recipe.teacher is None and _asks_teacher(recipe.strategy):
        problems.append("teacher: is missing, and the strategy asks it")
    for name, adviser in recipe.advisers.items():
        if adviser and not adviser.name:
            problems.append(f"{name}.model: is missing (or engine.served_model, a server's name for it)")
        if adviser:
            problems += _said(f"{name}.engine", adviser.engine, recipe)
    return problems


def _asks_teacher(strategy: Component) -> bool:
    turns = strategy.settings.get("turns")
    return isinstance(turns, tuple) and any(getattr(turn, "by", None) == "teacher" for turn in turns)


def _said(key: str, engine: Component, recipe: Recipe) -> list[str]:
    problems: Callable[..., list[str]] | None = getattr(find(engine.path), "problems", None)
    found = problems(engine.settings, recipe.rollout.gpus_per_engine) if problems else []
    return [f"{key}.{problem}" for problem in found]


def _rewards(recipe: Recipe) -> list[str]:
    """Weights that nobody would look at, and a criterion that would find no rewards to go by."""
    criterion, training = recipe.curation.criterion, recipe.finetune.recipe
    if criterion == "correct":
        return []
    problems = []
    if not recipe.rewarded:
        problems.append(f"curation.criterion={criterion}: goes by rewards, and '{recipe.strategy.path}' gives none")
    if training in RECIPES:
        ours = f"factory/tuning/{training.replace('finetune_', '').join(('weighted_', '.py'))}"
        problems.append(
            f"finetune: torchtune's '{training}' ignores weights; finetune.overrides.recipe={ours} does not"
        )
    return problems


def _likelihoods(recipe: Recipe) -> Iterator[str]:
    """Log-probabilities that curation would go by, and that an engine does not record."""
    if recipe.curation.prefer != "likeliest":
        return
    engines = {"engine": recipe.engine} | ({"teacher.engine": recipe.teacher.engine} if recipe.teacher else {})
    for key, engine in engines.items():
        if not engine.settings.get("logprobs"):
            way_out = f"set {key}.logprobs=true" if "logprobs" in engine.settings else f"'{engine.path}' records none"
            yield f"curation.prefer=likeliest: goes by log-probabilities; {way_out}"


def _resources(recipe: Recipe) -> list[str]:
    """Ray would wait in vain for what the cluster does not have."""
    have = ray.cluster_resources()
    rollout, finetune = recipe.rollout, recipe.finetune
    wanted = {
        "rollout.cpus_per_engine * rollout.engines": ("CPU", rollout.cpus_per_engine * rollout.engines),
        "rollout.gpus_per_engine * rollout.engines": ("GPU", rollout.gpus_per_engine * rollout.engines),
        "finetune.cpus": ("CPU", finetune.cpus),
        "finetune.gpus": ("GPU", finetune.gpus),
    }
    return [
        f"{key}: needs {amount:g} {kind}, the Ray cluster has {have.get(kind, 0):g}"
        for key, (kind, amount) in wanted.items()
        if amount > have.get(kind, 0)
    ]


def _finetune(recipe: Recipe) -> list[str]:
    """An override without an entry in torchtune's config, or a GPU that is not there, would be noticed hours later."""
    finetune = recipe.finetune
    try:
        processes(configure(located(finetune.config), finetune.overrides), finetune.cpus, finetune.gpus)
    except ConfigError as error:
        return [f"finetune: {problem}" for problem in error.problems]
    return []
