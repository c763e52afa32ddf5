"""How much of a generation may be of one kind: ceilings on shares, which take a count over all shards.

What goes is decided by a hash of the question's id, so it is the same on every run, and much the same in every
generation: files that are published again stay alike.
"""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from factory.corpora import place
from factory.files import to_schema
from factory.recipe.curation import Curation
from schemas import EXAMPLES, REJECTS

REASONS = {1: "over_rationalized_share", 2: "over_difficulty_share"}
"""Reasons of rejects, by the number that :func:`over` gives them."""


def surplus(examples: Sequence[Path], curation: Curation) -> dict[Path, list[dict[str, str]]]:
    """What is beyond a ceiling of the recipe: by shard ``{"attempt_id", "reason"}`` of the examples that have to go.

    Of those of one kind the ones stay whose question's id has the lowest hash; of one difficulty those that were not
    rationalized before those that were.
    """
    if curation.max_rationalized_share is None and curation.max_difficulty_share is None:
        return {}
    files = pl.scan_parquet(list(examples), glob=False, include_file_paths="shard")
    rows = files.select(
        "attempt_id",
        "question_id",
        "difficulty",
        "generation",
        pl.col("shard").cast(pl.Categorical),
        rationalized=pl.col("origin") == "rationalized",
    ).collect()
    ids = rows["question_id"].unique()
    places = pl.DataFrame({"question_id": ids, "place": [place(one) for one in ids]})
    newest = -pl.col("generation")
    rows = rows.join(places, on="question_id").sort("rationalized", "place", "question_id", newest, "attempt_id")
    gone = over(rows["rationalized"].to_numpy(), rows["difficulty"].rank("dense").fill_null(0).to_numpy(), curation)
    told = rows.with_columns(reason=pl.Series(gone).replace_strict(REASONS, default=None, return_dtype=pl.String))
    told = told.drop_nulls("reason").sort("shard", "attempt_id")
    return {
        Path(shard): those.select("attempt_id", "reason").to_dicts()
        for (shard,), those in told.partition_by("shard", as_dict=True).items()
    }


def over(rationalized: Any, group: Any, curation: Curation) -> Any:
    """Which of some examples have to go, as the number of a reason (:data:`REASONS`), 0 for those that stay.

    Args:
        rationalized: whether each is, the best first.
        group: the number of its difficulty.
    """
    gone = np.zeros(len(group), np.uint8)
    while True:
        before = np.count_nonzero(gone)
        if curation.max_rationalized_share is not None:
            most = most_beside(int(np.count_nonzero((gone == 0) & ~rationalized)), curation.max_rationalized_share)
            if most is not None:
                gone[np.flatnonzero((gone == 0) & rationalized)[most:]] = 1
        if curation.max_difficulty_share is not None:
            groups, counts = np.unique(group[gone == 0], return_counts=True)
            most = most_of_each(counts, curation.max_difficulty_share)
            for large in groups[counts > most]:
                gone[np.flatnonzero((gone == 0) & (group == large))[most:]] = 2
        if np.count_nonzero(gone) == before:  # one ceiling may pull the other down
            return gone


def most_beside(others: int, share: float) -> int | None:
    """The most that may lie beside so many others without being more than a share of the whole; None: any number."""
    exact = Fraction(str(share))
    return None if exact == 1 else int(exact * others / (1 - exact))


def most_of_each(counts: Any, share: float) -> int:
    """The most of each group without any being more than a share of what is left; of fewer groups than could keep to
    that, as many of each as of the smallest."""
    if not len(counts):
        return 0
    exact = max(Fraction(str(share)), Fraction(1, len(counts)))
    low, high = 1, int(counts.max())
    while low < high:  # the share of the largest group grows with what it may have
        most = (low + high + 1) // 2
        low, high = (most, high) if most <= exact * int(np.minimum(counts, most).sum()) else (low, most - 1)
    return low


def without(gone: Sequence[dict[str, str]], examples: Path, rejects: Path, rollouts: Path) -> tuple[pa.Table, pa.Table]:
    """A shard of examples without those that have to go, and the shard of rejects with them; what was taken over from
    an earlier generation only goes: it is no attempt of this one.

    Args:
        gone: what :func:`surplus` says of this shard.
        examples, rejects: the shards as they are.
        rollouts: the shard that they were made of, for what an example does not tell.
    """
    told = pl.DataFrame(gone, {"attempt_id": pl.String, "reason": pl.String})
    kept = pl.DataFrame(pl.from_arrow(pq.read_table(examples)))
    attempts = pl.read_parquet(rollouts, columns=["question_id", "generation", "attempts"])
    attempts = attempts.explode("attempts", empty_as_null=False, keep_nulls=False).unnest("attempts")
    order = attempts.select("attempt_id").with_row_index("order")
    going = attempts.join(told, on="attempt_id").join(kept.select("attempt_id", "checks"), on="attempt_id")
    there = pl.DataFrame(pl.from_arrow(pq.read_table(rejects))).join(told, on="attempt_id", how="anti")
    dropped = pl.concat(
        [there, going.select(column for column in there.columns if column in going.columns)], how="diagonal"
    )
    dropped = dropped.join(order, on="attempt_id").sort("order")
    return to_schema(kept.join(told, on="attempt_id", how="anti", maintain_order="left"), EXAMPLES), to_schema(
        dropped, REJECTS
    )
