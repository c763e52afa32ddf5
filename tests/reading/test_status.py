"""What a run tells of itself: status and table, from records that are written by hand."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from factory import terminal
from factory.errors import FactoryError
from factory.reading.status import show, status
from tests.support.records import HEALTH, ONE_TURN, RISE, TWO_TURNS, opened, record


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


def test_health_of_runs_that_have_it(tmp_path: Path, printed: io.StringIO) -> None:
    run, _ = opened(tmp_path, {})
    record(run, 0, ONE_TURN, {"sampled": 3})
    record(run, 1, ONE_TURN, {"sampled": 3})
    assert [one["health"] for one in status(run.folder)["generations"]] == [None, None]
    show(run.folder)
    assert "advice" not in printed.getvalue()
    run.finish("health", HEALTH, 0.1, 0)
    first, second = (one["health"] for one in status(run.folder)["generations"])
    assert first == HEALTH["figures"] | {name: HEALTH[name] for name in ("advice", "go_on", "because")}
    assert second is None
    show(run.folder)
    assert printed.getvalue().splitlines()[-1] == "  advice after gen 0: stop: it is <enough>"


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
    run, _ = opened(tmp_path, {"generations": 1, "then": [RISE | {"generations": 2}]})
    record(run, 0, ONE_TURN, {"sampled": 3})
    show(run.folder)
    heading, row = cells(printed)[:2]
    assert {"rationalized", "corrected", "m1@t2-m3@t1"} <= set(heading)
    assert row[:4] == ["0", "base", "50.0%", "100"]


@pytest.mark.parametrize("name", ["run.json", "recipe.yaml", "gen-0/records/curate.json"])
@pytest.mark.parametrize("damage", ["", "{", "a: ["])
def test_a_file_that_is_damaged_is_named(tmp_path: Path, name: str, damage: str) -> None:
    run, _ = opened(tmp_path, {})
    record(run, 0, ONE_TURN, {"sampled": 3})
    (run.folder / name).write_text(damage)
    with pytest.raises(FactoryError, match=name):
        print(status(run.folder), run.fingerprint)
