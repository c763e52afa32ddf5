"""What a run says of itself, read from its records: the status object, the table, the facts of a dataset card."""

from pathlib import Path
from typing import Any

import polars as pl
import yaml

from factory import terminal
from factory.errors import ConfigError, nearest
from factory.recipe import Recipe
from factory.run import Record, Run, read_json, shards

COLUMNS = (
    ("gen", 4),
    ("model", 18),
    ("pass@1", 8),
    ("questions", 10),
    ("attempts", 10),
    ("solved", 8),
    ("sampled", 8),
    ("rationalized", 13),
    ("rejects", 8),
    ("tokens", 11),
    ("seconds", 8),
)
BARS = " ▁▂▃▄▅▆▇█"


def rollout_counts(folder: Path) -> Record:
    """``questions``, ``attempts``, ``solved`` and ``completion_tokens`` of a folder of rollouts."""
    rollouts = pl.scan_parquet(shards(folder))
    attempts = rollouts.select("attempts").explode("attempts", empty_as_null=False, keep_nulls=False).unnest("attempts")
    questions = rollouts.select(questions=pl.len(), solved=pl.col("solved").sum())
    sums = attempts.select(
        attempts=pl.len(),
        hinted=pl.col("hinted").sum(),
        errors=(pl.col("verdict") == "error").sum(),
        completion_tokens=pl.col("completion_tokens").cast(pl.Int64).sum(),
    )
    return pl.concat([questions, sums], how="horizontal").collect().row(0, named=True)


def status(folder: Path) -> dict[str, Any]:
    """The status of a run, as ``python -m factory status RUN --json`` prints it.

    ``{"run", "recipe", "generations": [...]}``; a generation has ``generation``, ``model``, ``eval`` (``pass@1``, its
    95 % ``interval``, ``by_difficulty``), ``questions``, ``attempts``, ``solved``, ``examples`` (by origin),
    ``rejects`` (by reason), ``checks`` (by name and origin: how many passed and failed), ``completion_tokens``,
    ``seconds`` (by stage) and ``dataset``. What has not been done yet is null; the evaluation of the final model is
    the last element.

    Raises:
        ConfigError: the folder holds no run.
    """
    if not (folder / "run.json").exists():
        near = [path.parent.name for path in folder.parent.glob("*/run.json")]
        raise ConfigError(f"run '{folder}'", [f"there is no run in this folder{nearest(folder.name, near)}"])
    run = Run(folder)
    generations: list[dict[str, Any]] = []
    while records := run.records(len(generations)):
        generations.append(_generation(len(generations), records))
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text())["name"]
    return {"run": str(folder), "recipe": recipe, "generations": generations}


def _generation(number: int, records: dict[str, Record]) -> dict[str, Any]:
    evaluation, rollouts = records.get("evaluation", {}), records.get("rollouts", {})
    curated = records.get("curate")
    measured = {"pass@1": None, "interval": None, "by_difficulty": {}} | evaluation.get("eval", {})
    tokens = [record["completion_tokens"] for record in (evaluation, rollouts) if record]
    return {
        "generation": number,
        "model": (rollouts or evaluation).get("model", {}).get("path"),
        "eval": {key: measured[key] for key in ("pass@1", "interval", "by_difficulty")},
        "questions": rollouts.get("questions"),
        "attempts": rollouts.get("attempts"),
        "solved": rollouts.get("solved"),
        "examples": {"sampled": 0, "rationalized": 0} | curated["examples"] if curated else None,
        "rejects": curated["rejects"] if curated else None,
        "checks": curated.get("checks") if curated else None,
        "completion_tokens": sum(tokens) if tokens else None,
        "seconds": {stage: record["seconds"] for stage, record in records.items()},
        "dataset": records.get("publish", {}).get("dataset"),
    }


class Table:
    """The table of a run, a row a generation: printed while the run goes on, and by ``status``."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.headed = False

    def add(self, number: int) -> None:
        """Print the row of a generation, under the heading if it is the first."""
        generation = status(self.folder)["generations"][number]
        if not self.headed:
            terminal.console.print("".join(f"{name:>{width}}" for name, width in COLUMNS), style="bold")
            self.headed = True
        examples = generation["examples"] or {}
        cells = [
            number,
            generation["model"],
            "" if generation["eval"]["pass@1"] is None else f"{generation['eval']['pass@1']:.1%}",
            *(generation[name] for name in ("questions", "attempts", "solved")),
            *(examples.get(name) for name in ("sampled", "rationalized")),
            None if generation["rejects"] is None else sum(generation["rejects"].values()),
            generation["completion_tokens"],
            round(sum(generation["seconds"].values())),
        ]
        texts = ["" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells]
        terminal.console.print("".join(f"{text:>{width}}" for text, (_, width) in zip(texts, COLUMNS, strict=True)))

    def finish(self) -> None:
        """Print what accuracy did, by difficulty: a curve where every generation is a bar."""
        measured = [generation["eval"] for generation in status(self.folder)["generations"]]
        groups = list(dict.fromkeys(group for one in measured for group in one["by_difficulty"]))
        if len(groups) > 12:
            groups = []
        curves = {"accuracy": [one["pass@1"] for one in measured]}
        curves |= {group: [one["by_difficulty"].get(group) for one in measured] for group in groups}
        terminal.console.print()
        for name, values in curves.items():
            known = [value for value in values if value is not None]
            if known:
                bars = "".join(" " if value is None else BARS[round(value * 8)] for value in values)
                steps = " -> ".join(f"{value:.1%}" for value in known)
                terminal.console.print(f"  {name:<20} {bars}  {steps}")
            if name == "accuracy" and known:
                bounds = " -> ".join("{:.1%}-{:.1%}".format(*one["interval"]) for one in measured if one["interval"])
                terminal.console.print(f"  {'its 95% interval':<20} {' ' * len(values)}  {bounds}")


def show(folder: Path) -> None:
    """Print the table and the curve of a run."""
    generations = status(folder)["generations"]
    table = Table(folder)
    for generation in generations:
        table.add(generation["generation"])
    if generations:
        table.finish()
    else:
        terminal.console.print("no stage of generation 0 has finished yet")


def card_facts(run: Run, recipe: Recipe, n: int) -> dict[str, Any]:
    """What manifest and card say of generation n, from the records; nothing in it differs when the run is repeated."""
    records = run.records(n)
    rollouts, curated = records["rollouts"], records["curate"]
    base = run.record("base") or {}
    before = run.record("publish", n - 1) if n else None
    return {
        "method": recipe.strategy.name,
        "base_model": f"{recipe.base.name} {_short(base['model']['sha256'])}",
        "model": {"name": rollouts["model"]["path"], "digest": _short(rollouts["model"]["sha256"])},
        "corpus": recipe.corpus.name,
        "verifier": recipe.verifier.name,
        "license": recipe.publish.license,
        "parent_generation": n - 1 if n else None,
        "parent_manifest_sha256": before["manifest_sha256"] if before else None,
        "funnel": [
            {"what": "questions", "count": rollouts["questions"]},
            {"what": "attempts", "count": rollouts["attempts"]},
            {"what": "of these, under a hint", "count": rollouts["hinted"]},
            {"what": "questions solved without a hint", "count": rollouts["solved"]},
            *({"what": f"examples {origin}", "count": count} for origin, count in curated["examples"].items()),
        ],
        "checks": curated["checks"],
        "accuracy": [_accuracy(run, generation) for generation in range(n + 1)],
        "validation": {"passed": True, "expectations": records["validate"]["expectations"]},
        "seed": recipe.seed,
        "recipe_fingerprint": recipe.fingerprint(),
        "command": "python -m factory iterate recipe.yaml",
        "packages": rollouts["packages"],
        "code_commit": rollouts["code"],
    }


def _short(sha256: str | None) -> str:
    return f"sha256:{sha256[:16]}" if sha256 else "served, not known"


def _accuracy(run: Run, generation: int) -> dict[str, Any]:
    measured = (run.record("evaluation", generation) or {})["eval"]
    return {
        "generation": generation,
        "accuracy": measured["pass@1"],
        "questions": measured["questions"],
        "by_difficulty": measured["by_difficulty"],
    }


def manifest_fingerprint(dataset: Path) -> str | None:
    """The recipe fingerprint of a published generation; None if there is none."""
    manifest = dataset / "manifest.json"
    return read_json(manifest)["facts"]["recipe_fingerprint"] if manifest.exists() else None
