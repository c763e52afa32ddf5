"""What a run knows of a generation, as its manifest and its card tell it: counts, figures, lineage.

What was done comes from the records of the stages, what was wanted from the recipe, which a run never changes; so
nothing differs when a generation is published again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from factory.recipe.recipe import Recipe
from factory.record import Record
from factory.run import Run
from factory.targets import Target


def dataset_facts(run: Run, recipe: Recipe, n: int, target: Target) -> dict[str, Any]:
    """The facts of generation n, all but its ``parent``, which the target knows.

    :mod:`factory.publishing.card.card` has their meaning.

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
        "base_model": _base(run, recipe),
        # only where it is so: what was published before this was known stays as it is
        **({"strips_reasoning": True} if _required(run, "base").get("strips_reasoning") else {}),
        "model": {
            "name": rollouts["model"]["path"],
            "sha256": rollouts["model"]["sha256"],
            "published": models.where(n - 1) if models and own and n else None,
            "trained_on": {"generation": n - 1, "examples_sha256": _examples(run, n - 1)} if own and n else None,
        },
        "trained_model": models.where(n) if models else None,
        "examples_sha256": _examples(run, n),
        "teacher": now.teacher and now.teacher.name,
        "corpus": {"name": _corpus(recipe), "sha256": _digest_of(_required(run, "questions")["outputs"])},
        "questions": _required(run, "questions").get("counts"),
        # what a run has recorded that began with an earlier release lacks these: its recipe is asked
        "verifier": rollouts.get("verifier", now.verifier.identity),
        "check_versions": curated.get("check_versions", now.curation.check_versions),
        "checks": curated["checks"],
        "prompt_sha256": rollouts.get("prompt_sha256", now.prompt.sha256),
        "criterion": now.curation.criterion,
        **({"tau": now.curation.tau, "centred": now.curation.centred} if weighed else {}),
        **_held_against(run, curated),
        "license": recipe.publish.license,
        "language": list(recipe.publish.language),
        # those of an earlier release have none, and stay as they are
        **({"health": health} if (health := [*_health(run, n)]) else {}),
        **({"taken_over": taken} if (taken := _taken_over(curated)) else {}),
        "funnel": _funnel(rollouts, curated),
        "accuracy": [_accuracy(run, generation) for generation in range(n + 1)],
        "generations": [_counts(run, generation) for generation in range(n + 1)],
        "validation": {
            "passed": not validated.get("failures"),
            "expectations": validated["expectations"],
            "failures": validated.get("failures", []),
        },
        "seed": recipe.seed,
        "recipe_fingerprint": run.fingerprint,
        "command": "python -m factory iterate recipe.yaml",
        "packages": rollouts["packages"],
        "code_commit": rollouts["code"],
    }


def model_facts(run: Run, recipe: Recipe, n: int, dataset: str, manifest_sha256: str) -> dict[str, Any]:
    """The facts of the model that was trained on generation n; :mod:`factory.publishing.card.model` has their meaning.

    Args:
        dataset: where generation n is published.
        manifest_sha256: of that publication.
    """
    trained, now = run.records(n)["finetune"], recipe.at(n)
    training = trained["training"] | {"config": str(now.finetune.config), "recipe": now.finetune.recipe}
    del training["seconds"]  # would differ when the run is repeated
    return {
        "dataset": dataset,
        "dataset_manifest_sha256": manifest_sha256,
        "method": now.strategy.name,
        "base_model": _base(run, recipe),
        "start": trained["start"],
        "sha256": trained["model"]["sha256"],
        "training": training,
        "license": recipe.publish.license,
        "recipe_fingerprint": run.fingerprint,
        "code_commit": trained["code"],
        "unsafe": bool(run.records(n)["validate"].get("failures")),
    }


def _required(run: Run, stage: str, generation: int | None = None) -> Record:
    record = run.record(stage, generation)
    if record is None:
        raise KeyError(stage)
    return record


def _base(run: Run, recipe: Recipe) -> dict[str, str]:
    """The base model under the name that people know it by: that on the Hub, or of its folder."""
    return {
        "name": _shown(str(recipe.base.settings.get("model") or recipe.base.name)),
        "sha256": _required(run, "base")["model"]["sha256"],
    }


def _corpus(recipe: Recipe) -> str:
    """The corpus; of a table, which is any, the dataset or the file."""
    settings = recipe.corpus.settings
    return _shown(str(settings.get("dataset") or settings.get("path"))) if "columns" in settings else recipe.corpus.name


def _shown(name: str) -> str:
    """A name of the Hub as it is, of a path its last part: the rest is this machine's."""
    path = Path(name).expanduser()
    return path.name if path.exists() or path.is_absolute() or len(path.parts) != 2 else name


def _digest_of(described: Mapping[str, Any]) -> str:
    """One digest for some files, from the digests that a record has of them."""
    return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()


def _examples(run: Run, n: int) -> str:
    """The digest of the shards of examples that generation n publishes, and model n+1 is trained on."""
    outputs = _required(run, "curate", n)["outputs"]
    return _digest_of({path: outputs[path]["sha256"] for path in outputs if "/examples/" in path})


def _held_against(run: Run, curated: Record) -> dict[str, Any]:
    """The eval sets that the examples were held against, and what was dropped for it; nothing where there are none."""
    sets = (run.record("flags") or {}).get("sets")
    dropped = curated["rejects"].get("contaminated", 0)
    return {"decontamination": {"sets": sets, "dropped": dropped}} if sets else {}


def _funnel(rollouts: Record, curated: Record) -> list[dict[str, Any]]:
    return [
        {"what": "questions", "count": rollouts["questions"]},
        {"what": "attempts", "count": rollouts["attempts"]},
        {"what": "of these, under a hint", "count": rollouts["hinted"]},
        {"what": "questions solved without a hint", "count": rollouts["solved"]},
        *({"what": f"examples {origin}", "count": count} for origin, count in curated["examples"].items()),
        *({"what": f"of the examples, of generation {m}", "count": count} for m, count in _taken_over(curated).items()),
    ]


def _taken_over(curated: Record) -> dict[str, int]:
    """How many examples are of each earlier generation; that of an earlier release does not tell, and has none."""
    found: dict[str, int] = curated.get("taken_over", {})
    return found


def _accuracy(run: Run, generation: int) -> dict[str, Any]:
    measured = _required(run, "evaluation", generation)["eval"]
    return {
        "generation": generation,
        "accuracy": measured["pass@1"],
        "questions": measured["questions"],
        "by_difficulty": measured["by_difficulty"],
        **{name: figure for name, figure in measured.items() if "@t" in name or name == "per_turn"},
    }


def _health(run: Run, n: int) -> Iterator[dict[str, Any]]:
    """The figures of each generation up to n whose health is known, and the advice."""
    for generation in range(n + 1):
        if told := run.record("health", generation):
            yield {"generation": generation, **told["figures"], "advice": told["advice"]}


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
