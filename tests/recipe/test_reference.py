"""The list of settings in docs/recipes.md is what the code says today, and it explains every one of them."""

from pathlib import Path

import pytest

from factory.recipe.component import PATH, find, settings_model
from factory.recipe.recipe import Recipe, group_of
from factory.recipe.reference import MARK, PLUG_INS, components, explained, reference, renew
from factory.recipe.settings import ROOT
from tests.recipe.test_recipe import RECIPES

PAGE = ROOT / "docs" / "recipes.md"
GROUPS = [Recipe, *filter(None, (group_of(field.annotation) for field in Recipe.model_fields.values()))]
SHIPPED = [path for kind in PLUG_INS for path in components(kind)]


def test_the_page_is_made_from_the_code_of_today() -> None:
    above, mark, below = PAGE.read_text().partition(MARK)
    assert above.startswith("# ")
    assert below == f"\n\n{reference()}", f"{mark}: run `make docs`"


def test_every_component_that_a_recipe_names_is_in_the_list() -> None:
    named = {line.partition(f"{PATH}: ")[2] for path in RECIPES for line in path.read_text().splitlines()}
    named = {path.split("}")[0].split(",")[0].split()[0] for path in named if path}
    assert len(named) > 10
    assert named <= set(SHIPPED)
    assert all(any(path.startswith(f"factory.{kind}.") for path in SHIPPED) for kind in PLUG_INS)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
def test_every_setting_of_a_group_has_a_meaning(group: type[Recipe]) -> None:
    _, meanings = explained(group)
    groups = [name for name, field in group.model_fields.items() if group is Recipe and group_of(field.annotation)]
    assert [*meanings] == [name for name in group.model_fields if name not in groups]


@pytest.mark.parametrize("path", SHIPPED)
def test_every_setting_of_a_plug_in_is_explained(path: str) -> None:
    text, meanings = explained(find(path))
    assert text
    untold = [
        name for name in settings_model(find(path)).model_fields if name not in meanings and f"`{name}" not in text
    ]
    assert untold == [], f"the docstring of {path} should say what these mean"


def test_a_page_is_renewed_below_its_mark(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Above\n\n{MARK}\n\nold")
    renew(page)
    assert page.read_text() == f"# Above\n\n{MARK}\n\n{reference()}"
    page.write_text("# Above\n")
    with pytest.raises(ValueError, match="has no line"):
        renew(page)
