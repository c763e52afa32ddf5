"""The factory from Python: what ``python -m factory`` does with recipes and runs, as functions.

``factory/__init__.py`` exports them, so that ``import factory`` is all it takes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from factory import terminal
from factory.recipe.recipe import Recipe
from factory.run import Run


def iterate(recipe: Recipe, run: str | Path | None = None, generations: int | None = None) -> Path:
    """Make generations of a dataset, each with the model trained on the one before; the same call again goes on.

    Progress is printed; the noise of Ray, vLLM and torchtune goes to ``factory.log`` in the run folder.

    Args:
        recipe: see :func:`factory.load_recipe`.
        run: run folder; ``runs/<name of the recipe>`` by default.
        generations: how many there are to be in all, at most (``until`` may end the loop earlier); the recipe says how
            many by default.

    Returns:
        the run folder, for :func:`factory.status` and :func:`factory.examples`.

    Raises:
        ConfigError: recipe, corpus, machine or run folder do not fit; nothing has been sampled then.
        FactoryError: a stage failed, or another process works in the run folder.
    """
    with working_in(run, recipe) as opened:
        from factory.loop import iterate as loop

        loop(recipe, opened, generations or recipe.total)
    return opened.folder


def status(run: str | Path) -> dict[str, Any]:
    """What a run has made so far, as ``python -m factory status RUN --json`` prints it.

    Returns:
        see :func:`factory.reading.status.status`.

    Raises:
        ConfigError: the folder holds no run.
    """
    from factory.reading.status import status as read

    return read(Path(run))


def examples(run: str | Path, generation: int | None = None) -> pl.DataFrame:
    """The examples of a generation, in the order of its shards.

    Args:
        run: run folder.
        generation: 0-based; the last that has been curated by default.

    Returns:
        a row an example, with the columns of :data:`schemas.EXAMPLES`.

    Raises:
        ConfigError: the folder holds no run, or the generation has not been curated.
        FactoryError: a shard is missing, truncated, changed or foreign.
    """
    from factory.reading.tables import examples as read

    return read(Path(run), generation)


@contextmanager
def working_in(folder: str | Path | None, recipe: Recipe) -> Iterator[Run]:
    """A run of a recipe, opened and locked, with its noise in its log and Ray connected.

    Raises:
        ConfigError: see :meth:`factory.run.Run.open` and :func:`factory.cluster.connected`.
        FactoryError: another process works in the folder.
    """
    run = Run.open(Path("runs") / recipe.name if folder is None else Path(folder), recipe)
    with run.locked(), terminal.quiet(run.log):
        terminal.console.print(f"run {run.folder}   log {run.log}")
        from factory.cluster import connected

        with connected():
            yield run
