"""Questions: the corpora yield what they promise, and a corpus that would spoil a run is refused by name."""

import itertools
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from factory.attempt import Question
from factory.component import Component
from factory.corpora.arithmetic import arithmetic, rationale
from factory.corpora.svamp import svamp
from factory.errors import ConfigError
from factory.load import load_recipe
from factory.questions import snapshot
from factory.recipe import Recipe
from factory.verifiers.numeric import Numeric
from schemas import QUESTIONS

Row = dict[str, Any]
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
    assert snapshot(recipe(rows, "shard_rows=4"), tmp_path) == {"train": 9, "eval": 4, "seed": 1}
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


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (question(9, question=""), "1 questions without question: q9"),
        (question(9, answer=None), "1 questions without answer: q9"),
        ({"question_id": "q9", "question": "9+1"}, "1 questions without corpus, split, answer: q9"),
        (question(9, "test"), "1 splits that are none of train, eval, seed: q9 (test)"),
        (question(9, "seed", reference_rationale=None), "1 seed questions without a reference_rationale: q9"),
        (question(9, question_id="q1"), "1 question ids that occur twice: q1"),
        (question(9, "eval", question_id="q1"), "1 question ids that occur twice: q1"),
        (question(9, question="1+1", answer="2"), "1 questions that occur twice: q9"),
        (question(9, "eval", question="1+1", answer="2"), "1 questions that occur twice: q9"),
        (question(9, question="1+1  \n", answer="2"), "1 questions that occur twice: q9"),
        (question(9, answer="."), "1 gold answers that the verifier 'exact' rejects: q9: '.' (unparseable)"),
        (question(9, answer="1\n0"), "1 gold answers that the verifier 'exact' rejects: q9: '1\\n0' (wrong)"),
        (question(9, question=" \n"), "1 questions without question: q9"),
        (question(9, answer=10), "q9"),
    ],
)
def test_a_question_that_would_spoil_a_run_is_refused(tmp_path: Path, row: Row, problem: str) -> None:
    (found,) = refusal(tmp_path, [*VALID, row])
    assert problem in found


def test_a_verifier_that_cannot_read_the_gold_answer_says_why(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path, [*VALID, question(9, answer="ten")], NUMERIC)
    reason = "the gold answer 'ten' is not a number"
    assert problem == f"1 gold answers that the verifier 'numeric' rejects: q9: 'ten' ({reason})"


def test_an_exemplar_of_the_prompt_is_no_question(tmp_path: Path) -> None:
    exemplars = tmp_path / "exemplars.yaml"
    exemplars.write_text(yaml.safe_dump([{"question": " 1 +\n1", "answer": 2, "rationale": "The answer is 2"}]))
    rows = [question(8), question(7, question="1 + 1"), *VALID[1:]]
    (problem,) = refusal(tmp_path, rows, f"exemplars={exemplars}")
    assert problem == "1 questions that are exemplars of the prompt: q7"


def test_the_same_text_with_other_choices_is_another_question(tmp_path: Path) -> None:
    choices = [[{"label": "A", "text": text}] for text in ("yes", "no")]
    rows = [question(8, question="Which?", choices=choices[0]), question(9, question="Which?", choices=choices[1])]
    assert snapshot(recipe([*VALID, *rows]), tmp_path)["train"] == 3
    assert refusal(tmp_path, [*VALID, *rows, rows[0] | {"question_id": "q7"}]) == ["1 questions that occur twice: q7"]


def test_all_that_is_wrong_is_told_at_once_and_counted(tmp_path: Path) -> None:
    rows = [question(i, answer="") for i in range(20, 25)] + [question(1), question(30, "test"), VALID[0], VALID[1]]
    assert refusal(tmp_path, rows) == [
        "5 questions without answer: q20; q21; q22 ...",
        "1 splits that are none of train, eval, seed: q30 (test)",
        "1 question ids that occur twice: q1",
        "1 questions that occur twice: q1",
        "no questions in the split 'seed'",
    ]


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


def test_a_corpus_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    nowhere = {"corpus": Component("factory.corpora.svamp.svamp", {"path": tmp_path / "SVAMP.json"})}
    with pytest.raises(ConfigError, match=rf"1 problem\n.*{tmp_path}/SVAMP\.json"):
        snapshot(load_recipe("star_arithmetic").model_copy(update=nowhere), tmp_path)


# --- sums


def test_the_sums_of_the_real_recipe_are_disjoint_and_distinct() -> None:
    corpus = load_recipe("star_arithmetic").corpus
    rows = list(corpus())
    assert rows == list(corpus())
    assert rows != list(corpus.bound()(seed=1))
    settings = {"train": corpus.settings["train"], "eval": corpus.settings["eval"], "seed": corpus.settings["seeds"]}
    wanted = {(split, digits): count for split, counts in settings.items() for digits, count in counts.items()}
    made = Counter((row["split"], int(row["difficulty"].split()[0])) for row in rows)
    assert made == wanted
    texts = {split: {row["question"] for row in rows if row["split"] == split} for split in settings}
    for one, other in itertools.combinations(texts.values(), 2):
        assert one
        assert not one & other
    assert len({row["question"] for row in rows}) == len({row["question_id"] for row in rows}) == len(rows)
    for row in rows:
        left, right = row["question"].split("+")
        assert {str(len(left)), str(len(right))} == {row["difficulty"].split()[0]}
        assert row["answer"] == str(int(left) + int(right))
        assert (row["reference_rationale"] is None) == (row["split"] != "seed")


def test_a_rationale_adds_digit_by_digit() -> None:
    draw = random.Random(0)
    sums = [
        (0, 0),
        (9, 9),
        (999, 1),
        (5, 99_995),
        *((draw.randrange(10**i), draw.randrange(10**i)) for i in range(1, 9)),
    ]
    sums += [(draw.randrange(100_000), draw.randrange(100_000)) for _ in range(500)]
    for left, right in sums:
        *columns, last = rationale(left, right).split("\n")
        assert last == f"The answer is {left + right}"
        assert len(columns) == max(len(str(left)), len(str(right)))
        carry = 0
        for place, column in enumerate(columns):
            a, b = left // 10**place % 10, right // 10**place % 10
            total = a + b + carry
            assert column == f"{a}+{b}+{carry}={total // 10}{total % 10}"
            carry = total // 10
        digits = "".join(column[-1] for column in reversed(columns))
        assert int(f"{carry}{digits}") == left + right


@pytest.mark.parametrize(
    ("train", "total"),
    [
        ({1: 101}, 101),
        ({2: 8101}, 8101),
        ({1: 100, 2: 8000}, None),
        ({3: 810_001}, 810_001),
    ],
)
def test_more_sums_than_there_are_is_refused(train: dict[int, int], total: int | None) -> None:
    if total is None:
        assert sum(1 for _ in arithmetic(train, {})) == sum(train.values())
    else:
        with pytest.raises(ValueError, match=f"there are no {total} different sums"):
            list(arithmetic(train, {}))


# --- SVAMP, where its file is


@pytest.fixture
def svamp_rows() -> list[Row]:
    data = os.environ.get("RATIONALE_FACTORY_DATA")
    if not data:
        pytest.skip("RATIONALE_FACTORY_DATA names no folder that holds svamp/SVAMP.json")
    return list(svamp(Path(data) / "svamp"))


def test_svamp_is_700_and_300_distinct_questions(svamp_rows: list[Row], tmp_path: Path) -> None:
    assert Counter(row["split"] for row in svamp_rows) == {"train": 700, "eval": 300}
    assert len({row["question_id"] for row in svamp_rows}) == 1000
    counts = snapshot(recipe(svamp_rows, NUMERIC, "warmup.steps=0", "keep_seeds=false"), tmp_path)
    assert counts == {"train": 700, "eval": 300, "seed": 0}


def test_every_gold_answer_of_svamp_is_accepted(svamp_rows: list[Row]) -> None:
    for row in svamp_rows:
        asked = Question(row["question_id"], row["split"], row["question"], row["answer"])
        for completion in (f"The answer is {row['answer']}.", row["answer"], f"So it is {row['answer']} in all."):
            assert Numeric().verify(completion, asked).verdict == "correct"
