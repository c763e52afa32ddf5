"""The row counts of a published generation, held against each other: what was lost before it was published shows."""

from collections.abc import Iterator
from typing import Any

FOLDERS = {"examples": "data", "rollouts": "rollouts", "rejects": "rejects"}
"""Where the files of a table lie."""

ON_REQUEST = ("pairs", "prompt_completion")
"""Tables that not every generation has, in folders of their names; made of its examples."""


def miscounted(manifest: dict[str, Any]) -> Iterator[str]:
    """What is not as it must be, in words: every question of the snapshot has a rollout, every attempt is an example or
    a reject (what is taken over was an attempt of another generation), and a table has the rows of its files. What an
    earlier release did not tell is passed over."""
    tables, facts = manifest["tables"], manifest["facts"]
    rows = {table: tables[table]["rows"] for table in FOLDERS}
    more = {table: table for table in ON_REQUEST if tables.get(table)}
    rows |= {table: tables[table]["rows"] for table in more}
    for table, folder in (FOLDERS | more).items():
        counts = [file.get("rows", 0) for path, file in manifest["files"].items() if path.startswith(f"{folder}/")]
        if sum(counts) != rows[table]:
            yield f"its {table} are {rows[table]:,}, in its files {sum(counts):,}"
    for table in more:
        if rows[table] > rows["examples"]:
            yield f"its {table} are {rows[table]:,}, made of {rows['examples']:,} examples"
    asked = (facts.get("questions") or {}).get("train", rows["rollouts"])
    if rows["rollouts"] != asked:
        yield f"it has rollouts of {rows['rollouts']:,} questions, and {asked:,} were to be sampled"
    told = {one["what"]: one["count"] for one in facts.get("funnel") or []}
    kept = rows["examples"] - tables["examples"].get("by_origin", {}).get("reference", 0)
    kept -= sum(facts.get("taken_over", {}).values())  # attempts of other generations
    attempts = told.get("attempts", kept + rows["rejects"])
    if attempts != kept + rows["rejects"]:
        yield f"of its {attempts:,} attempts {kept:,} are examples and {rows['rejects']:,} rejects"
