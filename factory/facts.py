"""What a run knows of a generation, as its manifest and its card tell it: counts, figures, lineage.

Everything comes from the records of the stages, so nothing in it differs when a generation is published again. Of a
setting that the records do not hold the recipe is asked.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from factory.component import find
from factory.recipe import Recipe
from factory.run import Record, Run, digest
from factory.settings import located
from factory.targets import Target


def dataset_facts(run: Run, recipe: Recipe, n: int, target: Target) -> dict[str, Any]:
    """The facts of generation n, all but its ``parent``, which the target knows; :mod:`factory.card` has their meaning.

    Raises:
        KeyError: a stage before publication has not finished.
    """
    records = run.records(n)
    rollouts, curated, validated = records["rollouts"], records["curate"], records["validate"]
    now = recipe.at(n)
    models = target.models() if recipe.publish.publish_model else None
    weighed = now.curation.criterion != "correct"
    own = rollouts["model"]["path"] == str(run.model(n).relative_to(run.folder))  # and not one that a server has
    return {
        "method": now.strategy.name,
        "methods": list(dict.fromkeys(recipe.at(generation).strategy.name for generation in range(n + 1))),
        "base_model": {"name": recipe.base.name, "sha256": _required(run, "base")["model"]["sha256"]},
        "model": {
            "name": rollouts["model"]["path"],
            "sha256": rollouts["model"]["sha256"],
            "published": models.where(n - 1) if models and own and n else None,
            "trained_on": {"generation": n - 1, "examples_sha256": _examples(run, n - 1)} if own and n else None,
        },
        "trained_model": models.where(n) if models else None,
        "examples_sha256": _examples(run, n),
        "teacher": now.teacher and now.teacher.name,
        "corpus": {"name": recipe.corpus.name, "sha256": _digest_of(_required(run, "questions")["outputs"])},
        "verifier": _name_and_version(now.verifier.path),
        "check_versions": {one["name"]: one["version"] for one in map(_name_and_version, _paths(now))},
        "checks": curated["checks"],
        "prompt_sha256": _prompt(now),
        "criterion": now.curation.criterion,
        **({"tau": now.curation.tau, "centred": now.curation.centred} if weighed else {}),
        "license": recipe.publish.license,
        "language": list(recipe.publish.language),
        "funnel": _funnel(rollouts, curated),
        "accuracy": [_accuracy(run, generation) for generation in range(n + 1)],
        "generations": [_counts(run, generation) for generation in range(n + 1)],
        "validation": {
            "passed": not validated["failures"],
            "expectations": validated["expectations"],
            "failures": validated["failures"],
        },
        "seed": recipe.seed,
        "recipe_fingerprint": recipe.fingerprint(),
        "command": "python -m factory iterate recipe.yaml",
        "packages": rollouts["packages"],
        "code_commit": rollouts["code"],
    }


def model_facts(run: Run, recipe: Recipe, n: int, dataset: str, manifest_sha256: str) -> dict[str, Any]:
    """The facts of the model that was trained on generation n; :mod:`factory.model_card` has their meaning.

    Args:
        dataset: where generation n is published.
        manifest_sha256: of that publication.
    """
    trained, now = run.records(n)["finetune"], recipe.at(n)
    timed = {"seconds"}  # would differ when the run is repeated
    return {
        "dataset": dataset,
        "dataset_manifest_sha256": manifest_sha256,
        "method": now.strategy.name,
        "base_model": {"name": recipe.base.name, "sha256": _required(run, "base")["model"]["sha256"]},
        "start": trained["start"],
        "sha256": trained["model"]["sha256"],
        "training": {"config": str(now.finetune.config), "recipe": now.finetune.recipe}
        | {name: value for name, value in trained["training"].items() if name not in timed},
        "license": recipe.publish.license,
        "recipe_fingerprint": recipe.fingerprint(),
        "code_commit": trained["code"],
        "unsafe": bool(run.records(n)["validate"]["failures"]),
    }


def _required(run: Run, stage: str, generation: int | None = None) -> Record:
    record = run.record(stage, generation)
    if record is None:
        raise KeyError(stage)
    return record


def _name_and_version(path: str) -> dict[str, str]:
    """Of a verifier or a check: those of this project have them as constants of the class."""
    found = find(path)
    return {"name": getattr(found, "name", path), "version": getattr(found, "version", "")}


def _paths(recipe: Recipe) -> list[str]:
    return [check.path for check in recipe.curation.checks]


def _digest_of(described: Mapping[str, Any]) -> str:
    """One digest for some files, from the digests that a record has of them."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _examples(run: Run, n: int) -> str:
    """The digest of the shards of examples that generation n publishes, and model n+1 is trained on."""
    outputs = _required(run, "curate", n)["outputs"]
    return _digest_of({path: outputs[path]["sha256"] for path in outputs if "/examples/" in path})


def _prompt(recipe: Recipe) -> str:
    """What the prompts are made with; the chat template belongs to the model."""
    settings: dict[str, Any] = recipe.prompt.model_dump(mode="json")
    if recipe.prompt.exemplars:
        settings["exemplars"] = digest(located(recipe.prompt.exemplars))
    return _digest_of(settings)


def _funnel(rollouts: Record, curated: Record) -> list[dict[str, Any]]:
    return [
        {"what": "questions", "count": rollouts["questions"]},
        {"what": "attempts", "count": rollouts["attempts"]},
        {"what": "of these, under a hint", "count": rollouts["hinted"]},
        {"what": "questions solved without a hint", "count": rollouts["solved"]},
        *({"what": f"examples {origin}", "count": count} for origin, count in curated["examples"].items()),
    ]


def _accuracy(run: Run, generation: int) -> dict[str, Any]:
    measured = _required(run, "evaluation", generation)["eval"]
    return {
        "generation": generation,
        "accuracy": measured["pass@1"],
        "questions": measured["questions"],
        "by_difficulty": measured["by_difficulty"],
        **{name: figure for name, figure in measured.items() if "@t" in name or name == "per_turn"},
    }


def _counts(run: Run, generation: int) -> dict[str, Any]:
    """A line of the table of generations."""
    records = run.records(generation)
    rollouts, curated = records["rollouts"], records["curate"]
    return {
        "generation": generation,
        "model": rollouts["model"]["path"],
        "accuracy": records["evaluation"]["eval"]["pass@1"],
        **{name: rollouts[name] for name in ("questions", "attempts", "solved")},
        "examples": curated["examples"],
        "rejects": curated["rejects"],
    }
