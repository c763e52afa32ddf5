"""Ceilings on shares: how much goes, which rows go, and that a run again takes the same."""

import itertools
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from factory.corpora import place
from factory.curation.curate import curate
from factory.curation.mixture import most_beside, most_of_each, over
from factory.files import write_table
from factory.recipe.curation import Curation
from schemas import EXAMPLES, REJECTS, ROLLOUTS
from tests.curation.test_curate import InProcess, Row, attempt, rollout


def rollouts(questions: int, seed: int = 0) -> list[Row]:
    """Questions of three difficulties, most of them of the first; every other one solved under the hint only."""
    draw = random.Random(seed)
    rows = []
    for number in range(questions):
        key, hinted = f"q{number:03}", draw.random() < 0.5
        made = [attempt(f"{key}/1", "It is plain", hinted=hinted), attempt(f"{key}/2", "no", "wrong")]
        rows.append(rollout(key, made, draw.choice(["1 digit", "1 digit", "1 digit", "2 digits", None])))
    return rows


def curated(folder: Path, rows: list[Row], shard: int, **settings: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    for at in range(0, len(rows), shard):
        table = pa.Table.from_pylist(rows[at : at + shard], schema=ROLLOUTS)
        write_table(folder / "rollouts" / f"{at:05}.parquet", table)
    reports = curate(folder / "rollouts", folder / "examples", folder / "rejects", Curation(**settings))
    assert {Path(path) for path in reports} == {*folder.glob("examples/*"), *folder.glob("rejects/*")}
    for path, report in reports.items():
        found = pl.read_parquet(path)
        assert (report["rows"], found.columns) == (
            found.height,
            (EXAMPLES if "examples" in path else REJECTS).names,
        )
    return pl.read_parquet(folder / "examples"), pl.read_parquet(folder / "rejects")


@pytest.fixture(autouse=True)
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.data", InProcess())


def test_a_ceiling_on_what_is_rationalized(tmp_path: Path) -> None:
    rows = rollouts(120)
    everything, _ = curated(tmp_path / "all", rows, 16)
    examples, rejects = curated(tmp_path / "some", rows, 16, max_rationalized_share=0.2)
    counts = Counter(examples["origin"])
    assert counts["sampled"] == Counter(everything["origin"])["sampled"]
    assert counts["rationalized"] == counts["sampled"] // 4
    gone = rejects.filter(pl.col("reason") == "over_rationalized_share")
    assert gone.height == everything.height - examples.height
    # those whose question's hash is the lowest stay
    kept = examples.filter(pl.col("origin") == "rationalized")["question_id"]
    assert max(map(place, kept)) < min(map(place, gone["question_id"]))
    for row in gone.iter_rows(named=True):
        assert (row["hinted"], row["completion"], row["predicted_answer"], row["turn"]) == (True, "It is plain", "5", 0)
    assert {*examples["attempt_id"], *rejects["attempt_id"]} == {
        made["attempt_id"] for row in rows for made in row["attempts"]
    }


def test_a_ceiling_on_each_difficulty(tmp_path: Path) -> None:
    examples, rejects = curated(tmp_path, rollouts(200), 32, max_difficulty_share=0.4)
    counts = Counter(examples["difficulty"])
    assert max(counts.values()) <= 0.4 * examples.height < max(counts.values()) + 1
    gone = rejects.filter(pl.col("reason") == "over_difficulty_share")
    assert set(gone["question_id"]).isdisjoint(examples["question_id"])
    # of the largest group those that were rationalized go first
    one = examples.filter(pl.col("difficulty") == "1 digit")
    assert set(one["origin"]) == {"sampled"} or not gone.filter(~pl.col("hinted")).height


@pytest.mark.parametrize(("rationalized", "difficulty"), [(0.3, 0.4), (0.1, 0.34), (0.0, 1.0), (1.0, 0.5)])
def test_both_ceilings_hold_and_rows_do_not_depend_on_the_shards(
    tmp_path: Path, rationalized: float, difficulty: float
) -> None:
    settings = {"max_rationalized_share": rationalized, "max_difficulty_share": difficulty}
    found = [curated(tmp_path / str(shard), rollouts(150, seed=3), shard, **settings) for shard in (150, 7, 7)]
    for (examples, rejects), (others, other_rejects) in itertools.pairwise(found):
        assert examples.equals(others)
        assert rejects.equals(other_rejects)
    examples, _ = found[0]
    assert examples.height > 20
    assert (examples["origin"] == "rationalized").mean() <= rationalized
    assert max(Counter(examples["difficulty"]).values()) <= max(difficulty, 1 / 3) * examples.height


def test_a_later_generation_keeps_the_same_questions(tmp_path: Path) -> None:
    """Other attempts at the same questions: what is kept is of the same questions, so that files stay alike."""
    rows = rollouts(120)
    first, _ = curated(tmp_path / "0", rows, 16, max_rationalized_share=0.2)
    for row in rows:
        for made in row["attempts"]:
            made["attempt_id"], made["completion"] = f"{made['attempt_id']}b", f"{made['completion']}, again"
    second, _ = curated(tmp_path / "1", rows, 16, max_rationalized_share=0.2)
    assert first["question_id"].to_list() == second["question_id"].to_list()


def test_how_many_may_lie_beside_others() -> None:
    for others, share in itertools.product(range(40), (0.0, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 0.99)):
        most = most_beside(others, share)
        assert most is not None
        whole = round(share * 100)
        assert most * 100 <= whole * (others + most)
        assert (most + 1) * 100 > whole * (others + most + 1)
    assert most_beside(3, 1.0) is None


def test_how_many_of_each_group_stay() -> None:
    draw = random.Random(5)
    for _ in range(300):
        counts = np.array([draw.randrange(1, 30) for _ in range(draw.randrange(1, 6))])
        share = draw.choice([0.1, 0.25, 0.4, 0.5, 0.8, 1.0])
        held = [
            most for most in range(1, 31) if most <= max(share, 1 / len(counts)) * np.minimum(counts, most).sum() + 1e-9
        ]
        expected = min(max(held), counts.max())
        assert most_of_each(counts, share) == expected
    assert most_of_each(np.array([9, 3]), 0.1) == 3
    assert most_of_each(np.array([9]), 0.5) == 9


def test_nothing_goes_where_there_is_no_ceiling() -> None:
    gone = over(np.array([True, True, False]), np.array([1, 1, 1]), Curation())
    assert gone.tolist() == [0, 0, 0]
    assert over(np.array([True, True]), np.array([1, 2]), Curation(max_rationalized_share=0.5)).tolist() == [1, 1]
