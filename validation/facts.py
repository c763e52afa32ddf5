"""Row facts of questions, rollouts and attempts; :mod:`validation.curated` has those of examples and rejects.

They are what the expectations need to know of each row, and nothing else. The tables hold long texts; Great
Expectations would take minutes and gigabytes for them. Polars scans the files and keeps, per row, its keys (so that a
failure can be traced back), enums, lengths, hashes of dialogues and booleans.

A fact is null where its expectation does not apply to the row (a reference example has no attempt), and Great
Expectations leaves nulls out. That no value is missing is therefore a fact of its own, ``complete``.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import ATTEMPT, EXAMPLES, QUESTIONS, REJECTS, ROLLOUTS
from schemas.questions import SPLITS
from schemas.rollouts import OVERFLOW
from validation.texts import is_repr

Paths = Sequence[str | Path]

SCHEMAS = {"rollouts": ROLLOUTS, "examples": EXAMPLES, "rejects": REJECTS, "questions": QUESTIONS}

ABSENT = "absent"

PYTHON_IS_ASKED_FOR = ("reasoning_gym",)
"""Corpora in which some questions ask for a list as Python writes it."""


def column_facts(files: Mapping[str, Paths]) -> pl.DataFrame:
    """One row per column of each file: ``table``, ``file``, ``column``, and the type ``expected`` and ``found``.

    Nested columns count one by one (``attempts[].seed``). Nullability is left out: writers lose it, and
    ``complete`` looks at the values. A nullable column that a file of an earlier minor version lacks is no row. A file
    that is not Parquet at all is one row with the column ``*``.

    Raises:
        FileNotFoundError: a file does not exist.
    """
    rows = []
    for table, paths in files.items():
        expected = dict(_leaves(SCHEMAS[table]))
        for path in map(Path, paths):
            try:
                schema = pq.read_schema(path)
            except pa.ArrowInvalid:
                rows.append((table, path.name, "*", "a Parquet file", "something else"))
                continue
            found, later = dict(_leaves(schema)), _later(schema, SCHEMAS[table])
            for name in expected | found:
                if name in found or name not in later:
                    rows.append((table, path.name, name, expected.get(name, ABSENT), found.get(name, ABSENT)))
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("table", "file", "column", "expected", "found"), pl.String), orient="row"
    )


def question_facts(questions: Paths, rollouts: Paths) -> pl.DataFrame:
    """One row per question of the snapshot: ``question_id``, ``split``, ``sampled`` (of the train split), ``answer``
    where it is in breach of ``answer_written`` (it is no Python value)."""
    there = scan(rollouts, ROLLOUTS).select("question_id").collect(engine="streaming")["question_id"]
    broken = is_repr(pl.col("answer")) & ~pl.col("corpus").is_in(PYTHON_IS_ASKED_FOR)
    facts = scan(questions, QUESTIONS).select(
        "question_id",
        "split",
        sampled=pl.when(pl.col("split") == "train").then(pl.col("question_id").is_in(there.implode())),
        answer=pl.when(broken).then("answer"),
        answer_written=~broken,
    )
    return facts.collect(engine="streaming")


def rollout_facts(rollouts: Paths, questions: Paths) -> pl.DataFrame:
    """One row per rollout: ``question_id``, ``split``, number of ``attempts``, ``complete``, ``as_asked`` (question,
    answer, difficulty and split are the snapshot's), ``solved_agrees``, ``pass_rate_agrees``."""
    asked = key(pl.struct("question", "answer", "difficulty", "split"))
    known = scan(questions, QUESTIONS).select("question_id", known=asked).unique("question_id")
    attempt = pl.element().struct.field
    unhinted = ~attempt("hinted")
    correct = _count(unhinted & (attempt("verdict") == "correct"))
    judged = _count(unhinted & (attempt("verdict") != "error"))
    pass_rate = pl.when(judged > 0).then(correct / judged)
    facts = scan(rollouts, ROLLOUTS).select(
        "question_id",
        "split",
        pl.col("attempts").list.len().fill_null(0),
        asked=pl.when(pl.col("split").is_in(SPLITS)).then(asked),
        complete=complete(ROLLOUTS),
        solved_agrees=(pl.col("solved") == (correct > 0)).fill_null(False),
        # the stored rate is a float32
        pass_rate_agrees=((pl.col("pass_rate") - pass_rate).abs() < 1e-6).fill_null(
            pl.col("pass_rate").is_null() & pass_rate.is_null()
        ),
    )
    facts = facts.join(known, on="question_id", how="left", maintain_order="left")
    agrees = pl.when(pl.col("asked").is_not_null()).then((pl.col("asked") == pl.col("known")).fill_null(False))
    return facts.with_columns(as_asked=agrees).drop("asked", "known").collect(engine="streaming")


FIT = (
    *("contaminated", "duplicate", "same_equations", "near_duplicate", "near_duplicate_question", "over_cap"),
    *("over_rationalized_share", "over_difficulty_share"),
)
"""Reasons of attempts that could have been kept, were it not for others, for the test questions or for a ceiling."""


def attempt_facts(rollouts: Paths, examples: Paths, rejects: Paths) -> pl.DataFrame:
    """One row per attempt: ``question_id``, ``generation``, ``attempt_id``, ``verdict``, ``finish_reason``, ``hinted``,
    ``reward``, ``prompt_tokens``, ``completion_tokens``, ``split`` of its rollout, the keys ``context`` and
    ``completion``, ``complete``, ``broken`` (an error that is no overflow of the context), ``error_explained``,
    ``answer_present``, ``hint_free``, ``temperature_valid``, ``settled`` (it is an example or a reject, and not both),
    ``contaminated`` (of what could be kept, what is in an eval set)."""
    unkept = scan(rejects, REJECTS).filter(pl.col("reason").is_in(FIT)).select("attempt_id", "reason")
    fit = unkept.collect(engine="streaming")
    in_tests = pl.col("attempt_id").is_in(fit.filter(pl.col("reason") == "contaminated")["attempt_id"].implode())
    could = pl.col("attempt_id").is_in(fit["attempt_id"].implode())
    kept, dropped = (
        scan(paths, schema).select("attempt_id").drop_nulls().unique().collect(engine="streaming")["attempt_id"]
        for paths, schema in ((examples, EXAMPLES), (rejects, REJECTS))
    )
    context, verdict = key(pl.col("context")), pl.col("verdict")
    # per rollout and before the attempts become rows of their own, so that no shuffle is needed
    first_contexts = pl.col("attempts").list.eval(
        key(
            pl.element()
            .filter(~pl.element().struct.field("hinted") & (pl.element().struct.field("turn") == 0))
            .struct.field("context")
        )
    )
    facts = (
        scan(rollouts, ROLLOUTS)
        .select("question_id", "split", "generation", "attempts", first_contexts=first_contexts)
        .explode("attempts", empty_as_null=False)
        .unnest("attempts")
        .select(
            "question_id",
            "generation",
            "attempt_id",
            "verdict",
            "finish_reason",
            "hinted",
            "prompt_tokens",
            "completion_tokens",
            "reward",
            "split",
            context=context,
            completion=key(pl.col("completion")),
            complete=complete(ATTEMPT.fields),
            broken=(verdict == "error") & ~pl.col("error").str.starts_with(OVERFLOW).fill_null(False),
            error_explained=((verdict == "error") == present("error")).fill_null(False),
            answer_present=pl.when(verdict.is_in(["correct", "wrong"])).then(present("predicted_answer")),
            hint_free=pl.when(pl.col("hinted")).then(
                (
                    (pl.col("first_contexts").list.min() == context) & (pl.col("first_contexts").list.max() == context)
                ).fill_null(False)
            ),
            temperature_valid=(pl.col("temperature").is_finite() & (pl.col("temperature") >= 0)).fill_null(False),
            settled=pl.col("attempt_id").is_in(kept.implode()) ^ pl.col("attempt_id").is_in(dropped.implode()),
            contaminated=pl.when(pl.col("attempt_id").is_in(kept.implode()) | could).then(in_tests),
        )
    )
    return facts.collect(engine="streaming")


def _leaves(node: pa.Schema | pa.Field, path: str = "") -> Iterator[tuple[str, str]]:
    """Dotted name and type of every column that is not nested, such as ``attempts[].context[].role``."""
    if isinstance(node, pa.Schema) or pa.types.is_struct(node.type):
        for field in node if isinstance(node, pa.Schema) else node.type:
            yield from _leaves(field, f"{path}.{field.name}".lstrip("."))
    elif pa.types.is_list(node.type):
        yield from _leaves(node.type.value_field, f"{path}[]")
    else:
        yield path, str(node.type)


def _later(found: pa.Schema, expected: pa.Schema) -> set[str]:
    """The nullable columns that a file may lack, because it is of an earlier minor version of its schema."""
    (major, minor), (ours, newer) = (
        [int(part) for part in (schema.metadata or {}).get(b"schema_version", b"0.0").split(b".")]
        for schema in (found, expected)
    )
    if major != ours or minor >= newer:
        return set()
    return {name for field in expected for name in _nullable(field)}


def _nullable(field: pa.Field, path: str = "") -> Iterator[str]:
    """The dotted names of :func:`_leaves` below a field that are nullable, or lie in something that is."""
    path = f"{path}.{field.name}".lstrip(".")
    if field.nullable:
        yield from (name.replace(field.name, path, 1) for name, _ in _leaves(pa.schema([field])))
        return
    node = field.type
    while pa.types.is_list(node):  # an element is nullable by Arrow's default, which says nothing
        node, path = node.value_type, f"{path}[]"
    if pa.types.is_struct(node):
        for inner in node:
            yield from _nullable(inner, path)


def scan(paths: Paths, schema: pa.Schema) -> pl.LazyFrame:
    if not paths:
        return pl.DataFrame(schema.empty_table()).lazy()
    return pl.scan_parquet([str(path) for path in paths], glob=False, hive_partitioning=False)


def _count(condition: pl.Expr) -> pl.Expr:
    """How many attempts of a rollout fulfil a condition on ``pl.element()``."""
    return pl.col("attempts").list.eval(condition).list.sum()


def complete(fields: pa.Schema | list[pa.Field]) -> pl.Expr:
    return pl.all_horizontal(pl.col(field.name).is_not_null() for field in fields if not field.nullable)


def present(name: str) -> pl.Expr:
    return pl.col(name).str.contains(r"\S").fill_null(False)


def key(content: pl.Expr) -> pl.Expr:
    """64 bits that stand for a dialogue (roles and contents) or a text."""
    return content.hash()
