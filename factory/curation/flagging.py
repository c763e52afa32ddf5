"""The stage that flags questions, once for a run and before anything is sampled, and what it leaves for the others.

::

    eval_sets/00000.parquet    the test questions that the run is held against (factory.curation.eval_sets)
    flags/00000.parquet        the train questions that are flagged (factory.curation.flags)
    records/flags.json         the sets with their number of questions and digest; flags by reason
"""

import hashlib
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow as pa

from factory.curation.eval_sets import EVAL_SETS, read_eval_sets
from factory.curation.flags import FLAGS, question_flags, read_tests
from factory.errors import ConfigError
from factory.files import shards, to_schema, write_table
from factory.recipe.recipe import Recipe
from factory.record import Files, Record
from factory.run import Run
from factory.terminal import line

EVAL_SPLIT = "eval split"

SHOWN = 5
"""Questions that a message names; the others are counted."""


class Flagging:
    """What speaks against the questions of one run."""

    def __init__(self, recipe: Recipe, run: Run):
        self.recipe, self.run = recipe, run
        self.eval_sets, self.flags = run.folder / "eval_sets", run.folder / "flags"

    @property
    def wanted(self) -> bool:
        return self.recipe.decontamination.wanted or self.recipe.curation.max_question_similarity is not None

    def problems(self) -> list[str]:
        """What is known to fail before any work: eval sets that cannot be read."""
        if self.run.record("flags") is None:
            try:
                _ = self._sets
            except ValueError as error:
                return str(error).splitlines()
        return []

    def stage(self) -> None:
        """Flag the train questions, if the recipe has anything to hold them against.

        Raises:
            ConfigError: one of them is a test question word for word; what was sampled of it could not be published.
        """
        if self.wanted:
            self.run.stage("flags", self._work)

    def files(self, n: int, out: Path) -> tuple[Path | None, Path | None]:
        """The files of flags and of test questions for the curation of generation n into ``out``; None: there are
        none. A view whose recipe has another limit of similarity gets flags of its own there."""
        limit = self.recipe.at(n).curation.max_question_similarity
        record = self.run.record("flags")
        flags, tests = self.flags / "00000.parquet", self.eval_sets / "00000.parquet"
        recorded = self._recorded()
        held = tests if self.recipe.decontamination.wanted and recorded else None
        if limit == (record["max_question_similarity"] if record else None):
            return (flags if record else None), held
        own = out / "flags" / "00000.parquet"
        found = question_flags(self._train(), read_tests(held) if held else None, limit)
        write_table(own, to_schema(found, FLAGS))
        return own, held

    def _recorded(self) -> Files:
        """The files that the stage has left, which are as it wrote them."""
        if self.run.record("flags") is None:
            return {}
        return self.run.recorded("flags", None, self.eval_sets, self.flags)

    def inputs(self) -> Files:
        return self._recorded()

    @cached_property
    def _sets(self) -> pa.Table:
        return read_eval_sets(self.recipe.decontamination.sets)

    def _train(self) -> list[Path]:
        self.run.recorded("questions", None, self.run.questions("train"))
        return shards(self.run.questions("train"))

    def _tests(self) -> pa.Table:
        """The questions of all eval sets, those of the recipe's own eval split first."""
        tables = [self._sets]
        if self.recipe.decontamination.eval_split:
            self.run.recorded("questions", None, self.run.questions("eval"))
            own = pl.read_parquet(shards(self.run.questions("eval")), columns=["question_id", "question"])
            own = own.select(
                pl.lit(EVAL_SPLIT).alias("set"), place=f"{EVAL_SPLIT}, " + pl.col("question_id"), question="question"
            )
            tables.insert(0, to_schema(own, EVAL_SETS))
        return pa.concat_tables(tables)

    def _work(self) -> Record:
        with line("flags") as shown:
            held = self._tests()
            tests = self.eval_sets / "00000.parquet"
            write_table(tests, held)
            against = read_tests(tests) if self.recipe.decontamination.wanted else None
            limit = self.recipe.curation.max_question_similarity
            flags = question_flags(self._train(), against, limit)
            write_table(self.flags / "00000.parquet", to_schema(flags, FLAGS))
            counts = dict(flags.group_by("reason").len().sort("reason").iter_rows())
            told = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
            shown.result(f"{held.num_rows:,} test questions; of the train questions {told or 'none'}")
        self._refuse(flags.filter("exact"))
        return {
            "sets": _described(held),
            "max_question_similarity": limit,
            "flags": counts,
            "outputs": self.run.described(self.eval_sets, self.flags),
        }

    def _refuse(self, exact: pl.DataFrame) -> None:
        if exact.is_empty():
            return
        named = exact.head(SHOWN).select("question_id", "repeats", "shared").iter_rows()
        listed = [f"{question_id} is {place}: {shared}" for question_id, place, shared in named]
        if exact.height > SHOWN:
            listed.append(f"and {exact.height - SHOWN:,} more: {self.flags / '00000.parquet'}")
        problem = (
            f"{exact.height:,} train questions are test questions word for word; leave them out of the corpus "
            "(a table has filters), or take the set out of decontamination.sets"
        )
        raise ConfigError(f"run '{self.run.folder}'", [problem, *listed])


def _described(held: pa.Table) -> list[Record]:
    """The sets, each with its number of questions and the digest of their texts."""
    found = pl.DataFrame(pl.from_arrow(held)).group_by("set", maintain_order=True).agg("question")
    return [
        {
            "name": name,
            "questions": len(questions),
            "sha256": hashlib.sha256("\0".join(questions).encode()).hexdigest(),
        }
        for name, questions in found.iter_rows()
    ]
