"""Runs of which only the records are there, written by hand: what a run tells of itself needs no more."""

from pathlib import Path
from typing import Any

import yaml

from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.run import Run

RISE = {
    "strategy": {"_component_": "factory.strategies.rise.rise"},
    "evaluation": {
        "strategy": {"_component_": "factory.strategies.introspection.introspection", "turns": 2, "parallel": 3}
    },
}
ONE_TURN = {"pass@1": 0.5, "interval": [0.4, 0.6], "questions": 90, "by_difficulty": {"1 digit": 1.0}}
TWO_TURNS = ONE_TURN | {
    **{"m1@t1": 0.2, "m3@t1": 0.25, "m1@t2": 0.235, "p1@t2": 0.4},
    "per_turn": {"accuracy": [0.2, 0.3], "m1": [0.2, 0.235], "p1": [0.2, 0.4], "parallel": [0.2, 0.21, 0.25]},
}


CHECKS = {"columns": {"sampled": {"passed": 3, "failed": 0}}}


def record(run: Run, number: int, measured: dict[str, Any], examples: dict[str, int]) -> None:
    """The records of a generation up to its publication."""
    model = {"path": str(run.model(number).relative_to(run.folder)), "sha256": "ab" * 32}
    counts = {"questions": 100, "attempts": 1200, "solved": 40, "hinted": 0, "completion_tokens": 5000}
    sampled = {"model": model, "verifier": {"name": "exact", "version": "1"}, "prompt_sha256": "9a" * 32}
    shard = f"gen-{number}/examples/00000.parquet"
    curated = {"outputs": {shard: {"sha256": f"{number:064}"}}, "check_versions": {"columns": "1"}, "checks": CHECKS}
    run.finish("evaluation", {"eval": measured, "model": model, "completion_tokens": 10}, 1.0, number)
    run.finish("rollouts", counts | sampled, 20.0, number)
    run.finish("curate", curated | {"examples": examples, "rejects": {"wrong": 7}}, 0.0, number)
    run.finish("validate", {"expectations": 22, "failures": []}, 0.0, number)
    run.finish("publish", {"dataset": "d", "manifest_sha256": "cd"}, 0.0, number)


HEALTH = {
    "figures": {
        **{"pass@1": 0.4, "interval": [0.3, 0.5], "pass@k": {"1": 0.4, "2": 0.5, "3": 0.6}, "solved": 0.6},
        **{"newly_solved": 7, "newly_lost": None, "rationalized": 0.25, "distinct_rationales": 1.5, "easy": 0.125},
        **{"near_duplicates": 0.75, "length": 1234.5, "length_drift": -0.05, "flawed": {"columns": 0.3, "mute": None}},
        **{"tokens_per_example": 99.0, "accuracy": 0.5, "accuracy_interval": [0.4, 0.6]},
    },
    **{"advice": "stop: it is <enough>", "go_on": False, "because": {"newly_solved": [None, 7]}},
}
"""The record of a generation's health; it stands apart, as runs of earlier releases have none."""


def opened(folder: Path, changes: dict[str, Any]) -> tuple[Run, Recipe]:
    """A run of ``star_arithmetic`` with some settings changed."""
    config = yaml.safe_load((Path(__file__).parents[2] / "recipes" / "star_arithmetic.yaml").read_text())
    (folder / "mine.yaml").write_text(yaml.safe_dump(config | changes))
    recipe = load_recipe(str(folder / "mine.yaml"))
    return Run.open(folder / "run", recipe), recipe
