"""What can be known to fail is said before any work is done."""

import ray

from factory.errors import ConfigError
from factory.finetune import configure
from factory.recipe import Recipe, located
from factory.report import manifest_fingerprint
from factory.run import Run


def preflight(recipe: Recipe, run: Run, dataset: str) -> None:
    """Hold the recipe against the Ray cluster and the registry.

    Raises:
        ConfigError: lists everything that does not fit.
    """
    problems = [*_resources(recipe), *_registry(recipe, dataset), *_finetune(recipe)]
    if problems:
        raise ConfigError(f"run '{run.folder}'", problems)


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
    """An override that the torchtune config has no entry for would be noticed hours later."""
    try:
        configure(located(recipe.finetune.config), recipe.finetune.overrides)
    except ConfigError as error:
        return [f"finetune.overrides: {problem}" for problem in error.problems]
    return []


def _registry(recipe: Recipe, dataset: str) -> list[str]:
    """Another recipe's dataset of the same name would be refused when this one is published, after the sampling."""
    registry = recipe.publish.registry
    problems = []
    try:
        registry.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problems.append(f"publish.registry: '{registry}' cannot be written: {error.strerror}")
    published = manifest_fingerprint(registry / dataset / "gen-0")
    if published not in (None, recipe.fingerprint()):
        way_out = "name this one with publish.name=..., or choose another folder with publish.registry=..."
        problems.append(f"publish: '{registry / dataset}' is the dataset of another recipe; {way_out}")
    return problems
