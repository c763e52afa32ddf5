"""Every command that a page tells is one that works: it is understood, and some test or CI runs it at small size.

One that nothing runs says so in its section: "not run here".
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from factory.cli.runs import app
from factory.recipe.load import load_recipe
from factory.recipe.settings import ROOT
from tests.recipe.test_recipe import RECIPES
from tests.support.page_run import small
from tests.support.pages import PAGES, Told, commands, simple

pytest_plugins = ("tests.support.chain",)

RUN_BY = {
    "make check": (".ci/run", "make check test"),
    "make test": (".ci/run", "make check test"),
    "make setup": ("Makefile", "\ntest: setup "),
    "make help": ("tests/docs/test_commands.py", '["make", "help"]'),
    "make docs": ("tests/docs/test_commands.py", '["make", "-n", "docs"]'),
    "python -m pytest": ("Makefile", "-m pytest"),
    "new": ("tests/cli/test_new.py", 'factory(tmp_path, "new"'),
    "iterate star_arithmetic": ("tests/support/loop.py", 'recipe: str = "star_arithmetic"'),
    "preflight star_arithmetic": ("tests/test_preflight.py", '        "preflight",\n'),
    "status": ("tests/test_loop.py", '"factory", "status"'),
    "report": ("tests/docs/test_commands.py", 'succeeds("report"'),
    "curate": ("tests/test_rise.py", '"factory", "curate"'),
    "publish": ("tests/support/commands.py", '"factory", "publish"'),
    "lineage": ("tests/docs/test_commands.py", 'succeeds("lineage"'),
    "diff": ("tests/docs/test_commands.py", 'succeeds("diff"'),
    "reverify": ("tests/reading/test_verify_command.py", 'factory("reverify"'),
    "python -m benchmarks.checks": ("tests/curation/test_checks_benchmark.py", '"benchmarks.checks"'),
    "python -m benchmarks.curation": ("tests/curation/test_benchmarks.py", '"benchmarks.curation"'),
    "python -m benchmarks.decontamination": ("tests/curation/test_benchmarks.py", '"benchmarks.decontamination"'),
    "python -m benchmarks.verifiers": ("tests/verifiers/test_verdicts_benchmark.py", '"benchmarks.verifiers"'),
    "python -m benchmarks.math_verifier": ("tests/verifiers/test_verdicts_benchmark.py", '"benchmarks.math_verifier"'),
    "verify": ("tests/reading/test_verify_command.py", 'factory("verify"'),
}
"""Where a command is run: a file, and what stands in it."""

TOLD = [told for page in PAGES for told in commands(page)]


def made(*words: str) -> list[tuple[str, ...]]:
    """The commands of ours that make would give for a goal."""
    done = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in done.stdout.splitlines() if " -m factory " in line]
    return [command for line in lines for command in simple(line[line.index(".venv") :])]


def kinds(words: tuple[str, ...]) -> Iterator[str]:
    """The names that a command has in ``RUN_BY``, or would have there. One of ours is tried with its settings."""
    program, *rest = words
    if program == "make":
        for goal in [word for word in rest if "=" not in word]:
            ours = made(goal, *(word for word in rest if "=" in word))
            yield from kinds(ours[-1]) if ours else [f"make {goal}"]
    elif program.rpartition("/")[2] == "python" and rest[0] != "-m":
        yield f"python {rest[0]}"
    elif program.rpartition("/")[2] == "python" and rest[1] != "factory":
        yield f"python -m {rest[1]}"
    elif program.rpartition("/")[2] == "python":
        yield parsed(rest[2:])
    else:
        yield parsed(rest) if program == "rationale-factory" else program


def parsed(words: list[str]) -> str:
    """The subcommand of a command line; whatever is wrong with its arguments or settings is raised."""
    name, *arguments = words
    given = vars(typer.main.get_command(app))["commands"][name].make_context(name, arguments).params
    if "recipe" not in given:
        return name
    load_recipe(given["recipe"], given["overrides"] or [], given.get("generations"))
    return f"{name} {given['recipe']}"


def test_there_are_commands() -> None:
    assert len(TOLD) > 30
    assert {told.page for told in TOLD} >= {"README.md", "CONTRIBUTING.md", "docs/results.md", "docs/cluster.md"}
    line = "A=1 make a; RAY=b make b RUN=c SET=\"x=[1, 2] y='z'\" && python -m d  # e; f"
    assert [*simple(line)] == [
        ("make", "a"),
        ("make", "b", "RUN=c", "SET=x=[1, 2] y='z'"),
        ("python", "-m", "d"),
    ]


@pytest.mark.parametrize("told", TOLD, ids=str)
def test_a_command_is_understood_and_run_somewhere(told: Told) -> None:
    for kind in kinds(told.words):
        if kind not in RUN_BY:
            assert "not run here" in told.section.casefold(), f"nothing in RUN_BY runs `{kind}`"


def test_a_command_that_is_none_is_noticed() -> None:
    with pytest.raises(KeyError):
        parsed(["iterat", "star_arithmetic"])
    with pytest.raises(Exception, match="unknown setting"):
        [*kinds(("make", "iterate", "SET=strategy.sample=2"))]
    with pytest.raises(Exception, match="No such option"):
        [*kinds(("python", "-m", "factory", "status", "runs/a", "--jsn"))]
    with pytest.raises(subprocess.CalledProcessError):
        [*kinds(("make", "itrate"))]
    assert [*kinds(("make", "iterate", "RECIPE=rise_gsm8k"))] == ["iterate rise_gsm8k"]


def test_the_list_of_what_is_run_is_true() -> None:
    assert [kind for kind, (file, fragment) in RUN_BY.items() if fragment not in (ROOT / file).read_text()] == []
    assert RUN_BY.keys() <= {kind for words in {told.words for told in TOLD} for kind in kinds(words)}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_commands_at_the_head_of_a_recipe(path: Path) -> None:
    head = path.read_text().partition("\n\n")[0].replace("\n#", "\n")
    told = [words for line in re.findall(r"^ +(make .*)$", head, re.MULTILINE) for words in simple(line)]
    assert told
    for words in told:
        for kind in kinds(words):
            assert kind in (f"iterate {path.stem}", "make smollm2")
    for settings in re.findall(r'SET="([^"]*)"', head):
        load_recipe(path.stem, shlex.split(settings))


def test_what_make_helps_with_and_what_docs_are_made_of() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {
        "iterate",
        "preflight",
        "status",
        "report",
        "docs",
    }
    done = subprocess.run(
        ["make", "-n", "--no-print-directory", "docs"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    # other tests hold what they write: of the settings, and of the picture
    first, second = done.stdout.splitlines()[-2:]
    assert first.endswith("python -m factory.recipe.reference docs/recipes.md")
    assert second.endswith("python docs/accuracy.py")


def succeeds(*words: str) -> str:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_commands_that_look_back(home: Path, tmp_path: Path) -> None:
    run = small(tmp_path).folder
    assert str(run / "report.html") in succeeds("report", str(run))
    assert (run / "report.html").stat().st_size > 10_000
    assert '"generation": 2' in succeeds("lineage", str(home / "gen-2"), "--json")
    assert succeeds("diff", str(home / "gen-0"), str(home / "gen-1"), "--json").startswith("{")
