"""Process checks in curation: what is dropped for them, what is only written down, and how they are counted."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from factory.checks.derived import Derived
from factory.curation.curate import check_counts, curate_rollouts, to_schema
from factory.files import write_table
from factory.recipe.groups import Curation
from factory.recipe.load import load_recipe
from schemas import EXAMPLES, REJECTS, ROLLOUTS
from tests.curation.test_curate import Row, attempt, rollout

DERIVED, STATED = "2+3=5. The answer is 5", "It is plain. The answer is 5"
ROLLED_OUT = [
    rollout("q", [attempt("q/1", STATED), attempt("q/2", DERIVED)]),
    rollout(
        "r", [attempt("r/1", "4", "wrong"), attempt("r/2", STATED, hinted=True), attempt("r/3", DERIVED, hinted=True)]
    ),
    rollout("s", [attempt("s/1", DERIVED), attempt("s/2", DERIVED)]),
]


def curated(**settings: Any) -> tuple[pa.Table, pa.Table]:
    frame = pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(ROLLED_OUT, schema=ROLLOUTS)))
    examples, rejects = curate_rollouts(frame, Curation(**settings), [Derived()])
    return to_schema(examples, EXAMPLES), to_schema(rejects, REJECTS)


@pytest.mark.parametrize(
    ("decide", "kept", "dropped"),
    [
        ((), ["q/1", "r/2", "s/1"], {"q/2": "over_cap", "r/1": "wrong", "r/3": "over_cap", "s/2": "duplicate"}),
        (
            ("rationalized",),
            ["q/1", "r/3", "s/1"],
            {"q/2": "over_cap", "r/1": "wrong", "r/2": "check_derived", "s/2": "duplicate"},
        ),
        (
            ("sampled", "rationalized"),
            ["q/2", "r/3", "s/1"],
            {"q/1": "check_derived", "r/1": "wrong", "r/2": "check_derived", "s/2": "duplicate"},
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)
def test_a_failed_check_drops_where_it_decides(decide: tuple[str, ...], kept: list[str], dropped: Row) -> None:
    examples, rejects = (table.to_pylist() for table in curated(checks_decide=decide))
    assert [row["attempt_id"] for row in examples] == kept
    assert {row["attempt_id"]: row["reason"] for row in rejects} == dropped
    for row in [*examples, *rejects]:
        text = row.get("rationale") or row["completion"]
        expected = [{"name": "derived/1", "passed": text == DERIVED}] if row.get("reason") != "wrong" else []
        assert row["checks"] == expected


@pytest.mark.parametrize("decide", [(), ("sampled", "rationalized")])
def test_all_correct_attempts_are_counted_kept_or_not(tmp_path: Path, decide: tuple[str, ...]) -> None:
    for name, table in zip(("examples", "rejects"), curated(checks_decide=decide), strict=True):
        write_table(tmp_path / name / "00000.parquet", table)
    assert check_counts(tmp_path / "examples", tmp_path / "rejects") == {
        "derived": {"rationalized": {"passed": 1, "failed": 1}, "sampled": {"passed": 3, "failed": 1}}
    }


def test_a_corpus_of_sums_or_word_problems_brings_its_check() -> None:
    svamp = "corpus={_component_: factory.corpora.svamp.svamp}"
    named = {
        "star_arithmetic": load_recipe("star_arithmetic"),
        "svamp": load_recipe("star_arithmetic", [svamp]),
        "none": load_recipe("star_arithmetic", ["curation.checks=[]"]),
        "table": load_recipe(
            "star_arithmetic", ["corpus={_component_: factory.corpora.table.table, columns: {question: q, answer: a}}"]
        ),
    }
    assert {name: [check.name for check in recipe.curation.checks] for name, recipe in named.items()} == {
        "star_arithmetic": ["Columns"],
        "svamp": ["Derived"],
        "none": [],
        "table": [],
    }
