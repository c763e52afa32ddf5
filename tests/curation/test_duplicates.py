"""Attempts at one question that say the same: what is kept of them, and what a reject says of it."""

import itertools
import random
from typing import Any

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from factory.curation.duplicates import equations
from factory.curation.similarity import pairs
from factory.preflight import _likelihoods
from factory.recipe.curation import Curation
from factory.recipe.load import load_recipe
from tests.curation.test_curate import Row, attempt, curated, keys, rollout

BOXES = "There are 84 boxes of 89, so 84 * 89 = 7,476. With 14 more that makes 7476 + 14 = 7490."


def reasons(rejects: list[Row]) -> dict[str, tuple[Any, ...]]:
    return {row["attempt_id"]: (row["reason"], row["repeats"], row["similarity"]) for row in rejects}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BOXES, "7476+14=7490;84*89=7476"),
        ("We add 7476 + 14 = 7,490, for 84 x 89 = $7476", "7476+14=7490;84*89=7476"),
        ("He has 84*89=<<84*89=7476>>7476 and 7476+14=<<7476+14=7490>>7490.", "7476+14=7490;84*89=7476"),
        ("3 + 4 = 7 and again 3 + 4 = 7", "3+4=7"),
        ("4 + 3 = 7", "4+3=7"),
        ("2 * (3 + 4) = 14", "2*(3+4)=14"),
        ("In 2019 it was x = 7.", None),
        ("The answer is 7.", None),
        ("", None),
    ],
)
def test_the_equations_of_a_text(text: str, found: str | None) -> None:
    assert pl.select(equations(pl.lit(text))).item() == found


def test_of_equal_sets_of_equations_the_first_is_kept() -> None:
    tried = [
        attempt("q/1", "First 7476 + 14 = 7490, because 84 * 89 = 7476. So 7490."),
        attempt("q/2", BOXES),
        attempt("q/3", "84 * 89 = 7476, and one more is 7476 + 15 = 7491"),
        attempt("q/4", "It is plain to see that it is 7490."),
        attempt("q/5", "Anybody can see that it is 7490."),
    ]
    examples, rejects = curated([rollout("q", tried)], per_question=9, duplicates="equations")
    assert keys(examples) == ["q/1", "q/3", "q/4", "q/5"]
    assert reasons(rejects) == {"q/2": ("same_equations", "q/1", 1.0)}
    examples, rejects = curated([rollout("q", tried)], per_question=9)
    assert (len(examples), rejects) == (5, [])


def test_a_turn_may_say_what_another_says_but_not_in_the_same_words() -> None:
    later = [attempt("q/1", BOXES), attempt("q/2", f"Now {BOXES}"), attempt("q/3", BOXES)]
    for made in later[1:]:
        made["turn"] = 1
    examples, rejects = curated([rollout("q", later)], per_question=9, duplicates="equations", max_similarity=0.1)
    assert keys(examples) == ["q/1", "q/2"]
    assert reasons(rejects) == {"q/3": ("duplicate", "q/1", 1.0)}


@pytest.mark.parametrize("limit", [{}, {"max_similarity": 0.8}])
def test_the_cap_is_of_each_turn_in_whatever_order_they_are_preferred(limit: dict[str, float]) -> None:
    tried = [attempt(f"q/{number}", f"{number} {word} other words") for number, word in enumerate("abcd")]
    for number, made in enumerate(tried):
        made["turn"], made["completion_tokens"] = number % 2, number + 1
    examples, rejects = curated([rollout("q", tried)], per_question=1, prefer="shortest", **limit)
    assert keys(examples) == ["q/0", "q/1"]
    assert [row["reason"] for row in rejects] == ["over_cap", "over_cap"]


def test_what_is_more_alike_than_the_recipe_admits_is_dropped() -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]
    near = [*words[:10], "twelve"]  # 8 of 10 grams in common
    tried = [attempt("q/1", " ".join(words)), attempt("q/2", " ".join(near).upper()), attempt("q/3", "one two three")]
    for limit, kept in ((0.7, ["q/1", "q/3"]), (0.8, ["q/1", "q/2", "q/3"]), (0.12, ["q/1", "q/3"]), (0.1, ["q/1"])):
        examples, rejects = curated([rollout("q", tried)], per_question=9, max_similarity=limit)
        assert keys(examples) == kept
        expected = {"q/2": ("near_duplicate", "q/1", 0.8), "q/3": ("near_duplicate", "q/1", 1 / 9)}
        for key, told in reasons(rejects).items():
            assert told == (*expected[key][:2], pytest.approx(expected[key][2]))


def test_what_repeats_a_dropped_one_alone_is_kept() -> None:
    """2 is near 1 and 3 near 2, but not 3 near 1."""
    tried = [attempt("q/1", "a b c d e f"), attempt("q/2", "b c d e f g"), attempt("q/3", "d e f g h i")]
    examples, rejects = curated([rollout("q", tried)], per_question=9, max_similarity=0.3)
    assert keys(examples) == ["q/1", "q/3"]
    assert reasons(rejects)["q/2"][:2] == ("near_duplicate", "q/1")


def test_the_most_diverse_are_kept() -> None:
    tried = [
        attempt("q/1", "a b c d e f g h"),
        attempt("q/2", "a b c d e f g x"),
        attempt("q/3", "a b c d v w x y"),
        attempt("q/4", "k l m n o p q r"),
        attempt("q/5", "s t u", hinted=True),
    ]
    chosen = {1: ["q/1"], 2: ["q/1", "q/4"], 3: ["q/1", "q/3", "q/4"], 4: ["q/1", "q/2", "q/3", "q/4"]}
    for cap, kept in chosen.items():
        examples, rejects = curated([rollout("q", tried)], per_question=cap, prefer="most_diverse")
        assert keys(examples) == kept
        assert {row["reason"] for row in rejects} == {"over_cap"}


def test_the_likeliest_are_kept_and_one_without_a_probability_comes_last() -> None:
    tried = [attempt("q/1", "a b"), attempt("q/2", "c d"), attempt("q/3", "e f"), attempt("q/4", "g", hinted=True)]
    for made, mean in zip(tried, (None, -0.9, -0.2, -0.1), strict=True):
        made["mean_logprob"] = mean
    for cap, kept in ((1, ["q/3"]), (2, ["q/2", "q/3"]), (3, ["q/1", "q/2", "q/3"])):
        examples, rejects = curated([rollout("q", tried)], per_question=cap, prefer="likeliest")
        assert keys(examples) == kept
        assert {row["reason"] for row in rejects} == {"over_cap"}


def jaccard(one: str, other: str) -> float:
    def grams(text: str) -> set[tuple[str, ...]]:
        words = text.lower().split()
        return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))} if words else set()

    both = grams(one) | grams(other)
    return len(grams(one) & grams(other)) / len(both) if both else 0.0


def test_similarities_are_exact() -> None:
    draw = random.Random(1)
    texts = [" ".join(draw.choices("Aab c\n d", k=draw.randrange(40))) for _ in range(120)]
    group = np.sort(np.array([draw.randrange(8) for _ in texts]))
    found = pairs(pl.Series(texts), group)
    told = {(one, other): alike for one, other, alike in zip(*map(list, found), strict=True)}
    for one, other in itertools.combinations(range(len(texts)), 2):
        expected = jaccard(texts[one], texts[other]) if group[one] == group[other] else 0.0
        assert told.get((one, other), 0.0) == pytest.approx(expected)


def by_hand(attempts: list[Row], cap: int, limit: float, diverse: bool) -> dict[str, str]:
    """Reason by attempt of one question, one after the other."""
    left = [made for made in attempts if made["verdict"] == "correct"]
    kept: list[Row] = []
    told = {made["attempt_id"]: made["verdict"] for made in attempts if made not in left}

    def near(made: Row) -> float:
        return max((jaccard(made["completion"], one["completion"]) for one in kept), default=0.0)

    for made in [*left]:
        if any(one is not made and one["completion"] == made["completion"] for one in left[: left.index(made)]):
            told[made["attempt_id"]] = "duplicate"
    left = [made for made in left if made["attempt_id"] not in told]
    while left and len(kept) < cap:
        kept.append(min(left, key=lambda made: near(made) if diverse else 0.0))
        told[kept[-1]["attempt_id"]] = "kept"
        left.remove(kept[-1])
        for made in [made for made in left if near(made) > limit]:
            told[made["attempt_id"]] = "near_duplicate"
            left.remove(made)
    return told | {made["attempt_id"]: "over_cap" for made in left}


@pytest.mark.parametrize(("cap", "limit", "prefer"), [(1, 0.2, "first"), (3, 0.3, "most_diverse"), (9, 0.1, "first")])
def test_all_rules_attempt_by_attempt(cap: int, limit: float, prefer: str) -> None:
    draw = random.Random(cap)

    def one(key: str) -> Row:
        return attempt(key, " ".join(draw.choices("abcd", k=draw.randrange(3, 14))), draw.choice(["correct", "wrong"]))

    rollouts = [rollout(f"q{i}", [one(f"q{i}/{j}") for j in range(draw.randrange(12))]) for i in range(80)]
    examples, rejects = curated(rollouts, per_question=cap, max_similarity=limit, prefer=prefer)
    expected: dict[str, str] = {}
    for row in rollouts:
        expected |= by_hand(row["attempts"], cap, limit, prefer == "most_diverse")
    assert {row["attempt_id"]: row["reason"] for row in rejects} | dict.fromkeys(keys(examples), "kept") == expected
    assert {"near_duplicate", "kept"} < set(expected.values())
    for row in rejects:
        assert (row["repeats"] is not None) == (row["reason"] in ("duplicate", "near_duplicate"))
        assert row["repeats"] is None or row["repeats"].partition("/")[0] == row["question_id"]


@pytest.mark.parametrize("setting", [{"max_similarity": 1.5}, {"max_similarity": -0.1}, {"duplicates": "words"}])
def test_what_is_no_threshold_or_no_choice_is_refused(setting: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Curation(**setting)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], ["curation.prefer=likeliest: goes by log-probabilities; set engine.logprobs=true"]),
        (["engine.logprobs=true"], []),
        (
            ["engine={_component_: factory.engines.scripted.Scripted}"],
            ["curation.prefer=likeliest: goes by log-probabilities; 'factory.engines.scripted.Scripted' records none"],
        ),
    ],
    ids=["not recorded", "recorded", "none"],
)
def test_the_likeliest_of_an_engine_that_records_no_probabilities_are_refused(
    settings: list[str], said: list[str]
) -> None:
    recipe = load_recipe("star_arithmetic", ["curation.prefer=likeliest", *settings])
    assert list(_likelihoods(recipe)) == said
    assert list(_likelihoods(load_recipe("star_arithmetic", settings))) == []
