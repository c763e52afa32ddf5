"""Every expectation of the gate is shown to reject: a valid generation is damaged in one place at a time."""

import copy
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.generation import LIMITS, WEIGHED, Row, Tables, judge, said, valid, weighed
from validation import Limits, validate


def put(table: str, row: int, **columns: Any) -> Callable[[Tables], None]:
    return lambda tables: tables[table][row].update(columns)


def put_attempt(row: int, number: int, **columns: Any) -> Callable[[Tables], None]:
    return lambda tables: tables["rollouts"][row]["attempts"][number].update(columns)


def both(*mutations: Callable[[Tables], None]) -> Callable[[Tables], None]:
    def apply(tables: Tables) -> None:
        for mutate in mutations:
            mutate(tables)

    return apply


def add_example(**columns: Any) -> Callable[[Tables], None]:
    return lambda tables: tables["examples"].append(tables["examples"][0] | columns)


def same_question_twice(tables: Tables) -> None:
    again = copy.deepcopy(tables["rollouts"][0])
    again["attempts"][0]["attempt_id"] = "q1/z"
    tables["rollouts"].append(again)


def second_error(tables: Tables) -> None:
    failed = tables["rollouts"][3]["attempts"]
    failed.append(failed[0] | {"attempt_id": "q4/d"})


def only_references(tables: Tables) -> None:
    tables["examples"] = tables["examples"][3:]


LEAKED = said("2+3? (5)")
SHOUTED = [*said("2+2?"), {"role": "assistant", "content": "Four!"}]

BREACHES: list[tuple[str, str, Callable[[Tables], None], int, int, Row]] = [
    # table, words of the expectation, mutation, failing, total, first row shown
    ("rollouts", "no required column", put("rollouts", 0, model=None), 1, 5, {"question_id": "q1"}),
    ("rollouts", "question_id is unique", same_question_twice, 2, 6, {"question_id": "q1"}),
    ("rollouts", "split is", put("rollouts", 4, split="dev"), 1, 5, {"question_id": "e1", "split": "dev"}),
    (
        "rollouts",
        "at least one attempt",
        put("rollouts", 4, attempts=[], pass_rate=None),
        1,
        5,
        {"question_id": "e1", "attempts": 0},
    ),
    ("rollouts", "solved says", put("rollouts", 1, solved=True), 1, 5, {"question_id": "q2"}),
    ("rollouts", "pass_rate is", put("rollouts", 3, pass_rate=1 / 3), 1, 5, {"question_id": "q4"}),
    ("rollouts", "pass_rate is", put("rollouts", 3, pass_rate=None), 1, 5, {"question_id": "q4"}),
    (
        "attempts",
        "no required column",
        put_attempt(0, 0, seed=None),
        1,
        10,
        {"question_id": "q1", "attempt_id": "q1/a"},
    ),
    ("attempts", "attempt_id is unique", put_attempt(3, 1, attempt_id="q4/a"), 2, 10, {"attempt_id": "q4/a"}),
    ("attempts", "verdict is", put_attempt(1, 1, verdict="maybe"), 1, 10, {"verdict": "maybe"}),
    ("attempts", "finish_reason is", put_attempt(1, 1, finish_reason="eos"), 1, 10, {"finish_reason": "eos"}),
    ("attempts", "error text", put_attempt(3, 0, error=" "), 1, 10, {"attempt_id": "q4/a"}),
    ("attempts", "error text", put_attempt(1, 0, error="why?"), 1, 10, {"attempt_id": "q2/a"}),
    ("attempts", "at most 0.15 of", second_error, 2, 11, {"attempt_id": "q4/a"}),
    ("attempts", "predicted answer", put_attempt(1, 0, predicted_answer=None), 1, 7, {"attempt_id": "q2/a"}),
    ("attempts", "predicted answer", put_attempt(0, 0, predicted_answer=""), 1, 7, {"attempt_id": "q1/a"}),
    (
        "attempts",
        "context of a hinted attempt",
        both(put_attempt(1, 2, context=LEAKED), put("examples", 1, messages=LEAKED + said("", "It is 5.")[1:])),
        1,
        1,
        {"attempt_id": "q2/h"},
    ),
    ("attempts", "temperature is", put_attempt(2, 0, temperature=-0.1), 1, 10, {"attempt_id": "q3/a"}),
    ("attempts", "temperature is", put_attempt(2, 0, temperature=math.nan), 1, 10, {"attempt_id": "q3/a"}),
    ("attempts", "prompt_tokens is", put_attempt(2, 0, prompt_tokens=-1), 1, 10, {"prompt_tokens": -1}),
    ("attempts", "completion_tokens is", put_attempt(2, 0, completion_tokens=-2), 1, 10, {"completion_tokens": -2}),
    ("examples", "not reference is at least 3", only_references, 3, 3, {}),
    ("examples", "not reference is at least 3", lambda tables: tables["examples"].clear(), 3, 3, {}),
    ("examples", "no required column", put("examples", 4, generation=None), 1, 5, {"example_id": "x5"}),
    ("examples", "example_id is unique", put("examples", 4, example_id="x4"), 2, 5, {"example_id": "x4"}),
    ("examples", "origin is", put("examples", 2, origin="guessed"), 1, 5, {"origin": "guessed", "example_id": "x3"}),
    ("examples", "an example has messages", put("examples", 0, messages=[]), 1, 5, {"messages": 0}),
    ("examples", "last message is", put("examples", 0, messages=SHOUTED), 1, 5, {"example_id": "x1"}),
    ("examples", "last message is", put("examples", 4, messages=said("2+2?")), 1, 5, {"example_id": "x5"}),
    (
        "examples",
        "alternate",
        put("examples", 4, messages=said("2+2?") + said("2+2?", "Given.")),
        1,
        5,
        {"example_id": "x5"},
    ),
    (
        "examples",
        "not blank",
        put("examples", 4, rationale=" \n", messages=said("2+2?", " \n")),
        1,
        5,
        {"example_id": "x5"},
    ),
    *(
        ("examples", "weight is finite", put("examples", 0, weight=weight), 1, 5, {"example_id": "x1"})
        for weight in (0.0, -1.0, math.nan, math.inf)
    ),
    ("examples", "among its question's", put("examples", 0, attempt_id="q1/z"), 1, 3, {"attempt_id": "q1/z"}),
    ("examples", "among its question's", put("examples", 0, attempt_id=None), 1, 3, {"example_id": "x1"}),
    ("examples", "among its question's", put("examples", 0, question_id="q4"), 1, 3, {"question_id": "q4"}),
    (
        "examples",
        "has the verdict correct",
        both(put_attempt(1, 2, verdict="wrong"), put("examples", 1, verdict="wrong")),
        1,
        3,
        {"attempt_id": "q2/h"},
    ),
    ("examples", "weight is 1", put("examples", 3, weight=1.5), 1, 5, {"example_id": "x4"}),
    ("examples", "the verdict of its attempt", put("examples", 0, verdict="wrong"), 1, 3, {"example_id": "x1"}),
    ("examples", "the verdict of its attempt", put("examples", 0, verdict=None), 1, 3, {"example_id": "x1"}),
    ("examples", "the reward of its attempt", put("examples", 0, reward=1.0), 1, 3, {"example_id": "x1"}),
    (
        "examples",
        "equal the context",
        put("examples", 1, messages=said("2+3? (5)", "It is 5.")),
        1,
        3,
        {"example_id": "x2"},
    ),
    (
        "examples",
        "is the completion",
        put("examples", 0, messages=SHOUTED, rationale="Four!"),
        1,
        3,
        {"attempt_id": "q1/a"},
    ),
    ("examples", "hinted exactly if", put("examples", 1, origin="sampled"), 1, 3, {"attempt_id": "q2/h"}),
    ("examples", "hinted exactly if", put("examples", 0, origin="rationalized"), 1, 3, {"attempt_id": "q1/a"}),
    ("examples", "answers a question of the eval", put("examples", 4, question_id="e1"), 1, 5, {"question_id": "e1"}),
    ("examples", "question text of the eval", put("examples", 4, question=" 1+1?\n"), 1, 5, {"example_id": "x5"}),
    (
        "examples",
        "a question has at most 2",
        both(add_example(example_id="x6"), add_example(example_id="x7")),
        1,
        5,
        {"example_id": "x7", "nth": 3},
    ),
]


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


def test_every_expectation_has_a_breach() -> None:
    from validation import suites

    words = [(name, words) for name, words, *_ in BREACHES] + [("examples", "weight is exp")]
    for limits in (LIMITS, WEIGHED):
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
    (failure,) = validate([broken], [], [], tmp_path / "validation", LIMITS).failures
    assert str(failure).splitlines() == [
        "columns: expected that every file has exactly the columns and types of its schema; 1 of 1 fail",
        "  table='rollouts', file='broken.parquet', column='*', expected='a Parquet file', found='something else'",
    ]


@pytest.mark.usefixtures("no_data_docs")
def test_no_files_at_all_are_too_few_examples(tmp_path: Path) -> None:
    (failure,) = validate([], [], [], tmp_path, Limits(per_question=1)).failures
    assert str(failure) == (
        "examples: expected that the number of examples that are not reference is at least 1; 1 of 1 are missing"
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
        "rollouts",
    ]
    assert {path.name for path in (tmp_path / "validation").iterdir()} == {"facts", "data_docs", "judgement.json"}
