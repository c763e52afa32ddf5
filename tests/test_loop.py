"""One generation with every part real: vLLM, torchtune, Great Expectations, the registry; then what it made.

The base is warmed up well enough to solve part of the sums, so that every table has rows of every kind.
"""

import json
import math
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import polars as pl
import pytest
import yaml

from factory.files import digest
from schemas import EXAMPLES, QUESTIONS, REJECTS, ROLLOUTS
from tests.support.loop import REAL, Command, tables


@pytest.fixture(scope="module")
def examples(run: Path) -> list[dict[str, Any]]:
    return pl.read_parquet(run / "gen-0" / "examples").to_dicts()


@pytest.fixture(scope="module")
def attempts(run: Path) -> list[dict[str, Any]]:
    rollouts = pl.read_parquet(run / "gen-0" / "rollouts").to_dicts()
    return [
        attempt | {"question": row["question"], "gold": row["answer"]}
        for row in rollouts
        for attempt in row["attempts"]
    ]


def test_status_tells_what_was_made(run: Path, attempts: list[dict[str, Any]]) -> None:
    command = [sys.executable, "-m", "factory", "status", str(run)]
    status = json.loads(subprocess.run([*command, "--json"], capture_output=True, check=True, text=True).stdout)
    first, last = status["generations"]
    assert first["attempts"] == len(attempts)
    assert 0 < first["solved"] < first["questions"] == 140
    assert first["completion_tokens"] > sum(attempt["completion_tokens"] for attempt in attempts)
    assert first["examples"]["sampled"] == first["solved"]
    assert first["examples"]["rationalized"] > 0
    assert set(first["rejects"]) >= {"wrong"}
    correct = sum(attempt["verdict"] == "correct" for attempt in attempts)
    assert sum(sum(counts.values()) for counts in first["checks"]["columns"].values()) == correct
    assert last["examples"] is None
    assert last["model"] == "gen-0/checkpoint"
    table = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    assert "pass@1" in table
    assert "accuracy" in table


def test_tables_have_their_schemas(run: Path) -> None:
    for folder, schema in {"examples": EXAMPLES, "rejects": REJECTS, "rollouts": ROLLOUTS}.items():
        for shard in (run / "gen-0" / folder).glob("*.parquet"):
            assert pl.read_parquet_schema(shard).names() == schema.names
    assert pl.read_parquet_schema(next(run.glob("questions/train/*.parquet"))).names() == QUESTIONS.names


def test_train_eval_and_seed_questions_are_disjoint(run: Path, examples: list[dict[str, Any]]) -> None:
    splits = {split: set(pl.read_parquet(run / "questions" / split)["question"]) for split in ("train", "eval", "seed")}
    assert all(splits.values())
    assert sum(map(len, splits.values())) == len(set.union(*splits.values()))
    assert {example["question"] for example in examples} <= splits["train"] | splits["seed"]


def test_no_hint_reaches_a_training_prompt(examples: list[dict[str, Any]], attempts: list[dict[str, Any]]) -> None:
    hinted = {attempt["attempt_id"]: attempt for attempt in attempts if attempt["hinted"]}
    rationalized = [example for example in examples if example["origin"] == "rationalized"]
    assert rationalized
    for example in examples:
        *prompt, answer = example["messages"]
        assert prompt == [{"role": "user", "content": example["question"]}]
        assert answer == {"role": "assistant", "content": example["rationale"]}
    assert {example["attempt_id"] for example in rationalized} <= hinted.keys()
    assert all(attempt["prompt_tokens"] > 1 + len(attempt["question"]) for attempt in hinted.values())


def test_verdicts_follow_the_completions(attempts: list[dict[str, Any]]) -> None:
    for attempt in attempts:
        states_gold = attempt["completion"].rstrip().endswith(f"The answer is {attempt['gold']}")
        assert (attempt["verdict"] == "correct") == states_gold
    assert len({attempt["seed"] for attempt in attempts}) == len(attempts)


def test_the_dataset_loads(run: Path, examples: list[dict[str, Any]], tmp_path: Path) -> None:
    published = run.parent / "registry" / "run" / "gen-0"
    loaded = datasets.load_dataset(str(published), split="train", cache_dir=str(tmp_path))
    assert loaded["messages"] == [example["messages"] for example in examples]
    assert pl.scan_parquet(published / "data" / "*.parquet").collect().height == len(examples)
    manifest = json.loads((published / "manifest.json").read_text())
    assert manifest["facts"]["model"]["name"] == "base"
    recipe, own = (yaml.safe_load((folder / "recipe.yaml").read_text()) for folder in (published, run))
    assert recipe == own | {"publish": {"license": "cc0-1.0", "language": ["en"]}}, "where it went is nobody's business"
    assert (run / "gen-0" / "validation" / "data_docs" / "index.html").exists()


def test_records_are_the_lineage(run: Path) -> None:
    records = {path.stem: json.loads(path.read_text()) for path in run.glob("gen-0/records/*.json")}
    assert records["rollouts"]["model"]["sha256"] == digest(run / "base")
    assert records["finetune"]["start"] == "base"
    assert records["finetune"]["model"]["sha256"] == digest(run / "gen-0" / "checkpoint")
    assert math.isfinite(records["finetune"]["training"]["loss_last"])
    for consumer, producer in (("curate", "rollouts"), ("finetune", "curate")):
        assert records[consumer]["inputs"].items() <= records[producer]["outputs"].items()
    for record in records.values():
        for path, output in record.get("outputs", {}).items():
            assert digest(run / path) == output["sha256"]


def test_kill_the_engine_and_sample_the_same_rows(run: Path, tmp_path: Path) -> None:
    """A run that has a part of its shards samples the rest as they were; kill -9 leaves none of vLLM's processes."""
    again = tmp_path / "run"
    shutil.copytree(run, again)
    shutil.rmtree(again / "gen-1")
    for shard in sorted(again.glob("gen-0/rollouts/*.parquet"))[2:]:
        shard.unlink()
    for record in (again / "gen-0" / "records").iterdir():
        record.unlink()
    there = {path: path.stat().st_mtime_ns for path in again.glob("gen-0/rollouts/*.parquet")}
    command = Command(again, *REAL, registry=run.parent / "registry")
    command.until(lambda: len(list(again.glob("gen-0/rollouts/*.parquet"))) > len(there) + 2)
    command.stop(signal.SIGKILL)
    assert command.left_behind() == []
    sampled = tables(again, "gen-0/rollouts/*.parquet")
    assert sampled.items() <= tables(run, "gen-0/rollouts/*.parquet").items()
    assert len(sampled) > len(there)
    assert all(path.stat().st_mtime_ns == modified for path, modified in there.items())
