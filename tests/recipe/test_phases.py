"""A recipe that changes its method on the way: its later phases, ``then``."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from factory.errors import ConfigError
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe

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
    assert chained(generations=1) == chained()  # fewer are made by making fewer
    assert problems(generations=-1) == ["generations: input should be greater than 0 (it is -1)"]
    assert problems("then=5", generations=7)[0] == "then: should be a list of mappings of settings"


def test_everything_wrong_in_a_phase_is_told_once() -> None:
    later = "{generations: 0, corpus: 3, startegy: {}, sampling: {temperature: -1}, gate: {min_exmples: 2}}"
    found = problems("verifer=3", later=later)
    assert "then.0.generations: input should be greater than 0 (it is 0)" in found
    assert "then.0.corpus: is the same in the whole run" in found
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


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("then.3.generations=2", "'then.3.generations': '3' is not a group of settings"),
        ("then.1={generations: 2}", "'then.1': there is no item '1' in a list of 1"),
        ("curation.checks.first=2", "'curation.checks.first': there is no item 'first' in a list of 0"),
        ("then.0.strategy.turns=[]", "then.0.strategy.turns: should have at least one turn (it is [])"),
        ("then.0.strategy.window=1", "then.0.strategy.window: input should be greater than or equal to 2 (it is 1)"),
        (
            "then.0.finetune.overrides.recipe=factory/wieghted.py",
            "then.0.finetune: overrides.recipe: there is no",
        ),
    ],
)
def test_a_mistake_in_an_override_is_one_line(override: str, problem: str) -> None:
    (told,) = problems("curation.checks=[]", override)
    assert told.startswith(problem)


def test_an_item_of_a_list_can_be_replaced() -> None:
    recipe = chained("then.0={generations: 7}")
    assert (recipe.total, recipe.then[0].strategy.name) == (10, "star")


def test_a_key_that_is_no_word_is_unknown() -> None:
    assert problems(later="{1: 2}")[0].startswith("then.0.1: unknown setting")


def test_a_short_name_is_not_of_a_teacher_that_there_is_not() -> None:
    recipe = load_recipe("rise_gsm8k", ["model=mine"])
    assert recipe.base.settings["model"] == "mine"


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
    changes = ["then.0.strategy.window=3", "then.0.finetune.steps=51", "then.0.curation.centred=true", "generations=2"]
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


def test_where_a_phase_begins_is_part_of_a_runs_identity() -> None:
    """Even of one that changes nothing: its base is the model it begins with."""
    prints = {chained(later=later).fingerprint() for later in ("{}", "{}, {}", "{generations: 2}, {}")}
    assert len(prints) == 3
    teacher = "teacher={engine: {_component_: factory.engines.scripted.Scripted}, model: big}"
    assert chained(teacher, later="{}").fingerprint() != chained(teacher, later="{teacher: null}").fingerprint()
