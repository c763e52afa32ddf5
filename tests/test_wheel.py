"""The wheel, installed in an environment of its own: the command, the recipes within, and a recipe of one's own.

The packages it depends on are those of this environment, by a path file: to install them anew takes minutes.
"""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.support.loop import TINY

ROOT = Path(__file__).parents[1]
VERIFIER = """
from dataclasses import dataclass
from factory.verifiers import Verdict


@dataclass(frozen=True)
class Shout:
    name = "shout"
    version = "1"

    def verify(self, completion, question):
        answer = completion.rpartition("The answer is ")[2].strip()
        return Verdict("correct" if answer == question.answer else "wrong", answer)

    def state(self, question):
        return f"The answer is {question.answer}"
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command ``rationale-factory`` of a new environment that has nothing but the wheel and this path file."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("rationale_factory-*.whl")
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    packages = next(environment.glob("lib/python*/site-packages"))
    (packages / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin" / "rationale-factory"


def run(command: Path, folder: Path, *arguments: str, code: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(command), *arguments],
        cwd=folder,
        env=environment | {"HF_HUB_OFFLINE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stderr if code else done.stdout


def test_it_holds_what_recipes_name(installed: Path, tmp_path: Path) -> None:
    packages = next(installed.parents[1].glob("lib/python*/site-packages"))
    shipped = packages / "factory" / "shipped"
    for folder in ("recipes", "torchtune_configs"):
        ours = {str(path.relative_to(ROOT / folder)) for path in (ROOT / folder).rglob("*.*")}
        assert ours
        assert {str(path.relative_to(shipped / folder)) for path in (shipped / folder).rglob("*.*")} == ours
    static = {path.name for path in (ROOT / "factory" / "reading" / "page" / "static").iterdir()}
    assert {path.name for path in (packages / "factory" / "reading" / "page" / "static").iterdir()} == static
    assert "iterate" in run(installed, tmp_path, "--help")


def test_a_generation_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    """A shipped recipe, judged by a verifier in a module beside the working directory's files."""
    (tmp_path / "mine.py").write_text(VERIFIER)
    settings = ["verifier={_component_: mine.Shout}", *TINY]
    printed = run(installed, tmp_path, "iterate", "star_arithmetic", "--generations", "1", *settings)
    assert "rationale-factory status runs/star_arithmetic" in printed
    status = json.loads(run(installed, tmp_path, "status", "runs/star_arithmetic", "--json"))
    first, _ = status["generations"]
    assert first["examples"]["sampled"] > 0
    record = json.loads((tmp_path / "runs/star_arithmetic/gen-0/records/rollouts.json").read_text())
    assert record["verifier"] == {"name": "shout", "version": "1"}
    assert record["code"] == "0.2.0"
    assert (tmp_path / "registry" / "star_arithmetic" / "gen-0" / "manifest.json").is_file()


def test_a_recipe_names_a_verifier_beside_it(installed: Path, tmp_path: Path) -> None:
    """Found wherever the command is typed; what is wrong with it is one message."""
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    (recipes / "mine.py").write_text(VERIFIER)
    text = (ROOT / "recipes" / "star_arithmetic.yaml").read_text()
    (recipes / "sums.yaml").write_text(text.replace("factory.verifiers.exact.Exact", "mine.Shuot"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    said = run(installed, elsewhere, "iterate", "../recipes/sums.yaml", code=2)
    assert "verifier: module 'mine' has no component 'Shuot'; did you mean 'Shout'?" in said
