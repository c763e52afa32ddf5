"""Row facts: what the expectations need to know of each row, and nothing else.

The tables hold long texts; Great Expectations would take minutes and gigabytes for them. Polars scans the files and
keeps, per row, its keys (so that a failure can be traced back), enums, lengths, hashes of dialogues and booleans.

A fact is null where its expectation does not apply to the row (a reference example has no attempt), and Great
Expectations leaves nulls out. That no value is missing is therefore a fact of its own, ``complete``.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from schemas import ATTEMPT, EXAMPLES, QUESTIONS, ROLLOUTS
from schemas.rollouts import OVERFLOW

Paths = Sequence[str | Path]

SCHEMAS = {"rollouts": ROLLOUTS, "examples": EXAMPLES, "questions": QUESTIONS}

ABSENT = "absent"


def column_facts(files: Mapping[str, Paths]) -> pl.DataFrame:
    """One row per column of each file: ``table``, ``file``, ``column``, and the type ``expected`` and ``found``.

    Nested columns count one by one (``attempts[].seed``). Nullability is left out: writers lose it, and
    ``complete`` looks at the values. A file that is not Parquet at all is one row with the column ``*``.

    Raises:
        FileNotFoundError: a file does not exist.
    """
    rows = []
    for table, paths in files.items():
        expected = dict(_leaves(SCHEMAS[table]))
        for path in map(Path, paths):
            try:
                found = dict(_leaves(pq.read_schema(path)))
            except pa.ArrowInvalid:
                rows.append((table, path.name, "*", "a Parquet file", "something else"))
                continue
            for name in expected | found:
                rows.append((table, path.name, name, expected.get(name, ABSENT), found.get(name, ABSENT)))
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("table", "file", "column", "expected", "found"), pl.String), orient="row"
    )


def rollout_facts(rollouts: Paths) -> pl.DataFrame:
    """One row per rollout: ``question_id``, ``split``, number of ``attempts``, ``complete``, ``solved_agrees``,
    ``pass_rate_agrees``."""
    attempt = pl.element().struct.field
    unhinted = ~attempt("hinted")
    correct = _count(unhinted & (attempt("verdict") == "correct"))
    judged = _count(unhinted & (attempt("verdict") != "error"))
    pass_rate = pl.when(judged > 0).then(correct / judged)
    facts = _scan(rollouts, ROLLOUTS).select(
        "question_id",
        "split",
        pl.col("attempts").list.len().fill_null(0),
        complete=_complete(ROLLOUTS),
        solved_agrees=(pl.col("solved") == (correct > 0)).fill_null(False),
        # the stored rate is a float32
        pass_rate_agrees=((pl.col("pass_rate") - pass_rate).abs() < 1e-6).fill_null(
            pl.col("pass_rate").is_null() & pass_rate.is_null()
        ),
    )
    return facts.collect(engine="streaming")


def attempt_facts(rollouts: Paths) -> pl.DataFrame:
    """One row per attempt: ``question_id``, ``attempt_id``, ``verdict``, ``finish_reason``, ``hinted``, ``reward``,
    ``prompt_tokens``, ``completion_tokens``, ``split`` of its rollout, the keys ``context`` and ``completion``,
    ``complete``, ``broken`` (an error that is no overflow of the context), ``error_explained``, ``answer_present``,
    ``hint_free``, ``temperature_valid``."""
    context, verdict = _key(pl.col("context")), pl.col("verdict")
    # per rollout and before the attempts become rows of their own, so that no shuffle is needed
    first_contexts = pl.col("attempts").list.eval(
        _key(
            pl.element()
            .filter(~pl.element().struct.field("hinted") & (pl.element().struct.field("turn") == 0))
            .struct.field("context")
        )
    )
    facts = (
        _scan(rollouts, ROLLOUTS)
        .select("question_id", "split", "attempts", first_contexts=first_contexts)
        .explode("attempts", empty_as_null=False)
        .unnest("attempts")
        .select(
            "question_id",
            "attempt_id",
            "verdict",
            "finish_reason",
            "hinted",
            "prompt_tokens",
            "completion_tokens",
            "reward",
            "split",
            context=context,
            completion=_key(pl.col("completion")),
            complete=_complete(ATTEMPT.fields),
            broken=(verdict == "error") & ~pl.col("error").str.starts_with(OVERFLOW).fill_null(False),
            error_explained=((verdict == "error") == _present("error")).fill_null(False),
            answer_present=pl.when(verdict.is_in(["correct", "wrong"])).then(_present("predicted_answer")),
            hint_free=pl.when(pl.col("hinted")).then(
                (
                    (pl.col("first_contexts").list.min() == context) & (pl.col("first_contexts").list.max() == context)
                ).fill_null(False)
            ),
            temperature_valid=(pl.col("temperature").is_finite() & (pl.col("temperature") >= 0)).fill_null(False),
        )
    )
    return facts.collect(engine="streaming")


def example_facts(
    examples: Paths,
    attempts: pl.DataFrame,
    questions: Paths,
    tau: float | None = None,
    centred: bool = False,
    exemplars: Sequence[str] = (),
) -> pl.DataFrame:
    """One row per example: ``example_id``, ``question_id``, ``attempt_id``, ``origin``, ``weight``, number of
    ``messages``, ``complete``, ``from_attempt`` (its origin is not reference), ``nth`` (its number among the examples
    of its question and turn that are), ``ends_in_rationale``, ``roles_alternate``, ``rationale_present``,
    ``weight_valid``, ``weight_agrees``, ``attempt_exists``, ``attempt_correct``, ``verdict_agrees``,
    ``reward_agrees``, ``prompt_agrees``, ``completion_agrees``, ``hint_agrees``, ``in_train``, ``question_unseen``.

    Args:
        examples: Parquet files of the EXAMPLES schema.
        attempts: what :func:`attempt_facts` returned for the rollouts behind the examples.
        questions: Parquet files of the QUESTIONS schema; those of the eval split must not be learnt.
        tau: what the weights were made with; None: all are 1.
        centred: whether a question's mean reward was taken off.
        exemplars: questions that the prompts show, which must not be learnt either.
    """
    eval_questions = (
        _scan(questions, QUESTIONS)
        .filter(pl.col("split") == "eval")
        .select("question_id", text=_question_key())
        .collect(engine="streaming")
    )
    eval_ids = pl.concat([eval_questions["question_id"], attempts.filter(split="eval")["question_id"]]).unique()
    shown = pl.DataFrame({"question": exemplars}, {"question": pl.String}).select(text=_question_key())["text"]
    last = pl.col("messages").list.last().struct.field
    roles = pl.col("messages").list.eval(pl.element().struct.field("role") + " ").list.join("", ignore_nulls=False)
    spoken = pl.col("messages").list.len() > 0
    rows = (
        _scan(examples, EXAMPLES)
        .select(
            "example_id",
            "question_id",
            "attempt_id",
            "origin",
            "turn",
            "weight",
            "verdict",
            "reward",
            pl.col("messages").list.len().fill_null(0),
            prompt=_key(pl.col("messages").list.head(pl.col("messages").list.len() - 1)),
            rationale=_key(pl.col("rationale")),
            complete=_complete(EXAMPLES),
            from_attempt=(pl.col("origin") != "reference").fill_null(True),
            ends_in_rationale=pl.when(spoken).then(
                ((last("role") == "assistant") & (last("content") == pl.col("rationale"))).fill_null(False)
            ),
            roles_alternate=pl.when(spoken).then(
                roles.str.contains(r"^(system )?(user assistant )*(user )?$").fill_null(False)
            ),
            rationale_present=_present("rationale"),
            weight_valid=(pl.col("weight").is_finite() & (pl.col("weight") > 0)).fill_null(False),
            in_train=~pl.col("question_id").is_in(eval_ids.implode()).fill_null(True),
            question_unseen=~_question_key().is_in(pl.concat([eval_questions["text"], shown]).unique().implode()),
        )
        .collect(engine="streaming")
    )
    known = attempts.select(
        "attempt_id",
        "question_id",
        "hinted",
        "context",
        "completion",
        judged="verdict",
        rewarded="reward",
        mean_reward=pl.col("reward").mean().over("question_id"),
    )
    exists = pl.col("judged").is_not_null()
    found = pl.col("from_attempt") & exists
    # the question of a reference example has no attempts: its mean reward is the example's own
    baseline = pl.when("from_attempt").then("mean_reward").otherwise("reward") if centred else 0.0
    weight = pl.lit(1.0) if tau is None else ((pl.col("reward") - baseline) / tau).exp()
    return (
        rows.join(
            known.unique("attempt_id", keep="first"),
            on=["attempt_id", "question_id"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            nth=pl.when("from_attempt").then(pl.col("from_attempt").cum_sum().over("question_id", "turn")),
            attempt_exists=pl.when("from_attempt").then(exists),
            attempt_correct=pl.when(found).then(pl.col("judged") == "correct"),
            verdict_agrees=pl.when(found).then(pl.col("verdict").eq_missing(pl.col("judged"))),
            reward_agrees=pl.when(found).then(pl.col("reward").eq_missing(pl.col("rewarded"))),
            # the stored weight is a float32
            weight_agrees=pl.when("weight_valid").then(((pl.col("weight") / weight - 1).abs() < 1e-5).fill_null(False)),
            prompt_agrees=pl.when(found & (pl.col("messages") > 0)).then(pl.col("prompt") == pl.col("context")),
            completion_agrees=pl.when(found).then(pl.col("rationale") == pl.col("completion")),
            hint_agrees=pl.when(found).then(pl.col("hinted") == (pl.col("origin") == "rationalized")),
        )
        .drop("prompt", "rationale", "verdict", "judged", "reward", "rewarded", "mean_reward", "turn")
        .drop("hinted", "context", "completion")
    )


def _leaves(node: pa.Schema | pa.Field, path: str = "") -> Iterator[tuple[str, str]]:
    """Dotted name and type of every column that is not nested, such as ``attempts[].context[].role``."""
    if isinstance(node, pa.Schema) or pa.types.is_struct(node.type):
        for field in node if isinstance(node, pa.Schema) else node.type:
            yield from _leaves(field, f"{path}.{field.name}".lstrip("."))
    elif pa.types.is_list(node.type):
        yield from _leaves(node.type.value_field, f"{path}[]")
    else:
        yield path, str(node.type)


def _scan(paths: Paths, schema: pa.Schema) -> pl.LazyFrame:
    if not paths:
        return pl.DataFrame(schema.empty_table()).lazy()
    return pl.scan_parquet([str(path) for path in paths], glob=False, hive_partitioning=False)


def _count(condition: pl.Expr) -> pl.Expr:
    """How many attempts of a rollout fulfil a condition on ``pl.element()``."""
    return pl.col("attempts").list.eval(condition).list.sum()


def _complete(fields: pa.Schema | list[pa.Field]) -> pl.Expr:
    return pl.all_horizontal(pl.col(field.name).is_not_null() for field in fields if not field.nullable)


def _present(name: str) -> pl.Expr:
    return pl.col(name).str.contains(r"\S").fill_null(False)


def _key(content: pl.Expr) -> pl.Expr:
    """64 bits that stand for a dialogue (roles and contents) or a text."""
    return content.hash()


def _question_key() -> pl.Expr:
    """The key of a question's text, the same for any letter case and any white space."""
    return _key(pl.col("question").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars())
