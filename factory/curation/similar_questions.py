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

LARGEST = 8
"""Questions of a band that are all compared with one another. Where a band has more, as it has of questions made by one
template, further hashes divide it: pairs at the limit may be missed there, those well above it are not."""

BATCH = 20_000
"""Questions whose signatures are unpacked at a time, and pairs that are compared."""

SIMILAR = {"text": pl.UInt32, "repeats": pl.UInt32, "similarity": pl.Float64}


def similar(texts: pl.Series, limit: float) -> pl.DataFrame:
    """The texts whose similarity with one before them, which is not such a text itself, is above a limit.

    Returns:
        ``text`` (its number), ``repeats`` (the number of the other) and ``similarity``, in the order of the texts.
    """
    if limit == 1:
        return pl.DataFrame(schema=SIMILAR)
    words = texts.to_frame("text").select(spaced(pl.col("text"))).to_series()
    same = words.str.replace_all(" +", " ").str.strip_chars(" ").to_frame("words").with_row_index("text")
    same = same.filter(pl.col("words") != "").with_columns(first=pl.col("text").first().over("words"))
    again = same.filter(pl.col("first") != pl.col("text"))
    different = same.filter(pl.col("first") == pl.col("text"))["text"]
    pair = different.to_numpy()[_candidates(words.gather(different), limit)]
    two = pl.DataFrame({"text": pair[:, 1], "repeats": pair[:, 0]}).cast(pl.UInt32)
    found = _after_those_that_stay(_compared(texts, two).filter(pl.col("similarity") > limit))
    # a text that is there already goes the way of the first one
    again = again.select("text", "first").join(found.rename({"text": "first"}), on="first", how="left")
    again = again.select("text", pl.coalesce("repeats", "first"), pl.col("similarity").fill_null(1.0))
    return pl.concat([found, again]).sort("text")


def banding(limit: float) -> tuple[int, int]:
    """Bands, and hashes of a band: as many as still find :data:`FOUND` of the pairs with that similarity."""
    rows = 1
    while 1 - (1 - limit ** (rows + 1)) ** (PERMUTATIONS // (rows + 1)) >= FOUND and rows < PERMUTATIONS // 8:
        rows += 1
    return PERMUTATIONS // rows, rows


def _after_those_that_stay(alike: pl.DataFrame) -> pl.DataFrame:
    """Of pairs that are alike those whose first text stays, and of several the most alike: a text that is like one that
    is not there is not like any."""
    found = [pl.DataFrame(schema=SIMILAR)]
    while not alike.is_empty():
        # what nothing before it is like stays
        stays = alike.filter(~pl.col("repeats").is_in(alike["text"].implode()))
        gone = stays.sort("text", "similarity", "repeats", descending=[False, True, False])
        gone = gone.unique("text", keep="first", maintain_order=True)
        found.append(gone)
        dropped = gone["text"].implode()
        alike = alike.filter(~pl.col("text").is_in(dropped) & ~pl.col("repeats").is_in(dropped))
    return pl.concat(found).sort("text")


def _candidates(words: pl.Series, limit: float) -> Any:
    """The pairs of spaced texts that are worth a look: an array of two columns, the smaller number first."""
    from rensa import RMinHash, RMinHashLSH  # what needs no such questions needs no such library

    bands, rows = banding(limit)
    found = [_grams(words.slice(at, BATCH)) for at in range(0, len(words), BATCH)]
    digests = np.concatenate([np.empty(0, np.uint64), *(one for one, _ in found)])
    ends = np.cumsum(np.concatenate([np.zeros(1, np.int64), *(counts for _, counts in found)]))
    del found
    whole = RMinHash.digest_matrix_from_flat_token_hashes(digests, ends.astype(np.uint64), bands * rows, 0)
    lsh = RMinHashLSH(1.0, bands * rows, bands)  # its threshold is for the similarities that it would estimate itself
    sharing = np.flatnonzero(np.array(lsh.query_duplicate_flags_matrix_one_shot(whole), bool))
    del whole
    signatures = np.empty((len(sharing), bands * rows), np.uint32)
    for at in range(0, len(sharing), BATCH):
        some = sharing[at : at + BATCH]
        flat = np.concatenate([digests[ends[text] : ends[text + 1]] for text in some])
        bounds = np.concatenate([[0], np.cumsum(ends[some + 1] - ends[some])]).astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(flat, bounds, bands * rows, 0)
        signatures[at : at + BATCH] = matrix.to_rows()
    del digests
    pairs_of_bands = [np.empty(0, np.uint64)]
    for band in range(bands):
        one, other = _neighbours(signatures, band * rows, rows)
        # what agrees in far fewer hashes than a pair at the limit does is not alike
        near = np.empty(len(one), bool)
        for at in range(0, len(one), BATCH):
            here = slice(at, at + BATCH)
            near[here] = (signatures[one[here]] == signatures[other[here]]).mean(axis=1) >= limit - 0.15
        pairs_of_bands.append(one[near].astype(np.uint64) << np.uint64(32) | other[near].astype(np.uint64))
    pair = np.unique(np.concatenate(pairs_of_bands))
    return sharing[np.stack([pair >> np.uint64(32), pair & np.uint64(0xFFFFFFFF)], axis=1).astype(np.int64)]


def _neighbours(signatures: Any, begin: int, rows: int) -> tuple[Any, Any]:
    """The pairs of texts that share a band: all of a small one, of a large one that cannot be divided each with the
    first and with those next to it."""
    text, key = np.arange(len(signatures)), np.zeros(len(signatures), np.uint64)
    ready: list[tuple[Any, Any]] = []
    for level in range(3 * rows):
        key = mixed(key) + signatures[text, (begin + level) % signatures.shape[1]]
        if level < rows - 1:
            continue
        _, number, counts = np.unique(key, return_inverse=True, return_counts=True)
        size = counts[number]
        last = level == 3 * rows - 1
        small = (size > 1) & ((size <= LARGEST) | last)
        ready.append((text[small], key[small]))
        text, key = text[size > LARGEST], key[size > LARGEST]
        if not len(text):
            break
    pairs_found = []
    for members, keys in ready:
        order = np.lexsort((members, keys))
        members, keys = members[order], keys[order]
        begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])) if len(keys) else np.empty(0, int)
        first = np.repeat(begins, np.diff(np.append(begins, len(keys))))
        pairs_found.append(np.stack([members[first], members]))
        for lag in range(1, LARGEST):
            same = keys[lag:] == keys[:-lag]
            pairs_found.append(np.stack([members[:-lag][same], members[lag:][same]]))
    one, other = np.concatenate(pairs_found, axis=1)
    return one[one != other], other[one != other]


def _grams(texts: pl.Series) -> tuple[Any, Any]:
    """The digests of the grams of some spaced texts, one text after the other, and the number of each text's."""
    found = grams(texts)
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
