"""A small generation that is to be published. Used by the tests of publishing and of the card."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from schemas import ATTEMPT, EXAMPLES, REJECTS, ROLLOUTS

Inputs = dict[str, Any]
RATIONALE = "One | two\n```python\n4+9=13\n```\n---\nThe answer is 13."
FACTS: dict[str, Any] = {
    "method": "STaR",
    "base_model": "tiny_llama",
    "model": {"name": "gen-1/checkpoint", "digest": "sha256:abc"},
    "corpus": "addition",
    "license": "apache-2.0",
    "parent_generation": 1,
    "funnel": [{"what": "questions", "count": 2000}],
    "checks": {"derived": {"rationalized": {"passed": 50, "failed": 248}}},
    "accuracy": [
        {"generation": 0, "accuracy": 0.508, "questions": 400, "by_difficulty": {"1 digit": 1.0, "a|b": 0.25}},
        {"generation": 1, "accuracy": 0.6},
    ],
    "validation": {"passed": True, "expectations": 22},
    "seed": 7,
    "command": "factory iterate recipes/sums.yaml",
    "packages": {"pyarrow": "26.0.1"},
}


def row(fields: Iterable[pa.Field], **values: Any) -> dict[str, Any]:
    """The values given; elsewhere null where the column may be, else something empty of its type."""

    def empty(type: pa.DataType) -> Any:
        return [] if pa.types.is_list(type) else "" if pa.types.is_string(type) else pa.scalar(0).cast(type).as_py()

    return {field.name: None if field.nullable else empty(field.type) for field in fields} | values


def example(number: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{number}+9?"}, {"role": "assistant", "content": RATIONALE}]
    origin = "rationalized" if number % 3 == 0 else "sampled"
    return row(EXAMPLES, example_id=f"e{number}", rationale=RATIONALE, messages=messages, origin=origin)


def rollout(number: int) -> dict[str, Any]:
    context = [{"role": "user", "content": f"{number}+9?"}]
    return row(ROLLOUTS, question_id=f"q{number}", attempts=[row(ATTEMPT, context=context, completion=RATIONALE)])


def made_in(folder: Path) -> Inputs:
    """What publish() takes: 12 examples and rollouts in three shards, 3 rejects in one."""

    def shards(rows: list[dict[str, Any]], schema: pa.Schema) -> list[Path]:
        paths = [folder / f"{schema.names[0]}-{first}.parquet" for first in range(0, len(rows), 5)]
        for number, path in enumerate(paths):
            pq.write_table(pa.Table.from_pylist(rows[5 * number : 5 * number + 5], schema), path)
        return paths

    tables = {
        "examples": shards([example(number) for number in range(12)], EXAMPLES),
        "rollouts": shards([rollout(number) for number in range(12)], ROLLOUTS),
        "rejects": shards([row(REJECTS, reason=reason) for reason in ("wrong", "truncated", "wrong")], REJECTS),
    }
    where = {"registry": folder / "registry", "name": "sums", "generation": 2}
    return where | {"tables": tables, "recipe": "seed: 7\nstrategy: star\n", "facts": FACTS}
