"""Sums: as many as asked for, distinct over the splits, with rationales that add up."""

import itertools
import random
from collections import Counter

import pytest

from factory.corpora.arithmetic import arithmetic, rationale
from factory.recipe.load import load_recipe


def test_the_sums_of_the_real_recipe_are_disjoint_and_distinct() -> None:
    corpus = load_recipe("star_arithmetic").corpus
    rows = list(corpus())
    assert rows == list(corpus())
    assert rows != list(corpus.bound()(seed=1))
    settings = {"train": corpus.settings["train"], "eval": corpus.settings["eval"], "seed": corpus.settings["seeds"]}
    wanted = {(split, digits): count for split, counts in settings.items() for digits, count in counts.items()}
    made = Counter((row["split"], int(row["difficulty"].split()[0])) for row in rows)
    assert made == wanted
    texts = {split: {row["question"] for row in rows if row["split"] == split} for split in settings}
    for one, other in itertools.combinations(texts.values(), 2):
        assert one
        assert not one & other
    assert len({row["question"] for row in rows}) == len({row["question_id"] for row in rows}) == len(rows)
    for row in rows:
        left, right = row["question"].split("+")
        assert {str(len(left)), str(len(right))} == {row["difficulty"].split()[0]}
        assert row["answer"] == str(int(left) + int(right))
        assert (row["reference_rationale"] is None) == (row["split"] != "seed")


def test_a_rationale_adds_digit_by_digit() -> None:
    draw = random.Random(0)
    sums = [
        (0, 0),
        (9, 9),
        (999, 1),
        (5, 99_995),
        *((draw.randrange(10**i), draw.randrange(10**i)) for i in range(1, 9)),
    ]
    sums += [(draw.randrange(100_000), draw.randrange(100_000)) for _ in range(500)]
    for left, right in sums:
        *columns, last = rationale(left, right).split("\n")
        assert last == f"The answer is {left + right}"
        assert len(columns) == max(len(str(left)), len(str(right)))
        carry = 0
        for power, column in enumerate(columns):
            a, b = left // 10**power % 10, right // 10**power % 10
            total = a + b + carry
            assert column == f"{a}+{b}+{carry}={total // 10}{total % 10}"
            carry = total // 10
        digits = "".join(column[-1] for column in reversed(columns))
        assert int(f"{carry}{digits}") == left + right


@pytest.mark.parametrize(
    ("train", "total"),
    [
        ({1: 101}, 101),
        ({2: 8101}, 8101),
        ({1: 100, 2: 8000}, None),
        ({3: 810_001}, 810_001),
    ],
)
def test_more_sums_than_there_are_is_refused(train: dict[int, int], total: int | None) -> None:
    if total is None:
        assert sum(1 for _ in arithmetic(train, {})) == sum(train.values())
    else:
        with pytest.raises(ValueError, match=f"there are no {total} different sums"):
            list(arithmetic(train, {}))
