"""A recipe that changes its method on the way: its later phases, ``then``."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from factory.errors import ConfigError
from factory.load import load_recipe
from factory.recipe import Recipe

RISE = "strategy: {_component_: factory.strategies.rise.rise, window: 2}"
TUNE = "finetune: {start: previous, steps: 50, overrides: {recipe: factory/tuning/weighted_full_single_device.py}}"


def chained(*overrides: str, later: str = f"{{generations: 2, {RISE}, {TUNE}}}", **options: Any) -> Recipe:
    return load_recipe("star_arithmetic", ["generations=3", f"then=[{later}]", *overrides], **options)


def problems(*overrides: str, **options: Any) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        chained(*overrides, **options)
    return refused.value.problems


def test_a_generation_has_the_settings_of_its_phase() -> None:
    recipe = chained("sampling.temperature=0.9")
    assert recipe.total == 5
    assert [recipe.phase_of(n)[1] for n in range(7)] == [0, 0, 0, 3, 3, 3, 3]
    assert [recipe.at(n).strategy.name for n in range(6)] == ["star"] * 3 + ["rise"] * 3
    assert [recipe.at(n).finetune.start for n in (2, 3)] == ["base", "previous"]
    assert [recipe.at(n).curation.criterion for n in (2, 3)] == ["correct", "all"]  # that of the strategy
    later = recipe.at(4)
    assert later.sampling.temperature == 0.9  # what a phase does not say is as before
    assert later.finetune.growth == recipe.finetune.growth
    assert later.strategy.settings["window"] == 2
    assert "samples" not in later.strategy.settings  # a component named anew keeps nothing of the old one


def test_a_recipe_without_phases_is_one() -> None:
    recipe = load_recipe("star_arithmetic")
    assert recipe.phases == (recipe,)
    assert recipe.at(99) is recipe
    assert "then" not in recipe.resolved()


def test_overrides_reach_a_phase_by_its_number() -> None:
    recipe = chained("then.0.strategy.window=3", "then.0.curation.tau=0.7")
    assert recipe.then[0].strategy.settings["window"] == 3
    assert (recipe.curation.tau, recipe.then[0].curation.tau) == (0.4, 0.7)


def test_a_number_of_generations_is_that_of_the_whole_run() -> None:
    recipe = chained(generations=9)
    assert (recipe.generations, recipe.then[0].generations, recipe.total) == (3, 6, 9)
    assert recipe.fingerprint() == chained().fingerprint()  # the last phase may be continued
    assert recipe.fingerprint() != chained("generations=2").fingerprint()
    assert problems(generations=3)[0].startswith("generations: the phases before the last make 3")


def test_everything_wrong_in_a_phase_is_told_once() -> None:
    later = "{generations: 0, corpus: 3, startegy: {}, sampling: {temperature: -1}, gate: {min_exmples: 2}}"
    found = problems("verifer=3", later=later)
    assert "then.0.generations: input should be greater than 0 (it is 0)" in found
    assert any(one.startswith("then.0.corpus: is the same in the whole run") for one in found)
    assert any(one.startswith("then.0.startegy: unknown setting; did you mean 'strategy'?") for one in found)
    assert any(
        one.startswith("then.0.gate.min_exmples: unknown setting; did you mean 'min_examples'?") for one in found
    )
    assert any(one.startswith("verifer: unknown setting; did you mean 'verifier'?") for one in found)
    assert len(found) == len({one.removeprefix("then.0.") for one in found}) == 6


def test_a_turn_that_is_misspelt_is_told_with_its_neighbours() -> None:
    (problem,) = problems("then.0.strategy.turns=[{sample: 2}]")
    assert problem.startswith("then.0.strategy.turns.0.sample: unknown setting; did you mean 'samples'?")
    assert problems(later="3")[0] == "then: should be a list of mappings of settings"


def test_a_resolved_recipe_says_of_a_phase_what_it_changes(tmp_path: Path) -> None:
    recipe = chained()
    resolved = recipe.resolved()
    assert resolved["then"][0].keys() == {"generations", "strategy", "curation", "finetune"}
    written = tmp_path / "again.yaml"
    written.write_text(yaml.safe_dump(resolved, sort_keys=False))
    again = load_recipe(str(written))
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()


def test_the_fingerprint_changes_with_a_phase() -> None:
    changes = ["then.0.strategy.window=3", "then.0.finetune.steps=51", "then.0.curation.centred=true"]
    prints = {chained(*overrides).fingerprint() for overrides in ([], *([change] for change in changes))}
    assert len(prints) == len(changes) + 1


def test_a_phase_goes_on_from_the_one_before() -> None:
    third = "{strategy: {window: 3}, sampling: {temperature: 0.1}}"
    recipe = chained(later=f"{{{RISE}, {TUNE}}}, {third}")
    _, second, last = recipe.phases
    assert (second.strategy.settings["window"], last.strategy.settings["window"]) == (2, 3)
    assert last.strategy.name == "rise"
    assert last.finetune == second.finetune
    assert recipe.resolved()["then"][1].keys() == {"generations", "strategy", "sampling"}
    assert [recipe.phase_of(n)[1] for n in range(6)] == [0, 0, 0, 3, 4, 4]
    found = problems(later=f"{{{RISE}, {TUNE}, gate: {{min_examples: 0}}}}, {third}")
    assert found == ["then.0.gate.min_examples: input should be greater than 0 (it is 0)"]
