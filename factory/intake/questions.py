"""Corpus in, questions out: a clean snapshot in shards, so that the run no longer depends on the corpus."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from factory.corpora import LeftOut, QuestionRow
from factory.errors import ConfigError
from factory.files import write_table
from factory.intake.cleaning import CONFLICTS, KEPT, Cleaning
from factory.recipe.recipe import Recipe
from schemas import QUESTIONS
from schemas.questions import SPLITS

BATCH = 2_000
"""Questions that are held in memory at a time."""


@dataclass(frozen=True)
class Snapshot:
    """Number of questions by split, and what was left out, by reason and with a few ids:
    ``{"questions that occur twice": {"count": 12, "examples": ["gsm8k-12ab...", ...]}}``. ``narrowed`` are questions
    that stay with fewer accepted answers than they were given."""

    counts: dict[str, int]
    dropped: dict[str, dict[str, Any]]
    narrowed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {split}" for split, count in self.counts.items())
        left_out = sum(reason["count"] for reason in self.dropped.values())
        conflicts = self.dropped.get(CONFLICTS, {"count": 0})["count"]
        told = f"{counts}, {left_out:,} left out" if left_out else counts
        return f"{told} ({conflicts:,} {CONFLICTS})" if conflicts else told


def snapshot(
    recipe: Recipe, folder: Path, on_progress: Callable[[str, int, int], None] = lambda text, done, total: None
) -> Snapshot:
    """Write the corpus to ``folder/<split>/00000.parquet`` and on, ``rollout.shard_rows`` questions a shard.

    Left out and counted are rows that are no questions, answers that the verifier rejects, exemplars of the prompt, and
    what occurs twice; if that is in two splits, it stays in ``eval``, and if its answers differ, nowhere. The corpus
    may yield in any order: it is read once, into a temporary file in ``folder``, and then filtered.

    Args:
        on_progress: is told where it is: a text, the questions gone through and their number (0: not known).

    Raises:
        ConfigError: the corpus cannot be read, or is none (see :meth:`factory.intake.cleaning.Cleaning.refuse`).
    """
    cleaning = Cleaning(recipe)
    on_progress("reading", 0, 0)
    with tempfile.TemporaryFile(dir=folder) as staged:
        with pa.ipc.new_stream(staged, QUESTIONS, options=pa.ipc.IpcWriteOptions(compression="lz4")) as stream:
            rows = _rows(recipe)
            while batch := list(islice(rows, BATCH)):
                stream.write_table(cleaning.cleaned(batch))
                on_progress(f"{cleaning.read:,} read", 0, 0)
        staged.seek(0)
        counts = _write(staged, cleaning, folder, recipe.rollout.shard_rows, on_progress)
    cleaning.refuse(counts)
    return Snapshot(counts, cleaning.dropped.kinds, cleaning.narrowed.kinds)


def _rows(recipe: Recipe) -> Iterator[QuestionRow | LeftOut]:
    """The corpus's rows; what goes wrong in reading it is a problem of the configuration."""
    subject = f"corpus {recipe.corpus.name}"
    try:
        yield from recipe.corpus()
    except OSError as error:
        raise ConfigError(subject, [f"{error.strerror}: {error.filename}" if error.filename else str(error)]) from error
    except (ValueError, KeyError, TypeError) as error:
        told = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise ConfigError(subject, [told]) from error


def _write(
    staged: IO[bytes], cleaning: Cleaning, folder: Path, shard_rows: int, on_progress: Callable[[str, int, int], None]
) -> dict[str, int]:
    """Write the staged questions that stay in shards, note the others, and return the number written by split."""
    fates = cleaning.fates()
    shards = {split: _Shards(folder / split, shard_rows) for split in SPLITS}
    done = 0
    for batch in pa.ipc.open_stream(staged):
        fate = fates[done : done + batch.num_rows]
        done += batch.num_rows
        for at in (fate != KEPT).nonzero()[0].tolist():
            cleaning.note(int(fate[at]), batch["question_id"][at].as_py(), batch["answer"][at].as_py())
        kept = pa.Table.from_batches([batch]).filter(pa.array(fate == KEPT))
        for split in SPLITS:
            shards[split].add(kept.filter(pc.equal(kept["split"], split)))
        on_progress("questions written", done, len(fates))
    return {split: shards[split].close() for split in SPLITS}


class _Shards:
    """Writes tables of any length as shards of ``rows`` rows."""

    def __init__(self, folder: Path, rows: int):
        self.folder, self.rows = folder, rows
        self.waiting = QUESTIONS.empty_table()
        self.written = 0

    def add(self, table: pa.Table) -> None:
        self.waiting = pa.concat_tables([self.waiting, table])
        while len(self.waiting) >= self.rows:
            self._write()

    def close(self) -> int:
        """Write what is left; returns the number of rows in all."""
        if len(self.waiting):
            self._write()
        return self.written

    def _write(self) -> None:
        table = self.waiting.slice(0, self.rows).combine_chunks()
        write_table(self.folder / f"{self.written // self.rows:05}.parquet", table)
        self.written += len(table)
        self.waiting = self.waiting.slice(self.rows)
