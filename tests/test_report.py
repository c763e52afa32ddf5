"""What a run tells of itself: status, table and facts, from records that are written here by hand."""

import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from factory import terminal
from factory.load import load_recipe
from factory.recipe import Recipe
from factory.report import card_facts, show, status
from factory.run import Run

RISE = {
    "strategy": {"_component_": "factory.strategies.rise.rise"},
    "evaluation": {
        "strategy": {"_component_": "factory.strategies.introspection.introspection", "turns": 2, "parallel": 3}
    },
}
ONE_TURN = {"pass@1": 0.5, "interval": [0.4, 0.6], "questions": 90, "by_difficulty": {"1 digit": 1.0}}
TWO_TURNS = ONE_TURN | {
    **{"m1@t1": 0.2, "m3@t1": 0.25, "m1@t2": 0.235, "p1@t2": 0.4},
    "per_turn": {"accuracy": [0.2, 0.3], "m1": [0.2, 0.235], "p1": [0.2, 0.4], "parallel": [0.2, 0.21, 0.25]},
}


def record(run: Run, number: int, measured: dict[str, Any], examples: dict[str, int]) -> None:
    """The records of a generation up to its validation."""
    model = {"path": run.model(number).name, "sha256": "ab" * 32}
    counts = {"questions": 100, "attempts": 1200, "solved": 40, "hinted": 0, "completion_tokens": 5000}
    run.finish("evaluation", {"eval": measured, "model": model, "completion_tokens": 10}, 1.0, number)
    run.finish("rollouts", counts | {"model": model}, 20.0, number)
    run.finish("curate", {"examples": examples, "rejects": {"wrong": 7}, "checks": {}}, 0.0, number)
    run.finish("validate", {"expectations": 22}, 0.0, number)
    run.finish("publish", {"dataset": "d", "manifest_sha256": "cd"}, 0.0, number)


def opened(folder: Path, changes: dict[str, Any]) -> tuple[Run, Recipe]:
    """A run of ``star_arithmetic`` with some settings changed."""
    config = yaml.safe_load((Path(__file__).parents[1] / "recipes" / "star_arithmetic.yaml").read_text())
    (folder / "mine.yaml").write_text(yaml.safe_dump(config | changes))
    recipe = load_recipe(str(folder / "mine.yaml"))
    return Run.open(folder / "run", recipe), recipe


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    out = io.StringIO()
    monkeypatch.setattr(terminal, "console", Console(file=out, highlight=False, soft_wrap=True))
    return out


def cells(printed: io.StringIO) -> list[list[str]]:
    return [line.split() for line in printed.getvalue().splitlines()]


def test_one_turn(tmp_path: Path, printed: io.StringIO) -> None:
    run, _ = opened(tmp_path, {})
    record(run, 0, ONE_TURN, {"rationalized": 10, "reference": 5, "sampled": 3})
    assert status(run.folder)["generations"][0]["eval"] == {
        **{"pass@1": 0.5, "interval": [0.4, 0.6], "by_difficulty": {"1 digit": 1.0}},
        **dict.fromkeys(("m1@t1", "m5@t1", "m1@t5", "p1@t5", "per_turn")),
    }
    show(run.folder)
    heading, row = printed.getvalue().splitlines()[:2]
    assert heading == (
        " gen             model  pass@1 questions  attempts  solved sampled rationalized rejects     tokens seconds"
    )
    assert row == (
        "   0              base   50.0%       100     1,200      40       3           10       7      5,010      21"
    )
    assert not any("turn" in line for line in printed.getvalue().splitlines())


def test_several_turns(tmp_path: Path, printed: io.StringIO) -> None:
    run, _ = opened(tmp_path, RISE)
    record(run, 0, ONE_TURN, {"sampled": 3})  # as an older release measured it
    record(run, 1, TWO_TURNS, {"corrected": 20, "sampled": 60})
    record(run, 2, TWO_TURNS | {"m1@t2": 0.3125, "m3@t1": None}, {"corrected": 20})
    run.finish("evaluation", {"eval": TWO_TURNS | {"m1@t2": 0.3125}, "completion_tokens": 0}, 1.0, 3)
    _, measured, *_ = (generation["eval"] for generation in status(run.folder)["generations"])
    assert measured["m5@t1"] is None
    assert (measured["m3@t1"], measured["m1@t2"], measured["per_turn"]) == (0.25, 0.235, TWO_TURNS["per_turn"])
    show(run.folder)
    heading, *rows = cells(printed)
    assert heading[3:10] == ["m1@t1", "m3@t1", "m1@t2", "p1@t2", "m1@t2-m3@t1", "questions", "attempts"]
    assert "corrected" in heading
    assert "rationalized" not in heading
    assert rows[0][2:4] == ["50.0%", "100"]
    assert rows[1][2:9] == ["50.0%", "20.0%", "25.0%", "23.5%", "40.0%", "-1.5", "100"]
    assert rows[1][-5:] == ["60", "20", "7", "5,010", "21"]
    assert rows[2][3:7] == ["20.0%", "31.2%", "40.0%", "100"], "no difference to what is not known"
    assert rows[3][-3:] == ["+6.2", "0", "1"], "the last model is only measured"
    curves = {" ".join(line[: line.index("->") - 2]): line for line in rows if "->" in line}
    assert curves["m1@t2"][-5:] == ["23.5%", "->", "31.2%", "->", "31.2%"]
    assert curves["turn 2"][-5:] == ["30.0%", "->", "30.0%", "->", "30.0%"]


def test_columns_of_a_run_that_changes_its_method(tmp_path: Path, printed: io.StringIO) -> None:
    """They are those of all phases from the first row on."""
    run, recipe = opened(tmp_path, {"generations": 1, "then": [RISE | {"generations": 2}]})
    record(run, 0, ONE_TURN, {"sampled": 3})
    show(run.folder)
    heading, row = cells(printed)[:2]
    assert {"rationalized", "corrected", "m1@t2-m3@t1"} <= set(heading)
    assert row[:4] == ["0", "base", "50.0%", "100"]
    record(run, 1, TWO_TURNS, {"corrected": 20})
    run.finish("base", {"model": {"sha256": "ab" * 32}}, 0.0)
    star, rise = (card_facts(run, recipe, n) for n in (0, 1))
    assert (star["method"], star["methods"], star["criterion"]) == ("star", ["star"], "correct")
    assert star["accuracy"] == [{"generation": 0, "accuracy": 0.5, "questions": 90, "by_difficulty": {"1 digit": 1.0}}]
    assert not {"tau", "centred"} & star.keys()
    assert (rise["method"], rise["methods"], rise["criterion"]) == ("rise", ["star", "rise"], "all")
    assert (rise["tau"], rise["centred"], rise["teacher"]) == (0.4, False, None)
    figures = {name: TWO_TURNS[name] for name in ("m1@t1", "m3@t1", "m1@t2", "p1@t2", "per_turn")}
    assert rise["accuracy"] == [*star["accuracy"], star["accuracy"][0] | {"generation": 1} | figures]
