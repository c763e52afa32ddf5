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


def spaced(text: pl.Expr) -> pl.Expr:
    """A text as words with spaces between them, one or several."""
    return text.str.to_lowercase().str.replace_all(r"[^\S ]", " ")


def words(spaced: pl.Expr) -> pl.Expr:
    """The words of a text that is spaced, as a list."""
    return spaced.str.split(" ").list.filter(pl.element() != "")


def grams(spaced: pl.Series, n: int = GRAM) -> Grams:
    """The word n-grams of some spaced texts; of one with fewer words all of them as one, of one without words none."""
    texts = spaced.rename("word").to_frame().with_row_index("text")
    listed = texts.with_columns(pl.col("word").str.split(" ")).explode("word").filter(pl.col("word") != "")
    text, digest = listed["text"].to_numpy(), listed.select(pl.col("word").hash()).to_series().to_numpy()
    counts = np.bincount(text, minlength=len(texts))
    whole = np.ones(len(text), bool)
    starts = np.cumsum(counts) - counts
    for before in range(n - 1):  # words that have not n - 1 before them
        whole[starts[counts > before] + before] = False
    found = Grams(text[whole], _joined(digest, n)[whole])
    few = texts.filter(pl.Series((counts > 0) & (counts < n)))
    if few.is_empty():
        return found
    alone = few.select("text", pl.col("word").pipe(words).list.join(" ").hash(1))
    both = Grams(*(np.concatenate([one, alone.to_series(at).to_numpy()]) for at, one in enumerate(found)))
    order = np.argsort(both.text, kind="stable")
    return Grams(both.text[order], both.digest[order])


def _joined(digest: Any, n: int) -> Any:
    """The digests of each word and the n-1 before it, whosever they are."""
    if n == 1:
        return digest
    # of two halves, so that eight words take three steps
    half = n // 2
    last = _joined(digest, half)
    first = last if n == 2 * half else _joined(digest, n - half)
    joined = last.copy()
    joined[half:] += mixed(first[:-half])
    return joined


def mixed(digests: Any) -> Any:
    """Digests with their bits spread, so that a sum of them depends on the order."""
    return (digests ^ (digests >> _SHIFT)) * _FACTOR


def pairs(texts: pl.Series, group: Any) -> Pairs:
    """The pairs of texts within a group that have something in common.

    Args:
        texts: of all groups.
        group: the number of the group of each; a group's texts lie together.
    """
    found = grams(texts.to_frame("text").select(spaced(pl.col("text"))).to_series())
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
