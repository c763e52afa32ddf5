"""The plug-ins that CONTRIBUTING.md shows, each with its test, are taken out of the page and run."""

import os
import re
import subprocess
import sys
from pathlib import Path

from factory.recipe.reference import PLUG_INS
from factory.recipe.settings import ROOT
from tests.support.pages import blocks, sections

PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ONE = {"corpora": "corpus", "strategies": "strategy", "bases": "base"}


def test_there_is_one_of_each_kind_with_its_test() -> None:
    kinds = [ONE.get(kind, kind.removesuffix("s")) for kind in (*PLUG_INS, "targets")]
    shown = {section.splitlines()[0]: files(section) for section in sections(PAGE) if files(section)}
    assert sorted(shown) == sorted(f"### {'An' if kind[0] in 'aeiou' else 'A'} {kind}" for kind in kinds)
    assert all([*found] == [name, f"test_{name}"] for found in shown.values() for name in [next(iter(found))])


def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    shown = files(PAGE)
    for name, code in shown.items():
        (tmp_path / name).write_text(code)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(f"{name} " in done.stdout for name in shown if name.startswith("test_"))
    lint = [sys.executable, "-m", "ruff", "check", "--quiet", "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
    done = subprocess.run(lint, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def files(text: str) -> dict[str, str]:
    """The blocks that begin with the name of a file, by it."""
    named = [(re.match(r"# (\w+\.py)\n", code), code) for code in blocks(text, "python")]
    return {name[1]: code for name, code in named if name}
