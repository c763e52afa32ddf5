"""The next command to type, in the way in which the last one was typed: with make, the installed command, or Python."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path


def command(
    verb: str, run: Path, recipe: str | None = None, overrides: Sequence[str] = (), generations: int | None = None
) -> str:
    """Such as ``make iterate RECIPE=sums RUN=runs/sums GENERATIONS=2 SET='seed=1'``, ready to paste.

    Args:
        verb: the command, one that make has a target for.
        run: run folder.
        recipe: for the commands that take one; the others take the run folder.
        overrides: ``key=value`` settings.
        generations: how many there are to be.
    """
    if os.environ.get("RATIONALE_FACTORY_CALLED_BY") == "make":  # as our Makefile says; MAKELEVEL may be any Makefile's
        settings = {"RECIPE": recipe, "RUN": run, "GENERATIONS": generations, "SET": " ".join(overrides)}
        words = [f"{name}={shlex.quote(str(value))}" for name, value in settings.items() if value]
        return " ".join(["make", verb, *words])
    if recipe is None:
        return f"{program()} {verb} {shlex.quote(str(run))}"
    options = ["--run", str(run), *(["--generations", str(generations)] if generations else []), *overrides]
    return " ".join([program(), verb, shlex.quote(recipe), *map(shlex.quote, options)])


def program() -> str:
    """How the factory was called."""
    return "rationale-factory" if Path(sys.argv[0]).name == "rationale-factory" else "python -m factory"
