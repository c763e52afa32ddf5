"""Rows keep their place from generation to generation, whatever curation takes out or puts in."""

from pathlib import Path

import polars as pl

from factory.files import shards, write_table
from factory.publishing.order import known_first


def generation(folder: Path, *files: list[str]) -> list[Path]:
    for number, ids in enumerate(files):
        rows = pl.DataFrame({"question_id": ids, "row": [f"{folder.name}/{one}" for one in ids]})
        write_table(folder / f"{number:05}.parquet", rows.to_arrow())
    return shards(folder)


def ordered(folder: Path, now: list[Path], *earlier: list[Path]) -> list[str]:
    folder.mkdir()
    return pl.read_parquet(known_first(now, earlier, folder))["question_id"].to_list()


def test_what_was_there_comes_first_in_its_order_and_new_questions_follow(tmp_path: Path) -> None:
    first = generation(tmp_path / "0", ["b", "d"], ["f", "h"])
    second = generation(tmp_path / "1", ["a", "b", "d"], ["f", "g"])  # without h, with a and g between the others
    third = generation(tmp_path / "2", ["a", "b", "c"], ["f", "g", "h"])
    assert ordered(tmp_path / "first", first) == ["b", "d", "f", "h"]
    assert ordered(tmp_path / "second", second, first) == ["b", "d", "f", "a", "g"]
    assert ordered(tmp_path / "third", third, first, second) == ["b", "f", "h", "a", "g", "c"]
    assert ordered(tmp_path / "again", third, first, second) == ["b", "f", "h", "a", "g", "c"]


def test_several_examples_of_a_question_stay_together(tmp_path: Path) -> None:
    first = generation(tmp_path / "0", ["b"], ["d"])
    second = generation(tmp_path / "1", ["a", "a", "b", "b"], ["c", "d", "d"])
    assert ordered(tmp_path / "second", second, first) == ["b", "b", "d", "d", "a", "a", "c"]
