"""Texts held against test questions: the same text, or most of a test question's word 8-grams.

Words are runs of letters and digits, in any case; so neither layout nor punctuation hides a copy. A test question of
less than eight words has no 8-gram: only its very text, white space and letter case aside, is found. Templated corpora
overlap harmlessly, which is why an overlap drops a row and only an equal text stops the run.
"""

from concurrent.futures import ThreadPoolExecutor
from os import cpu_count

import numpy as np
import polars as pl

from factory.curation.similarity import grams, words

GRAM = 8
"""Words of a gram."""

OVERLAP = 0.5
"""The share of a test question's distinct grams from which on a text that has them is flagged."""

BATCH = 10_000
"""Texts that are taken apart at a time: so many that what is known of their words stays near the processor."""

_SLOTS = np.uint64(2**22 - 1)

FLAGS = {
    "text": pl.UInt32,
    "exact": pl.Boolean,
    "repeats": pl.String,
    "similarity": pl.Float32,
    "shared": pl.String,
}


def normal(text: pl.Expr) -> pl.Expr:
    """A text without what makes no other text: white space and letter case."""
    return text.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def spaced(text: pl.Expr) -> pl.Expr:
    """A text as words with spaces between them: whatever is neither a letter nor a digit separates."""
    return text.str.to_lowercase().str.replace_all(r"[^\pL\pM\pN ]", " ")


class TestQuestions:
    """Test questions, ready to be compared with texts.

    Args:
        questions: columns ``place`` (what evidence calls it, such as ``test.jsonl, line 5``) and ``question``.
    """

    __test__ = False  # no tests are in it

    def __init__(self, questions: pl.DataFrame):
        asked = pl.col("question")
        of = questions.select("place", normal=normal(asked), asked=spaced(asked))
        of = of.unique("normal", keep="first", maintain_order=True).with_columns(words=words(pl.col("asked")))
        self.questions = of.with_row_index("of")
        found = grams(of["asked"], GRAM)
        table = pl.DataFrame({"of": found.text, "gram": found.digest}).unique()
        self.grams = table.join(table.group_by("of").agg(size=pl.len()), on="of")
        # a look at one bit spares most grams of the texts a search
        self.slots = np.zeros(int(_SLOTS) + 1, bool)
        self.slots[self.grams["gram"].to_numpy() & _SLOTS] = True

    def flags(self, texts: pl.Series) -> pl.DataFrame:
        """The texts that are flagged, one row each and in their order.

        Returns:
            ``text`` (its number), ``exact`` (it is the text of a test question), ``repeats`` (the place of that
            question, or of the one that most of is in the text), ``similarity`` (how much of its 8-grams is), and
            ``shared`` (the longest run of words that both have).
        """
        begins = range(0, len(texts), BATCH)
        with ThreadPoolExecutor(cpu_count()) as pool:
            found = list(pool.map(lambda at: self._flagged(texts.slice(at, BATCH), at), begins))
        return pl.concat([pl.DataFrame(schema=FLAGS), *found])

    def _flagged(self, texts: pl.Series, at: int) -> pl.DataFrame:
        held = texts.to_frame("held").with_row_index("text").with_columns(spaced=spaced(pl.col("held")))
        found = grams(held["spaced"], GRAM)
        near = self.slots[found.digest & _SLOTS]
        some = pl.DataFrame({"text": found.text[near], "gram": found.digest[near]}).unique()
        told = some.join(self.grams, on="gram").group_by("text", "of").agg(overlap=pl.len() / pl.first("size"))
        told = told.filter(pl.col("overlap") >= OVERLAP).join(self.questions, on="of").join(held, on="text")
        told = told.with_columns(exact=normal(pl.col("held")) == pl.col("normal"))
        # a question that is one gram is a short one
        told = told.filter(pl.col("exact") | (pl.col("words").list.len() >= GRAM))
        told = told.sort("text", "exact", "overlap", "of", descending=[False, True, True, False])
        told = told.unique("text", keep="first", maintain_order=True)
        said = told.select(words(pl.col("spaced")), "words").iter_rows()
        shared = [" ".join(longest_run(text, question)) for text, question in said]
        return told.select(
            pl.col("text") + at,
            "exact",
            repeats="place",
            similarity=pl.col("overlap").cast(pl.Float32),
            shared=pl.Series(shared, dtype=pl.String),
        )


def longest_run(text: list[str], question: list[str]) -> list[str]:
    """The longest run of words that a text has of a question, of eight words or more; all words of equal texts."""
    if text == question:
        return text
    there = {tuple(question[i : i + GRAM]) for i in range(len(question) - GRAM + 1)}
    best, length = 0, 0
    run = 0
    for i in range(len(text) - GRAM + 1):
        run = run + 1 if tuple(text[i : i + GRAM]) in there else 0
        if run > length:
            best, length = i, run
    return text[best - length + 1 : best + GRAM] if length else []
