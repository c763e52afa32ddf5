"""Questions: the corpora yield what they promise, and a corpus that would spoil a run is refused by name."""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml

from factory.corpora import LeftOut
from factory.errors import ConfigError
from factory.intake.questions import Snapshot, snapshot
from factory.recipe.component import Component
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from schemas import QUESTIONS

Row = dict[str, Any]
LENIENT = "questions.strict=false"
NUMERIC = "verifier={_component_: factory.verifiers.numeric.Numeric}"


def given(rows: list[Row]) -> Iterator[Row]:
    """A corpus of what a test gives."""
    yield from rows


def question(number: int, split: str = "train", **columns: Any) -> Row:
    row = {
        "question_id": f"q{number}",
        "corpus": "c",
        "split": split,
        "question": f"{number}+1",
        "answer": str(number + 1),
    }
    return row | ({"reference_rationale": f"The answer is {number + 1}"} if split == "seed" else {}) | columns


VALID = [question(1), question(2, "eval"), question(3, "seed")]


def recipe(rows: list[Row], *overrides: str) -> Recipe:
    return load_recipe("star_arithmetic", overrides).model_copy(
        update={"corpus": Component(f"{__name__}.given", {"rows": rows})}
    )


def refusal(folder: Path, rows: list[Row], *overrides: str) -> list[str]:
    with pytest.raises(ConfigError, match="corpus given") as refused:
        snapshot(recipe(rows, *overrides), folder)
    return refused.value.problems


# --- the snapshot


def test_a_snapshot_holds_every_question_once_in_shards(tmp_path: Path) -> None:
    rows = [question(i, split) for i, split in enumerate(["train"] * 7 + ["eval"] * 4 + ["seed"] + ["train"] * 2)]
    found = snapshot(recipe(rows, "shard_rows=4"), tmp_path)
    assert found == Snapshot({"train": 9, "eval": 4, "seed": 1}, {})
    assert str(found) == "9 train, 4 eval, 1 seed"
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == [
        f"{name}.parquet" for name in ("eval/00000", "seed/00000", "train/00000", "train/00001", "train/00002")
    ]
    shards = {path: pq.read_table(tmp_path / path) for path in files}
    for schema in (shard.schema for shard in shards.values()):
        assert (schema, schema.metadata) == (QUESTIONS, QUESTIONS.metadata)
        assert [field.metadata for field in schema] == [field.metadata for field in QUESTIONS]
    assert [shards[f"train/0000{i}.parquet"].num_rows for i in range(3)] == [4, 4, 1]
    written = [row for path in files for row in shards[path].to_pylist()]
    blank = dict.fromkeys(QUESTIONS.names)
    by_split = sorted(rows, key=lambda row: ("eval", "seed", "train").index(row["split"]))
    assert written == [blank | row for row in by_split]


REJECTS = "gold answers that the verifier 'exact' rejects"
LEFT_OUT = [
    (question(9, question=""), "questions without question", "q9"),
    (question(9, question=" \n"), "questions without question", "q9"),
    (question(9, answer=None), "questions without answer", "q9"),
    (question(9, question="1+1", answer="2"), "questions that occur twice", "q9"),
    (question(9, question="1+1  \n", answer="2"), "questions that occur twice", "q9"),
    (VALID[0], "questions that occur twice", "q1"),
    (question(9, question="2+1", answer="3"), "train questions that are eval questions too", "q9"),
    (question(9, question="3+1", answer="4"), "train questions that are seed questions too", "q9"),
    (question(9, "seed", question="2+1", answer="3"), "seed questions that are eval questions too", "q9"),
    (question(9, answer="."), REJECTS, "q9: '.' (unparseable)"),
    (question(9, answer="1\n0"), REJECTS, "q9: '1\\n0' (wrong)"),
    (LeftOut("rows that are odd", "a.csv, line 3"), "rows that are odd", "a.csv, line 3"),
    (question(9, question="\ud83d?"), "questions with half a surrogate in them", "'q9'"),
    (
        question(9, answer="['10']"),
        "gold answers that are a list, a mapping or another value of Python, written out",
        "q9: \"['10']\"",
    ),
    (
        question(9, answer="{'value': 10}"),
        "gold answers that are a list, a mapping or another value of Python, written out",
        "q9: \"{'value': 10}\"",
    ),
    (
        question(9, accepted_answers=["10", "b'10'"]),
        "gold answers that are a list, a mapping or another value of Python, written out",
        "q9: '10'",
    ),
]


@pytest.mark.parametrize(("row", "reason", "example"), LEFT_OUT)
def test_a_question_that_cannot_stay_is_left_out_or_refused(
    tmp_path: Path, row: Row, reason: str, example: str
) -> None:
    assert refusal(tmp_path, [*VALID, row]) == [f"1 {reason}: {example}"]
    found = snapshot(recipe([*VALID, row], LENIENT), tmp_path)
    assert found.counts == {"train": 1, "eval": 1, "seed": 1}
    assert found.dropped == {reason: {"count": 1, "examples": [example]}}
    assert str(found) == "1 train, 1 eval, 1 seed, 1 left out"


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"question_id": "q9", "question": "9+1"}, "1 questions without corpus, split, answer: q9"),
        (question(9, question_id=""), "1 questions without question_id: "),
        (question(9, "test"), "1 splits that are none of train, eval, seed: q9 (test)"),
        (question(9, "seed", reference_rationale=None), "1 seed questions without a reference_rationale: q9"),
        (question(9, question_id="q1"), "1 question ids that two different questions have: q1"),
        (question(9, "eval", question_id="q1"), "1 question ids that two different questions have: q1"),
        (question(9, answer=10), "1 questions that do not fit schemas/questions.py: q9 ("),
        (question(9, choices=["yes", "no"]), "1 questions that do not fit schemas/questions.py: q9 ("),
        (question(9, anwser="10"), "1 questions with columns that schemas/questions.py lacks: q9 (anwser)"),
    ],
)
def test_a_corpus_that_breaks_its_word_is_refused(tmp_path: Path, row: Row, problem: str) -> None:
    for strictness in ((), (LENIENT,)):
        (found,) = refusal(tmp_path, [*VALID, row], *strictness)
        assert found.startswith(problem)


def test_rows_that_are_mostly_no_questions_refuse_their_corpus_with_what_to_write(tmp_path: Path) -> None:
    odd = [LeftOut("rows whose answer is a list", f"a.jsonl, line {i}", "answers: any") for i in range(4)]
    problems = refusal(tmp_path, [*VALID, *odd], LENIENT)
    assert problems == [
        "4 of 7 rows are no questions as they are read: answers: any",
        "left out: 4 rows whose answer is a list: a.jsonl, line 0; a.jsonl, line 1; a.jsonl, line 2 ...",
    ]
    found = snapshot(recipe([*VALID, *odd[:3]], LENIENT), tmp_path)
    assert found.dropped["rows whose answer is a list"]["count"] == 3


CONFLICTS = "questions that occur twice with answers that differ"


def test_doubles_whose_answers_differ_are_dropped_and_counted_apart(tmp_path: Path) -> None:
    rows = [*VALID, question(8), question(7, question="8+1 ", answer="10"), question(6, question="8+1", answer="9")]
    rows += [question(5), question(5, question_id="q5b")]
    found = snapshot(recipe(rows, LENIENT), tmp_path)
    assert found.counts == {"train": 2, "eval": 1, "seed": 1}
    assert found.dropped == {
        CONFLICTS: {"count": 3, "examples": ["q8: '9'", "q7: '10'", "q6: '9'"]},
        "questions that occur twice": {"count": 1, "examples": ["q5b"]},
    }
    assert str(found) == f"2 train, 1 eval, 1 seed, 4 left out (3 {CONFLICTS})"


def test_the_first_of_doubles_stays_if_the_recipe_says_so(tmp_path: Path) -> None:
    rows = [*VALID, question(8), question(7, question="8+1", answer="10"), question(6, question="8+1", answer="9")]
    found = snapshot(recipe(rows, LENIENT, "questions.conflicts=first"), tmp_path)
    assert found.counts["train"] == 2
    assert found.dropped == {
        CONFLICTS: {"count": 1, "examples": ["q7: '10'"]},
        "questions that occur twice": {"count": 1, "examples": ["q6"]},
    }


def test_doubles_whose_answers_differ_may_refuse_their_corpus(tmp_path: Path) -> None:
    rows = [*VALID, question(8), question(7, "eval", question="8+1", answer="10")]
    (problem,) = refusal(tmp_path, rows, LENIENT, "questions.conflicts=refuse")
    assert problem == f"2 {CONFLICTS}: q8: '9'; q7: '10'"


def test_a_double_in_another_split_whose_answer_differs_is_no_double(tmp_path: Path) -> None:
    rows = [*VALID, question(4, "eval"), question(8), question(7, "eval", question="8+1", answer="10")]
    found = snapshot(recipe(rows, LENIENT), tmp_path)
    assert found.counts == {"train": 1, "eval": 2, "seed": 1}
    assert found.dropped == {CONFLICTS: {"count": 2, "examples": ["q8: '9'", "q7: '10'"]}}


def test_the_same_number_written_otherwise_is_no_conflict(tmp_path: Path) -> None:
    rows = [
        question(8, answer=gold, question_id=f"q{i}")
        for i, gold in enumerate(("1,200", "1200", "$1200.0", "2400/2"), 10)
    ]
    found = snapshot(recipe([*VALID, *rows], LENIENT, NUMERIC), tmp_path)
    assert found.dropped == {"questions that occur twice": {"count": 3, "examples": ["q11", "q12", "q13"]}}


def test_the_same_text_under_another_system_is_another_question(tmp_path: Path) -> None:
    rows = [
        question(8, question="8", answer=a, question_id=s, system=s) for s, a in (("Add one.", "9"), ("Halve.", "4"))
    ]
    assert snapshot(recipe([*VALID, *rows]), tmp_path).counts["train"] == 3


def test_accepted_answers_that_the_verifier_rejects_are_told(tmp_path: Path) -> None:
    rows = [
        question(8, answer="nine", accepted_answers=["nine", "9", "9.0"]),
        question(7, answer="8", accepted_answers=["8", "eight"]),
        question(6, answer="seven", accepted_answers=["seven", "VII"]),
    ]
    found = snapshot(recipe([*VALID, *rows], LENIENT, NUMERIC, "shard_rows=10"), tmp_path)
    reason = "the gold answer 'seven' is not a number"
    rejects = "gold answers that the verifier 'numeric' rejects"
    assert found.dropped == {rejects: {"count": 1, "examples": [f"q6: 'seven' ({reason})"]}}
    assert found.narrowed == {
        f"questions without those {rejects}": {"count": 2, "examples": ["q8: 'nine'", "q7: 'eight'"]}
    }
    written = {row["question_id"]: row for row in pq.read_table(tmp_path / "train" / "00000.parquet").to_pylist()}
    assert (written["q8"]["answer"], written["q8"]["accepted_answers"]) == ("9", ["9", "9.0"])
    assert (written["q7"]["answer"], written["q7"]["accepted_answers"]) == ("8", None)


def test_ids_that_differ_in_case_are_two(tmp_path: Path) -> None:
    rows = [*VALID, question(8, question_id="q-a"), question(9, question_id="q-A")]
    assert snapshot(recipe(rows), tmp_path).counts["train"] == 3


def test_what_is_in_eval_is_not_in_train_in_whatever_order_they_come(tmp_path: Path) -> None:
    train = [question(i) for i in range(5000)]
    others = [question(i, "eval", question_id=f"e{i}") for i in range(0, 5000, 50)]
    others += [question(1, "seed", question_id="s1")]
    rows = [*train, *others]
    for number, given in enumerate([rows, rows[::-1], random.Random(0).sample(rows, len(rows))]):
        folder = tmp_path / str(number)
        folder.mkdir()
        found = snapshot(recipe(given, LENIENT, "shard_rows=1000"), folder)
        assert found.counts == {"train": 4899, "eval": 100, "seed": 1}
        assert {reason: kind["count"] for reason, kind in found.dropped.items()} == {
            "train questions that are eval questions too": 100,
            "train questions that are seed questions too": 1,
        }
        ids = {split: set(pl.read_parquet(folder / split / "*.parquet")["question_id"]) for split in found.counts}
        assert ids["eval"] == {f"e{i}" for i in range(0, 5000, 50)}
        assert ids["train"] == {f"q{i}" for i in range(5000) if i % 50 and i != 1}
        shards = sorted((folder / "train").glob("*.parquet"))
        assert [pq.read_metadata(shard).num_rows for shard in shards] == [1000, 1000, 1000, 1000, 899]


def test_a_verifier_that_cannot_read_the_gold_answer_says_why(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path, [*VALID, question(9, answer="ten")], NUMERIC)
    reason = "the gold answer 'ten' is not a number"
    assert problem == f"1 gold answers that the verifier 'numeric' rejects: q9: 'ten' ({reason})"


def test_a_verifier_that_rejects_most_answers_does_not_fit(tmp_path: Path) -> None:
    words = [question(i, answer="ten") for i in range(10, 13)]
    problems = refusal(tmp_path, [*VALID[1:], *words], LENIENT, NUMERIC)
    assert problems[0] == "the verifier 'numeric' does not fit: it rejects more than half of the answers"
    assert problems[1] == "no questions in the split 'train'"
    assert problems[2].startswith("left out: 3 gold answers that the verifier 'numeric' rejects: q10: 'ten' (")
    assert snapshot(recipe([*VALID, *words], LENIENT, NUMERIC), tmp_path).counts["train"] == 1


def test_an_exemplar_of_the_prompt_is_no_question(tmp_path: Path) -> None:
    exemplars = tmp_path / "exemplars.yaml"
    exemplars.write_text(yaml.safe_dump([{"question": " 1 +\n1", "answer": 2, "rationale": "The answer is 2"}]))
    rows = [question(8), question(7, question="1 + 1"), *VALID[1:]]
    (problem,) = refusal(tmp_path, rows, f"exemplars={exemplars}")
    assert problem == "1 questions that are exemplars of the prompt: q7"
    assert snapshot(recipe(rows, f"exemplars={exemplars}", LENIENT), tmp_path).counts["train"] == 1


def test_the_same_text_with_other_choices_is_another_question(tmp_path: Path) -> None:
    choices = [[{"label": "A", "text": text}] for text in ("yes", "no")]
    rows = [question(8, question="Which?", choices=choices[0]), question(9, question="Which?", choices=choices[1])]
    assert snapshot(recipe([*VALID, *rows]), tmp_path).counts["train"] == 3
    assert refusal(tmp_path, [*VALID, *rows, rows[0] | {"question_id": "q7"}]) == ["1 questions that occur twice: q7"]


def test_all_that_is_wrong_is_told_at_once_and_counted(tmp_path: Path) -> None:
    rows = [question(i, answer="") for i in range(20, 25)] + [question(1), question(30, "test"), VALID[0], VALID[1]]
    empty = "5 questions without answer: q20; q21; q22 ..."
    always = ["1 splits that are none of train, eval, seed: q30 (test)"]
    twice = "1 questions that occur twice: q1"
    no_seeds = ["no questions in the split 'seed'"]
    assert refusal(tmp_path, rows) == [*always, empty, twice, *no_seeds]
    assert refusal(tmp_path, rows, LENIENT) == [*always, *no_seeds, f"left out: {empty}", f"left out: {twice}"]


@pytest.mark.parametrize(
    ("overrides", "needed"),
    [
        ((), "train eval seed"),
        (("warmup.steps=0",), "train eval seed"),
        (("warmup.steps=0", "keep_seeds=false"), "train eval"),
    ],
)
def test_an_empty_corpus_is_refused(tmp_path: Path, overrides: tuple[str, ...], needed: str) -> None:
    assert refusal(tmp_path, [], *overrides) == [f"no questions in the split '{split}'" for split in needed.split()]


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (None, "No such file or directory: {path}"),
        (b'[{"Body": "A cat"', "{path}, row 1: "),
        (b'[{"ID": "1"}]', "1 rows without 'Body': SVAMP.json, row 1"),
        (b"\xff", "{path}: is no JSON"),
        (b"[3]", "1 rows that are no JSON object: SVAMP.json, row 1"),
    ],
)
def test_a_corpus_that_cannot_be_read_is_refused(tmp_path: Path, written: bytes | None, problem: str) -> None:
    path = tmp_path / "SVAMP.json"
    if written:
        path.write_bytes(written)
    nowhere = {"corpus": Component("factory.corpora.svamp.svamp", {"path": path})}
    with pytest.raises(ConfigError, match="corpus svamp") as refused:
        snapshot(load_recipe("star_arithmetic").model_copy(update=nowhere), tmp_path)
    assert refused.value.problems[0].startswith(problem.format(path=path))
    assert {file.name for file in tmp_path.iterdir()} <= {"SVAMP.json"}


def test_a_hub_that_cannot_be_reached_is_told_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise ConnectionError("Couldn't reach the Hub")

    monkeypatch.setattr("datasets.load_dataset", unreachable)
    for name in ("svamp", "gsm8k", "commonsense_qa", "math"):
        far = {"corpus": Component(f"factory.corpora.{name}.{name}", {})}
        with pytest.raises(ConfigError) as refused:
            snapshot(load_recipe("star_arithmetic").model_copy(update=far), tmp_path)
        told = "Couldn't reach the Hub; a local copy can be named with corpus.path=..."
        assert refused.value.problems == [told]


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    snapshot(recipe([*VALID, *(question(i) for i in range(9, 4500))]), tmp_path, lambda *state: told.append(state))
    assert told[:4] == [("reading", 0, 0), ("2,000 read", 0, 0), ("4,000 read", 0, 0), ("4,494 read", 0, 0)]
    assert told[4:] == [("questions written", done, 4494) for done in (2000, 4000, 4494)]
