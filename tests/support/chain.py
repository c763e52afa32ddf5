"""Generations that are published, with rows that say what a test needs. For the tests of lineage and diff."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.publishing.publish import publish_dataset
from factory.targets import Published, Target
from factory.targets.registry import Registry
from schemas import ATTEMPT, EXAMPLES, REJECTS, ROLLOUTS
from tests.support.publishing import row

Row = dict[str, Any]


def example(question_id: str, rationale: str, origin: str = "sampled", **more: Any) -> Row:
    messages = [{"role": "user", "content": f"{question_id}?"}, {"role": "assistant", "content": rationale}]
    texts = {"question": f"{question_id}?", "answer": "7", "rationale": rationale, "messages": messages}
    name = f"{question_id}/{origin}/{rationale}"
    return row(EXAMPLES, example_id=name, question_id=question_id, origin=origin, weight=1, **texts, **more)


def rollout(question_id: str, pass_rate: float | None, question: str = "", **tokens: int) -> Row:
    """A rollout that is solved if its pass rate is above 0; ``tokens`` are those of its attempts by name."""
    attempts = [row(ATTEMPT, attempt_id=name, completion_tokens=count) for name, count in tokens.items()]
    text = question or f"{question_id}?"
    solved = bool(pass_rate)
    return row(ROLLOUTS, question_id=question_id, question=text, attempts=attempts, solved=solved, pass_rate=pass_rate)


def facts(generation: int) -> dict[str, Any]:
    """What a generation says of itself that holds, and fits the one before."""
    trained_on = {"generation": generation - 1, "examples_sha256": f"{generation - 1}" * 64}
    return {
        "base_model": {"name": "tiny_llama", "sha256": "ba" * 32},
        "corpus": {"name": "sums", "sha256": "c0" * 32},
        "recipe_fingerprint": "4ec1be",
        "verifier": {"name": "exact", "version": "1"},
        "examples_sha256": f"{generation}" * 64,
        "model": {
            "name": f"gen-{generation - 1}/checkpoint" if generation else "base",
            "sha256": "ab" * 32,
            "trained_on": trained_on if generation else None,
        },
        "accuracy": [{"generation": number, "accuracy": 0.25 * number} for number in range(generation + 1)],
    }


def publish(
    target: Target,
    generation: int,
    examples: list[Row],
    rollouts: list[Row],
    rejects: tuple[str, ...] = (),
    **more: Any,
) -> Published:
    """Publish rows as a generation; ``rejects`` are reasons, ``more`` are further facts."""
    rejected = [row(REJECTS, attempt_id=str(number), reason=reason) for number, reason in enumerate(rejects)]
    tables: dict[str, list[Path]] = {}
    with (
        TemporaryDirectory() as folder,
        patch("factory.publishing.tree.draw"),
    ):  # no figures: they take most of the time
        for schema, rows in ((EXAMPLES, examples), (ROLLOUTS, rollouts), (REJECTS, rejected)):
            name = schema.metadata[b"schema"].decode()
            tables[name] = [Path(folder) / f"{name}-{half}.parquet" for half in range(2)]  # as a run has several
            for half, path in enumerate(tables[name]):
                pq.write_table(pa.Table.from_pylist(rows[half::2], schema), path)
        given = {"tables": tables, "recipe": "seed: 7\n", "facts": facts(generation) | more}
        return publish_dataset(target, generation, near=Path(folder), on_progress=lambda done, total: None, **given)


Damage = Callable[[Path], Any]


def rows(generation: int) -> tuple[list[Row], list[Row]]:
    """One example more in every generation, and a rollout."""
    return [example(f"q{number}", "3+4=7") for number in range(generation + 1)], [rollout("q0", 1.0)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three generations, with 1, 2 and 3 examples."""
    home = tmp_path_factory.mktemp("made") / "sums"
    for generation in range(3):
        publish(Registry(home), generation, *rows(generation))
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    """The same, for a test to damage."""
    return Path(shutil.copytree(made, tmp_path / "sums"))


def changed(path: str, change: Any) -> Damage:
    """A change of something in a manifest, such as ``gen-2/facts/corpus``; ``None`` takes it away."""

    def damage(home: Path) -> None:
        generation, *keys, last = path.split("/")
        file = home / generation / "manifest.json"
        manifest = within = json.loads(file.read_text())
        for key in keys:
            within = within[key]
        within[last] = change
        file.write_text(json.dumps(manifest))

    return damage
