"""How a generation is doing: figures of its rollouts and examples, computed once, after curation.

A question's attempts lie in one row, so what is counted per question needs no shuffle. What looks at texts looks at
those of some solved questions, evenly drawn, so that it takes seconds however large the run is.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from factory.curation.advice import advise
from factory.curation.duplicates import equations
from factory.curation.similarity import pairs
from factory.estimates import pass_at, wilson
from factory.files import shards
from factory.record import Files, Record
from factory.run import Run

DRAWN_QUESTIONS, DRAWN_ATTEMPTS = 2_000, 16
"""Solved questions, and correct attempts of each, that are compared as texts."""

NEAR = 0.8
"""Above this Jaccard similarity of their word 3-grams two texts are near duplicates."""

EASY = 0.9
"""A question is easy whose pass rate is above this."""

Figures = dict[str, Any]


def is_due(run: Run, n: int) -> bool:
    """Whether generation n was curated since its health was told, or it never was."""
    records = run.records(n)
    return bool(records.get("health", {}).get("inputs") != _inputs(records))


def look(run: Run, begin: int, n: int) -> Record:
    """What is told of the health of generation n: its ``figures``, and what :func:`factory.curation.advice.advise`
    makes of them.

    Args:
        begin: the first generation that was made as this one is: the ``figures`` of those between are compared.

    Raises:
        FactoryError: a shard is missing, truncated, changed or foreign.
    """
    records, folder = run.records(n), run.generation(n)
    run.recorded("rollouts", n, folder / "rollouts")
    run.recorded("curate", n, folder / "examples", folder / "rejects")
    before = run.generation(n - 1) / "rollouts" if n else None
    if before and shards(before):  # those of a published generation may have been put away
        run.recorded("rollouts", n - 1, before)
    alike = [record["figures"] for m in range(begin, n) if (record := run.record("health", m))]
    last = (run.record("health", n - 1) or {}) if n else {}
    found = figures(
        folder / "rollouts",
        folder / "examples",
        before,
        length_before=last.get("figures", {}).get("length"),
        checks=records["curate"]["checks"],
        completion_tokens=records["rollouts"]["completion_tokens"],
    )
    measured = records["evaluation"]["eval"]
    found |= {"accuracy": measured["pass@1"], "accuracy_interval": measured["interval"]}
    return {"figures": found, **advise([*alike, found]), "inputs": _inputs(records)}


def _inputs(records: Mapping[str, Record]) -> Files:
    return {**records["rollouts"]["outputs"], **records["curate"]["outputs"]}


def figures(
    rollouts: Path,
    examples: Path,
    before: Path | None,
    *,
    length_before: float | None,
    checks: Mapping[str, Any],
    completion_tokens: int,
) -> Figures:
    """What is told of a generation. Shares are fractions of 1; a figure without rows behind it is None::

        pass@1, interval     mean over questions of correct / judged unhinted first attempts; its 95 % interval
        pass@k               {"1": ..., "2": ..., "4": ..., ...} up to the most samples of a question, by the unbiased
                             estimator (Chen et al. 2021), over the questions with as many judged samples
        solved               share of the questions that some unhinted attempt answers
        newly_solved, newly_lost     questions that are solved and were not in the generation before, and conversely
        rationalized         share of the examples that were sampled under a hint
        distinct_rationales  mean number of correct unhinted rationales of a solved question that differ in their set of
                             equations (RFT's key, arXiv 2308.01825); in their text where they have none
        near_duplicates      share of these rationales that say nearly what an earlier one of the same question says
        length               mean tokens of an example
        length_drift         by which share that is more than in the generation before; below 0 where it is less
        easy                 share of the examples whose question has a pass rate above 0.9
        flawed               {check: share of the correct attempts put to it that failed it}
        tokens_per_example   all tokens sampled for the generation's rollouts, by example

    Examples that were given (origin ``reference``), or taken over from an earlier generation, count nowhere.

    Args:
        before: the rollouts of the generation before, which may have been put away; None if there is none.
        length_before: its ``length``.
        checks: of the curation's record: ``{check: {origin: {"passed": n, "failed": n}}}``.
        completion_tokens: of the rollouts' record.
    """
    questions = _questions(rollouts)
    made = (
        pl.scan_parquet(shards(examples))
        .filter((pl.col("origin") != "reference") & pl.col("generation").is_in(_generation(rollouts)))
        .select("question_id", "attempt_id", "origin")
        .collect(engine="streaming")
    )
    easy = made.join(questions.select("question_id", "pass_rate"), on="question_id", how="left")
    length = _length(rollouts, made)
    distinct, near = variety(_drawn(rollouts, questions))
    return {
        **passes(questions),
        "solved": _rounded(questions["solved"].mean()),
        **changes(questions, _solved(before)),
        "rationalized": _rounded((made["origin"] == "rationalized").mean()),
        "distinct_rationales": distinct,
        "near_duplicates": near,
        "length": length,
        "length_drift": _rounded(length / length_before - 1) if length and length_before else None,
        "easy": _rounded((easy["pass_rate"] > EASY).fill_null(False).mean()),
        "flawed": {name: flawed_share(by_origin) for name, by_origin in checks.items()},
        "tokens_per_example": round(completion_tokens / made.height, 1) if made.height else None,
    }


def _questions(rollouts: Path) -> pl.DataFrame:
    """``question_id``, ``solved``, ``pass_rate``; ``judged`` and ``correct`` attempts of the unhinted first turn."""
    attempt = pl.element().struct.field
    first = ~attempt("hinted") & (attempt("turn") == 0)
    attempts = pl.col("attempts").list
    rows = pl.scan_parquet(shards(rollouts)).select(
        "question_id",
        "solved",
        "pass_rate",
        judged=attempts.eval(first & (attempt("verdict") != "error")).list.sum(),
        correct=attempts.eval(first & (attempt("verdict") == "correct")).list.sum(),
    )
    return rows.collect(engine="streaming")


def _generation(rollouts: Path) -> list[int]:
    """The generation of some rollouts; of no rollouts none."""
    return pl.scan_parquet(shards(rollouts)).select("generation").head(1).collect()["generation"].to_list()


def passes(questions: pl.DataFrame) -> Figures:
    """``pass@1``, its ``interval`` and ``pass@k`` of questions with so many ``judged`` and ``correct`` samples."""
    alike = list(questions.filter(pl.col("judged") > 0).group_by("judged", "correct").len().sort(pl.all()).iter_rows())
    most = max((judged for judged, _, _ in alike), default=0)
    at: dict[str, float | None] = {}
    k = 1
    while k <= most:
        some = [(pass_at(k, judged, correct), count) for judged, correct, count in alike if judged >= k]
        at[str(k)] = _rounded(sum(share * count for share, count in some) / sum(count for _, count in some))
        k = most if k < most < 2 * k else 2 * k
    mean, count = at.get("1"), sum(count for _, _, count in alike)
    interval = None if mean is None else [_rounded(bound) for bound in wilson(mean, count)]
    return {"pass@1": mean, "interval": interval, "pass@k": at}


def changes(questions: pl.DataFrame, before: pl.DataFrame | None) -> Figures:
    """How many questions are ``newly_solved`` and ``newly_lost`` since before; None where that is not known."""
    if before is None:
        return {"newly_solved": None, "newly_lost": None}
    both = questions.select("question_id", "solved").join(before, on="question_id", suffix="_before")
    now, then = both["solved"], both["solved_before"]
    return {"newly_solved": int((now & ~then).sum()), "newly_lost": int((~now & then).sum())}


def _solved(rollouts: Path | None) -> pl.DataFrame | None:
    if rollouts is None or not shards(rollouts):
        return None
    return pl.scan_parquet(shards(rollouts)).select("question_id", "solved").collect(engine="streaming")


def _attempts(rollouts: Path, *columns: str) -> pl.LazyFrame:
    """A row an attempt."""
    rows = pl.scan_parquet(shards(rollouts)).select("question_id", "attempts")
    attempts = rows.explode("attempts", empty_as_null=False, keep_nulls=False).unnest("attempts")
    return attempts.select("question_id", *columns)


def _length(rollouts: Path, made: pl.DataFrame) -> float | None:
    tokens = _attempts(rollouts, "attempt_id", "completion_tokens")
    kept = tokens.join(made.lazy().select("attempt_id"), on="attempt_id", how="semi")
    mean: float | None = kept.select(pl.col("completion_tokens").mean()).collect(engine="streaming").item()
    return None if mean is None else round(mean, 1)


def _drawn(rollouts: Path, questions: pl.DataFrame) -> list[list[str]]:
    """The correct unhinted texts of some solved questions, which lie evenly in the table."""
    solved = questions.filter("solved")["question_id"]
    drawn = solved.gather_every(max(1, -(-len(solved) // DRAWN_QUESTIONS)))
    right = ~pl.col("hinted") & (pl.col("verdict") == "correct") & pl.col("question_id").is_in(drawn.implode())
    attempts = _attempts(rollouts, "hinted", "verdict", "completion").filter(right)
    texts = attempts.group_by("question_id", maintain_order=True).agg(pl.col("completion").head(DRAWN_ATTEMPTS))
    found: list[list[str]] = texts.collect()["completion"].to_list()
    return found


def variety(by_question: Sequence[list[str]]) -> tuple[float | None, float | None]:
    """How many rationales of a question differ in their equations, on average (those without any, in their words); what
    share of all are near duplicates of one before them at their question (:mod:`factory.curation.similarity`).

    Args:
        by_question: the texts of each question, at least one.
    """
    rows = pl.DataFrame({"text": by_question}, {"text": pl.List(pl.String)}).with_row_index("question").explode("text")
    if rows.is_empty():
        return None, None
    words = pl.lit("\0") + pl.col("text").str.split(" ").list.join(" ")
    said = rows.select("question", said=equations(pl.col("text")).fill_null(words))
    distinct = said.unique().height / len(by_question)
    alike = pairs(rows["text"], rows["question"].to_numpy())
    near = len(set(alike.second[alike.similarity > NEAR].tolist())) / rows.height
    return _rounded(distinct), _rounded(near)


def flawed_share(by_origin: Mapping[str, Mapping[str, int]]) -> float | None:
    """Of the attempts that passed or failed a check, of whatever origin, the share that failed."""
    failed, passed = (sum(counts.get(name, 0) for counts in by_origin.values()) for name in ("failed", "passed"))
    return _rounded(failed / (failed + passed)) if failed + passed else None


def _rounded(share: Any) -> float | None:
    return None if share is None else round(float(share), 4)
