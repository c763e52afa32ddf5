"""Results of checks that an earlier release wrote, without a reason, are read, judged and published as they are."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.curation.checked import check_counts
from factory.files import write_table
from factory.publishing import parquet
from schemas import EXAMPLES, REJECTS
from tests.support.generation import rejects_of, valid
from validation.facts import column_facts

RESULT = pa.struct([pa.field("name", pa.string(), False), pa.field("passed", pa.bool_(), False)])


def earlier(schema: pa.Schema, version: str) -> pa.Schema:
    """A schema with results as 0.2.0 wrote them."""
    place = schema.get_field_index("checks")
    field = schema.field("checks").with_type(pa.list_(RESULT))
    return schema.set(place, field).with_metadata(schema.metadata | {b"schema_version": version.encode()})


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[Path]]:
    rows = valid()
    rows["rejects"] = rejects_of(rows)
    for row in rows["rejects"]:
        row["checks"] = [{"name": "equations/1", "passed": False}] if row["reason"] == "wrong" else []
    for name, schema in (("examples", earlier(EXAMPLES, "1.1")), ("rejects", earlier(REJECTS, "1.2"))):
        write_table(tmp_path / name / "00000.parquet", pa.Table.from_pylist(rows[name], schema=schema))
    return {name: [tmp_path / name / "00000.parquet"] for name in ("examples", "rejects")}


def test_the_gate_takes_them_and_none_of_today_that_lack_the_reason(
    tables: dict[str, list[Path]], tmp_path: Path
) -> None:
    facts = column_facts(tables)
    assert facts.filter(facts["expected"] != facts["found"]).is_empty()
    table = pq.read_table(tables["examples"][0])
    now = tmp_path / "now.parquet"
    write_table(now, table.replace_schema_metadata(table.schema.metadata | {b"schema_version": b"1.2"}))
    facts = column_facts({"examples": [now]})
    assert facts.filter(facts["expected"] != facts["found"])["column"].to_list() == ["checks[].reason"]
    without = table.drop_columns("rationale")
    write_table(now, without.replace_schema_metadata(table.schema.metadata))
    facts = column_facts({"examples": [now]})
    assert facts.filter(facts["expected"] != facts["found"])["column"].to_list() == ["rationale"]


def test_they_are_counted_and_published(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    counts = check_counts(tmp_path / "examples", tmp_path / "rejects", 0)["equations"]
    assert {key for by_origin in counts.values() for key in by_origin} == {"passed", "failed", "not_applicable"}
    assert sum(by_origin["passed"] for by_origin in counts.values()) == len(valid()["examples"])
    assert sum(by_origin["failed"] for by_origin in counts.values()) > 0
    for name, schema in (("examples", EXAMPLES), ("rejects", REJECTS)):
        (published,) = parquet.write_table(tmp_path / f"published {name}", schema, tables[name])
        found = [result for results in pq.read_table(published)["checks"].to_pylist() for result in results or ()]
        assert {(result["passed"], result["reason"]) for result in found} == {(name == "examples", None)}
