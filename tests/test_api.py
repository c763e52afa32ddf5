"""The factory from Python: mistakes, and what is public. ``test_earlier_run.py`` goes on with a run from Python."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import factory


def test_mistakes_are_exceptions(tmp_path: Path) -> None:
    with pytest.raises(factory.ConfigError, match="did you mean 'star_arithmetic'"):
        factory.load_recipe("star_aritmetic")
    with pytest.raises(factory.ConfigError, match="there is no run in this folder"):
        factory.status(tmp_path)
    assert issubclass(factory.ConfigError, factory.FactoryError)
    with pytest.raises(AttributeError, match="'factory' has no attribute 'itreate'"):
        getattr(factory, "itre" + "ate")


def test_importing_costs_nothing_and_shows_what_is_public() -> None:
    script = (
        "import sys; before = set(sys.modules); import factory\n"
        "print(sorted(set(sys.modules) - before))\n"
        "print(dir(factory) == sorted(factory.__all__))\n"
        "print(all(getattr(factory, name).__doc__ for name in factory.__all__))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded, public, documented = done.stdout.splitlines()
    assert [name for name in ast.literal_eval(loaded) if name.partition(".")[0] not in sys.stdlib_module_names] == [
        "factory"
    ]
    assert (public, documented) == ("True", "True")
