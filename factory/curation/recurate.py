"""Another curation of a generation that has been sampled: ``python -m factory curate``.

The run is not changed by it: what it trained on and published stays. A view lies beside it, as
``gen-N/views/<what differs>/{examples,rejects}/*.parquet`` with a ``record.json``.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from factory.errors import ConfigError
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.record import Record
from factory.run import Run

LONGEST_NAME = 100
"""Characters of a view's folder; settings that are longer stand in its record alone."""


def load(folder: Path, generation: int, overrides: Sequence[str]) -> tuple[Run, Recipe, str]:
    """The run, its recipe with another curation of one generation, and the name of that view.

    Args:
        overrides: ``key=value`` settings of ``curation``, in whichever phase of the recipe the generation is.

    Raises:
        ConfigError: no run, no rollouts of that generation, or settings that are not of curation or do not fit.
    """
    run = Run.existing(folder)
    path = str(folder / "recipe.yaml")
    if run.record("rollouts", generation) is None:
        there = [str(n) for n in run.generations() if run.record("rollouts", n)]
        raise ConfigError(
            f"run '{folder}'", [f"generation {generation} has no rollouts; have some: {', '.join(there) or 'none'}"]
        )
    recipe = load_recipe(path)
    phase = next(number for number, one in enumerate(recipe.phases) if one is recipe.at(generation))
    settings = [override.removeprefix("curation.") for override in overrides]
    before = f"then.{phase - 1}.curation." if phase else "curation."
    changed = load_recipe(path, [before + setting for setting in settings])
    phase_now = changed.at(generation)
    if phase_now.curation.criterion != "correct" and not phase_now.rewarded:
        criterion, strategy = phase_now.curation.criterion, phase_now.strategy.path
        raise ConfigError(f"run '{folder}'", [f"criterion={criterion}: goes by rewards, and '{strategy}' gives none"])
    name = ",".join(sorted(settings)).replace("/", "_") or "as-in-the-recipe"
    return run, changed, name if len(name) < LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()[:16]


def table(run: Run, generation: int, record: Record) -> str:
    """What the view keeps and drops, beside what the run does."""
    own = run.record("curate", generation)
    lines = [f"{'':<28}{'view':>10}{'run' if own else '':>10}"]
    for kind in ("examples", "rejects"):
        counts, before = record[kind], own[kind] if own else {}
        for name in dict.fromkeys([*counts, *before]):
            in_run = f"{before.get(name, 0):,}" if own else ""
            lines.append(f"{kind + ' ' + name:<28}{counts.get(name, 0):>10,}{in_run:>10}")
    return "\n".join([*lines, "", f"  {record['folder']}"])
