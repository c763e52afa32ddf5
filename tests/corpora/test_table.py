"""A team's own table becomes a corpus without code: every kind of file, column by column, drawn and filtered."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.corpora import LeftOut, text_id
from factory.corpora.table import table
from factory.errors import ConfigError
from factory.recipe.load import load_recipe

Row = dict[str, Any]
COLUMNS = {"question": "prompt", "answer": "gold", "id": "uuid", "difficulty": "meta.level"}


def rows(count: int) -> list[Row]:
    return [
        {"uuid": f"u{i}", "prompt": f"{i} + 1?", "gold": i + 1, "meta": {"level": i % 3, "hard": i % 2 == 0}}
        for i in range(count)
    ]


def write(file: Path, found: list[Row]) -> Path:
    """The same rows in any kind of file; CSV has no nested columns, so they are flattened there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(found), file, row_group_size=7)
    elif file.suffix == ".jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in found))
    else:
        flat = [
            {key: value for key, value in row.items() if key != "meta"}
            | {f"meta.{key}": value for key, value in row.get("meta", {}).items()}
            for row in found
        ]
        with file.open("w", newline="") as lines:
            writer = csv.DictWriter(lines, flat[0])
            writer.writeheader()
            writer.writerows(flat)
    return file


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_every_kind_of_file_gives_the_same_questions(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / f"all.{kind}", rows(20))
    found = list(table(COLUMNS, path=str(file), eval_rows=5))
    assert Counter(row.pop("split") for row in found) == {"train": 15, "eval": 5}
    assert found == [
        {
            "question_id": f"u{i}",
            "corpus": "table",
            "question": f"{i} + 1?",
            "answer": str(i + 1),
            "choices": None,
            "difficulty": str(i % 3),
        }
        for i in range(20)
    ]


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({"meta.level": 1}, [1, 4, 7]),
        ({"meta.level": [0, "2"], "meta.hard": True}, [0, 2, 6, 8]),
        ({"prompt": "3 + 1?"}, [3]),
        ({"meta.level": 5}, []),
    ],
)
def test_filters_leave_rows_out(tmp_path: Path, kind: str, filters: Row, kept: list[int]) -> None:
    file = write(tmp_path / f"all.{kind}", rows(10))
    found = table(COLUMNS, path=str(file), eval_share=0.5, filters=filters)
    assert [row["question_id"] for row in found] == [f"u{i}" for i in kept]


def test_a_folder_is_split_by_the_names_of_its_files(tmp_path: Path) -> None:
    found = rows(12)
    write(tmp_path / "a" / "train-0.jsonl", found[:4])
    write(tmp_path / "train-1.parquet", found[4:7])
    write(tmp_path / "test.csv", found[7:])
    (tmp_path / "README.md").write_text("# not a table")
    for train in (None, "**/train-*"):
        split = {row["question_id"]: row["split"] for row in table(COLUMNS, str(tmp_path), train=train, eval="test*")}
        assert split == {f"u{i}": "train" if i < 7 else "eval" for i in range(12)}
    drawn = Counter(row["split"] for row in table(COLUMNS, f"{tmp_path}/**/*.*l", eval_rows=1))
    assert drawn == {"train": 3, "eval": 1}


def test_a_draw_stays_when_the_table_grows_or_is_put_in_another_order(tmp_path: Path) -> None:
    found = rows(1000)
    shares = {}
    for name, given in {"less": found[:600], "all": found, "turned": found[::-1]}.items():
        file = write(tmp_path / f"{name}.jsonl", given)
        shares[name] = {row["question_id"]: row["split"] for row in table(COLUMNS, str(file), eval_share=0.2)}
    assert shares["all"] == shares["turned"]
    assert shares["less"].items() <= shares["all"].items()
    assert 150 < Counter(shares["all"].values())["eval"] < 250


CHOICES = [{"label": "A", "text": "red"}, {"label": "B", "text": "green"}]


@pytest.mark.parametrize(
    ("choices", "answer", "label"),
    [
        (["red", "green"], "green", "B"),
        (["red", "green"], 0, "A"),
        (["red", "green"], "1", "B"),
        ({"A": "red", "B": "green", "C": None}, "b", "B"),
        (CHOICES, "B", "B"),
        ({"label": ["A", "B"], "text": ["red", "green"]}, "A", "A"),
        (json.dumps(["red", "green"]), "Red ", "A"),
        (["red", "green"], "blue", "blue"),  # means none of them: the verifier will reject it
    ],
)
def test_choices_come_in_every_form(tmp_path: Path, choices: Any, answer: Any, label: str) -> None:
    file = write(tmp_path / "all.jsonl", [{"q": "Which?", "options": choices, "a": answer}])
    (row,) = table({"question": "q", "answer": "a", "choices": "options"}, str(file), eval_share=0.5)
    assert (row["choices"], row["answer"]) == (CHOICES, label)
    assert row["question_id"] == text_id("Which?", "A", "red", "B", "green")


def test_an_answer_is_found_in_a_solution(tmp_path: Path) -> None:
    solutions = ["2+2=4\n#### 4", "#### 1\nno:\n#### 1,200 ", "no answer", None]
    file = write(tmp_path / "all.jsonl", [{"q": f"{i}?", "s": solution} for i, solution in enumerate(solutions)])
    columns = {"question": "q", "answer": "s", "reference_rationale": "s"}
    *found, unmatched, empty = table(columns, str(file), eval_share=0.5, answer_pattern=r"#### (\S+)")
    assert [row["answer"] for row in found] == ["4", "1,200"]
    assert [row["reference_rationale"] for row in found] == ["2+2=4\n#### 4", "#### 1\nno:\n#### 1,200"]
    assert (unmatched.reason, unmatched.place) == (
        "rows in whose answer answer_pattern finds nothing",
        "all.jsonl, line 3",
    )
    assert empty == LeftOut("questions without answer", "all.jsonl, line 4")


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_columns_that_are_not_there_are_told_at_once_with_the_nearest(tmp_path: Path, kind: str) -> None:
    file = write(tmp_path / f"all.{kind}", rows(3))
    columns = {"question": "promt", "answer": "gold", "difficulty": "meta.levl"}
    with pytest.raises(ValueError, match="has no column") as refused:
        list(table(columns, str(file), eval_share=0.5, filters={"zzz": 1}))
    told = str(refused.value).replace("meta, ", "")  # which a CSV file does not have
    assert told == (
        f"{file} has no column 'promt' (did you mean 'prompt'?), 'meta.levl' (did you mean 'meta.level'?), 'zzz'; "
        "it has gold, meta.hard, meta.level, prompt, uuid"
    )


def test_a_field_that_the_first_object_lacks_is_there_all_the_same(tmp_path: Path) -> None:
    found = [{"q": "a?", "a": 1}, {"q": "b?", "a": 2.5, "level": 2.0}]
    file = write(tmp_path / "all.jsonl", found)
    columns = {"question": "q", "answer": "a", "difficulty": "level"}
    read = list(table(columns, str(file), eval_share=0.5))
    assert [(row["answer"], row["difficulty"]) for row in read] == [("1", None), ("2.5", "2")]


MISTAKES: dict[str, tuple[Row, str]] = {
    "no source": ({"eval_rows": 1}, "needs either a path or a dataset"),
    "two sources": ({"eval_rows": 1, "path": "p", "dataset": "d"}, "needs either a path or a dataset"),
    "no eval": ({"path": "."}, "needs one of eval, eval_rows and eval_share"),
    "two evals": ({"path": ".", "eval": "e", "eval_rows": 1}, "needs one of eval, eval_rows and eval_share"),
    "no file": ({"path": "{here}/none.jsonl", "eval_rows": 1}, r"no \.parquet, \.jsonl, .* file is '.*none.jsonl'"),
    "no such split": ({"path": "{here}", "eval": "dev*"}, r"no \.parquet, \.jsonl, .* file is 'dev\*' in '"),
    "a split of a file": ({"path": "{here}/all.jsonl", "eval": "dev*"}, "all.jsonl' is no folder"),
    "too few": ({"path": "{here}", "eval_rows": 3}, "there are 3 questions: eval_rows=3 would leave none to train on"),
    "no Parquet": ({"path": "{here}/bad/bad.parquet", "eval_rows": 1}, r"bad\.parquet: Parquet"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_named(tmp_path: Path, mistake: str) -> None:
    write(tmp_path / "all.jsonl", rows(3))
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.parquet").write_text("no Parquet, however long it is")
    settings, told = MISTAKES[mistake]
    settings = {
        key: value.format(here=tmp_path) if isinstance(value, str) else value for key, value in settings.items()
    }
    if mistake == "too few":
        settings["path"] += "/*.jsonl"
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        list(table(COLUMNS, **settings))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("columns: {question: q}", "corpus.columns: 'answer' is missing"),
        ("columns: {question: q, answer: a, levle: l}", "corpus.columns: 'levle' is no column of a question. Valid: "),
        ("columns: {question: q, answer: a, choice: l}", "did you mean 'choices'?"),
        ("columns: {question: q, answer: a}, answer_pattern: '('", "corpus.answer_pattern: is no regular expression"),
        ("columns: {question: q, answer: a}, answer_pattern: x", "corpus.answer_pattern: should have one group"),
        ("columns: {question: q, answer: a}, eval_share: 1", "corpus.eval_share: input should be less than 1"),
    ],
)
def test_a_setting_is_checked_when_the_recipe_is_read(setting: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_recipe("star_arithmetic", [f"corpus={{_component_: factory.corpora.table.table, {setting}}}"])
    assert told in "\n".join(refused.value.problems)


def test_a_dataset_of_the_hub_is_read_split_by_split(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load(dataset: str, name: str | None, *, split: str, streaming: bool) -> Any:
        asked.append((dataset, name, split, streaming))
        found = datasets.Dataset.from_list(rows(10)[:7] if split == "train" else rows(10)[7:])
        return found.to_iterable_dataset() if streaming else found

    monkeypatch.setattr(datasets, "load_dataset", load)
    split = {row["question_id"]: row["split"] for row in table(COLUMNS, dataset="o/d", eval="test", streaming=True)}
    assert split == {f"u{i}": "train" if i < 7 else "eval" for i in range(10)}
    drawn = list(table(COLUMNS, dataset="o/d", name="main", train="test", eval_rows=1))
    assert sorted(row["split"] for row in drawn) == ["eval", "train", "train"]
    assert asked == [("o/d", None, "test", True), ("o/d", None, "train", True), *[("o/d", "main", "test", False)] * 2]
