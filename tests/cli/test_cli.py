"""What a user meets who types something wrong: one message on stderr, exit code 2, nothing done, no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from factory.recipe.load import load_recipe
from factory.recipe.settings import ROOT
from factory.run import Run


def factory(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``python -m factory`` as a process of its own, in ``folder``. Each costs seconds."""
    return subprocess.run(
        [sys.executable, "-m", "factory", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def refused(folder: Path, *arguments: str) -> list[str]:
    """The lines of the message with which a command is refused."""
    before = sorted(folder.rglob("*"))
    done = factory(folder, *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert sorted(folder.rglob("*")) == before
    return done.stderr.splitlines()


def test_help_names_the_commands(tmp_path: Path) -> None:
    done = factory(tmp_path, "--help")
    assert done.returncode == 0
    assert done.stderr == ""
    assert all(f" {command} " in done.stdout for command in ("iterate", "status"))


def test_an_unknown_recipe(tmp_path: Path) -> None:
    title, problem = refused(tmp_path, "iterate", "star_aritmetic")
    assert title == "recipe 'star_aritmetic': 1 problem"
    assert problem.startswith("  - there is no such recipe; did you mean 'star_arithmetic'? Valid: ")


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    mistakes = ["samples=2", "strategy.sampels=2", "sampling.max_tokens=-1", "finetune.config=none.yaml", "seed"]
    title, *problems = refused(tmp_path, "iterate", "star_arithmetic", "--generations", "-3", *mistakes)
    assert title == "recipe 'star_arithmetic': 6 problems"
    assert problems == [
        "  - 'samples' is ambiguous: evaluation.strategy.samples or strategy.samples",
        "  - 'seed' is not of the form key=value",
        "  - strategy.sampels: unknown setting; did you mean 'samples'? Valid: hinted_samples, samples",
        "  - generations: input should be greater than 0 (it is -3)",
        "  - sampling.max_tokens: input should be greater than 0 (it is -1)",
        "  - finetune.config: there is no such file (it is 'none.yaml')",
    ]


def test_a_run_of_another_recipe(tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    opened = Run.open(run, load_recipe("star_arithmetic", ["curation.per_question=2", "strategy.samples=4"]))
    opened.finish("questions", {}, seconds=1.0)  # until a stage has finished, a mended recipe may take its place
    title, *problems = refused(tmp_path, "iterate", "star_arithmetic", "--run", str(run), "strategy.samples=8")
    assert title == f"run folder '{run}' was made by another recipe: 3 problems"
    assert problems[:2] == [
        "  - curation.per_question: 2 in the run, now 1",
        "  - strategy.samples: 4 in the run, now 8",
    ]
    assert "--run" in problems[2]
    assert "RUN=" in problems[2]


@pytest.mark.parametrize("name", ["star_arithmetc", "no/such/folder"])
def test_status_of_a_folder_without_a_run(tmp_path: Path, name: str) -> None:
    Run.open(tmp_path / "star_arithmetic", load_recipe("star_arithmetic"))
    title, problem = refused(tmp_path, "status", name)
    assert title == f"run '{name}': 1 problem"
    near = "; did you mean 'star_arithmetic'? Valid: star_arithmetic" if name == "star_arithmetc" else "."
    assert problem == f"  - there is no run in this folder{near}"


def test_status_of_a_run_that_has_made_nothing_yet(tmp_path: Path) -> None:
    Run.open(tmp_path / "mine", load_recipe("star_arithmetic"))
    done = factory(tmp_path, "status", "mine", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"run": "mine", "recipe": "star_arithmetic", "generations": []}


@pytest.mark.parametrize("address", ["s3://bucket/runs/mine", "hf://datasets/owner/mine"])
def test_a_run_folder_that_is_an_address(tmp_path: Path, address: str) -> None:
    for command in (["iterate", "star_arithmetic", "--run", address], ["status", address], ["report", address]):
        title, problem = refused(tmp_path, *command)
        assert title == f"run folder '{address}': 1 problem"
        assert problem.startswith("  - a run folder is a folder of this machine")


def test_a_registry_that_is_an_address(tmp_path: Path) -> None:
    title, problem = refused(tmp_path, "iterate", "star_arithmetic", "publish.registry=hf://datasets/owner/mine")
    assert title == "recipe 'star_arithmetic': 1 problem"
    assert "publish.registry: should be a folder, and 'hf://datasets/owner/mine' is none; publish.hub=owner" in problem
