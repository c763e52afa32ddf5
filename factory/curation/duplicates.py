"""Attempts at one question that say the same, and which of several are kept.

Attempts of one turn are compared; only the same text is a duplicate in any turn, for a repaired attempt may well be
near the one that it repairs.
"""

import numpy as np
import polars as pl

from factory.curation.similarity import pairs
from factory.recipe.curation import Curation

EVIDENCE = {"repeats": pl.String, "similarity": pl.Float32, "shared": pl.String}
"""The columns of a reject that say why, beside its reason (:mod:`schemas.rejects`)."""

_EQUATION = r"[(\d$.][-\d\s.,$%()+*/x\u00d7\u00b7\u00f7\u2212\u2013]*=\s*\$?[-\u2212\u2013]?\s*\$?\d[\d,]*(?:\.\d+)?"
_SIGNS = {"\u00d7": "*", "\u00b7": "*", "x": "*", "\u00f7": "/", "\u2212": "-", "\u2013": "-"}


def preference(curation: Curation) -> list[pl.Expr]:
    """What the attempts of a question are sorted by: the first of those that say the same is the one that is kept.

    An attempt without what ``prefer`` goes by comes after those that have it.
    """
    by = {"shortest": [pl.col("completion_tokens")], "likeliest": [-pl.col("mean_logprob")]}
    return [pl.col("hinted"), *by.get(curation.prefer, []), pl.col("order")]


def equations(text: pl.Expr) -> pl.Expr:
    """The set of a text's equations as one text, null if it has none (arXiv 2308.01825, section 3.3, keeps reasoning
    paths with different lists of equations).

    An equation is a calculation in digits with its result, ``84 * 89 = 7476`` or ``<<84*89=7476>>``; white space,
    thousands separators and ``$`` do not count, the order of its numbers does.
    """
    bare = pl.element().str.replace_all(r"[\s$,%]", "").str.replace_many(_SIGNS).str.strip_chars_start("+/*.")
    calculated = bare.filter(bare.str.contains(r"\d\)*[-+*/]\(*\.?\d.*="))
    found = text.str.extract_all(_EQUATION).list.eval(calculated).list.unique().list.sort()
    return pl.when(found.list.len() > 0).then(found.list.join(";"))


def judged(candidates: pl.DataFrame, curation: Curation) -> pl.DataFrame:
    """What becomes of attempts that could all be kept: ``reason``, null of those that are, and :data:`EVIDENCE`.

    Args:
        candidates: sorted by ``rollout`` and :func:`preference`; columns ``rollout``, ``turn``, ``attempt_id``,
            ``hinted`` and ``text``.

    Returns:
        as many rows, in the same order.
    """
    found = candidates.select("rollout", "turn", "hinted", "attempt_id", "text", reason=pl.lit(None, pl.String))
    found = found.with_columns(pl.lit(None, type).alias(name) for name, type in EVIDENCE.items())
    found = _repeated(found, ["rollout", "text"], "duplicate")
    if curation.duplicates == "equations":
        found = found.with_columns(equations=equations(pl.col("text")))
        found = _repeated(found, ["rollout", "turn", "equations"], "same_equations")
    if curation.max_similarity is not None or curation.prefer == "most_diverse":
        return _chosen(found, curation).select("reason", *EVIDENCE)
    rank = pl.col("reason").is_null().cum_sum().over("rollout", "turn")
    over = pl.col("reason").is_null() & (rank > curation.per_question)
    return found.select(pl.when(over).then(pl.lit("over_cap")).otherwise("reason").alias("reason"), *EVIDENCE)


def _repeated(found: pl.DataFrame, same: list[str], reason: str) -> pl.DataFrame:
    """Of those that are still there and agree in some columns, none of which is null, the first is kept."""
    there = pl.col("reason").is_null() & pl.all_horizontal(pl.col(same).is_not_null())
    first = pl.col("attempt_id").filter(there).first().over(same)
    again = there & (pl.col("attempt_id") != first)
    return found.with_columns(
        reason=pl.when(again).then(pl.lit(reason)).otherwise("reason"),
        repeats=pl.when(again).then(first).otherwise("repeats"),
        similarity=pl.when(again).then(pl.lit(1.0, pl.Float32)).otherwise("similarity"),
    )


def _chosen(found: pl.DataFrame, curation: Curation) -> pl.DataFrame:
    """Choose one attempt of each question and turn after another, up to the cap; what is too near to a chosen one goes.

    The next one is the first that is left, or, of ``most_diverse``, the one whose nearest chosen one is the furthest
    away; attempts without a hint always before those with one.
    """
    rows = found.with_row_index("row").filter(pl.col("reason").is_null())
    group = rows.select(pl.struct("rollout", "turn").rank("dense") - 1).to_series().to_numpy()
    alike = pairs(rows["text"], group)
    one = np.concatenate([alike.first, alike.second])
    other = np.concatenate([alike.second, alike.first])
    similarity = np.concatenate([alike.similarity, alike.similarity])
    hinted = rows["hinted"].to_numpy()
    limit = 1.0 if curation.max_similarity is None else curation.max_similarity
    left, nearest = np.ones(len(rows), bool), np.zeros(len(rows))
    reasons, repeats = np.full(len(rows), "over_cap", object), np.full(len(rows), -1)
    for _ in range(curation.per_question):
        there = np.flatnonzero(left)
        if not len(there):
            break
        if curation.prefer == "most_diverse":
            there = there[np.lexsort((there, nearest[there], hinted[there], group[there]))]
        else:  # turns alternate where they are not the order
            there = there[np.argsort(group[there], kind="stable")]
        taken = there[np.flatnonzero(np.diff(group[there], prepend=-1))]
        left[taken], reasons[taken] = False, None
        is_taken = np.zeros(len(rows), bool)
        is_taken[taken] = True
        near = is_taken[one] & left[other]
        np.maximum.at(nearest, other[near], similarity[near])
        near &= similarity > limit
        left[other[near]], reasons[other[near]] = False, "near_duplicate"
        repeats[other[near]] = one[near]
    near = reasons == "near_duplicate"
    told = pl.DataFrame(
        {
            "row": rows["row"],
            "chosen": pl.Series(reasons.tolist(), dtype=pl.String),
            "near": rows["attempt_id"].gather(np.where(near, repeats, 0)),
            "nearest": nearest,
        }
    )
    is_near = pl.col("chosen") == "near_duplicate"
    return (
        found.with_row_index("row")
        .join(told, on="row", how="left", maintain_order="left")
        .with_columns(
            reason=pl.coalesce("reason", "chosen"),
            repeats=pl.when(is_near).then("near").otherwise("repeats"),
            similarity=pl.when(is_near).then(pl.col("nearest").cast(pl.Float32)).otherwise("similarity"),
        )
    )
