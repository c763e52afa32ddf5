"""The corpora yield what they promise: rows of the schema, the gold answer as its verifier reads it, stable ids."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from factory.corpora import LeftOut, nth_place, place, text_id
from factory.corpora.commonsense_qa import commonsense_qa
from factory.corpora.gsm8k import gsm8k
from factory.corpora.math import boxed, math
from factory.corpora.svamp import svamp
from factory.intake.questions import snapshot
from factory.recipe.component import find, parse
from factory.recipe.load import load_recipe

Row = dict[str, Any]


def write(path: Path, *rows: Row) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


# --- ids and draws


def test_an_id_does_not_depend_on_white_space_and_case() -> None:
    assert text_id("How many?\n") == text_id("how  many?") == "a84049d63720febe"
    assert len({text_id("a", "b"), text_id("a b"), text_id("ab"), text_id("a", "b", "")}) == 4


def test_a_draw_is_even_and_does_not_depend_on_the_others() -> None:
    ids = [f"q{i}" for i in range(10_000)]
    assert 900 < sum(place(one) < 0.1 for one in ids) < 1100
    last = nth_place(ids, 100)
    drawn = {one for one in ids if place(one) <= last}
    assert len(drawn) == 100
    assert nth_place(reversed(ids), 100) == last
    fewer = ids[:5000]
    last = nth_place(fewer, 40)
    assert {one for one in fewer if place(one) <= last} <= drawn
    with pytest.raises(ValueError, match="there are 3 questions: eval_rows=3 would leave none to train on"):
        nth_place(ids[:3], 3)


# --- GSM8K, CommonsenseQA, MATH: small files in their formats


def test_a_solution_of_gsm8k_is_a_rationale_and_its_number_the_answer(tmp_path: Path) -> None:
    solution = "They sell 5*300=<<5*300=1500>>1,500 cups.\nThat is 1500-100=$<<1500-100=1400>>1,400.\n#### 1,400"
    write(tmp_path / "train.jsonl", {"question": " Cups? ", "answer": solution})
    write(tmp_path / "test.jsonl", {"question": "Cold?", "answer": "It is below.\n#### -3"})
    cold, cups = gsm8k(tmp_path)
    assert cups == {
        "question_id": f"gsm8k-{text_id('Cups?')}",
        "corpus": "gsm8k",
        "split": "train",
        "question": "Cups?",
        "answer": "1400",
        "reference_rationale": "They sell 5*300=1,500 cups.\nThat is 1500-100=$1,400.",
        "difficulty": "2 steps",
    }
    assert (cold["split"], cold["answer"], cold["difficulty"]) == ("eval", "-3", None)


def test_both_forms_of_commonsense_qa_are_one_question(tmp_path: Path) -> None:
    choices = [{"label": "A", "text": "bank"}, {"label": "B", "text": "mall"}]
    original = {"stem": "Doors?", "question_concept": "door", "choices": choices}
    labels = {"label": ["A", "B"], "text": ["bank", "mall"]}
    write(tmp_path / "dev_rand_split.jsonl", {"answerKey": "B", "id": "1f", "question": original})
    on_hub = {"id": "1f", "question": "Doors?", "question_concept": "door", "choices": labels, "answerKey": "B"}
    write(tmp_path / "train_rand_split.jsonl", on_hub)
    measured, trained = commonsense_qa(tmp_path)
    assert measured == trained | {"split": "eval"}
    assert trained == {
        "question_id": "commonsense_qa-1f",
        "corpus": "commonsense_qa",
        "split": "train",
        "question": "Doors?",
        "answer": "B",
        "choices": choices,
        "metadata": '{"question_concept": "door"}',
    }


@pytest.mark.parametrize(
    ("solution", "answer"),
    [
        (r"So $\boxed{7}$.", "7"),
        (r"First $\boxed{1}$, then $x = \boxed{\frac{1}{\sqrt{2}}}$ it is.", r"\frac{1}{\sqrt{2}}"),
        (r"\boxed{\left\{ x : x > 0 \right.}", r"\left\{ x : x > 0 \right."),
        (r"$\fbox{ 12 }$", "12"),
        (r"$\boxed 5$.", "5"),
        (r"$\boxed{\text{even}", None),
        ("It is 5.", None),
        ("", None),
    ],
)
def test_the_gold_answer_of_math_stands_in_the_last_box(solution: str, answer: str | None) -> None:
    assert boxed(solution) == answer


def problem(number: int, **columns: Any) -> Row:
    return {"problem": f"{number}+1?", "level": "Level 2", "type": "Algebra"} | columns | {
        "solution": rf"It is $\boxed{{{number + 1}}}$."
    }  # fmt: skip


def test_math_is_read_from_its_folders(tmp_path: Path) -> None:
    for number, name in enumerate(["train/algebra/1", "train/geometry/1", "test/algebra/1"]):
        write(tmp_path / f"{name}.json", problem(number, level="Level ?" if number == 1 else "Level 5"))
    measured, first, second = math(tmp_path)
    assert [row["split"] for row in (measured, first, second)] == ["eval", "train", "train"]
    assert first == {
        "question_id": f"math-{text_id('0+1?')}",
        "corpus": "math",
        "split": "train",
        "question": "0+1?",
        "answer": "1",
        "reference_rationale": r"It is $\boxed{1}$.",
        "difficulty": "level 5",
        "metadata": '{"subject": "Algebra"}',
    }
    assert second["difficulty"] is None
    write(tmp_path / "test.jsonl", *(problem(i, subject="Algebra", unique_id=f"test/{i}") for i in (1, 7)))
    rows = list(math(tmp_path))  # MATH-500 goes before the folder
    assert [row["metadata"] for row in rows[:2]] == [
        json.dumps({"subject": "Algebra", "unique_id": f"test/{i}"}) for i in (1, 7)
    ]
    assert rows[2:] == [first, second]
    with pytest.raises(ValueError, match="eval_rows is for a copy of MATH without a train split"):
        list(math(tmp_path, eval_rows=1))


def test_math_without_a_train_split_is_drawn_in_two(tmp_path: Path) -> None:
    rows = [problem(i, level=1 + i % 5) for i in range(40)]
    write(tmp_path / "test.jsonl", *rows)
    with pytest.raises(ValueError, match="has no train split; with eval_rows=100"):
        list(math(tmp_path))
    found = {row["question_id"]: row for row in math(tmp_path, eval_rows=12)}
    assert Counter(row["split"] for row in found.values()) == {"eval": 12, "train": 28}
    assert {row["difficulty"] for row in found.values()} == {f"level {i}" for i in range(1, 6)}
    write(tmp_path / "test.jsonl", *reversed(rows))
    assert {row["question_id"]: row for row in math(tmp_path, eval_rows=12)} == found
    with pytest.raises(ValueError, match="there are 40 questions"):
        list(math(tmp_path, eval_rows=40))


def test_a_folder_without_problems_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"has neither test\.jsonl nor "):
        list(math(tmp_path, eval_rows=5))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "lines that are no JSON"),
        ("[1]", "rows that are no JSON object"),
        ('{"question": "\\ud8"}', "lines that are no JSON"),
        ('{"question": "\\ud83d?", "answer": "#### 1"}', "rows of another form than this corpus has"),
        ('{"question": "\xff?", "answer": "#### 1"}', "rows of another form than this corpus has"),
        ('{"question": ["a"], "answer": "#### 1"}', "rows of another form than this corpus has"),
        ('{"question": "b", "answer": 1}', "rows of another form than this corpus has"),
        ('{"question": "b"}', "rows without 'answer'"),
    ],
)
def test_a_row_of_another_form_is_left_out_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    write(tmp_path / "test.jsonl", {"question": "a", "answer": "#### 1"})
    write(tmp_path / "train.jsonl")
    with (tmp_path / "test.jsonl").open("a", encoding="latin-1") as file:
        file.write("\n" + line)
    row, left_out = gsm8k(tmp_path)
    assert isinstance(row, dict)
    assert isinstance(left_out, LeftOut)
    assert (left_out.reason, left_out.place) == (reason, "test.jsonl, line 3")
    assert "the original files" in left_out.instead


def test_svamp_that_is_damaged_is_told_with_its_row(tmp_path: Path) -> None:
    good = {"ID": "1", "Body": "B", "Question": "Q?", "Equation": "1", "Answer": 1.0, "Type": "Sum"}
    (tmp_path / "SVAMP.json").write_text(json.dumps([good, {**good, "Body": None}, {"ID": "2"}, good]))
    first, null, lacks, last = svamp(tmp_path)
    assert first == last
    assert [(one.reason, one.place) for one in (null, lacks) if isinstance(one, LeftOut)] == [
        ("rows of another form than this corpus has", "SVAMP.json, row 2"),
        ("rows without 'Body'", "SVAMP.json, row 3"),
    ]
    (tmp_path / "SVAMP.json").write_text(json.dumps([good, good])[:-40])
    with pytest.raises(ValueError, match=r"SVAMP\.json, row 2: "):
        list(svamp(tmp_path))


def test_a_problem_of_math_that_is_no_json_is_left_out_with_its_file(tmp_path: Path) -> None:
    for number, name in enumerate(["train/algebra/1", "train/algebra/2", "test/algebra/1"]):
        write(tmp_path / f"{name}.json", problem(number))
    (tmp_path / "train/algebra/1.json").write_text('{"problem": "How')
    write(tmp_path / "train/algebra/2.json", {"problem": "How?", "level": "Level 2", "type": "Algebra"})
    _, broken, lacks = math(tmp_path)
    assert [(one.reason, one.place) for one in (broken, lacks) if isinstance(one, LeftOut)] == [
        ("files that are no JSON", "train/algebra/1.json"),
        ("rows without 'solution'", "train/algebra/2.json, row 1"),
    ]


def test_a_null_among_the_choices_of_commonsense_qa_leaves_the_row_out(tmp_path: Path) -> None:
    choices = [{"label": "A", "text": "bank"}, {"label": "B", "text": None}]
    for name in ("dev", "train"):
        asked = {"stem": "Doors?", "question_concept": "door", "choices": choices}
        write(tmp_path / f"{name}_rand_split.jsonl", {"answerKey": "A", "id": "1f", "question": asked})
    assert all(isinstance(one, LeftOut) for one in commonsense_qa(tmp_path))


# --- the real ones, where their files are

REAL: dict[str, tuple[str, str, dict[str, int]]] = {
    "svamp": ("svamp.svamp", "numeric.Numeric", {"train": 700, "eval": 300}),
    "gsm8k": ("gsm8k.gsm8k", "numeric.Numeric", {"train": 7473, "eval": 1319}),
    "commonsense_qa": ("commonsense_qa.commonsense_qa", "choice.Choice", {"train": 9741, "eval": 1221}),
    "math500": ("math.math, eval_rows: 100", "math.Math", {"train": 400, "eval": 100}),
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_corpus_is_whole_and_its_verifier_accepts_it(name: str, tmp_path: Path, data: Path) -> None:
    corpus, verifier, counts = REAL[name]
    recipe = load_recipe(
        "star_arithmetic",
        [
            f"corpus={{_component_: factory.corpora.{corpus}, path: {data / name}}}",
            f"verifier={{_component_: factory.verifiers.{verifier}}}",
            "warmup.steps=0",
            "keep_seeds=false",
        ],
    )
    # the recipe is strict: nothing occurs twice, and the verifier accepts every gold answer
    assert snapshot(recipe, tmp_path).counts == counts | {"seed": 0}


@pytest.mark.parametrize("name", ["arithmetic", "svamp", "gsm8k"])
def test_the_checks_that_a_corpus_asks_for_are_there(name: str) -> None:
    checks = find(f"factory.corpora.{name}.{name}").__globals__["CHECKS"]
    assert [parse(check).path for check in checks] == [check["_component_"] for check in checks] != []
