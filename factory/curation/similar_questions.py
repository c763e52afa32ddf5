"""Questions that are nearly the same as one before them.

MinHash signatures with banding (rensa) find the pairs that are worth a look, of those whose similarity is at the limit
99 in 100 or more; whether they are alike is then told exactly, by the Jaccard similarity of their word 3-grams.
"""

from typing import Any

import numpy as np
import polars as pl

from factory.curation.similarity import grams, mixed, pairs, spaced

PERMUTATIONS = 128
"""Hashes of a signature, at most."""

FOUND = 0.99
"""The share of the pairs at the limit that have a band in common."""

BATCH = 20_000
"""Pairs that are compared, and questions whose signatures are unpacked, at a time."""

SIMILAR = {"text": pl.UInt32, "repeats": pl.UInt32, "similarity": pl.Float64}


def similar(texts: pl.Series, limit: float) -> pl.DataFrame:
    """The texts whose similarity with one before them, which is not such a text itself, is above a limit.

    Returns:
        ``text`` (its number), ``repeats`` (the number of the other) and ``similarity``, in the order of the texts.
    """
    buckets = _buckets(texts, *banding(limit))
    found = [pl.DataFrame(schema=SIMILAR)]
    while not buckets.is_empty():
        first = pl.col("text").min()
        buckets = buckets.with_columns(first=first.over("band", "key"))
        # what comes first wherever it is stays, and those beside it are held against it
        settled = buckets.group_by("text").agg(stays=(pl.col("first") == pl.col("text")).all()).filter("stays")
        beside = buckets.filter(pl.col("first") != pl.col("text")).join(settled, left_on="first", right_on="text")
        beside = beside.select("text", repeats="first").unique().sort("text", "repeats")
        alike = _compared(texts, beside).filter(pl.col("similarity") > limit)
        alike = alike.sort("text", "similarity", "repeats", descending=[False, True, False]).unique(
            "text", keep="first"
        )
        found.append(alike)
        gone = pl.concat([settled["text"], alike["text"]])
        buckets = buckets.filter(~pl.col("text").is_in(gone.implode())).select("text", "band", "key")
        buckets = buckets.filter(pl.len().over("band", "key") > 1)
    return pl.concat(found).sort("text")


def banding(limit: float) -> tuple[int, int]:
    """Bands, and hashes of a band: as many as still find :data:`FOUND` of the pairs with that similarity."""
    rows = 1
    while 1 - (1 - limit ** (rows + 1)) ** (PERMUTATIONS // (rows + 1)) >= FOUND and rows < PERMUTATIONS // 8:
        rows += 1
    return PERMUTATIONS // rows, rows


def _buckets(texts: pl.Series, bands: int, rows: int) -> pl.DataFrame:
    """The bands that several texts share: ``text``, ``band`` and ``key``, a row for each text in one."""
    from rensa import RMinHash, RMinHashLSH  # what needs no such questions needs no such library

    found = [_grams(texts.slice(at, BATCH)) for at in range(0, len(texts), BATCH)]
    digests = np.concatenate([np.empty(0, np.uint64), *(one for one, _ in found)])
    ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *(counts for _, counts in found)]))
    del found
    whole = RMinHash.digest_matrix_from_flat_token_hashes(digests, ends.astype(np.uint64), bands * rows, 0)
    lsh = RMinHashLSH(1.0, bands * rows, bands)  # its threshold is for the similarities that it would estimate itself
    sharing = np.flatnonzero(np.array(lsh.query_duplicate_flags_matrix_one_shot(whole), bool) & (np.diff(ends) > 0))
    del whole
    tables = []
    for at in range(0, len(sharing), BATCH):
        some = sharing[at : at + BATCH]
        flat = np.concatenate([digests[ends[text] : ends[text + 1]] for text in some])
        bounds = np.concatenate([[0], np.cumsum(ends[some + 1] - ends[some])]).astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(flat, bounds, bands * rows, 0).to_rows()
        hashes = np.array(matrix, np.uint64).reshape(len(some), bands, rows)
        keys = hashes[:, :, 0]
        for row in range(1, rows):
            keys = mixed(keys) + hashes[:, :, row]
        band = np.tile(np.arange(bands, dtype=np.uint8), len(some))
        text = np.repeat(some.astype(np.uint32), bands)
        tables.append(pl.DataFrame({"text": text, "band": band, "key": keys.ravel()}))
    buckets = pl.concat([pl.DataFrame(schema={"text": pl.UInt32, "band": pl.UInt8, "key": pl.UInt64}), *tables])
    return buckets.filter(pl.len().over("band", "key") > 1)


def _grams(texts: pl.Series) -> tuple[Any, Any]:
    """The digests of the grams of some texts, one text after the other, and the number of each text's."""
    found = grams(texts.to_frame("text").select(spaced(pl.col("text"))).to_series())
    return found.digest, np.bincount(found.text, minlength=len(texts))


def _compared(texts: pl.Series, two: pl.DataFrame) -> pl.DataFrame:
    """Some pairs of texts (``text``, ``repeats``) with their ``similarity``."""
    similarities = []
    for at in range(0, len(two), BATCH):
        some = two.slice(at, BATCH)
        both = texts.gather(some.select(pl.concat_list("text", "repeats").explode()).to_series())
        found = pairs(both, np.arange(len(both)) // 2)
        alike = np.zeros(len(some))
        alike[found.first // 2] = found.similarity
        similarities.append(pl.Series(alike))
    return two.with_columns(similarity=pl.concat(similarities) if similarities else pl.Series([], dtype=pl.Float64))
