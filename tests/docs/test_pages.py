"""What the pages point at is there: links, paths, names, snippets, the house, the table and the picture of README."""

import ast
import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

import factory
from factory.recipe.component import PATH, find
from factory.recipe.load import load_recipe
from factory.recipe.settings import ROOT
from tests.support.pages import PAGES, anchors, blocks, prose, spans
from tests.test_imports import FLOORS

ROOMS = "benchmarks|docs|factory|recipes|requirements|schemas|tests|torchtune_configs|validation"
WHOLE = {"corpus", "base", "verifier", "strategy", "engine", "evaluation", "finetune"}
"""What a recipe cannot do without."""

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def broken_links(page: Path, text: str) -> list[str]:
    """The relative links of a page that lead nowhere."""
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(text)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target.read_text()))):
            broken.append(link)
    return broken


def missing(text: str) -> list[str]:
    """The paths of this project, and the dotted names of its code, that a page mentions and that are not there."""
    paths = [span for span in spans(text) if re.fullmatch(rf"(?:{ROOMS}|\.ci)/[\w./*-]*", span)]
    names = [span for span in spans(text) if re.fullmatch(r"(?:factory|schemas|validation)(?:\.\w+)+", span)]
    return [path for path in paths if not any(ROOT.glob(path.rstrip("/")))] + [n for n in names if not is_there(n)]


def is_there(name: str) -> bool:
    """Whether a dotted name is a module of ours, or something callable in one."""
    try:
        if importlib.util.find_spec(name) is not None:
            return True
    except ModuleNotFoundError:  # what stands before the last dot is no package
        pass
    try:
        return callable(find(name))
    except LookupError:
        return False


def test_there_are_pages_and_a_breach_is_noticed() -> None:
    assert {page.name for page in PAGES} >= {"README.md", "CONTRIBUTING.md", "results.md", "recipes.md", "design.md"}
    links = ("#how-fast-the-parts-are", "#no-such", "none.md", "https://a.b/c", "design.md#design", "design.md#no-such")
    text = " ".join(f"[a]({link})" for link in links)
    assert broken_links(ROOT / "docs" / "results.md", text) == ["#no-such", "none.md", "design.md#no-such"]
    names = ("factory/loop.py", "factory/lop.py", "tests/*/test_table.py", "factory.loop", "factory.lop")
    names += ("factory.checks.derived.Derived", "factory.checks.derived.Derive", "factory.loop.iterate")
    assert missing(" ".join(f"`{name}`" for name in names)) == [names[1], names[4], names[6]]


@every_page
def test_links_and_names_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert broken_links(page, text) == []
    assert missing(text) == []


@every_page
def test_snippets_of_python_can_be_read_and_import_what_there_is(page: Path) -> None:
    for code in blocks(page.read_text(encoding="utf-8"), "python"):
        for node in ast.walk(ast.parse(code)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
            if isinstance(node, ast.Import):
                assert all(importlib.util.find_spec(name) for name in names), names
            elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(("factory", "schemas")):
                module = importlib.import_module(node.module)
                assert all(hasattr(module, name) for name in names), (node.module, names)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "factory":
                assert node.attr in factory.__all__


@every_page
def test_snippets_of_recipes_are_accepted(page: Path, tmp_path: Path) -> None:
    for code in blocks(page.read_text(encoding="utf-8"), "yaml"):
        config = yaml.safe_load(code)
        if config.keys() >= WHOLE:
            (tmp_path / "whole.yaml").write_text(code)
            assert load_recipe(str(tmp_path / "whole.yaml")).name == "whole"
        else:
            load_recipe("star_arithmetic", overrides(config, load_recipe("star_arithmetic").resolved()))


def overrides(config: dict[str, object], recipe: dict[str, Any], prefix: str = "") -> list[str]:
    """A part of a recipe as settings of the command line; what is no list in the recipe is changed within."""
    found = []
    for key, value in config.items():
        now = recipe.get(key)
        if isinstance(value, dict) and PATH not in value and not isinstance(now, list):
            found += overrides(value, now or {}, f"{prefix}{key}.")
        else:
            found.append(f"{prefix}{key}={yaml.safe_dump(value, default_flow_style=True, width=10**6)}")
    return found


def test_the_house_is_the_one_that_imports_are_held_to() -> None:
    text = (ROOT / "docs" / "design.md").read_text(encoding="utf-8").partition("## The house")[2].partition("## ")[0]
    floors = [set(re.findall(r"`([\w.]+)`", row.split("|")[1])) for row in text.splitlines() if row.startswith("| `")]
    assert floors == [*FLOORS]


def test_readme_has_one_measured_table_and_it_is_that_of_the_results() -> None:
    def tables(page: Path) -> list[str]:
        found = re.findall(r"(?:^\|.*\n)+", page.read_text(encoding="utf-8"), re.MULTILINE)
        return [table for table in found if "%" in table]

    (table,) = tables(ROOT / "README.md")
    assert table in tables(ROOT / "docs" / "results.md")


def test_the_picture_is_drawn_from_the_table(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("accuracy", ROOT / "docs" / "accuracy.py")
    assert spec
    assert spec.loader
    accuracy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(accuracy)
    models = accuracy.measured((ROOT / "docs" / "results.md").read_text(encoding="utf-8"))
    assert [model["generation"] for model in models] == [0, 1, 2, 3, 4]
    assert [*models[0]["by_difficulty"]] == ["1 digit", *(f"{digits} digits" for digits in (2, 3, 4, 5, 6))]
    accuracy.main(tmp_path)
    drawn, committed = (Image.open(folder / "accuracy.png").convert("RGBA") for folder in (tmp_path, ROOT / "docs"))
    assert drawn.tobytes() == committed.tobytes(), "run `make docs`"
    assert (ROOT / "docs" / "accuracy.png").stat().st_size < 100_000
