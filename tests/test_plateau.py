"""A loop that ends where its health says so: with a scripted engine that solves every question at once."""

import json
from pathlib import Path

import pytest

import factory
from factory.publishing.publication import chosen
from factory.reading.page.page import heading
from factory.recipe.load import load_recipe
from factory.run import Run
from factory.targets.named import published
from tests.support.loop import TINY, Command, tables

SETTINGS = ("engine.accuracy=1.0", "until=plateau")
STOP = "stop: no question is newly solved"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    run = tmp_path_factory.mktemp("plateau") / "run"
    return run, Command(run, *SETTINGS, generations=4, small=TINY).finish()


def test_it_ends_and_its_last_model_is_measured(stopped: tuple[Path, str]) -> None:
    run, printed = stopped
    assert f"generation 1 is the last (until=plateau): {STOP}; to go on: until=null" in printed
    assert "until=null" in printed.splitlines()[-3], "the command to go on with"
    first, second, last = factory.status(run)["generations"]
    assert first["health"]["advice"] == "go on: there is no generation to compare with yet"
    assert second["health"]["advice"] == STOP
    assert second["health"]["because"]["newly_solved"] == [None, 0]
    assert (second["health"]["go_on"], second["health"]["newly_lost"]) == (False, 0)
    assert last["health"] is None
    assert last["eval"]["pass@1"] == 1.0
    record = json.loads((run / "gen-1" / "records" / "health.json").read_text())
    assert record["advice"] == STOP
    read = [path for table in ("rollouts", "examples", "rejects") for path in run.glob(f"gen-1/{table}/*.parquet")]
    assert record["inputs"].keys() == {str(path.relative_to(run)) for path in read}
    recipe = load_recipe(str(run / "recipe.yaml"))
    assert heading(Run.existing(run), recipe)["state"] == "finished: 2 generations, until a plateau"


def test_it_is_told_on_the_card(stopped: tuple[Path, str]) -> None:
    run, _ = stopped
    card = (run.parent / "registry" / "run" / "gen-1" / "README.md").read_text()
    assert f"Advice after generation 1: {STOP}." in card
    assert "| newly solved |  | 0 |" in card
    opened, recipe, generations, _ = chosen(run, None, None)
    assert (opened.folder, generations) == (run, [0, 1])
    facts = published(str(run.parent / "registry" / "run" / "gen-1")).manifest()["facts"]
    assert [one["advice"] for one in facts["health"]][1:] == [STOP]
    assert recipe.until == "plateau"


def test_called_again_it_does_nothing_more_and_says_so(stopped: tuple[Path, str]) -> None:
    run, _ = stopped
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.suffix in (".parquet", ".json")}
    printed = Command(run, *SETTINGS, generations=6, small=TINY).finish()
    assert f"generation 1 is the last (until=plateau): {STOP}" in printed
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not (run / "gen-3").exists()


def test_it_goes_on_without_the_setting(stopped: tuple[Path, str]) -> None:
    run, _ = stopped
    before = tables(run)
    Command(run, "engine.accuracy=1.0", generations=3, small=TINY).end_after(run / "gen-2" / "records" / "health.json")
    assert {name: table for name, table in tables(run).items() if name in before} == before
    assert factory.status(run)["generations"][2]["health"]["advice"] == STOP


def test_only_the_last_phase_ends_on_a_plateau() -> None:
    two = load_recipe("star_arithmetic", ["until=plateau", "generations=2", "then=[{sampling: {temperature: 0.5}}]"])
    assert [two.ends_on_plateau(n) for n in range(4)] == [False, False, True, True]
    assert not load_recipe("star_arithmetic").ends_on_plateau(0)
