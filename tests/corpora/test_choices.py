"""Which choice an answer means: the same in every format, and refused where nobody can tell."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.corpora import LeftOut
from factory.corpora.table import table

Row = dict[str, Any]
COLUMNS = {"question": "q", "answer": "a", "choices": "c"}


def files(folder: Path, rows: list[Row]) -> Iterator[Path]:
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    for name, written in (("json", json.dumps), ("repr", repr)):
        with (folder / f"{name}.csv").open("w", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows(row | {"c": written(row["c"])} for row in rows)
    yield from (folder / name for name in ("rows.jsonl", "rows.parquet", "json.csv", "repr.csv"))


def read(path: Path, **settings: Any) -> list[Any]:
    return list(table(COLUMNS, str(path), eval_share=0.5, **settings))


def test_an_index_is_one_in_every_format(tmp_path: Path) -> None:
    rows = [{"q": f"{i}?", "c": ["3", "1", "2", "0"], "a": i} for i in range(4)]
    for file in files(tmp_path, rows):
        for reading, labels in {"index": "ABCD", "text": "DBCA"}.items():
            assert [row["answer"] for row in read(file, answer_is=reading)] == list(labels), (file, reading)
        place = (
            f"{file.name}, {'line 2' if file.suffix == '.csv' else 'line 1' if file.suffix == '.jsonl' else 'row 1'}"
        )
        with pytest.raises(ValueError, match="means more than one choice") as refused:
            read(file)
        assert str(refused.value) == (
            f"{place}: the answer '0' means more than one choice: as index A (3), as text D (0); "
            "corpus.answer_is says which it is: index or text"
        )


def test_labels_that_are_numbers_are_no_indices(tmp_path: Path) -> None:
    choices = [{"label": str(i), "text": name} for i, name in enumerate(("red", "green"), 1)]
    for file in files(tmp_path, [{"q": "1?", "c": choices, "a": "1"}]):
        with pytest.raises(ValueError, match=r"as label 1 \(red\), as index 2 \(green\)"):
            read(file)
        assert [row["answer"] for row in read(file, answer_is="label")] == ["1"]


def test_readings_that_agree_need_no_setting(tmp_path: Path) -> None:
    rows = [{"q": f"{i}?", "c": ["red", "green", "blue"], "a": answer} for i, answer in enumerate(("B", "green", "1"))]
    for file in files(tmp_path, rows):
        assert [row["answer"] for row in read(file)] == ["B"] * 3
    (tmp_path / "a.jsonl").write_text(json.dumps({"q": "0?", "c": ["0", "1"], "a": 0.0}))
    assert [row["answer"] for row in read(tmp_path / "a.jsonl")] == ["A"]


def test_indices_from_one_are_refused_with_the_way_out(tmp_path: Path) -> None:
    rows = [{"q": f"{i}?", "c": ["red", "green"], "a": answer} for i, answer in enumerate("1212")]
    for file in files(tmp_path, rows):
        with pytest.raises(ValueError, match=r"so these count from 1.*answer_map"):
            read(file)
        found = read(file, answer_is="label", answer_map={"1": "A", "2": "B"})
        assert [row["answer"] for row in found] == ["A", "B", "A", "B"]
    # one row that is wrong among labels spoils no table
    rows = [{"q": f"{i}?", "c": ["red", "green"], "a": answer} for i, answer in enumerate("AB2")]
    for file in files(tmp_path, rows):
        assert [row["answer"] for row in read(file)] == ["A", "B", "2"]  # the verifier rejects the last


@pytest.mark.parametrize(("reading", "answer"), [("index", "A"), ("index", 2), ("text", "B"), ("label", "red")])
def test_the_reading_that_counts_is_the_only_one(tmp_path: Path, reading: str, answer: str | int) -> None:
    for file in files(tmp_path, [{"q": "1?", "c": ["red", "green"], "a": answer}]):
        (found,) = read(file, answer_is=reading)
        assert isinstance(found, LeftOut)
        assert found.reason == f"rows whose answer is not the {reading} of one of its choices"
        assert f"with the {reading} of a choice" in found.instead


def test_indices_from_one_are_refused_where_labels_are_numbers(tmp_path: Path) -> None:
    choices = [{"label": str(i), "text": name} for i, name in enumerate(("red", "green"), 1)]
    for file in files(tmp_path, [{"q": f"{i}?", "c": choices, "a": i} for i in (1, 2)]):
        with pytest.raises(ValueError, match="so these count from 1"):
            read(file, answer_is="index")


@pytest.mark.parametrize(
    ("choices", "answer"),
    [
        (["A)324", "B)12", "C)7"], "B"),
        (["A) 324", "B) 12", "C) 7"], "B) 12"),
        (["(a) 324", "(b) 12", "(c) 7"], "(b)"),
        (["A. 324", "B. 12", "C. 7"], "B."),
        (["a ) 324", "b ) 12", "c ) 7"], "b"),
        (["[A] 324", "[B] 12", "[C] 7"], "12"),
        (["A: 324", "B: 12", "C: 7"], "b"),
        (["**A.** 324", "**B.** 12", "**C.** 7"], "b"),
        (["**A)** 324", "**B)** 12", "**C)** 7"], "12"),
        ({"A": "A) 324", "B": "B) 12", "C": "C) 7"}, "B"),
        ({"A": "324", "B": "12", "C": "7", "D": None}, "B"),
        ([{"label": "A", "text": "324"}, {"label": "B", "text": "12"}, {"label": "C", "text": "7"}], "B"),
        ({"label": ["A", "B", "C"], "text": ["(A) 324", "(B) 12", "(C) 7"]}, "B"),
        ([324, 12.0, 7], 12),
    ],
)
def test_choices_are_shown_once(tmp_path: Path, choices: Any, answer: Any) -> None:
    for file in files(tmp_path, [{"q": "1?", "c": choices, "a": answer}]):
        (row,) = read(file)
        assert row["choices"] == [
            {"label": label, "text": text} for label, text in zip("ABC", ("324", "12", "7"), strict=True)
        ]
        assert row["answer"] == "B"


def test_labels_in_the_texts_are_the_labels(tmp_path: Path) -> None:
    for choices, labels in (
        (["1) red", "2) green"], ["1", "2"]),
        (["0. red", "1. green"], ["0", "1"]),
        (["i) red", "ii) green"], ["I", "II"]),
        (["(B) red", "(A) green"], ["B", "A"]),
    ):
        for file in files(tmp_path, [{"q": "1?", "c": choices, "a": "green"}]):
            (row,) = read(file)
            assert row["choices"] == [
                {"label": label, "text": text} for label, text in zip(labels, ("red", "green"), strict=True)
            ]
            assert row["answer"] == labels[1]


@pytest.mark.parametrize(
    "choices",
    [
        ["A cat", "B flat"],
        ["1.5", "2.5"],
        ["1:30", "2:30"],
        ["A) red", "green"],
        ["J. Smith", "K. Jones"],
        ["A.", "B."],
        ["a - b", "b - a"],
        ["i. e. red", "v. i. p."],
    ],
)
def test_what_is_no_label_stays(tmp_path: Path, choices: list[str]) -> None:
    for file in files(tmp_path, [{"q": "1?", "c": choices, "a": choices[1]}]):
        (row,) = read(file)
        assert [choice["text"] for choice in row["choices"]] == choices
        assert row["answer"] == "B"


@pytest.mark.parametrize(
    ("choices", "reason"),
    [
        (["red", None, "blue"], "rows with choices with one that is empty"),
        (["red", "", "blue"], "rows with choices with one that is empty"),
        ({"A": "red", "B": None, "C": "blue"}, "rows with choices with one that is empty"),
        ({"label": ["A", "B"], "text": ["red", "green", "blue"]}, "rows with choices with more or fewer labels"),
        ({"label": ["A", "A"], "text": ["red", "green"]}, "rows with choices of which two have the same label"),
        ({"A": "B) red", "B": "A) green"}, "rows with choices that carry the labels of others"),
        ([f"c{i}" for i in range(27)], "rows with more than 26 choices"),
        ([["red"], ["green"]], "rows with a choice that is a list"),
        ([{"key": "A", "text": "red"}], "rows with choices that cannot be read"),
    ],
)
def test_choices_that_are_none_leave_their_row_out(tmp_path: Path, choices: Any, reason: str) -> None:
    for file in files(tmp_path, [{"q": "1?", "c": choices, "a": "A"}]):
        (found,) = read(file)
        assert isinstance(found, LeftOut)
        assert found.reason.startswith(reason)
        assert "columns.choices should name a column with a list of texts" in found.instead


@pytest.mark.parametrize("choices", ["a ) 11 , b ) 12", "red|green", "['red' 'green']", '["red"', "array(['red'])"])
def test_texts_that_are_no_choices_leave_their_row_out(tmp_path: Path, choices: str) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps({"q": "1?", "c": choices, "a": "A"}))
    (found,) = read(tmp_path / "a.jsonl")
    assert isinstance(found, LeftOut)
    assert "cannot be read" in found.reason


def test_a_question_among_others_may_have_no_choices(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"q": "1?", "c": ["x", "y"], "a": "A"}\n{"q": "2?", "c": [], "a": "two"}\n')
    assert [(row["answer"], row["choices"] is None) for row in read(tmp_path / "a.jsonl")] == [
        ("A", False),
        ("two", True),
    ]


def test_any_of_several_labels_is_accepted(tmp_path: Path) -> None:
    for file in files(tmp_path, [{"q": "1?", "c": ["x", "y", "z"], "a": ["x", "C"]}]):
        if file.suffix != ".csv":
            (row,) = read(file, answers="any")
            assert (row["answer"], row["accepted_answers"]) == ("A", ["A", "C"])
