"""The Parquet files of a generation are as the Hub wants them, always the same, and mostly those of the one before."""

import json
import random
from collections.abc import Sequence
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.reupload import NEW, ROWS, made_up, sent_again, written
from factory.targets.registry import Registry
from schemas import EXAMPLES, REJECTS, ROLLOUTS
from tests.support.publishing import Inputs, publish


def test_parquet_says_what_it_holds(tmp_path: Path, inputs: Inputs) -> None:
    folder = publish(Registry(tmp_path / "sums"), inputs).folder("*")
    for subfolder, schema in {"data": EXAMPLES, "rollouts": ROLLOUTS, "rejects": REJECTS}.items():
        with pq.ParquetFile(folder / subfolder / "train-00000-of-00001.parquet") as file:
            metadata, written_as = file.metadata, file.schema_arrow
        features = json.loads(metadata.metadata[b"huggingface"])["info"]["features"]
        assert datasets.Features.from_dict(features) == datasets.Features.from_arrow_schema(schema)
        assert json.loads(metadata.metadata[b"content_defined_chunking"])["min_chunk_size"] == 256 * 1024
        assert written_as.metadata[b"schema_version"] == schema.metadata[b"schema_version"]
        assert written_as.equals(schema)
        assert all(field.metadata.items() <= written_as.field(field.name).metadata.items() for field in schema)
        columns = [metadata.row_group(0).column(number) for number in range(metadata.num_columns)]
        assert {column.compression for column in columns} == {"ZSTD"}
        assert all(column.has_column_index and column.has_offset_index for column in columns)


def test_published_again_elsewhere_the_files_are_the_same(tmp_path: Path, inputs: Inputs) -> None:
    once, twice = (files(publish(Registry(tmp_path / home / "sums"), inputs).folder("*")) for home in ("once", "twice"))
    assert once == twice
    assert {"data/train-00000-of-00001.parquet", "figures/lengths.png"} <= once.keys()


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def rows_of_both() -> pa.Table:
    return made_up(range(ROWS + NEW))


SCATTERED = random.Random(0).sample(range(ROWS + NEW), NEW)


@pytest.mark.parametrize(
    "places",
    [range(ROWS, ROWS + NEW), range(ROWS // 2, ROWS // 2 + NEW), SCATTERED],
    ids=["after the others", "together in the middle", "at random places"],
)
def test_of_a_generation_with_new_rows_little_is_sent(
    tmp_path: Path, rows_of_both: pa.Table, places: Sequence[int]
) -> None:
    """The real client counts. What else may change, and what that costs, is in ``benchmarks/reupload.py``."""
    before, new = iter(range(ROWS)), iter(range(ROWS, ROWS + NEW))
    found = set(places)
    after = rows_of_both.take([next(new if row in found else before) for row in range(ROWS + NEW)])
    assert NEW == ROWS / 20
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old = written(tmp_path / "old", rows_of_both.slice(0, ROWS))
    sent = written(tmp_path / "new", after, before=old)
    assert pq.read_metadata(sent).num_rows == ROWS + NEW
    assert sent_again(old, sent) < 0.3
