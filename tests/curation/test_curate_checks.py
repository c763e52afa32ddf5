"""Process checks in curation: what is dropped for them, what is only written down, and how they are counted."""

from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pyarrow as pa
import pytest

from factory.checks import PASSED, Check, Rationale, Result, failed, not_applicable
from factory.checks.derived import Derived
from factory.curation.checked import check_counts
from factory.curation.curate import Rules, curate_rollouts
from factory.files import to_schema, write_table
from factory.recipe.component import Component
from factory.recipe.curation import Curation
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


def curated(
    *checks: Check, rows: list[Row] = ROLLED_OUT, hints: tuple[str, ...] = (), **settings: Any
) -> tuple[pa.Table, pa.Table]:
    frame = pl.DataFrame(pl.from_arrow(pa.Table.from_pylist(rows, schema=ROLLOUTS)))
    examples, rejects = curate_rollouts(frame, Rules(Curation(**settings), checks or [Derived()], hints=hints))
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
        reason = None if text == DERIVED else "no true equation gives the answer"
        expected = [{"name": "derived/2", "passed": reason is None, "reason": reason}]
        assert row["checks"] == (expected if row.get("reason") != "wrong" else [])


@pytest.mark.parametrize("decide", [(), ("sampled", "rationalized")])
def test_all_correct_attempts_are_counted_kept_or_not(tmp_path: Path, decide: tuple[str, ...]) -> None:
    for name, table in zip(("examples", "rejects"), curated(checks_decide=decide), strict=True):
        write_table(tmp_path / name / "00000.parquet", table)
    assert check_counts(tmp_path / "examples", tmp_path / "rejects", 2) == {
        "derived": {
            "rationalized": {"passed": 1, "failed": 1, "not_applicable": 0},
            "sampled": {"passed": 3, "failed": 1, "not_applicable": 0},
        }
    }


@pytest.mark.parametrize(
    ("decide", "dropped"),
    [
        ({"equations": ("sampled",)}, ["q/1"]),
        ({"derived": ("sampled",), "equations": ()}, ["q/2"]),
        ({"derived": ("sampled",), "equations": ("sampled", "rationalized")}, ["q/1", "q/2", "q/4"]),
        ({}, []),
    ],
    ids=str,
)
def test_the_recipe_says_which_checks_decide(decide: dict[str, tuple[str, ...]], dropped: list[str]) -> None:
    wrong, stated = "2+3=6, or 2+3=5. The answer is 5", "It is plain. The answer is 5"
    attempts = [attempt("q/1", wrong), attempt("q/2", stated), attempt("q/3", DERIVED)]
    rows = [rollout("q", [*attempts, attempt("q/4", f"So {wrong}", hinted=True)])]
    named = [Component(f"factory.checks.{name}", {}) for name in ("derived.Derived", "equations.Equations")]
    made = [component() for component in named]
    tables = curated(*made, rows=rows, checks=named, checks_decide=decide, per_question=9)
    examples, rejects = (table.to_pylist() for table in tables)
    assert [row["attempt_id"] for row in rejects] == dropped
    assert all(len(row["checks"]) == 2 for row in [*examples, *rejects]), "all are written down"
    assert {row["reason"] for row in rejects} <= {"check_derived", "check_equations"}


class Odd:
    """Says something else about each text, and keeps what it was shown."""

    name: ClassVar[str] = "odd"
    version: ClassVar[str] = "7"

    def __init__(self) -> None:
        self.shown: list[Rationale] = []

    def check(self, rationale: Rationale) -> Any:
        self.shown.append(rationale)
        says = {"fails": failed("it\nfails"), "applies": not_applicable("it is not one"), "silent": Result(False)}
        if "raises" in rationale.text:
            raise ValueError("no \ud800 such " + "thing " * 99)
        return True if "odd" in rationale.text else says.get(rationale.text.split()[0], PASSED)


def test_what_a_check_says_is_written_down_and_what_it_raises_as_well() -> None:
    texts = ["passes 5", "fails 5", "applies not 5", "silent 5", "raises 5", "odd 5"]
    attempts = [attempt(f"q/{number}", text) for number, text in enumerate(texts)]
    examples, rejects = (table.to_pylist() for table in curated(Odd(), rows=[rollout("q", attempts)], checks_decide=()))
    found = {row["attempt_id"]: row["checks"] for row in [*examples, *rejects]}
    told = [tuple(found[f"q/{number}"][0].values()) for number in range(len(texts))]
    assert told[:4] == [
        ("odd/7", True, None),
        ("odd/7", False, "it fails"),
        ("odd/7", None, "it is not one"),
        ("odd/7", False, "no reason was given"),
    ]
    (_, raised, reason), (_, odd, other) = told[4:]
    assert (raised, odd) == (None, None)
    assert reason.startswith("the check raised ValueError: no ? such thing thing")
    assert (len(reason), reason[-3:]) == (300, "...")
    assert other.startswith("the check raised AttributeError: ")


def test_what_does_not_apply_drops_nothing_and_is_counted(tmp_path: Path) -> None:
    tables = curated(Odd(), rows=[rollout("q", [attempt("q/1", "raises 5")])], checks_decide=("sampled",))
    assert [table.num_rows for table in tables] == [1, 0]
    for name, table in zip(("examples", "rejects"), tables, strict=True):
        write_table(tmp_path / name / "00000.parquet", table)
    counts = check_counts(tmp_path / "examples", tmp_path / "rejects", 2)
    assert counts == {"odd": {"sampled": {"passed": 0, "failed": 0, "not_applicable": 1}}}


def test_a_check_is_shown_every_different_correct_attempt_once() -> None:
    odd = Odd()
    first = [
        attempt("q/1", "a 5"),
        attempt("q/2", "a 5"),
        attempt("q/3", "a 5", hinted=True),
        attempt("q/4", "b", "wrong"),
    ]
    curated(
        odd,
        rows=[rollout("q", [*first, attempt("q/5", "a 5", tokens=11)]), rollout("r", [attempt("r/1", "a 5")])],
        hints=("({answer})", "(CORRECT)"),
    )
    shown = [(one.question.question_id, one.hinted, one.tokens, one.tokens_of_all) for one in odd.shown]
    assert sorted(shown) == [
        ("q", False, 9, (9, 9, 9, 11)),
        ("q", False, 11, (9, 9, 9, 11)),
        ("q", True, 9, (9, 9, 9, 11)),
        ("r", False, 9, (9,)),
    ]
    assert {one.predicted_answer for one in odd.shown} == {"5"}
    assert {one.hints for one in odd.shown} == {("(5)", "(CORRECT)")}


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
