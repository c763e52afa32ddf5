"""The examples of earlier generations beside a generation's own (``curation.union``): those that say something new.

They come from the generations of the same phase, for an earlier phase may have asked in another form. What is taken was
an example of its own generation, and is still kept under the settings of the one that takes it: it is decided anew, by
the same flags, checks and test questions. The newest generation comes first, the generation's own before all.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from factory.curation.duplicates import judged, preference
from factory.errors import FactoryError
from factory.files import shards
from factory.recipe.curation import Curation
from factory.recipe.recipe import Recipe
from factory.record import Files, readable
from factory.run import Run


def earlier(recipe: Recipe, n: int) -> list[int]:
    """The generations whose examples generation n may take over, the newest first."""
    phase, begin = recipe.phase_of(n)
    return [*reversed(range(begin, n))] if phase.curation.union else []


def problems(recipe: Recipe, run: Run) -> list[str]:
    """What is known to fail before any work: the next generation is to take examples whose tables have been put away.

    Rollouts of a generation that is not published are left out: they are sampled again.
    """
    n = next((n for n in range(recipe.total) if run.record("validate", n) is None), None)
    if n is None:
        return []
    return [*_put_away(run, n, [m for m in earlier(recipe, n) if run.record("publish", m)])]


def recorded(recipe: Recipe, run: Run, n: int) -> Files:
    """The files of earlier generations that generation n's examples come from, which are as they were written:
    rollouts, examples and, of a recipe with a judge, what it said.

    Raises:
        FactoryError: some have been put away, or one is missing, truncated, changed or foreign.
    """
    found: Files = {}
    if gone := [*_put_away(run, n, earlier(recipe, n))]:
        raise FactoryError(f"run '{run.folder}': " + "\n  ".join(gone))
    for m in earlier(recipe, n):
        folder = run.generation(m)
        found |= run.recorded("rollouts", m, folder / "rollouts") | run.recorded("curate", m, folder / "examples")
        if recipe.at(n).judge:
            found |= run.recorded("judge", m, folder / "judge" / "rollouts")
    return found


def _put_away(run: Run, n: int, generations: Sequence[int]) -> Iterator[str]:
    for m in generations:
        judged = bool((run.record("judge", m) or {}).get("outputs"))
        for table in ("rollouts", "examples", *(["judge/rollouts"] if judged else [])):
            folder = run.generation(m) / table
            if not shards(folder):
                yield (
                    f"curation.union: generation {n} takes over examples of generation {m}, and these are read and "
                    f"judged by its rollouts: {folder} has been put away; put it back, and give the same command again"
                )


def with_earlier(
    kept: pl.DataFrame, others: Sequence[pl.DataFrame], asked: pl.DataFrame, curation: Curation
) -> pl.DataFrame:
    """The attempts that become examples: the generation's own, and of the others those that say something new, as
    long as the cap of their question and turn is not reached.

    Args:
        kept: the generation's own; as :func:`factory.curation.curate.decided` gives them.
        others: those of each earlier generation, the newest first.
        asked: ``question_id`` and ``rollout`` of all the generation's questions.

    Returns:
        by question in the order of the rollouts, so that rows keep their place in what is published; of a question the
        generation's own first, then the newest, each in the order of the attempts.
    """
    of_now = [other.drop("rollout").join(asked, on="question_id") for other in others]
    rows = pl.concat(
        [one.with_columns(age=pl.lit(age)) for age, one in enumerate([kept, *of_now])], how="diagonal_relaxed"
    ).sort("rollout", "age", *preference(curation), nulls_last=True)
    # what goes by hinted, the choice of the most diverse, goes by the generation first
    told = judged(rows.with_columns(hinted=2 * pl.col("age") + pl.col("hinted")), curation)
    return rows.filter(told["reason"].is_null()).sort("rollout", "age", "order")


def examples_of(shard: Path) -> pl.DataFrame:
    """``attempt_id`` of the examples in a shard."""
    with readable(shard):
        return pl.read_parquet(shard, columns=["attempt_id"]).drop_nulls()


def taken_over(examples: Path, n: int) -> dict[str, int]:
    """How many examples of generation n are of each earlier generation, by its number."""
    files = pl.scan_parquet(shards(examples)).filter(pl.col("generation") < n)
    counts = files.group_by("generation").len().sort("generation").collect(engine="streaming")
    return {str(generation): count for generation, count in counts.iter_rows()}
