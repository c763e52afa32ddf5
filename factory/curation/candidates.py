"""What a judge is asked about: the correct attempts that have failed no other check.

They are written down as questions, and sampled like any others (:mod:`factory.sampling.judging`);
:mod:`factory.curation.judgements` reads what it said.
"""

import socket
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import ray

from factory.curation.curate import Rules, looked_at
from factory.files import shards, to_schema, write_table
from factory.recipe.advisers import JUDGE, Judge
from factory.recipe.curation import Curation
from factory.record import Files, readable
from schemas import QUESTIONS


def candidates(rollouts: Path, out: Path, curation: Curation, judge: Judge, hints: Sequence[str]) -> Files:
    """Write a shard of questions to the judge for every shard of ``rollouts`` in which there is something to judge.

    Returns:
        what the workers report to have written, by path; ``schemas.QUESTIONS``, the attempt's id as ``question_id``.
    """

    def one(batch: pa.Table) -> pa.Table:
        rules = Rules(curation, [component() for component in curation.checks], hints=hints)
        reports = []
        for shard in map(Path, batch["shard"].to_pylist()):
            with readable(shard):
                asked = questions(looked_at(pl.read_parquet(shard), rules), judge)
            if asked.height:
                written = write_table(out / shard.name, to_schema(asked, QUESTIONS))
                reports.append({"path": str(out / shard.name), "host": socket.gethostname(), **written})
        return pa.Table.from_pylist(reports, schema=REPORTS)

    rows = [{"shard": str(path)} for path in shards(rollouts)]
    dataset = ray.data.from_items(rows).map_batches(one, batch_size=64, batch_format="pyarrow")
    return {row.pop("path"): row for row in dataset.iter_rows()}


REPORTS = pa.schema([("path", pa.string()), ("host", pa.string()), ("sha256", pa.string()), ("rows", pa.int64())])


def questions(attempts: pl.DataFrame, judge: Judge) -> pl.DataFrame:
    """The rubric filled in, a row for every correct attempt that has failed no check."""
    failed = pl.col("checks").list.eval(pl.element().struct.field("passed").eq(False)).list.any()
    left = attempts.filter((pl.col("verdict") == "correct") & ~failed.fill_null(False) & (pl.col("text") != ""))
    asked = [judge.asked(*row) for row in left.select("question", "answer", "completion").iter_rows()]
    nothing = {field.name: pl.lit(None) for field in QUESTIONS if field.nullable}
    return left.select(
        pl.col("attempt_id").alias("question_id"),
        pl.lit(JUDGE).alias("corpus"),
        pl.lit("train").alias("split"),
        pl.Series("question", asked, dtype=pl.String),
        pl.lit("pass").alias("answer"),
        **nothing,
    )
