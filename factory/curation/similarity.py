"""How alike texts are: the Jaccard similarity of their sets of word 3-grams, exactly.

A word is what stands between white space, in lower case; a text of less than three words is one gram. Words and grams
are compared by 64-bit digests, which two different ones of the same shard share once in some 10^9 shards.
"""

from typing import Any, NamedTuple

import numpy as np
import polars as pl

GRAM = 3
"""Words of a gram."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


class Grams(NamedTuple):
    """The grams of some texts: the number of the text of each, and its digest. In the order of the texts; one that a
    text has twice is there twice."""

    text: Any
    digest: Any


class Pairs(NamedTuple):
    """Pairs of texts of one group that have a gram in common: their numbers (``first < second``) and similarity."""

    first: Any
    second: Any
    similarity: Any


def grams(words: pl.Series, n: int = GRAM) -> Grams:
    """The n-grams of some texts, given as lists of their words; of a shorter text all its words as one, and of one
    without words none."""
    listed = words.rename("word").to_frame().with_row_index("text")
    listed = listed.explode("word", empty_as_null=False, keep_nulls=False).select("text", pl.col("word").hash())
    text, digest = listed["text"].to_numpy(), listed["word"].to_numpy()
    counts = np.bincount(text, minlength=len(words))
    place = np.arange(len(text)) - np.repeat(np.cumsum(counts) - counts, counts)
    # what has not yet n words before its end is no gram, unless the text ends there
    whole = (place >= n - 1) | (place == counts[text] - 1)
    return Grams(text[whole], _joined(digest, place, n)[whole])


def _joined(digest: Any, place: Any, n: int) -> Any:
    """The digests of each word and the n-1 before it in its text; ``place`` is the number of the word there."""
    if n == 1:
        return digest
    # of two halves, so that eight words take three steps
    half = n // 2
    last = _joined(digest, place, half)
    first = last if n == 2 * half else _joined(digest, place, n - half)
    before = np.zeros_like(first)
    before[half:] = np.where(place[half:] >= half, first[:-half], 0)
    return mixed(before) + last


def split(text: pl.Expr) -> pl.Expr:
    """The words of a text, as a list."""
    spaced = text.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars(" ")
    return pl.when(spaced != "").then(spaced.str.split(" ")).otherwise(pl.lit([], pl.List(pl.String)))


def mixed(digests: Any) -> Any:
    """Digests with their bits spread, so that a sum of them depends on the order."""
    return (digests ^ (digests >> _SHIFT)) * _FACTOR


def pairs(texts: pl.Series, group: Any) -> Pairs:
    """The pairs of texts within a group that have something in common.

    Args:
        texts: of all groups.
        group: the number of the group of each; a group's texts lie together.
    """
    found = grams(pl.select(words=split(pl.lit(texts)))["words"])
    # the same gram in another group is another one
    digest = found.digest ^ mixed(group[found.text].astype(np.uint64) + np.uint64(1))
    order = np.argsort(digest, kind="stable")
    digest, text = digest[order], found.text[order]
    again = np.zeros(len(digest), bool)
    again[1:] = (digest[1:] == digest[:-1]) & (text[1:] == text[:-1])
    digest, text = digest[~again], text[~again]
    sizes = np.bincount(text, minlength=len(texts))
    shared = []
    at = np.arange(len(digest))
    for lag in range(1, len(digest)):  # up to as many as have one gram in common
        at = at[: np.searchsorted(at, len(digest) - lag)]
        at = at[digest[at] == digest[at + lag]]
        if not len(at):
            break
        shared.append(text[at].astype(np.uint64) << np.uint64(32) | text[at + lag])
    pair, common = np.unique(np.concatenate([np.empty(0, np.uint64), *shared]), return_counts=True)
    first, second = (pair >> np.uint64(32)).astype(np.int64), (pair & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return Pairs(first, second, common / (sizes[first] + sizes[second] - common))
