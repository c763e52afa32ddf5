"""Files of every format: the same rows come out, and what is damaged is told with its file and its row."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.corpora import LeftOut
from factory.corpora.table import table

Row = dict[str, Any]
COLUMNS = {"question": "question", "answer": "answer"}
ROWS = [{"question": f'Zoé asks "{i}?",\nand waits', "answer": i, "note": "x" * i} for i in range(5)]


def csv(rows: list[Row], delimiter: str = ",") -> str:
    """Every field in quotes, with quotes doubled; lines end as on Windows."""
    fields = [list(rows[0]), *(list(row.values()) for row in rows)]
    doubled = ([str(field).replace('"', '""') for field in row] for row in fields)
    return "".join(delimiter.join(f'"{field}"' for field in row) + "\r\n" for row in doubled)


def lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def zst(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


TEXTS: dict[str, Callable[[list[Row]], str]] = {
    "a.jsonl": lines,
    "a.ndjson": lambda rows: "\r\n\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows),
    "lines.json": lines,
    "one_line.json": lambda rows: json.dumps(rows),
    "array.json": lambda rows: json.dumps(rows, indent=2, ensure_ascii=False) + "\n",
    "under_a_key.json": lambda rows: json.dumps({"version": 1.5, "tags": ["a"], "data": rows, "n": {"b": []}}),
    "pretty.json": lambda rows: json.dumps({"version": 1, "data": rows}, indent=1),
    "a.csv": csv,
    "a.tsv": lambda rows: csv(rows, "\t"),
}


def read(path: Path, **settings: Any) -> list[Any]:
    return list(table(COLUMNS, str(path), eval_share=0.5, **settings))


def golds(found: list[Any]) -> list[tuple[str, str]]:
    return [(row["question"], row["answer"]) for row in found]


EXPECTED = [(row["question"], str(row["answer"])) for row in ROWS]


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "bom"])
@pytest.mark.parametrize("packed", ["", ".gz", ".zst"])
@pytest.mark.parametrize("name", TEXTS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str, packed: str, mark: str) -> None:
    data = (mark + TEXTS[name](ROWS)).encode()
    whole = {"": data, ".gz": gzip.compress(data), ".zst": zst(data)}[packed]
    (tmp_path / (name + packed)).write_bytes(whole)
    found = golds(read(tmp_path / (name + packed)))
    # a text file's line ends are its own
    assert [(asked.replace("\r\n", "\n"), answer) for asked, answer in found] == EXPECTED


def test_an_array_longer_than_what_is_read_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"question": f"{i} \U0001f600 \\ {'long ' * (i % 7)}?", "answer": i + 0.5, "n": -1e-7} for i in range(60)]
    text = json.dumps({"version": 1234567, "data": rows, "left": [1, 2]})
    (tmp_path / "all.json").write_text(text)
    for size in (1, 2, 3, 5, 17, 64, 1000):
        monkeypatch.setattr("factory.corpora.json_rows.CHUNK", size)
        assert golds(read(tmp_path / "all.json")) == [(row["question"], f"{i}.5") for i, row in enumerate(rows)]


def test_one_object_is_one_row_whatever_lists_it_holds(tmp_path: Path) -> None:
    choices = [{"label": "A", "text": "red"}, {"label": "B", "text": "green"}]
    for number, indent in enumerate((None, 2)):
        row = {"choices": choices, "question": f"{number}?", "answer": "B"}
        (tmp_path / f"{number}.json").write_text(json.dumps(row, indent=indent))
    found = list(table(COLUMNS | {"choices": "choices"}, str(tmp_path), eval_share=0.5))
    assert [(row["question"], row["answer"]) for row in found] == [("0?", "B"), ("1?", "B")]


def test_encodings_delimiters_and_quotes_are_settings(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(csv(ROWS, ";").encode("utf-16"))
    found = golds(read(tmp_path / "a.csv", encoding="utf-16", delimiter=";"))
    assert [(asked.replace("\r\n", "\n"), answer) for asked, answer in found] == EXPECTED
    (tmp_path / "b.json").write_bytes(json.dumps(ROWS, ensure_ascii=False).encode("latin-1"))
    assert golds(read(tmp_path / "b.json", encoding="latin-1")) == EXPECTED
    (tmp_path / "c.tsv").write_text('question\tanswer\n"How long is it, in feet?\t6\nHow wide is 5" in cm?\t12.7\n')
    assert golds(read(tmp_path / "c.tsv", quote="")) == [
        ('"How long is it, in feet?', "6"),
        ('How wide is 5" in cm?', "12.7"),
    ]


def test_what_begins_with_a_dot_is_passed_over(tmp_path: Path) -> None:
    for name in ("train.jsonl", ".ipynb_checkpoints/train.jsonl", "a/.hidden/x.jsonl", "a/._train.jsonl", ".x.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(lines(ROWS[:2] if name == "train.jsonl" else ROWS))
    for path in (tmp_path, tmp_path / "**" / "*.json*"):
        assert golds(read(path)) == EXPECTED[:2]
    assert golds(read(tmp_path / ".x.json")) == EXPECTED  # it is named
    within = {row["split"] for row in table(COLUMNS, str(tmp_path), eval="**/*.jsonl", train="*.jsonl")}
    assert within == {"eval", "train"}


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.json", "a.jsonl", "a.csv.gz", "a.jsonl.zst"])
@pytest.mark.parametrize("text", ["", "\ufeff", " \n"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str, text: str) -> None:
    data = text.encode()
    (tmp_path / name).write_bytes(
        gzip.compress(data) if name.endswith("gz") else zst(data) if name.endswith("zst") else data
    )
    assert read(tmp_path / name) == []


def test_a_header_alone_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question,answer\n")
    assert read(tmp_path / "a.csv") == []


GOOD = "question,answer\n1?,1\n2?,2\n"
DAMAGED: dict[str, tuple[str, bytes | str, str]] = {
    "never closed": ("a.csv", GOOD + '"3?,3\n4?,4\n', "a.csv, line 4: a quote that is out of place, or never closed"),
    "closed in the next row": ("a.csv", GOOD + '"3?,3\n"4?",4\n', "a.csv, line 4: a quote that is out of place"),
    "never opened": ("a.csv", GOOD + '3?",3\n4?,4\n', "a.csv, line 4: a quote that is out of place"),
    "within a field": ("a.tsv", 'question\tanswer\n5" pipe?\t1\n', "a.tsv, line 2: a quote that is out of place"),
    "text after a quote": ("a.csv", GOOD + '"3"?,3\n', "a.csv, line 4: a quote that is out of place"),
    "in the header": ("a.csv", 'question,"answer\n1?,1\n', "a.csv, line 1: a quote that is out of place"),
    "a way out": ("a.csv", GOOD + '"3?,3\n', r"if \" is a character like any other here, set corpus.quote: ''"),
    "a long row": ("a.csv", GOOD + '"3?' + "\n" * 10_001, r"a.csv, line 4: .*\(a row of more than 10,000 lines\)"),
    "twice named": ("a.csv", "question,answer,answer\n1?,1,2\n", "a.csv, line 1: the columns 'answer' are named twice"),
    "UTF-16": ("a.csv", GOOD.encode("utf-16"), "a.csv: begins with the byte order mark of UTF-16; set corpus.encoding"),
    "no text": ("a.jsonl", b"PK\x03\x04\0\0", "a.jsonl: is no text in UTF-8"),
    "another delimiter": ("a.csv", "question;answer\n1?;1\n", "a.csv has no column .*is its delimiter ';'"),
    "an array cut off": ("a.json", '[{"question": "1?", "answer": 1}, {"ques', "a.json, row 2: "),
    "an array without its end": ("a.json", '[{"question": "1?", "answer": 1}', "a.json, row 1 is the last"),
    "an array without a comma": ("a.json", '[{"question": "1?", "answer": 1} {}]', "a.json, row 1 is followed by '{'"),
    "after the array": ("a.json", '[{"question": "1?", "answer": 1}] []', "a.json: something follows after the end"),
    "no rows": ("a.json", '{"0": ["1?"], "1": [1]}', "a.json: holds no rows: .* it is an object with 0, 1"),
    "two lists": ("a.json", '{"train": [{"a": 1}], "test": [{"a": 2}]}', "a.json: has rows under 'train' and 'test'"),
    "XML": ("a.json", "<rows/>", "a.json: is no JSON: it begins with neither"),
    "no Parquet": ("a.parquet", b"", "a.parquet: "),
    "no gzip": ("a.csv.gz", GOOD, "a.csv.gz: Not a gzipped file"),
    "gzip cut off": ("a.csv.gz", gzip.compress(GOOD.encode())[:-9], "a.csv.gz: Compressed file ended"),
    "zstd cut off": ("a.csv.zst", zst(GOOD.encode())[:-3], "a.csv.zst: Truncated"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    name, data, told = DAMAGED[damage]
    (tmp_path / name).write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(ValueError, match=told):
        read(tmp_path / name)


def test_columns_that_a_parquet_file_has_twice(tmp_path: Path) -> None:
    pq.write_table(pa.table([["1?"], ["1"], ["2"]], names=["question", "answer", "answer"]), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"a\.parquet: the columns 'answer' are there twice"):
        read(tmp_path / "a.parquet")


@pytest.mark.parametrize("name", ["rows.xml", "rows.xlsx", "rows.txt", "rows.parquet.gz", "rows"])
def test_other_formats_are_refused_in_words(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<rows/>")
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(FileNotFoundError, match=r"there is rows|there is \.\w+") as refused:
            read(path)
        assert "Formats: .parquet, .jsonl" in str(refused.value)


BAD_ROWS: dict[str, tuple[str, str | bytes, str, str]] = {
    "half a surrogate": ("a.jsonl", r'{"question": "\ud83d?", "answer": 1}', "no Unicode (half a surrogate)", "line 3"),
    "in an array": ("a.json", r'{"question": "\ud83d?", "answer": 1}', "no Unicode (half a surrogate)", "row 3"),
    "other bytes": ("a.jsonl", b'{"question": "Zo\xe9", "answer": 1}', "bytes that are not UTF-8", "line 3"),
    "other bytes in CSV": ("a.csv", b"Zo\xe9?,1", "bytes that are not UTF-8", "line 4"),
    "no JSON": ("a.jsonl", '{"question": "1?", "answer"', "lines that are no JSON", "line 3"),
    "no object": ("a.jsonl", "[1, 2]", "rows that are no JSON object", "line 3"),
    "no object in an array": ("a.json", "[1, 2]", "rows that are no JSON object", "row 3"),
    "a key twice": ("a.jsonl", '{"question": "1?", "answer": 1, "answer": 2}', "rows with a key that comes", "line 3"),
    "a key twice in an array": ("a.json", '{"answer": 1, "answer": 2}', "rows with a key that comes twice", "row 3"),
    "too many fields": ("a.csv", "Who, me?,1", "rows with more or fewer fields", "line 4"),
    "too few fields": ("a.csv", "Who?", "rows with more or fewer fields", "line 4"),
    "a quote after a space": ("a.csv", 'Who?, "me"', "rows with a quote after a space", "line 4"),
    "not a number": ("a.jsonl", '{"question": "1?", "answer": NaN}', "no number", "line 3"),
    "not a number in an array": ("a.json", '{"question": "1?", "answer": NaN}', "no number", "row 3"),
}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_one_bad_row_is_left_out_with_its_place(tmp_path: Path, bad: str) -> None:
    name, row, reason, place = BAD_ROWS[bad]
    rows = [f'{{"question": "{i}?", "answer": {i}}}' for i in range(4)]
    if name == "a.csv":
        rows = [f"{i}?,{i}" for i in range(4)]
    middle = row if isinstance(row, bytes) else row.encode()
    parts = [*(text.encode() for text in rows[:2]), middle, *(text.encode() for text in rows[2:])]
    around = {
        "a.csv": (b"question,answer\n", b"\n", b"\n"),
        "a.json": (b"[", b",\n", b"]"),
        "a.jsonl": (b"", b"\n", b""),
    }
    before, between, after = around[name]
    (tmp_path / name).write_bytes(before + between.join(parts) + after)
    found = read(tmp_path / name)
    (left_out,) = [one for one in found if isinstance(one, LeftOut)]
    assert reason in left_out.reason
    assert left_out.place == f"{name}, {place}"
    assert golds([one for one in found if not isinstance(one, LeftOut)]) == [(f"{i}?", str(i)) for i in range(4)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv"])
def test_what_is_wrong_in_a_column_that_nobody_asked_for_does_not_matter(tmp_path: Path, name: str) -> None:
    other = ['"' + "x" * 200_000 + '"', r'"\ud83d"', "NaN", '{"a": 1, "a": 2}']
    if name == "a.csv":
        data = (
            "question,answer,o\n" + "".join(f"{i}?,{i},{'x' * 200_000}\n" for i in range(4))
        ).encode() + b"4?,4,\xff\n"
    else:
        rows = [f'{{"question": "{i}?", "o": {value}, "answer": {i}}}' for i, value in enumerate(other)]
        data = ("\n".join(rows) if name == "a.jsonl" else f"[{','.join(rows)}]").encode()
    (tmp_path / name).write_bytes(data)
    found = golds(read(tmp_path / name))
    assert found == [(f"{i}?", str(i)) for i in range(5 if name == "a.csv" else 4)]


def test_a_row_of_a_parquet_file_that_is_no_text(tmp_path: Path) -> None:
    texts = pa.StringArray.from_buffers(3, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0\5\0\0\0"), pa.py_buffer(b"1?\xff3?"))
    pq.write_table(pa.table({"question": texts, "answer": [1.5, 2.0, 3.0]}), tmp_path / "a.parquet")
    first, bad, last = read(tmp_path / "a.parquet")
    assert golds([first, last]) == [("1?", "1.5"), ("3?", "3")]
    assert (bad.reason, bad.place) == ("rows with text that is not UTF-8", "a.parquet, row 2")


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    (tmp_path / "rows[1].jsonl").write_text(lines(ROWS))
    assert golds(read(tmp_path / "rows[1].jsonl")) == EXPECTED


def test_quotes_that_swallow_rows_are_told(tmp_path: Path) -> None:
    """Two stray quotes make a valid field of the rows between them."""
    (tmp_path / "a.csv").write_text('question,answer,n\n1?,1,0\n"2?,2,0\n3?,3,0\n4?",4,0\n5?,5,0\n')
    found = read(tmp_path / "a.csv")
    assert [row.place if isinstance(row, LeftOut) else row["answer"] for row in found] == ["1", "a.csv, line 3", "5"]
    (tmp_path / "a.csv").write_text('question,answer,n\n"Roses are red,\nviolets blue,\nhow many?",1,0\n')
    assert [row["answer"] for row in read(tmp_path / "a.csv")] == ["1"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_number_that_nobody_can_read_is_its_rows_matter(tmp_path: Path, name: str) -> None:
    long = "1" + "0" * 5000
    rows = [f'{{"question": "{i}?", "answer": {long if i == 1 else i}, "note": {long}}}' for i in range(3)]
    (tmp_path / name).write_text("[" + ",".join(rows) + "]" if name == "a.json" else "\n".join(rows))
    found = read(tmp_path / name)
    assert [row.reason if isinstance(row, LeftOut) else row["answer"] for row in found] == [
        "0",
        "rows whose answer is a number beyond all measure",
        "2",
    ]


@pytest.mark.parametrize(("encoding", "name"), [("utf-16", "utf-16"), ("utf-32", "utf-32")])
def test_a_byte_order_mark_says_which_encoding(tmp_path: Path, encoding: str, name: str) -> None:
    (tmp_path / "a.csv").write_bytes(csv(ROWS).encode(encoding))
    with pytest.raises(ValueError, match=f"byte order mark of {name.upper()}; set corpus.encoding: {name}"):
        read(tmp_path / "a.csv")
    assert len(read(tmp_path / "a.csv", encoding=name)) == len(ROWS)
