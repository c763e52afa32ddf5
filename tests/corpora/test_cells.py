"""A cell of a table is a text, or nothing, or left out: never the repr of something else."""

import csv
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.corpora import LeftOut
from factory.corpora.cells import NotText, plain, text
from factory.corpora.table import table

Row = dict[str, Any]
COLUMNS = {"question": "q", "answer": "a"}


def files(folder: Path, rows: list[Row]) -> Iterator[Path]:
    """The same table as JSON, as Parquet, and as CSV with nested values as JSON and as Python's repr."""
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "rows.json").write_text(json.dumps(rows))
    pq.write_table(pa.Table.from_pylist(rows), folder / "rows.parquet")
    for name, written in (("json", json.dumps), ("repr", repr)):
        with (folder / f"{name}.csv").open("w", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows(
                {key: written(value) if isinstance(value, list | dict) else value for key, value in row.items()}
                for row in rows
            )
    yield from (folder / name for name in ("rows.jsonl", "rows.json", "rows.parquet", "json.csv", "repr.csv"))


def read(path: Path, columns: dict[str, str] = COLUMNS, **settings: Any) -> list[Any]:
    return list(table(columns, str(path), eval_share=0.5, **settings))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        (" \n", None),
        (" a b ", "a b"),
        ("Zoé \U0001f600", "Zoé \U0001f600"),
        (b"Zo\xc3\xa9", "Zoé"),
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (0.1 + 0.2, "0.30000000000000004"),
        (5 / 6, "0.8333333333333334"),
        (1e-7, "0.0000001"),
        (1e23, "100000000000000000000000"),
        (123456789012345678901, "123456789012345678901"),
        (Decimal("2.50"), "2.5"),
        (Decimal("1E+3"), "1000"),
        (True, "True"),
        ("[-2, 7]", "[-2, 7]"),  # an interval
        ("(1, 2)", "(1, 2)"),  # a point
        ("[[1, 2], [3, 4]]", "[[1, 2], [3, 4]]"),  # a matrix
        ("f(x)", "f(x)"),
        (r"\{1, 2\}", r"\{1, 2\}"),
        ("['a'] + ['b'] is what?", "['a'] + ['b'] is what?"),
        ("None", "None"),
        ("Rows (of 3)", "Rows (of 3)"),
        ("Set() of what?", "Set() of what?"),
        ("[a@1]", "[a@1]"),
    ],
)
def test_a_text_is_what_people_write(value: Any, found: str | None) -> None:
    assert plain(value) == found


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (["a"], "a list"),
        ({"a": 1}, "a mapping"),
        (b"\xff", "bytes that are not UTF-8"),
        ("a\ud83d", "no Unicode (half a surrogate)"),
        ("a\udce9", "bytes that are not UTF-8"),
        (float("nan"), "no number (nan or infinite)"),
        (float("-inf"), "no number (nan or infinite)"),
        (Decimal("1e999999999"), "a number beyond all measure"),
        ("['a', 'b']", "a list"),
        ('["a"]', "a list"),
        ("('a', 'b')", "a list"),
        ("[]", "a list"),
        ("{'value': '3', 'aliases': ['3']}", "a mapping"),
        ("b'3'", "bytes"),
        ("['a' 'b']", "a list or a mapping, written out so that it cannot be read"),
        ("[{'role': 'user'}\n {'role': 'assistant'}]", "a list or a mapping, written out so that it cannot be read"),
        ('[{"role": "user", "content": "What', "a list or a mapping, written out so that it cannot be read"),
        ("nan", "the repr of a Python object"),
        ("Decimal('3')", "the repr of a Python object"),
        ("np.float64(3.0)", "the repr of a Python object"),
        ("array([1, 2])", "the repr of a Python object"),
        ("<factory.X object at 0x7f00>", "the repr of a Python object"),
        ("<PIL.Image.Image image mode=RGB size=2x2 at 0x7f00>", "the repr of a Python object"),
        ("<class 'str'>", "the repr of a Python object"),
        ("<function f at 0x7f00>", "the repr of a Python object"),
        ("bytearray(b'3')", "the repr of a Python object"),
        ("frozenset({'3'})", "the repr of a Python object"),
        ("dict_values(['3'])", "the repr of a Python object"),
        ("deque(['3'])", "the repr of a Python object"),
        ("set()", "the repr of a Python object"),
        ("collections.Counter({'3': 1})", "the repr of a Python object"),
        ("WrappedArray(3, 4)", "the repr of a Python object"),
        ("Row(text='3')", "the repr of a Python object"),
        ("[object Object]", "the repr of a Python object"),
        ("[Ljava.lang.String;@1b2c3d", "the repr of a Python object"),
        ("[B@6d06d69c", "the repr of a Python object"),
        ("System.String[]", "the repr of a Python object"),
        ("a\0b", "text with zeros in it, as a write that broke off leaves it"),
    ],
)
def test_what_is_no_text_is_none(value: Any, what: str) -> None:
    with pytest.raises(NotText) as refused:
        plain(value)
    assert refused.value.what == what


@pytest.mark.parametrize(
    "question",
    [
        "<|im_start|>user\nHow many?<|im_end|>\n<|im_start|>assistant\n3<|im_end|>",
        "<|start_header_id|>user<|end_header_id|>\n\nHow many?<|eot_id|>",
        "<s>[INST] How many? [/INST] 3</s>",
        "<start_of_turn>user\nHow many?<end_of_turn>",
        "\n\nHuman: How many?\n\nAssistant: 3",
        "### User: How many?\n### Assistant: 3",
        "None",
    ],
)
def test_a_dialogue_in_one_text_is_no_question(tmp_path: Path, question: str) -> None:
    for file in files(tmp_path, [{"q": question, "a": "3"}]):
        (found,) = read(file)
        assert isinstance(found, LeftOut)
        assert "a dialogue that was written as one text" in found.reason or question == "None"


def test_a_text_that_speaks_of_a_user_is_one(tmp_path: Path) -> None:
    asked = "A user: what is that?\nAnd an assistant: what does it do?"
    for file in files(tmp_path, [{"q": asked, "a": "3"}]):
        assert [row["question"] for row in read(file)] == [asked]


def test_numbers_of_32_bits_keep_their_digits_wherever_they_stand(tmp_path: Path) -> None:
    short = pa.float32()
    kinds = {
        "a": short,
        "b": pa.list_(short),
        "c": pa.struct({"d": short, "e": pa.list_(short)}),
        "f": pa.map_(pa.string(), short),
    }
    row = {"q": "1?", "a": 0.1, "b": [0.1, None], "c": {"d": 0.1, "e": [0.1]}, "f": [("g", 0.1)]}
    pq.write_table(pa.Table.from_pylist([row], pa.schema({"q": pa.string()} | kinds)), tmp_path / "a.parquet")
    for column in ("a", "b.0", "c.d", "c.e.0", "f.g"):
        assert [one["answer"] for one in read(tmp_path / "a.parquet", {"question": "q", "answer": column})] == ["0.1"]


def test_a_list_or_a_mapping_leaves_its_row_out_with_what_to_write(tmp_path: Path) -> None:
    for rows, told in (
        ([{"q": "1?", "a": ["1", "one"]}], "a.0; answers: any accepts every answer in it"),
        ([{"q": "1?", "a": {"value": "1"}}], "a.value; answers: any accepts every answer in it"),
        ([{"q": ["1?"], "a": "1"}], "q.0"),
        ([{"q": "1?", "a": [{"role": "assistant", "content": "1"}]}], "a.-1.content"),
    ):
        for file in files(tmp_path, rows):
            (found,) = read(file)
            assert isinstance(found, LeftOut), file
            assert found.place == f"{file.name}, {'line 2' if file.suffix == '.csv' else found.place.split(', ')[1]}"
            assert found.instead.endswith(f"such as {told}"), file


def test_fields_and_items_are_columns(tmp_path: Path) -> None:
    rows = [
        {"q": [{"role": "user", "content": f"{i}?"}, {"role": "assistant", "content": f"#### {i}"}]} for i in (1, 2)
    ]
    columns = {"question": "q.0.content", "answer": "q.-1.content"}
    for file in files(tmp_path, rows):
        found = read(file, columns, answer_pattern="#### (.+)")
        assert [(row["question"], row["answer"]) for row in found] == [("1?", "1"), ("2?", "2")]
    rows = [{"q": "1?", "a": {"value": 1.5, "list": ["x"]}}]
    for file in files(tmp_path, rows):
        assert [row["answer"] for row in read(file, {"question": "q", "answer": "a.value"})] == ["1.5"]
        with pytest.raises(ValueError, match=r"has no column 'a\.valeu' \(did you mean|has no column 'a\.valeu'"):
            read(file, {"question": "q", "answer": "a.valeu"})


ACCEPTED = [
    ({"value": "3", "aliases": ["three", "3"], "type": "Number", "answer_start": [5]}, ["3", "three"]),
    ({"value": "4", "aliases": [], "type": "Number", "answer_start": [6]}, ["4"]),
]


def test_any_of_several_answers_is_accepted(tmp_path: Path) -> None:
    for file in files(tmp_path, [{"q": f"{i}?", "a": given} for i, (given, _) in enumerate(ACCEPTED)]):
        found = read(file, answers="any")
        assert [row["answer"] for row in found] == [accepted[0] for _, accepted in ACCEPTED]
        assert [row.get("accepted_answers") for row in found] == [["3", "three"], None]
    for file in files(tmp_path, [{"q": "1?", "a": ["3", "4"]}, {"q": "2?", "a": ["5"]}, {"q": "3?", "a": []}]):
        *found, empty = read(file, answers="any")
        assert [row.get("accepted_answers") or row["answer"] for row in found] == [["3", "4"], "5"]
        assert empty.reason == "questions without answer"


def test_a_mapping_whose_answers_cannot_be_told_is_left_out(tmp_path: Path) -> None:
    for file in files(tmp_path, [{"q": "1?", "a": {"number": "3", "spans": ["x"]}}]):
        (found,) = read(file, answers="any")
        assert found.reason == "rows whose answer is a mapping"


DIALOGUES = [
    [{"role": "user", "content": "1?"}, {"role": "assistant", "content": "#### 1"}],
    [{"role": "system", "content": "Add."}, {"role": "user", "content": "1?"}, {"role": "user", "content": "2?"}],
    [{"from": "human", "value": "1?"}, {"from": "gpt", "value": "SECRET"}, {"from": "human", "value": "2?"}],
    [{"from": "system", "value": "Add."}, {"from": "human", "value": "1?"}, {"from": "system", "value": "SECRET"}],
    [{"role": "user", "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "?"}]}],
]


@pytest.mark.parametrize("number", range(len(DIALOGUES)))
def test_a_dialogue_means_its_first_turn_of_the_user(tmp_path: Path, number: int) -> None:
    rows = [{"q": DIALOGUES[number], "a": "1"}]
    for file in files(tmp_path, rows):
        (row,) = read(file)
        assert (row["question"], row.get("system")) == ("1?", "Add." if number in (1, 3) else None)
        assert "SECRET" not in str(row)


@pytest.mark.parametrize(
    ("dialogue", "reason"),
    [
        ([{"role": "assistant", "content": "1"}], "rows whose question is a dialogue without a turn of the user"),
        (
            [{"role": "user", "content": [{"type": "image", "url": "x"}]}],
            "rows whose question is a dialogue with parts",
        ),
        ([{"role": "user", "content": None}, {"role": "user", "content": "2?"}], "questions without question"),
    ],
)
def test_a_dialogue_without_a_question_is_left_out(tmp_path: Path, dialogue: list[Row], reason: str) -> None:
    for file in files(tmp_path, [{"q": dialogue, "a": "1"}]):
        (found,) = read(file)
        assert found.reason.startswith(reason)


def test_another_system_makes_another_question(tmp_path: Path) -> None:
    rows = [{"q": [{"role": "system", "content": said}, DIALOGUES[0][0]], "a": "1"} for said in ("Add.", "Subtract.")]
    ids = {row["question_id"] for file in files(tmp_path, rows) for row in read(file)}
    assert len(ids) == 2


def test_numbers_of_a_column_are_the_same_in_every_format(tmp_path: Path) -> None:
    golds = [3.0, 0.8333333333333334, 2.5, 1e-7, 1e16, -0.125]
    frame = pl.DataFrame({"q": [f"{i}?" for i in range(6)], "a": golds, "ok": [True, False] * 3})
    frame.write_csv(tmp_path / "polars.csv")
    frame.to_pandas().to_csv(tmp_path / "pandas.csv", index=False)
    frame.write_ndjson(tmp_path / "a.jsonl")
    frame.to_pandas().to_json(tmp_path / "a.json", orient="records", double_precision=15)
    frame.write_parquet(tmp_path / "a.parquet")
    expected = ["3", "0.8333333333333334", "2.5", "0.0000001", "10000000000000000", "-0.125"]
    for file in ("polars.csv", "pandas.csv", "a.jsonl", "a.parquet"):
        assert [row["answer"] for row in read(tmp_path / file)] == expected, file
    for file in ("polars.csv", "pandas.csv", "a.jsonl", "a.json", "a.parquet"):
        assert {row["answer"] for row in read(tmp_path / file, {"question": "q", "answer": "ok"})} == {"True", "False"}
    pq.write_table(pa.table({"q": ["1?"], "a": pa.array([0.1], pa.float32())}), tmp_path / "short.parquet")
    assert [row["answer"] for row in read(tmp_path / "short.parquet")] == ["0.1"]


def test_texts_that_look_like_numbers_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,q,a\n007,1?,1.10\n1e5,2?,v2\n")
    found = read(tmp_path / "a.csv", COLUMNS | {"id": "id"})
    assert [(row["question_id"], row["answer"]) for row in found] == [("007", "1.10"), ("1e5", "v2")]


def test_a_template_joins_columns_and_wants_them_all(tmp_path: Path) -> None:
    rows = [{"b": "Ada has 4 pens.", "q": "How many?", "a": "4"}, {"b": None, "q": "And now?", "a": "4"}]
    for file in files(tmp_path, rows):
        whole, half = read(file, {"question": "{b} {q}", "answer": "a", "id": "{a}-{q}"})
        assert (whole["question"], whole["question_id"]) == ("Ada has 4 pens. How many?", "4-How many?")
        assert half.reason == "rows without b, a part of the question"
    with pytest.raises(ValueError, match="has no column 'bdy'"):
        read(file, {"question": "{bdy} {q}", "answer": "a"})


@pytest.mark.parametrize("answer", [True, "true", "TRUE", "True"])
def test_answers_are_mapped_to_what_they_mean(tmp_path: Path, answer: Any) -> None:
    for file in files(tmp_path, [{"q": "1?", "a": answer}]):
        assert [row["answer"] for row in read(file, answer_map={"True": "yes", "False": "no"})] == ["yes"]
    for file in files(tmp_path, [{"q": "1?", "a": "maybe"}]):
        (found,) = read(file, answer_map={"True": "yes", "False": "no"})
        assert found == LeftOut(
            "rows whose answer is not in answer_map", found.place, "answer_map should name every answer"
        )


def test_bytes_are_text_if_they_are_utf_8(tmp_path: Path) -> None:
    frame = {"q": [b"Zo\xc3\xa9?", b"\xff?"], "a": [b"1", b"2"]}
    pq.write_table(pa.table(frame, pa.schema({"q": pa.binary(), "a": pa.binary()})), tmp_path / "a.parquet")
    row, bad = read(tmp_path / "a.parquet")
    assert (row["question"], row["answer"]) == ("Zoé?", "1")
    assert bad.reason == "rows whose question is bytes that are not UTF-8"


def test_a_row_without_its_id_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"q": "1?", "a": 1, "i": null}\n{"q": "2?", "a": 2, "i": 7}\n')
    without, row = read(tmp_path / "a.jsonl", COLUMNS | {"id": "i"})
    assert (without.reason, without.place) == ("questions without an id", "a.jsonl, line 1")
    assert row["question_id"] == "7"
    assert text(row["answer"]) == "2"
