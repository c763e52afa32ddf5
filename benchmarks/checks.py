"""How well checks find wrong steps where the right ones are known: ``python -m benchmarks.checks RUN [SETTING ...]``.

RUN is a run on sums (:mod:`factory.corpora.arithmetic`), finished or not. A correct attempt is *flawed* if what stands
before its answer is not the true columns of the sum: a digit, a carry or a result is wrong, or a column is missing or
too many. Every shipped check is put to every correct attempt, with its defaults:

precision: of the attempts that fail it, the share that is flawed; null if none fails.
recall: of the flawed attempts, the share that fails it; null if there is none.
apart: attempts to which it does not apply.

The examples of each generation, but for the seeds' own, are made twice without writing them: as the recipe of the run
says, and with SETTINGs such as ``curation.checks_decide=[sampled,rationalized]`` (that is what is tried if none is
given). ``--json`` prints one object.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from factory.checks import Check
from factory.corpora.arithmetic import rationale
from factory.curation.checked import ORIGIN, checked
from factory.curation.curate import Rules, curate_rollouts
from factory.errors import ConfigError
from factory.files import shards
from factory.recipe.component import find
from factory.recipe.curation import Curation
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.recipe.reference import components
from factory.run import Run

TRIED = ("curation.checks_decide=[sampled, rationalized]",)


def measured(folder: Path, settings: Sequence[str] = TRIED) -> Iterator[dict[str, Any]]:
    """Of each generation that has rollouts: ``generation``, ``attempts`` (correct ones), ``flawed``, ``checks`` (by
    name: ``failed``, ``apart``, ``precision``, ``recall``) and ``examples`` (``before`` and ``after``: how many there
    are and how many are flawed).

    Raises:
        ConfigError: no run, a setting that is none, or a run on something else than sums.
    """
    run = Run.existing(folder)
    before, after = (load_recipe(str(folder / "recipe.yaml"), some) for some in ((), settings))
    for generation in run.generations():
        files = shards(run.generation(generation) / "rollouts")
        if not files:
            continue
        rollouts = pl.read_parquet(files)
        if not rollouts["question"].str.contains(r"^\d+\+\d+$").all():
            raise ConfigError(f"run '{folder}'", ["its questions are not sums, so their true steps are not known"])
        attempts = _checked(rollouts, [find(path)() for path in components("checks")])
        yield {
            "generation": generation,
            "attempts": attempts.height,
            "flawed": attempts["flawed"].sum(),
            "checks": dict(_found(attempts)),
            "examples": {
                "before": _examples(rollouts, before, generation),
                "after": _examples(rollouts, after, generation),
            },
        }


def flawed(question: str, text: str) -> bool:
    """Whether what stands before the answer is anything but the true columns."""
    left, _, right = question.partition("+")
    true = rationale(int(left), int(right)).splitlines()[:-1]
    return text.strip().splitlines()[:-1] != true


def _checked(rollouts: pl.DataFrame, checks: Sequence[Check]) -> pl.DataFrame:
    """The correct attempts with ``flawed`` and the results of all checks."""
    attempts = (
        rollouts.select("question_id", "question", "answer", "difficulty", "attempts")
        .with_row_index("rollout")
        .explode("attempts", empty_as_null=False, keep_nulls=False)
        .unnest("attempts")
        .filter(pl.col("verdict") == "correct")
        .with_columns(origin=ORIGIN)
    )
    return _with_flaws(checked(attempts, checks, Curation()), "completion")


def _with_flaws(rows: pl.DataFrame, text: str) -> pl.DataFrame:
    found = [flawed(*row) for row in rows.select("question", text).iter_rows()]
    return rows.with_columns(flawed=pl.Series(found, dtype=pl.Boolean))


def _found(attempts: pl.DataFrame) -> Iterator[tuple[str, dict[str, Any]]]:
    results = attempts.select("flawed", "checks").explode("checks", empty_as_null=False, keep_nulls=False)
    for (name,), rows in results.unnest("checks").group_by("name", maintain_order=True):
        failed = rows.filter(~pl.col("passed"))
        right = failed["flawed"].sum()
        yield (
            str(name),
            {
                "failed": failed.height,
                "apart": rows["passed"].null_count(),
                "precision": _share(right, failed.height),
                "recall": _share(right, rows["flawed"].sum()),
            },
        )


def _share(part: int, of: int) -> float | None:
    return round(part / of, 4) if of else None


def _examples(rollouts: pl.DataFrame, recipe: Recipe, generation: int) -> dict[str, int]:
    now = recipe.at(generation)
    checks = [component() for component in now.curation.checks]
    kept, _ = curate_rollouts(rollouts, Rules(now.curation, checks, hints=now.prompt.hints))
    return {"examples": kept.height, "flawed": int(_with_flaws(kept, "rationale")["flawed"].sum())}


def told(generations: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The figures as lines of text."""
    for one in generations:
        counts = [f"{place}: {of['flawed']:,} of {of['examples']:,}" for place, of in one["examples"].items()]
        shares = f"generation {one['generation']}: {one['flawed']:,} of {one['attempts']:,} correct attempts are flawed"
        yield f"{shares}; of the examples {', '.join(counts)}"
        yield f"  {'check':<16}{'failed':>8}{'apart':>8}{'precision':>11}{'recall':>8}"
        for name, found in one["checks"].items():
            shown = ["" if found[key] is None else f"{found[key]:.1%}" for key in ("precision", "recall")]
            yield f"  {name:<16}{found['failed']:>8,}{found['apart']:>8,}{shown[0]:>11}{shown[1]:>8}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="the folder of a run on sums")
    parser.add_argument("settings", nargs="*", help="what the examples are made with the second time")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    try:
        printed = list(measured(asked.run, asked.settings or TRIED))
    except ConfigError as error:
        sys.exit(str(error))
    print(json.dumps({"generations": printed}) if asked.json else "\n".join(told(printed)))
