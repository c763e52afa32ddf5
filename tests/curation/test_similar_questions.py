"""Questions that are nearly the same: what is found is what comparing all of them finds."""

import random

import numpy as np
import polars as pl
import pytest

from factory.curation.similar_questions import banding, similar
from factory.curation.similarity import pairs


def texts(groups: int) -> pl.Series:
    """Groups of five texts of which some words differ, in any order."""
    draw = random.Random(0)
    made = []
    for _ in range(groups):
        words = [f"w{draw.randrange(400)}" for _ in range(40)]
        for _ in range(5):
            changed = [*words]
            for _ in range(draw.randrange(6)):
                changed[draw.randrange(40)] = f"x{draw.random()}"
            made.append(" ".join(changed))
    draw.shuffle(made)
    return pl.Series(made)


@pytest.mark.parametrize("limit", [0.3, 0.5, 0.7, 0.8, 0.9])
def test_it_finds_what_comparing_all_finds(limit: float) -> None:
    asked = texts(80)
    near: dict[int, dict[int, float]] = {}
    for one, other, alike in zip(*map(list, pairs(asked, np.zeros(len(asked), int))), strict=True):
        if alike > limit:
            near.setdefault(other, {})[one] = alike
    kept: list[int] = []
    for number in range(len(asked)):
        if not any(one in near.get(number, {}) for one in kept):
            kept.append(number)
    found = similar(asked, limit)
    assert found["text"].to_list() == [number for number in range(len(asked)) if number not in kept]
    assert found.height > 20
    for text, repeats, similarity in found.iter_rows():
        assert repeats in kept
        assert near[text][repeats] == pytest.approx(similarity)


def test_the_first_of_a_template_stays_and_other_numbers_make_another_question() -> None:
    asked = pl.Series([f"What is {left} + {right}?" for left in range(20) for right in range(20)])
    assert similar(asked, 0.8).is_empty()
    again = pl.concat([asked, asked.head(3)])
    assert similar(again, 0.8).rows() == [(400 + number, number, 1.0) for number in range(3)]


def test_the_same_text_many_times_is_one_question() -> None:
    asked = pl.Series(["How many apples does Ada have?"] * 5_000)
    found = similar(asked, 0.9)
    assert found["text"].to_list() == list(range(1, 5_000))
    assert set(found["repeats"]) == {0}


@pytest.mark.parametrize("asked", [[], ["one"], ["", " ", "?"]])
def test_few_texts(asked: list[str]) -> None:
    assert similar(pl.Series(asked, dtype=pl.String), 0.5).is_empty()


@pytest.mark.parametrize("limit", [0.0, 0.1, 0.5, 0.8, 0.95, 1.0])
def test_bands_find_nearly_all_pairs_at_the_limit(limit: float) -> None:
    bands, rows = banding(limit)
    assert bands >= 8
    assert bands * rows <= 128
    assert rows == 1 or 1 - (1 - limit**rows) ** bands >= 0.99
