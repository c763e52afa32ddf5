"""A small generation that is to be published. Used by the tests of publishing and of the card."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factory.publishing.publish import publish_dataset
from factory.publishing.tree import dataset_tree
from factory.targets import Published, Target
from schemas import ATTEMPT, EXAMPLES, REJECTS, ROLLOUTS
from tests.support.hub_server import HubServer

Inputs = dict[str, Any]
NAME = "owner/sums"
RATIONALE = "One | two\n```python\n4+9=13\n```\n---\nThe answer is 13."
FACTS: dict[str, Any] = {
    "method": "star",
    "methods": ["star"],
    "base_model": {"name": "tiny_llama", "sha256": "ba5e" * 16},
    "model": {
        "name": "gen-1/checkpoint",
        "sha256": "abc0" * 16,
        "published": None,
        "trained_on": {"generation": 1, "examples_sha256": "e1e1" * 16},
    },
    "trained_model": None,
    "examples_sha256": "e2e2" * 16,
    "corpus": {"name": "addition", "sha256": "c0" * 32},
    "verifier": {"name": "exact", "version": "1"},
    "check_versions": {"derived": "2"},
    "checks": {"derived": {"rationalized": {"passed": 50, "failed": 248}}},
    "prompt_sha256": "9a" * 32,
    "recipe_fingerprint": "24dce29a2780f205",
    "license": "apache-2.0",
    "language": ["en"],
    "parent": {"generation": 1, "commit": None, "manifest_sha256": "0d" * 32},
    "funnel": [{"what": "questions", "count": 2000}],
    "accuracy": [
        {"generation": 0, "accuracy": 0.508, "questions": 400, "by_difficulty": {"1 digit": 1.0, "a|b": 0.25}},
        {"generation": 1, "accuracy": 0.6},
        {"generation": 2, "accuracy": None},
    ],
    "generations": [
        {
            "generation": 0,
            "model": "base",
            "accuracy": 0.508,
            "questions": 2000,
            "attempts": 4800,
            "solved": 600,
            "examples": {"sampled": 600, "rationalized": 40},
            "rejects": {"wrong": 4000, "duplicate": 160},
        }
    ],
    "validation": {"passed": True, "expectations": 22, "failures": []},
    "seed": 7,
    "command": "factory iterate recipes/sums.yaml",
    "packages": {"pyarrow": "26.0.1"},
    "code_commit": "3a77cc78074c",
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
    """What publish_dataset() takes but for target and generation: 12 examples and rollouts in three shards, 3 rejects
    in one."""

    def shards(rows: list[dict[str, Any]], schema: pa.Schema) -> list[Path]:
        paths = [folder / f"{schema.names[0]}-{first}.parquet" for first in range(0, len(rows), 5)]
        for number, path in enumerate(paths):
            pq.write_table(pa.Table.from_pylist(rows[5 * number : 5 * number + 5], schema), path)
        return paths

    folder.mkdir(exist_ok=True)
    tables = {
        "examples": shards([example(number) for number in range(12)], EXAMPLES),
        "rollouts": shards([rollout(number) for number in range(12)], ROLLOUTS),
        "rejects": shards([row(REJECTS, reason=reason) for reason in ("wrong", "truncated", "wrong")], REJECTS),
    }
    return {"tables": tables, "recipe": "seed: 7\nstrategy: star\n", "facts": FACTS}


def tree_in(folder: Path, inputs: Inputs, name: str = "sums", generation: int = 2) -> Path:
    """The files of one generation, in a new folder, without anything being published."""
    folder.mkdir()
    dataset_tree(folder, name=name, generation=generation, **inputs)
    return folder


def publish(target: Target, inputs: Inputs, generation: int = 0) -> Published:
    """As a run would whose generations are these."""

    def examples(of: int) -> dict[str, Any]:
        return {"generation": of, "examples_sha256": f"{of:064}"}

    trained_on = examples(generation - 1) if generation else None
    facts = inputs["facts"] | examples(generation) | {"model": inputs["facts"]["model"] | {"trained_on": trained_on}}
    facts.pop("generation")
    with TemporaryDirectory() as near:
        return publish_dataset(
            target,
            generation,
            **inputs | {"facts": facts},
            near=Path(near),
            on_progress=lambda done, total: None,
        )


def publish_all(target: Target, inputs: Inputs, generations: int) -> list[Published]:
    """Generations 0, 1, ... that differ in their seed."""
    return [publish(target, inputs | {"facts": inputs["facts"] | {"seed": seed}}, seed) for seed in range(generations)]


def history(server: HubServer, kind: str = "datasets") -> list[str]:
    """The commits of ``main``, newest first."""
    return server.repository(NAME, kind).git("rev-list", "main").split()
