"""The process checks of a recipe, put to the correct attempts of a shard."""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from factory.attempt import Question
from factory.checks import Check, Rationale, Result, not_applicable
from factory.files import shards
from factory.recipe.curation import Curation

ORIGIN = (
    pl.when("hinted")
    .then(pl.lit("rationalized"))
    .when(pl.col("turn") > 0)
    .then(pl.lit("corrected"))
    .otherwise(pl.lit("sampled"))
)
"""Where an attempt comes from: see :data:`schemas.examples.ORIGINS`."""

SEEN = ["rollout", "completion", "predicted_answer", "hinted", "completion_tokens"]
"""All that a check sees of an attempt beside the others at its question: equal ones have equal results."""

MOST_REASON = 300
"""Characters of a reason that are kept."""

_RESULT = {"name": pl.String, "passed": pl.Boolean, "reason": pl.String}


def checked(
    attempts: pl.DataFrame, checks: Sequence[Check], curation: Curation, hints: Sequence[str] = ()
) -> pl.DataFrame:
    """The attempts with their results in the column ``checks`` (of those that are not correct there are none), and in
    the column ``failed`` the first check that an attempt failed and that decides over its origin, else null.

    Args:
        attempts: the columns of :data:`SEEN`, ``verdict`` and ``origin``, and of the question ``question_id``,
            ``question``, ``answer`` and ``difficulty``.
        hints: what a hint adds to a prompt, with ``{answer}`` to be filled in.
    """
    correct = attempts.filter(pl.col("verdict") == "correct")
    if not checks or correct.is_empty():
        none = pl.lit([], dtype=pl.List(pl.Struct(_RESULT)))
        return attempts.with_columns(checks=none, failed=pl.lit(None, dtype=pl.String))
    seen = correct.unique(SEEN, keep="first", maintain_order=True)
    columns, structs, failures = [], [], []
    for number, (check, results) in enumerate(zip(checks, _results(seen, correct, checks, hints), strict=True)):
        passed, reason = f"passed {number}", f"reason {number}"
        columns.append(pl.Series(passed, [result.passed for result in results], dtype=pl.Boolean))
        columns.append(pl.Series(reason, [result.reason for result in results], dtype=pl.String))
        structs.append(pl.struct(name=pl.lit(f"{check.name}/{check.version}"), passed=passed, reason=reason))
        decides = pl.col("origin").is_in(curation.decided_by(check.name))
        failures.append(pl.when(decides & ~pl.col(passed)).then(pl.lit(check.name)))
    found = seen.select(*SEEN, *columns, judged=pl.lit(True))
    joined = attempts.join(found, on=SEEN, how="left", nulls_equal=True, maintain_order="left")
    there = pl.col("judged") & (pl.col("verdict") == "correct")
    return joined.select(
        *attempts.columns,
        checks=pl.when(there).then(pl.concat_list(structs)).otherwise(pl.lit([], dtype=pl.List(pl.Struct(_RESULT)))),
        failed=pl.when(there).then(pl.coalesce(failures)),
    )


def _results(
    seen: pl.DataFrame, correct: pl.DataFrame, checks: Sequence[Check], hints: Sequence[str]
) -> list[list[Result]]:
    """Of each check its results on the attempts that are ``seen``, in their order."""
    tokens = dict(correct.group_by("rollout").agg(pl.col("completion_tokens").sort()).iter_rows())
    asked = seen.unique("rollout").select("rollout", "question_id", "question", "answer", "difficulty")
    rollouts = {
        rollout: (
            Question(question_id, "train", question, answer, difficulty=difficulty),
            tuple([hint.replace("{answer}", answer) for hint in hints]),
            tuple(tokens[rollout]),
        )
        for rollout, question_id, question, answer, difficulty in asked.iter_rows()
    }
    results: list[list[Result]] = [[] for _ in checks]
    put = [(check.check, found) for check, found in zip(checks, results, strict=True)]
    for rollout, text, predicted, hinted, length in seen.select(SEEN).iter_rows():
        question, marks, lengths = rollouts[rollout]
        rationale = Rationale(text, question, predicted, hinted, marks, length, lengths)
        for check, found in put:
            try:
                result = check(rationale)
                found.append(result if result.passed is True else _with_reason(result))
            except Exception as error:  # a plug-in's own code: whatever it is, curation goes on
                found.append(not_applicable(_told(f"the check raised {type(error).__name__}: {error}")))
    return results


def _with_reason(result: Result) -> Result:
    """A result that is not passed, as it is written down."""
    return Result(None if result.passed is None else False, _told(result.reason or "no reason was given"))


def _told(reason: str) -> str:
    """A reason as it is written down: in a line, not too long, and no half of a surrogate."""
    line = " ".join(reason[: 2 * MOST_REASON].split())
    return (line if len(line) <= MOST_REASON else f"{line[: MOST_REASON - 3]}...").encode(errors="replace").decode()


def check_counts(examples: Path, rejects: Path, n: int) -> dict[str, dict[str, dict[str, int]]]:
    """``{check: {origin: {"passed": n, "failed": n, "not_applicable": n}}}`` over all correct attempts of generation n,
    kept or not."""
    kept = pl.scan_parquet(shards(examples)).filter(pl.col("generation") == n).select("origin", "checks")
    dropped = pl.scan_parquet(shards(rejects)).select(ORIGIN.alias("origin"), "checks")
    results = (
        pl.concat([kept, dropped])
        .explode("checks", empty_as_null=False, keep_nulls=False)
        .unnest("checks")
        .group_by("origin", "passed", name=pl.col("name").str.split("/").list.first())
        .len()
        .sort("name", "origin")
    )
    keys = {True: "passed", False: "failed", None: "not_applicable"}
    counts: dict[str, dict[str, dict[str, int]]] = {}
    for name, origin, passed, count in results.select("name", "origin", "passed", "len").collect().iter_rows():
        by_origin = counts.setdefault(name, {}).setdefault(origin, dict.fromkeys(keys.values(), 0))
        by_origin[keys[passed]] = count
    return counts
