"""The page of a run that is large, has just begun, or is in any other state."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page

from factory.errors import ConfigError, FactoryError
from factory.reading.page import page
from factory.reading.page import rollouts as page_rollouts
from factory.recipe.load import load_recipe
from factory.run import Run
from tests.support.page_run import attempt, finish, large, opened, rollout, small

pytest_plugins = ("tests.support.browsing",)

Visit = Callable[..., Page]


def test_fifty_thousand_attempts(tmp_path: Path, visit: Visit) -> None:
    run = large(tmp_path, 50_000)
    shown = visit(page.write(run.folder, tmp_path / "page.html"))
    assert shown.locator("#drawn").inner_text() == "All 50,000 attempts of the run, those of the evaluation too."
    shown.locator("select[name=verdict]").select_option("wrong")
    assert shown.locator("#count").inner_text() == "25,000 of 50,000 attempts"
    shown.get_by_label("Search").fill("11000 and 2")
    shown.locator("#count", has_text="1 of 50,000 attempts").wait_for()
    shown.get_by_label("Search").fill("")
    shown.locator("#count", has_text="25,000 of 50,000 attempts").wait_for()
    shown.get_by_role("listbox").focus()
    shown.keyboard.press("End")
    assert shown.locator("#detail h3").inner_text() == "12499+1/0/s2t0"
    last = shown.locator(".row").last
    assert last.get_attribute("aria-posinset") == "25000"
    assert last.is_visible()
    assert shown.evaluate("document.querySelectorAll('*').length") < 1000


def test_more_than_it_holds_is_drawn_by_seed(tmp_path: Path, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    run = large(tmp_path, 400)
    monkeypatch.setattr(page_rollouts, "MOST_ATTEMPTS", 50)
    first = page.write(run.folder).read_text()
    assert page.write(run.folder).read_text() == first
    shown = visit(run.folder / "report.html")
    assert "48 of 400 attempts, 12 of 100 questions" in shown.locator("#drawn").inner_text()
    verdicts = shown.locator("select[name=verdict] option").all_text_contents()[1:]
    assert verdicts == ["correct (12)", "unparseable (12)", "wrong (24)"], "each question is whole"
    assert "attempts 400, correct 100" in shown.get_by_role("img").last.get_attribute("aria-label"), (
        "figures are of all"
    )
    monkeypatch.setattr(page_rollouts, "MOST_CHARACTERS", 2000)
    assert 0 < len(drawn(run)) < 12


def drawn(run: Run) -> list[str]:
    files = sorted(run.folder.glob("gen-*/rollouts/*.parquet"))
    return page_rollouts._drawn(files, 0)[0]


def test_a_run_that_has_just_begun(tmp_path: Path, visit: Visit) -> None:
    run = opened(tmp_path)
    shown = visit(page.write(run.folder))
    assert shown.locator(".state").inner_text() == "no stage of generation 0 has finished yet"
    assert shown.locator("#drawn").inner_text() == "No rollouts are finished yet."
    assert shown.get_by_role("listbox").count() == 0


def test_the_state_of_a_run(tmp_path: Path) -> None:
    run = opened(tmp_path, generations=1)
    recipe = load_recipe(str(run.folder / "recipe.yaml"))
    states = []
    for generation, stage in [*((0, stage) for stage in page.STAGES), (1, "evaluation")]:
        if stage in ("evaluation", "rollouts"):
            finish(run, generation, stage, [rollout("1+6", generation, [attempt("1+6", generation, 0, "wrong")])])
        else:
            run.finish(stage, {"examples": {}, "rejects": {}, "dataset": "d"}, 1.0, generation)
        states.append(page.heading(run, recipe)["state"])
    assert states[0] == "in progress: generation 0 of 1, evaluation finished"
    assert states[2] == "in progress: generation 0 of 1, evaluation, rollouts, curate finished"
    assert states[5:] == ["in progress: generation 0 is finished, of 1", "finished: 1 generation"]


@pytest.mark.parametrize("table", ["rollouts", "evaluation", "examples", "rejects"])
def test_no_page_of_files_that_are_not_what_was_written(tmp_path: Path, table: str) -> None:
    shard = small(tmp_path).folder / "gen-0" / table / "00000.parquet"
    written = shard.read_bytes()
    for damage, told in ((b"", "is truncated, or no Parquet file"), (None, "is missing, and it was written")):
        shard.unlink() if damage is None else shard.write_bytes(damage)
        with pytest.raises(FactoryError, match=f"gen-0/{table}/00000.parquet {told}"):
            page.write(tmp_path / "run")
    shard.write_bytes(written)
    assert page.write(tmp_path / "run").exists()


def test_no_run_no_page(tmp_path: Path) -> None:
    small(tmp_path)
    with pytest.raises(ConfigError, match="there is no run in this folder; did you mean"):
        page.write(tmp_path / "rum")
    assert not (tmp_path / "rum").exists()
