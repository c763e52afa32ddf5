"""Rollouts in, examples and rejects out: a polars function on one shard, run shard by shard through Ray Data.

A question's attempts lie in one row, so nothing here needs a shuffle.
"""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import ray

from factory.checks import Check
from factory.curation import criteria
from factory.curation.checked import ORIGIN, checked
from factory.curation.decontamination import TestQuestions
from factory.curation.duplicates import EVIDENCE, judged, preference
from factory.curation.flags import read_flags, read_tests
from factory.curation.frames import by_shard, frames
from factory.curation.judgements import said, with_judgements
from factory.curation.mixture import surplus, without
from factory.curation.union import examples_of, with_earlier
from factory.files import shards, to_schema, write_table
from factory.recipe.curation import Curation
from factory.record import Files
from schemas import EXAMPLES, REJECTS
from schemas.rollouts import OVERFLOW
from validation.texts import reasons


@dataclass(frozen=True)
class Rules:
    """What an attempt has to pass to become an example.

    Attributes:
        curation: the settings of the recipe.
        checks: the process checks that every correct attempt is put to.
        answers_only: whether an example may be nothing but its answer.
        hints: what a hint adds to a prompt, with ``{answer}`` to be filled in; for the checks.
        flags: what speaks against questions (:mod:`factory.curation.flags`), if anything can.
        tests: the test questions that rationales are held against, if they are.
    """

    curation: Curation
    checks: Sequence[Check] = ()
    answers_only: bool = False
    hints: Sequence[str] = ()
    flags: pl.DataFrame | None = None
    tests: TestQuestions | None = None


def curate(
    rollouts: Path,
    examples: Path,
    rejects: Path,
    curation: Curation,
    *,
    answers_only: bool = False,
    hints: Sequence[str] = (),
    flags: Path | None = None,
    eval_sets: Path | None = None,
    judgements: Path | None = None,
    earlier: Sequence[Path] = (),
) -> Files:
    """Curate every shard of ``rollouts`` into a shard of the same name in ``examples`` and in ``rejects``.

    Args:
        hints: what a hint adds to a prompt, with ``{answer}`` to be filled in; for the checks.
        flags: what speaks against questions (:mod:`factory.curation.flags`), if anything can.
        eval_sets: the test questions that the rationales are held against, if they are.
        judgements: folder of what a judge said (:mod:`factory.curation.judgements`), if one was asked.
        earlier: folders of the generations whose examples may be taken over, the newest first
            (:mod:`factory.curation.union`); they are laid out as this one's.

    Returns:
        what the workers report to have written, by path.
    """

    def one(batch: pa.Table) -> pa.Table:
        rules = Rules(
            curation,
            [component() for component in curation.checks],
            answers_only,
            hints,
            flags=read_flags(flags) if flags else None,
            tests=read_tests(eval_sets) if eval_sets else None,
        )
        reports = []

        def looked_through(some: list[Path], frame: pl.DataFrame, judged_in: Path | None) -> pl.DataFrame:
            told = pl.concat(said(judged_in / shard.name) for shard in some) if judged_in else None
            return decided(frame, rules, told)

        for some, frame in frames(map(Path, batch["shard"].to_pylist())):
            attempts, others = looked_through(some, frame, judgements), []
            for folder in earlier:
                judged_in = folder / "judge" / "rollouts" if judgements else None
                there = [folder / "rollouts" / shard.name for shard in some]
                still = pl.concat(looked_through(*one, judged_in) for one in frames(there))
                were = pl.concat(examples_of(folder / "examples" / shard.name) for shard in some)
                kept = still.filter(pl.col("reason").is_null())
                others.append(kept.join(were, on="attempt_id", how="semi", maintain_order="left"))
            parts = [by_shard(table, frame, len(some)) for table in parted(attempts, others, curation)]
            for shard, *tables in zip(some, *parts, strict=True):
                reports += written(shard, *map(to_schema, tables, (EXAMPLES, REJECTS)))
        return pa.Table.from_pylist(reports)

    def again(batch: pa.Table) -> pa.Table:
        reports = []
        for row in batch.to_pylist():
            shard = Path(row["shard"])
            reports += written(shard, *without(row["gone"], examples / shard.name, rejects / shard.name, shard))
        return pa.Table.from_pylist(reports)

    def written(shard: Path, kept: pa.Table, dropped: pa.Table) -> list[dict[str, Any]]:
        # rejects first: a second pass that is repeated finds what has to go still among the examples
        host, tables = socket.gethostname(), {rejects / shard.name: dropped, examples / shard.name: kept}
        return [{"path": str(path), "host": host, **write_table(path, table)} for path, table in tables.items()]

    def through(rows: list[dict[str, Any]], work: Callable[[pa.Table], pa.Table]) -> Files:
        # Some 64 shards a task: one is a few milliseconds of work.
        dataset = ray.data.from_items(rows).map_batches(work, batch_size=64, batch_format="pyarrow")
        return {row.pop("path"): row for row in dataset.iter_rows()}

    reports = through([{"shard": str(path)} for path in shards(rollouts)], one)
    beyond = surplus(shards(examples), curation)
    if beyond:
        rows = [{"shard": str(rollouts / path.name), "gone": gone} for path, gone in beyond.items()]
        reports |= through(rows, again)
    return reports


def curate_rollouts(rollouts: pl.DataFrame, rules: Rules) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Examples and rejects of some rollouts: what is :func:`decided` of their attempts, :func:`parted`."""
    return parted(decided(rollouts, rules), (), rules.curation)


def parted(
    attempts: pl.DataFrame, others: Sequence[pl.DataFrame], curation: Curation
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Examples and rejects; every attempt is in exactly one of the two.

    Args:
        attempts: as they were :func:`decided`.
        others: what each earlier generation offers: examples of its own that are still kept, the newest first.
    """
    kept, dropped = attempts.filter(pl.col("reason").is_null()), attempts.filter(pl.col("reason").is_not_null())
    if others:
        kept = with_earlier(kept, others, attempts.select("question_id", "rollout").unique(), curation)
    return _examples(kept), dropped.select(REJECTS.names)


def decided(rollouts: pl.DataFrame, rules: Rules, judgements: pl.DataFrame | None = None) -> pl.DataFrame:
    """A row an attempt, with what speaks against its becoming an example: ``reason``, null if nothing does.

    An attempt is kept if the criterion keeps it (``correct``: if it is correct; else see
    :mod:`factory.curation.criteria`), it is not empty, says more than its answer (reason ``check_reasoning``;
    unless the recipe shows ``answers_only``), passes the process checks where they decide, nothing speaks against its
    question (``flags``), it is not in one of the ``tests``, says what none that is kept says
    (:mod:`factory.curation.duplicates`), and is within the cap of its turn. Unhinted attempts go before hinted
    ones. A hinted attempt is kept as if the hint had not been there: its messages are its hint-free context.
    """
    attempts = looked_at(rollouts, rules)
    if judgements is not None:
        attempts = with_judgements(attempts, judgements, rules.curation)
    told = _told(attempts, rules)
    return attempts.join(told, on="row", how="left", maintain_order="left")


def looked_at(rollouts: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """A row an attempt, with its question, its results of the process checks, and what speaks against it so far."""
    attempts = (
        rollouts.select("question_id", "question", "answer", "difficulty", "generation", "model", "attempts")
        .with_row_index("rollout")
        .explode("attempts", empty_as_null=False, keep_nulls=False)
        .unnest("attempts")
        .with_columns(text=pl.col("completion").str.strip_chars(), order=pl.int_range(pl.len()).over("rollout"))
        .pipe(_judged, rules.curation)
    )
    return checked(
        attempts.with_row_index("row").with_columns(origin=ORIGIN), rules.checks, rules.curation, rules.hints
    )


def _told(attempts: pl.DataFrame, rules: Rules) -> pl.DataFrame:
    """By ``row`` what speaks against each attempt: ``reason``, null if nothing does, and the columns of
    :data:`factory.curation.duplicates.EVIDENCE`. Each rule sees only what those before it have left."""
    told = attempts.select(
        "row",
        reason=pl.when(pl.col("unfit").is_not_null()).then("unfit").when(pl.col("text") == "").then(pl.lit("empty")),
    )
    fit = attempts.filter(told["reason"].is_null())
    alone = ~reasons(pl.col("text"), pl.col("answer")) if not rules.answers_only else pl.lit(False)
    fit = fit.with_columns(
        reason=pl.when(alone)
        .then(pl.lit("check_reasoning"))
        .when(pl.col("failed").is_not_null())
        .then("check_" + pl.col("failed"))
    )
    candidates = fit.filter(pl.col("reason").is_null()).sort("rollout", *preference(rules.curation), nulls_last=True)
    found = [told.drop_nulls("reason"), fit.select("row", "reason").drop_nulls("reason")]
    if rules.flags is not None:
        found.append(candidates.select("row", "question_id").join(rules.flags, on="question_id").drop("question_id"))
        candidates = candidates.join(rules.flags, on="question_id", how="anti", maintain_order="left")
    if rules.tests is not None:
        like = rules.tests.flags(candidates["text"]).filter(~pl.col("exact"))
        row = candidates["row"].gather(like["text"])
        found.append(like.select(row.alias("row"), pl.lit("contaminated").alias("reason"), *EVIDENCE))
        candidates = candidates.filter(~pl.int_range(pl.len()).is_in(like["text"].implode()))
    found.append(candidates.select("row").hstack(judged(candidates, rules.curation)))
    return pl.concat(found, how="diagonal")


def _judged(attempts: pl.DataFrame, curation: Curation) -> pl.DataFrame:
    """The attempts with their ``weight``, and with what speaks against them before any look at their texts
    (``unfit``, null if nothing does)."""
    verdict = pl.col("verdict")
    overflow = pl.col("error").str.starts_with(OVERFLOW).fill_null(False)
    failed = pl.when(overflow).then(pl.lit("context_overflow")).when(verdict == "error").then(verdict)
    if curation.criterion == "correct":
        return attempts.with_columns(unfit=failed.when(verdict != "correct").then(verdict), weight=pl.lit(1.0))
    unrewarded = failed.when(pl.col("reward").is_null()).then(pl.lit("degenerate"))
    return criteria.judged(attempts, curation.criterion).with_columns(
        unfit=unrewarded.otherwise("unkept"), weight=criteria.weight(curation.tau, curation.centred)
    )


def _examples(kept: pl.DataFrame) -> pl.DataFrame:
    answer = pl.struct(role=pl.lit("assistant"), content="completion")
    return kept.select(
        "question_id",
        "question",
        "answer",
        "difficulty",
        "turn",
        "reward",
        "verifier",
        "generation",
        "attempt_id",
        "temperature",
        "seed",
        "origin",
        "checks",
        "verdict",
        "weight",
        example_id="attempt_id",
        rationale="completion",
        messages=pl.concat_list("context", answer),
        model=pl.coalesce("teacher", "model"),
    )
