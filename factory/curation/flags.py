"""What speaks against a train question whatever is answered: it is in an eval set, or nearly another train question.

That depends on the questions alone, so it is decided once for a run and holds in all its generations.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from factory.curation.decontamination import TestQuestions
from factory.curation.similar_questions import similar

FLAGS = pa.schema(
    [
        pa.field("question_id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("exact", pa.bool_(), nullable=False),
        pa.field("repeats", pa.string(), nullable=False),
        pa.field("similarity", pa.float32(), nullable=False),
        pa.field("shared", pa.string()),
    ]
)
"""A flag of a question. ``reason`` is that of a reject: ``contaminated`` (``repeats`` is the place of a test question;
``exact``: it is its very text) or ``near_duplicate_question`` (``repeats`` is the id of another question)."""


def question_flags(questions: Sequence[Path], tests: TestQuestions | None, limit: float | None) -> pl.DataFrame:
    """The flags of train questions, at most one each, in the columns of :data:`FLAGS`.

    Args:
        questions: Parquet shards of the QUESTIONS schema, in order: of two questions that are alike the first stays.
        tests: the test questions that they are held against, if they are.
        limit: the similarity beyond which two questions with their choices are alike, if that counts.
    """
    asked = pl.scan_parquet(list(questions)).select("question_id", "question", "choices").collect()
    found = [pl.DataFrame(pl.from_arrow(FLAGS.empty_table()))]
    if tests is not None:
        flags = tests.flags(asked["question"])
        found.append(
            flags.with_columns(
                question_id=asked["question_id"].gather(flags["text"]), reason=pl.lit("contaminated")
            ).select(FLAGS.names)
        )
        # what is dropped does not stand for another one
        asked = asked.filter(~pl.int_range(pl.len()).is_in(flags["text"].implode()))
    if limit is not None:
        choices = pl.col("choices").list.eval(pl.element().struct.field("text")).list.join(" ").fill_null("")
        texts = asked.select(pl.concat_str("question", choices, separator=" ")).to_series()
        near = similar(texts, limit)
        found.append(
            near.select(
                question_id=asked["question_id"].gather(near["text"]),
                reason=pl.lit("near_duplicate_question"),
                exact=pl.lit(False),
                repeats=asked["question_id"].gather(near["repeats"]),
                similarity=pl.col("similarity").cast(pl.Float32),
                shared=pl.lit(None, pl.String),
            )
        )
    return pl.concat(found)


def read_tests(eval_sets: Path) -> TestQuestions:
    """The test questions of a run, as its stage has written them."""
    return TestQuestions(pl.read_parquet(eval_sets, columns=["place", "question"]))


def read_flags(flags: Path) -> pl.DataFrame:
    """The flags that drop the attempts at a question: those by exact text are left to the gate, which refuses them."""
    return pl.DataFrame(pl.from_arrow(pq.read_table(flags))).filter(~pl.col("exact")).drop("exact")
