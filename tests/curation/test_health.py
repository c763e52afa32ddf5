"""The figures of a generation, from tables that are counted by hand."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from factory.curation import health
from factory.curation.health import figures, passes, variety
from factory.files import write_table
from schemas import EXAMPLES, ROLLOUTS
from tests.support.page_run import attempt, rollout
from tests.support.publishing import row

Row = dict[str, Any]
CHECKS = {"derived": {"sampled": {"passed": 3, "failed": 1}, "rationalized": {"passed": 0, "failed": 4}}, "mute": {}}


def tried(question: str, verdicts: str, hinted: str = "", texts: tuple[str, ...] = ()) -> Row:
    """A rollout of attempts by the first letters of their verdicts: correct, wrong, error."""
    full = {"c": "correct", "w": "wrong", "e": "error"}
    made = [attempt(question, 0, number, full[one]) for number, one in enumerate(verdicts)]
    made += [attempt(question, 0, number, full[one], hinted=True) for number, one in enumerate(hinted)]
    for one, text in zip(made, texts, strict=False):
        one["completion"] = text
    for number, one in enumerate(made):
        one["completion_tokens"] = 10 * (number + 1)
    judged = [one for one in made if not one["hinted"] and one["verdict"] != "error"]
    right = [one for one in judged if one["verdict"] == "correct"]
    rate = len(right) / len(judged) if judged else None
    return rollout(question, 0, [*made, attempt(question, 0, 99, "wrong")]) | {
        "attempts": made,
        "solved": bool(right),
        "pass_rate": rate,
    }


def write(folder: Path, rows: list[Row], kept: dict[str, str]) -> tuple[Path, Path]:
    """Rollouts in two shards, and an example of each kept attempt with its origin."""
    for shard, some in enumerate((rows[:2], rows[2:])):
        write_table(folder / "rollouts" / f"{shard:05}.parquet", pa.Table.from_pylist(some, ROLLOUTS))
    examples = [
        row(EXAMPLES, question_id=name.split("/")[0], attempt_id=name, origin=origin) for name, origin in kept.items()
    ]
    examples.append(row(EXAMPLES, question_id="seed", origin="reference"))
    write_table(folder / "examples" / "00000.parquet", pa.Table.from_pylist(examples, EXAMPLES))
    return folder / "rollouts", folder / "examples"


ROWS = [
    tried("a", "cccc", texts=("2 + 3 = 5", "3 + 2 = 5", "2 + 3 = 5, so 5", "just 5")),
    tried("b", "cwee"),
    tried("c", "wwww", "c"),
    tried("d", "eeee", "w"),
]
KEPT = {"a/0/s1t0": "sampled", "b/0/s0t0": "sampled", "c/0/s0t0h": "rationalized"}


def of(folder: Path, **more: Any) -> health.Figures:
    rollouts, examples = write(folder, ROWS, KEPT)
    given: dict[str, Any] = {"length_before": 20.0, "checks": CHECKS, "completion_tokens": 600} | more
    return figures(rollouts, examples, given.pop("before", None), **given)


def test_every_figure(tmp_path: Path) -> None:
    found = of(tmp_path)
    interval = found.pop("interval")
    assert interval[0] < found["pass@1"] < interval[1]
    assert found == {
        "pass@1": 0.5,  # 4/4, 1/2 and 0/4: errors count neither way, and "d" not at all
        "pass@k": {"1": 0.5, "2": 0.6667, "4": 0.5},  # of four samples "b" has not as many
        "solved": 0.5,
        "newly_solved": None,
        "newly_lost": None,
        "rationalized": 0.3333,
        "distinct_rationales": 2.0,  # of "a" three: {2+3}, {3+2}, and one without an equation; of "b" one
        "near_duplicates": 0.0,
        "length": 26.7,  # 20, 10 and 50 tokens
        "length_drift": 0.335,
        "easy": 0.3333,
        "flawed": {"derived": 0.625, "mute": None},
        "tokens_per_example": 200.0,
    }


def test_what_changed_since_the_generation_before(tmp_path: Path) -> None:
    rows = [tried("a", "wwww"), tried("b", "cwww"), tried("c", "cccc"), tried("gone", "cccc")]
    before, _ = write(tmp_path / "before", rows, {})
    found = of(tmp_path, before=before, length_before=None)
    assert (found["newly_solved"], found["newly_lost"], found["length_drift"]) == (1, 1, None)
    put_away = of(tmp_path, before=tmp_path / "none")
    assert (put_away["newly_solved"], put_away["newly_lost"]) == (None, None)


def test_a_generation_of_nothing(tmp_path: Path) -> None:
    rollouts, examples = write(tmp_path, [tried("d", "ee"), tried("e", "ee"), tried("f", "ee")], {})
    found = figures(rollouts, examples, None, length_before=9.0, checks={}, completion_tokens=5)
    assert (found.pop("solved"), found.pop("pass@k"), found.pop("flawed")) == (0.0, {}, {})
    assert set(found.values()) == {None}


def test_passes_at_numbers_between() -> None:
    questions = pl.DataFrame({"judged": [6, 6], "correct": [1, 0]})
    assert passes(questions)["pass@k"] == {"1": 0.0833, "2": 0.1667, "4": 0.3333, "6": 0.5}


@pytest.mark.parametrize(
    ("texts", "distinct", "near"),
    [
        (["4 + 5 = 9", "4+5=9."], 1, 0.0),
        (["4 + 5 = 9", "5 + 4 = 9"], 2, 0.0),
        (["4 + 5 = 8", "no sum"], 2, 0.0),  # what is not true is no equation, so these are texts
        (["one two three four five six"] * 2, 1, 0.5),
        (["a b c d e f g h i j k l", "a b c d e f g h i j k m"], 2, 0.5),  # 9 of 11 3-grams
        (["a b c d e f", "a b c d e m"], 2, 0.0),  # 3 of 5
    ],
)
def test_variety(texts: list[str], distinct: int, near: float) -> None:
    assert variety([texts]) == (distinct, near)


def test_texts_are_of_questions_drawn_evenly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "DRAWN_QUESTIONS", 1)
    assert of(tmp_path)["distinct_rationales"] == 3.0
    monkeypatch.setattr(health, "DRAWN_ATTEMPTS", 1)
    assert of(tmp_path)["distinct_rationales"] == 1.0
