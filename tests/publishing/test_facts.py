"""What a run knows of a generation is what its records and its recipe say."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from factory.publishing.facts import dataset_facts
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.run import Run
from factory.targets.registry import Registry
from tests.support.records import CHECKS, ONE_TURN, RISE, TWO_TURNS, opened, record

SUMS = Registry(Path("registry/sums"))


def begin(run: Run) -> None:
    """The records of what a run does once."""
    snapshot = {"questions/train/00000.parquet": {"sha256": "c0" * 32}}
    run.finish("questions", {"outputs": snapshot, "counts": {"train": 100}}, 0.0)
    run.finish("base", {"model": {"sha256": "ba5e" * 16}}, 0.0)


def test_facts_of_a_run_that_changes_its_method(tmp_path: Path) -> None:
    run, recipe = opened(tmp_path, {"generations": 1, "then": [RISE | {"generations": 2}]})
    begin(run)
    record(run, 0, ONE_TURN, {"sampled": 3})
    record(run, 1, TWO_TURNS, {"corrected": 20})
    star, rise = (dataset_facts(run, recipe, n, SUMS) for n in (0, 1))
    assert (star["method"], star["methods"], star["criterion"]) == ("star", ["star"], "correct")
    assert star["accuracy"] == [{"generation": 0, "accuracy": 0.5, "questions": 90, "by_difficulty": {"1 digit": 1.0}}]
    assert not {"tau", "centred"} & star.keys()
    assert (rise["method"], rise["methods"], rise["criterion"]) == ("rise", ["star", "rise"], "all")
    assert (rise["tau"], rise["centred"], rise["teacher"]) == (0.4, False, None)
    figures = {name: TWO_TURNS[name] for name in ("m1@t1", "m3@t1", "m1@t2", "p1@t2", "per_turn")}
    assert rise["accuracy"] == [*star["accuracy"], star["accuracy"][0] | {"generation": 1} | figures]


def test_a_template_that_strips_reasoning_is_a_fact_and_one_that_does_not_is_none(tmp_path: Path) -> None:
    run, recipe = opened(tmp_path, {})
    begin(run)
    record(run, 0, ONE_TURN, {"sampled": 3})
    before = dataset_facts(run, recipe, 0, SUMS)
    known = {"model": {"sha256": "ba5e" * 16}}
    run.finish("base", known | {"strips_reasoning": False}, 0.0)
    assert dataset_facts(run, recipe, 0, SUMS) == before, "what earlier releases published stays as it is"
    run.finish("base", known | {"strips_reasoning": True}, 0.0)
    assert dataset_facts(run, recipe, 0, SUMS) == before | {"strips_reasoning": True}


def test_what_the_examples_were_held_against_is_a_fact(tmp_path: Path) -> None:
    run, recipe = opened(tmp_path, {})
    begin(run)
    record(run, 0, ONE_TURN, {"sampled": 3})
    before = dataset_facts(run, recipe, 0, SUMS)
    sets = [{"name": "test.jsonl", "questions": 1319, "sha256": "ab" * 32}]
    run.finish("flags", {"sets": [], "outputs": {}}, 0.0)
    assert dataset_facts(run, recipe, 0, SUMS) == before
    run.finish("flags", {"sets": sets, "outputs": {}}, 0.0)
    assert dataset_facts(run, recipe, 0, SUMS) == before | {"decontamination": {"sets": sets, "dropped": 0}}


def test_facts_are_those_of_the_records(tmp_path: Path) -> None:
    run, recipe = opened(tmp_path, {"seed": 11})
    begin(run)
    record(run, 0, ONE_TURN, {"sampled": 3})
    known = dataset_facts(run, recipe, 0, SUMS)
    sampled = run.records(0)["rollouts"]
    expected = {
        "base_model": {"name": "tiny_llama", "sha256": "ba5e" * 16},
        "model": {"name": "base", "sha256": "ab" * 32, "published": None, "trained_on": None},
        "trained_model": None,
        "verifier": {"name": "exact", "version": "1"},
        "check_versions": {"columns": "1"},
        "checks": CHECKS,
        "prompt_sha256": "9a" * 32,
        "license": "cc0-1.0",
        "language": ["en"],
        "funnel": [
            {"what": "questions", "count": 100},
            {"what": "attempts", "count": 1200},
            {"what": "of these, under a hint", "count": 0},
            {"what": "questions solved without a hint", "count": 40},
            {"what": "examples sampled", "count": 3},
        ],
        "generations": [
            {
                **{"generation": 0, "model": "base", "accuracy": 0.5, "questions": 100, "attempts": 1200, "solved": 40},
                **{"examples": {"sampled": 3}, "rejects": {"wrong": 7}},
            }
        ],
        "validation": {"passed": True, "expectations": 22, "failures": []},
        "seed": 11,
        "recipe_fingerprint": recipe.fingerprint(),
        "packages": sampled["packages"],
        "code_commit": sampled["code"],
    }
    assert {name: known[name] for name in expected} == expected
    assert known["questions"] == {"train": 100}
    assert known["corpus"]["name"] == "arithmetic"
    assert re.fullmatch("[0-9a-f]{64}", known["corpus"]["sha256"])
    assert known["command"].endswith("iterate recipe.yaml")


def test_a_model_names_what_it_was_trained_on(tmp_path: Path) -> None:
    run, recipe = opened(tmp_path, {"publish": {"publish_model": True}})
    begin(run)
    for number in (0, 1):
        record(run, number, ONE_TURN, {"sampled": 3})
    first, second = (dataset_facts(run, recipe, n, SUMS) for n in (0, 1))
    assert (first["model"]["published"], first["model"]["trained_on"]) == (None, None)
    assert first["trained_model"] == second["model"]["published"] == "registry/sums/models/gen-0"
    assert second["model"]["trained_on"] == {"generation": 0, "examples_sha256": first["examples_sha256"]}
    assert first["examples_sha256"] != second["examples_sha256"]


def test_a_stage_that_is_missing_is_an_error(tmp_path: Path) -> None:
    run, recipe = opened(tmp_path, {})
    record(run, 0, ONE_TURN, {"sampled": 3})
    with pytest.raises(KeyError, match="base"):
        dataset_facts(run, recipe, 0, SUMS)


def facts_of(recipe: Recipe, folder: Path) -> dict[str, Any]:
    run = Run.open(folder / "run", recipe)
    begin(run)
    record(run, 0, ONE_TURN, {"sampled": 3})
    return dataset_facts(run, recipe, 0, SUMS)


def test_a_model_of_the_hub_has_its_name(tmp_path: Path) -> None:
    known = facts_of(load_recipe("star_gsm8k_qwen2_5_1_5b"), tmp_path)
    assert (known["base_model"]["name"], known["corpus"]["name"]) == ("Qwen/Qwen2.5-1.5B", "gsm8k")


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"dataset": "acme/exams"}, "acme/exams"), ({"path": "{folder}/exams/2024.csv"}, "2024.csv")],
    ids=["a dataset of the Hub", "a file"],
)
def test_of_a_path_the_last_part_is_told(tmp_path: Path, settings: dict[str, str], name: str) -> None:
    """The rest is this machine's."""
    base, table = tmp_path / "models" / "tiny", {"question": "q", "answer": "a"}
    base.mkdir(parents=True)
    (tmp_path / "exams").mkdir()
    (tmp_path / "exams" / "2024.csv").write_text("q,a\n1+1,2\n")
    settings = {key: value.format(folder=tmp_path) for key, value in settings.items()}
    _, recipe = opened(
        tmp_path,
        {
            "corpus": {"_component_": "factory.corpora.table.table", "columns": table, **settings},
            "base": {"_component_": "factory.bases.pretrained.pretrained", "model": str(base)},
        },
    )
    known = facts_of(recipe, tmp_path)
    assert (known["base_model"]["name"], known["corpus"]["name"]) == ("tiny", name)
    assert str(tmp_path) not in json.dumps(known)
