"""Every expectation of the gate is shown to reject: a valid generation is damaged in one place at a time."""

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from tests.support.breaches import BREACHES, put, put_attempt
from tests.support.generation import LIMITS, WEIGHED, Row, Tables, judge, rejects_of, valid, weighed
from validation import Limits, validate


def test_a_valid_generation_passes(tmp_path: Path) -> None:
    judgement = judge(valid(), tmp_path)
    assert [str(failure) for failure in judgement.failures] == []
    assert judgement.success


@pytest.fixture
def no_data_docs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their pages take most of the time of a small validation."""
    from validation import checkpoint

    monkeypatch.setattr(checkpoint, "_write_docs", lambda *_: None)


@pytest.mark.usefixtures("no_data_docs")
@pytest.mark.parametrize(
    ("table", "words", "mutate", "failing", "total", "row"), BREACHES, ids=[f"{b[0]}-{b[1]}" for b in BREACHES]
)
def test_each_expectation_rejects(
    table: str, words: str, mutate: Callable[[Tables], None], failing: int, total: int, row: Row, tmp_path: Path
) -> None:
    tables = valid()
    mutate(tables)
    judgement = judge(tables, tmp_path)
    assert not judgement.success
    assert len(judgement.failures) == 1, "\n".join(map(str, judgement.failures))
    failure = judgement.failures[0]
    assert (failure.table, failure.failing, failure.total) == (table, failing, total)
    assert words in failure.expectation
    assert len(failure.examples) == (0 if not row else min(failing, 5))
    if row:
        assert failure.examples[0].items() >= row.items()


@pytest.mark.usefixtures("no_data_docs")
def test_an_example_must_not_be_an_exemplar_of_the_prompt(tmp_path: Path) -> None:
    tables = valid()
    question = tables["examples"][1]["question"]
    limits = replace(LIMITS, exemplars=("Why?", f" {question.upper()}\n"))
    (failure,) = judge(tables, tmp_path, limits).failures
    assert "of an exemplar" in failure.expectation
    assert failure.failing == sum(example["question"] == question for example in tables["examples"])
    assert failure.examples[0]["example_id"] == tables["examples"][1]["example_id"]


@pytest.mark.usefixtures("no_data_docs")
def test_dialogues_that_outgrow_the_context_are_no_broken_engine(tmp_path: Path) -> None:
    tables = valid()
    failed = tables["rollouts"][3]["attempts"]
    for number in range(9):
        failed.append(failed[0] | {"attempt_id": f"q4/o{number}", "error": "context overflow: 300 tokens"})
    assert judge(tables, tmp_path).success


@pytest.mark.usefixtures("no_data_docs")
@pytest.mark.parametrize("centred", [False, True])
def test_wrong_attempts_are_learnt_from_at_the_weight_of_their_reward_alone(tmp_path: Path, centred: bool) -> None:
    limits = replace(WEIGHED, centred=centred)
    assert [str(failure) for failure in judge(weighed(centred), tmp_path, limits).failures] == []
    for changes in ({"weight": 1.5}, {"reward": -1.0, "weight": math.exp(-2.5)}, {"reward": None}):
        tables = weighed(centred)
        put("examples", 1, **changes)(tables)
        failures = judge(tables, tmp_path, limits).failures
        assert failures
        assert all("weight is exp" in one.expectation or "the reward" in one.expectation for one in failures)
        assert {one.examples[0]["example_id"] for one in failures} == {"w2"}
    # weights that were not centred do not pass for centred ones, nor the other way round
    (failure,) = judge(weighed(not centred), tmp_path, limits).failures
    assert "weight is exp" in failure.expectation


HELD = replace(LIMITS, max_contaminated=0.25)


@pytest.mark.usefixtures("no_data_docs")
@pytest.mark.parametrize("column", ["question", "rationale"])
def test_an_example_must_not_be_a_test_question(tmp_path: Path, column: str) -> None:
    tables = valid()
    text = tables["examples"][1][column]
    there = [example["example_id"] for example in tables["examples"] if example[column] == text]
    assert judge(tables, tmp_path, HELD, tests=[f"Is it {text}?"]).success
    (failure,) = judge(tables, tmp_path, HELD, tests=["Why?", f"  {text.upper()}\n"]).failures
    assert "is the text of a test question" in failure.expectation
    assert [row["example_id"] for row in failure.examples] == there
    assert judge(tables, tmp_path, LIMITS).success


@pytest.mark.usefixtures("no_data_docs")
def test_not_much_of_a_generation_may_have_been_dropped_as_contaminated(tmp_path: Path) -> None:
    """Three attempts are examples and one is a duplicate; what was wrong does not count."""
    for contaminated in range(3):
        tables = valid()
        tables["rejects"] = rejects_of(tables)
        for row in tables["rejects"][:contaminated]:
            row["reason"] = "contaminated"
        judgement = judge(tables, tmp_path, HELD, tests=["Why?"])
        assert judgement.success == (contaminated / (4 + contaminated) <= 0.25)
    (failure,) = judgement.failures
    for row in tables["rejects"][2:]:
        row["reason"] = "over_cap"  # they could have been kept, and are counted with those that are
    assert len(tables["rejects"]) >= 5
    assert judge(tables, tmp_path, HELD, tests=["Why?"]).success
    assert "at most 0.25 of what could be kept is dropped as contaminated" in failure.expectation
    assert (failure.failing, failure.total) == (2, 6)


def test_every_expectation_has_a_breach() -> None:
    from validation import suites

    words = [(name, words) for name, words, *_ in BREACHES] + [("examples", "weight is exp")]
    words += [("examples", "the text of a test question"), ("attempts", "dropped as contaminated")]
    for limits in (LIMITS, WEIGHED, HELD):
        for table, expectations in suites.by_table(limits).items():
            for expectation in expectations:
                assert expectation.notes
                assert table == "columns" or any(
                    name == table and some in str(expectation.description) for name, some in words
                ), expectation


@pytest.mark.usefixtures("no_data_docs")
@pytest.mark.parametrize(
    ("change", "row"),
    [
        (lambda t: t.drop_columns("weight"), {"column": "weight", "expected": "float", "found": "absent"}),
        (lambda t: t.append_column("note", pa.nulls(len(t), pa.string())), {"column": "note", "expected": "absent"}),
        (
            lambda t: t.set_column(t.schema.get_field_index("turn"), "turn", t["turn"].cast(pa.int64())),
            {"column": "turn", "expected": "int32", "found": "int64"},
        ),
        (
            lambda t: t.set_column(
                t.schema.get_field_index("messages"),
                "messages",
                pa.array([[{"role": "user"}]] * len(t), pa.list_(pa.struct([("role", pa.string())]))),
            ),
            {"column": "messages[].content", "found": "absent"},
        ),
    ],
    ids=["missing", "extra", "type", "nested"],
)
def test_a_file_off_its_schema_is_a_failure(change: Callable[[pa.Table], pa.Table], row: Row, tmp_path: Path) -> None:
    judgement = judge(valid(), tmp_path, change=change)
    (failure,) = judgement.failures
    assert failure.failing == 1
    assert failure.examples[0].items() >= ({"table": "examples", "file": "examples-1.parquet"} | row).items()


@pytest.mark.usefixtures("no_data_docs")
def test_a_file_that_is_not_parquet_is_a_failure(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_text("half a file")
    (failure,) = validate([broken], [], [], [], tmp_path / "validation", LIMITS).failures
    assert str(failure).splitlines() == [
        "columns: expected that every file has exactly the columns and types of its schema; 1 of 1 fail",
        "  table='rollouts', file='broken.parquet', column='*', expected='a Parquet file', found='something else'",
    ]


@pytest.mark.usefixtures("no_data_docs")
def test_no_files_at_all_are_too_few_examples(tmp_path: Path) -> None:
    (failure,) = validate([], [], [], [], tmp_path, Limits(per_question=1)).failures
    assert str(failure) == (
        "examples: expected that the number of new examples that are not reference is at least 1; 1 of 1 are missing"
    )


@pytest.mark.usefixtures("no_data_docs")
def test_the_columns_of_a_file_may_stand_in_another_order(tmp_path: Path) -> None:
    assert judge(valid(), tmp_path, change=lambda table: table.select(table.column_names[::-1])).success


def test_the_judgement_is_kept_and_replaced(tmp_path: Path) -> None:
    tables = valid()
    put_attempt(0, 0, temperature=-1)(tables)
    failed = judge(tables, tmp_path)
    record = json.loads((tmp_path / "validation" / "judgement.json").read_text())
    assert record["expectations"] == failed.expectations
    assert record["failures"][0]["examples"] == [{"question_id": "q1", "attempt_id": "q1/a"}]
    (page,) = (tmp_path / "validation" / "data_docs" / "validations" / "attempts").rglob("*.html")
    assert "temperature is finite and at least 0" in page.read_text()
    assert str(tmp_path) not in page.read_text()
    assert "attempts" in failed.data_docs.read_text()

    passed = judge(valid(), tmp_path)
    assert passed.success
    assert json.loads((tmp_path / "validation" / "judgement.json").read_text())["success"]
    assert not page.exists()
    pages = list((tmp_path / "validation" / "data_docs" / "validations").rglob("*.html"))
    assert sorted(page.relative_to(tmp_path / "validation").parts[2] for page in pages) == [
        "attempts",
        "columns",
        "examples",
        "questions",
        "rejects",
        "rollouts",
    ]
    assert {path.name for path in (tmp_path / "validation").iterdir()} == {"facts", "data_docs", "judgement.json"}
