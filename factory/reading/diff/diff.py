"""What changed from one published generation to another: of one dataset, or of two.

Tables are joined on ``question_id``; of the long columns only ten examples are ever held, so a million questions fit.
"""

import random
from typing import Any

import polars as pl

from factory.reading.diff.side import Side
from factory.targets import Published
from schemas.examples import ORIGINS

DRAWN = 10
"""Changed examples that are shown."""

PARTS = {"rollouts": "", "examples": "by_origin", "rejects": "by_reason"}
"""What the manifest counts a table's rows by."""

ATTEMPTS = "all but reference"
"""Origins of rationales that are attempts: only those have tokens, so characters are counted of the same."""

Pairs = dict[str, tuple[Any, Any]]
"""Figures by name, each before and after; None where a side does not have it."""


def diff(before: Published, after: Published) -> dict[str, Any]:
    """Compare two generations; this is what ``python -m factory diff BEFORE AFTER --json`` prints.

    A figure of both is a pair, before and after; None where one does not have it. Lists of ids are sorted.

    ``before``, ``after``
        ``where``, ``name``, ``generation``, ``commit`` and ``manifest_sha256``.
    ``questions``
        of the rollouts: ``newly_solved``, ``lost``, ``only_before`` and ``only_after`` as ids; how many are
        ``in_both``, solved in both (``still_solved``) and in neither (``still_unsolved``); ``other_text``: how many
        ids in both stand for another text, as of datasets whose ids have nothing to do with each other.
    ``pass_rate``
        of the questions in both that have one in both: how many (``questions``), the ``mean`` as a pair, how many
        have a ``higher`` and a ``lower`` one after.
    ``moves``
        ``[{"before": [...], "after": [...], "questions": n}]``: the origins of a question's examples, most questions
        first. Without an example there is no origin, so a question that gained its first has an empty ``before``.
    ``counts``
        of each table the rows: of ``all``, of the examples by origin, of the rejects by reason; pairs.
    ``accuracy``
        of the model that sampled each, as a fraction of 1: overall, by difficulty, over turns; pairs.
    ``lengths``
        of the rationales, by origin and of ``all but reference``: ``mean characters``, ``median characters``, ``mean
        tokens`` and ``median tokens``, pairs. Tokens are those of the attempts; reference rationales have none.
    ``changed``
        ``questions``: how many have examples in both, but not the same origins and rationales; ``drawn``: up to ten
        of them, drawn by the two manifests' digests, with ``question_id``, ``question``, ``answer`` and the examples
        (``origin``, ``turn``, ``verdict``, ``rationale``) that only one side has, as ``before`` and ``after``.

    Raises:
        PublishError: what is published cannot be read, or the Hub is out of reach.
    """
    old, new = Side.of(before), Side.of(after)
    questions, origins = _joined(_questions(old), _questions(new)), _joined(_origins(old), _origins(new))
    changed = origins.filter(pl.col("content") != pl.col("content_after"))["question_id"].sort().to_list()
    seed = f"{old.link.sha256} {new.link.sha256}"
    drawn = sorted(random.Random(seed).sample(changed, min(DRAWN, len(changed))))
    return {
        "before": old.identity(),
        "after": new.identity(),
        "questions": _solved(questions),
        "pass_rate": _pass_rate(questions),
        "moves": _moves(origins),
        "counts": {table: _pairs(_counts(old, table), _counts(new, table), 0) for table in PARTS},
        "accuracy": _pairs(_accuracy(old), _accuracy(new)),
        "lengths": _lengths(old, new),
        "changed": {"questions": len(changed), "drawn": _drawn(old, new, drawn)},
    }


def _joined(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """A row a question; the columns of ``after`` end in ``_after``; null on the side that lacks the question."""
    return before.join(after, on="question_id", how="full", coalesce=True, suffix="_after")


def _questions(side: Side) -> pl.DataFrame:
    return side.read(side.rollouts.select("question_id", "solved", "pass_rate", text=pl.col("question").hash()))


def _origins(side: Side) -> pl.DataFrame:
    """Of each question whether it has an example of each origin, and one number for all its origins and rationales."""
    content = pl.concat_str("origin", "rationale", separator="\n").hash().sum()  # a sum, as their order means nothing
    origins = [(pl.col("origin") == origin).any().alias(origin) for origin in ORIGINS]
    return side.read(side.examples.group_by("question_id").agg(*origins, content=content))


def _solved(questions: pl.DataFrame) -> dict[str, Any]:
    before, after = pl.col("solved"), pl.col("solved_after")

    def ids(which: pl.Expr) -> list[str]:
        return questions.filter(which)["question_id"].sort().to_list()

    counts = questions.select(
        in_both=(before.is_not_null() & after.is_not_null()).sum(),
        still_solved=(before & after).sum(),
        still_unsolved=(~before & ~after).sum(),
        other_text=(pl.col("text") != pl.col("text_after")).sum(),
    )
    return counts.row(0, named=True) | {
        "newly_solved": ids(~before & after),
        "lost": ids(before & ~after),
        "only_before": ids(after.is_null()),
        "only_after": ids(before.is_null()),
    }


def _pass_rate(questions: pl.DataFrame) -> dict[str, Any]:
    both = questions.drop_nulls(["pass_rate", "pass_rate_after"])
    before, after = both["pass_rate"].cast(pl.Float64), both["pass_rate_after"].cast(pl.Float64)
    higher, lower = (after > before).sum(), (after < before).sum()
    return {"questions": len(both), "mean": (before.mean(), after.mean()), "higher": higher, "lower": lower}


def _moves(origins: pl.DataFrame) -> list[dict[str, Any]]:
    after = [f"{origin}_after" for origin in ORIGINS]
    flags = origins.with_columns(pl.col(*ORIGINS, *after).fill_null(False))
    moves = flags.group_by(*ORIGINS, *after).len().sort("len", *ORIGINS, *after, descending=True)
    return [
        {
            "before": [origin for origin in ORIGINS if row[origin]],
            "after": [origin for origin in ORIGINS if row[f"{origin}_after"]],
            "questions": row["len"],
        }
        for row in moves.iter_rows(named=True)
    ]


def _pairs(before: dict[str, Any], after: dict[str, Any], missing: int | None = None) -> Pairs:
    return {name: (before.get(name, missing), after.get(name, missing)) for name in before | after}


def _counts(side: Side, table: str) -> dict[str, int]:
    of_table = side.link.manifest["tables"][table]
    return {"all": of_table["rows"], **of_table.get(PARTS[table], {})}


def _accuracy(side: Side) -> dict[str, float]:
    for one in side.link.facts.get("accuracy") or []:
        if one["generation"] == side.link.manifest["generation"]:
            over_turns = {name: share for name, share in one.items() if "@t" in name}
            shares = {"accuracy": one["accuracy"]} | one.get("by_difficulty", {}) | over_turns
            return {name: share for name, share in shares.items() if share is not None}
    return {}


def _lengths(old: Side, new: Side) -> dict[str, Pairs]:
    before, after = _lengths_of(old), _lengths_of(new)
    there = [origin for origin in (*ORIGINS, ATTEMPTS) if origin in before or origin in after]
    return {origin: _pairs(before.get(origin, {}), after.get(origin, {})) for origin in there}


def _lengths_of(side: Side) -> dict[str, dict[str, float | None]]:
    """``{"sampled": {"mean characters": 53.0, ...}, ...}``, and of all attempts."""
    characters = pl.col("rationale").str.len_chars()
    kept = side.read(side.examples.select("origin", "attempt_id", characters=characters))
    kept = kept.join(side.tokens(kept.select("attempt_id")), on="attempt_id", how="left")
    figures = [
        figure.alias(f"{name} {unit}")
        for unit in ("characters", "tokens")
        for name, figure in (("mean", pl.col(unit).mean()), ("median", pl.col(unit).median()))
    ]
    of_origins = kept.group_by("origin").agg(figures)
    of_attempts = kept.filter(pl.col("origin") != "reference").select(pl.lit(ATTEMPTS).alias("origin"), *figures)
    return {row.pop("origin"): row for row in pl.concat([of_origins, of_attempts]).iter_rows(named=True)}


def _drawn(old: Side, new: Side, question_ids: list[str]) -> list[dict[str, Any]]:
    shown = ("origin", "turn", "verdict", "rationale")
    columns = ("question_id", "question", "answer", *shown)
    of_these = pl.col("question_id").is_in(question_ids)
    rows = [side.read(side.examples.filter(of_these).select(columns).sort("turn", "origin")) for side in (old, new)]
    drawn = []
    for question_id in question_ids:
        sides = [table.filter(pl.col("question_id") == question_id) for table in rows]
        before, after = (side.select(shown).to_dicts() for side in sides)
        drawn.append(
            sides[1].select("question_id", "question", "answer").row(0, named=True)
            | {
                "before": [one for one in before if one not in after],
                "after": [one for one in after if one not in before],
            }
        )
    return drawn
