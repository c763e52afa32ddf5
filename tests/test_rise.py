"""RISE through the command line: one generation with every part real, and another criterion without sampling."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.loop import Command, tables

SMALL = [
    "then=[]",
    "corpus.train={1: 10, 2: 40}",
    "corpus.eval={1: 5, 2: 15}",
    "corpus.seeds={1: 10}",
    "warmup.steps=0",
    "finetune.steps=20",
    "strategy.turns=[{samples: 1}, {samples: 4}]",
    "evaluation.strategy.turns=3",
    "evaluation.strategy.parallel=3",
    "curation.criterion=all",
    "rollout.shard_rows=10",
    "finetune.cpus=1",
]


@pytest.fixture(scope="module")
def dialogues(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generation of recipes/rise_arithmetic.yaml, small, of the base of the run that the tests share; the model that
    it ends in is not measured."""
    folder = tmp_path_factory.mktemp("rise") / "run"
    base = f"base={{_component_: factory.bases.pretrained.pretrained, model: {(run / 'base').resolve()}}}"
    command = Command(folder, base, recipe="rise_arithmetic", small=SMALL)
    command.end_after(folder / "gen-0" / "records" / "finetune.json")
    return folder


def read(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(sorted(folder.glob("*.parquet")))


def curate(run: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "factory", "curate", str(run), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def test_examples_are_prefixes_of_dialogues_with_weights(dialogues: Path) -> None:
    examples = read(dialogues / "gen-0" / "examples").filter(pl.col("origin") != "reference")
    assert set(examples["origin"]) == {"sampled", "corrected"}
    assert set(examples["verdict"]) >= {"correct", "wrong"}
    rollouts = read(dialogues / "gen-0" / "rollouts")
    rewards = {
        question: [attempt["reward"] for attempt in attempts if attempt["reward"] is not None]
        for question, attempts in rollouts.select("question_id", "attempts").iter_rows()
    }
    for row in examples.iter_rows(named=True):
        of_question = rewards[row["question_id"]]
        baseline = sum(of_question) / len(of_question)
        assert row["weight"] == pytest.approx(math.exp((row["reward"] - baseline) / 0.4), rel=1e-5)
        assert len(row["messages"]) == 2 * min(row["turn"] + 1, 2)  # the window shows one attempt before
        assert row["messages"][-1]["content"] == row["rationale"]
        assert row["messages"][0]["content"] == row["question"]
    second = examples.filter(pl.col("turn") == 1)
    assert second.join(
        examples.filter(pl.col("reward") == 1, turn=0), on="question_id"
    ).is_empty()  # stopped on success


def test_the_figures_over_turns_are_in_status_and_card(dialogues: Path) -> None:
    command = [sys.executable, "-m", "factory", "status", str(dialogues), "--json"]
    status = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout)
    measured = status["generations"][0]["eval"]
    assert measured.keys() >= {"pass@1", "m1@t1", "m5@t1", "m1@t5", "p1@t5", "m3@t1", "m1@t3", "p1@t3", "per_turn"}
    assert 0 <= measured["m1@t1"] <= measured["p1@t3"] <= 1
    assert measured["m1@t5"] is None  # there were three turns
    assert len(measured["per_turn"]["accuracy"]) == 3
    assert measured["per_turn"]["questions"] == 20
    card = (dialogues.parent / "registry" / "run" / "gen-0" / "README.md").read_text()
    assert "m1@t3" in card
    assert "2407.18219" in card


def test_the_weighted_recipe_trained(dialogues: Path) -> None:
    record = json.loads((dialogues / "gen-0" / "records" / "finetune.json").read_text())
    assert record["training"]["steps"] == 20
    assert record["training"]["loss_first"] > record["training"]["loss_last"]
    assert "WeightedFullFinetuneRecipeSingleDevice" in (dialogues / "factory.log").read_text()


def test_another_criterion_needs_no_sampling(dialogues: Path) -> None:
    before = tables(dialogues)
    done = curate(dialogues, "--generation", "0", "curation.criterion=success", "--json")
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    folder = Path(record["folder"])
    assert folder == dialogues / "gen-0" / "views" / "criterion=success"
    kept = read(folder / "examples").filter(pl.col("origin") != "reference")
    own = read(dialogues / "gen-0" / "examples").filter(pl.col("origin") != "reference")
    assert set(kept["verdict"]) == {"correct"}
    assert set(kept["example_id"]) == set(own.filter(pl.col("reward") == 1)["example_id"])
    assert record["examples"] == dict(read(folder / "examples")["origin"].value_counts().iter_rows())
    assert tables(dialogues) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--generation", "3"], "generation 3 has no rollouts; have some: 0"),
        (["curation.criterion=bets"], "input should be 'correct', 'all', 'better', 'best' or 'success' (it is 'bets')"),
        (["sampling.temperature=1"], "curation.sampling: unknown setting"),
    ],
)
def test_a_mistake_is_one_message(dialogues: Path, arguments: list[str], said: str) -> None:
    done = curate(dialogues, *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
