"""The tables of a run as frames."""

from pathlib import Path

import polars as pl

from factory.errors import ConfigError
from factory.files import shards
from factory.run import Run


def examples(folder: Path, generation: int | None = None) -> pl.DataFrame:
    """The examples of a generation, or of the last that has been curated: see :func:`factory.examples`.

    Raises:
        ConfigError: no run, or no such generation.
        FactoryError: a shard is missing, truncated, changed or foreign.
    """
    run = Run.existing(folder)
    curated = [n for n in run.generations() if run.record("curate", n)]
    if generation is None and curated:
        generation = curated[-1]
    if generation not in curated:
        there = f"; there are {', '.join(map(str, curated))}" if curated else ""
        which = f"generation {generation} has not been" if generation is not None else "no generation has been"
        raise ConfigError(f"run '{folder}'", [f"{which} curated{there}"])
    folder = run.generation(generation) / "examples"
    run.recorded("curate", generation, folder)
    return pl.read_parquet(shards(folder))
