"""Texts held against test questions: what is flagged, what is not, and with which evidence."""

import random
import re

import polars as pl
import pytest

from factory.curation.decontamination import TestQuestions

LONG = "Ada has 3 boxes with 4 apples in each of them. How many apples does she have?"  # 17 words, 10 grams
SHORT = "What is 2+3?"
TESTS = pl.DataFrame({"place": ["set, line 1", "set, line 2"], "question": [LONG, SHORT]})


def flagged(*texts: str) -> list[tuple[object, ...]]:
    return TestQuestions(TESTS).flags(pl.Series(texts, dtype=pl.String)).rows()


@pytest.mark.parametrize("text", [LONG, f"  {LONG.upper()}\n", LONG.replace(" ", "\n\t")])
def test_the_same_text_is_found_in_any_layout(text: str) -> None:
    ((number, exact, repeats, similarity, shared),) = flagged("another one", text)
    assert (number, exact, repeats, similarity) == (1, True, "set, line 1", 1.0)
    assert shared == "ada has 3 boxes with 4 apples in each of them how many apples does she have"


def test_a_short_question_is_found_by_its_very_text_only() -> None:
    assert flagged("what  is 2+3?") == [(0, True, "set, line 2", 1.0, "what is 2 3")]
    assert flagged("What is 2-3?", "So what is 2+3?", f"{SHORT} {SHORT}", "") == []


@pytest.mark.parametrize(
    ("text", "overlap", "shared"),
    [
        (LONG.replace("?", "!"), 1.0, "ada has 3 boxes with 4 apples in each of them how many apples does she have"),
        (f"Listen: {LONG} Say it!", 1.0, "ada has 3 boxes with 4 apples in each of them how many apples does she have"),
        # 12 of its words are 5 of its 10 grams, 11 are 4
        (" ".join(LONG.split()[:12]), 0.5, "ada has 3 boxes with 4 apples in each of them how"),
        (" ".join(LONG.split()[:11]), None, ""),
        (" ".join(reversed(LONG.split())), None, ""),
    ],
    ids=["punctuation", "within", "half", "less than half", "the same words"],
)
def test_most_of_a_question_is_found(text: str, overlap: float | None, shared: str) -> None:
    expected = [] if overlap is None else [(0, False, "set, line 1", pytest.approx(overlap), shared)]
    assert flagged(text) == expected


def test_of_several_questions_the_one_that_most_of_is_there_is_named() -> None:
    words = [f"w{i}" for i in range(30)]
    tests = pl.DataFrame({"place": ["a", "b", "c"], "question": [" ".join(words[i : i + 12]) for i in (0, 4, 2)]})
    (row,) = TestQuestions(tests).flags(pl.Series([" ".join(words[3:16])])).rows(named=True)
    assert (row["repeats"], row["similarity"]) == ("b", 1.0)


def test_every_flag_is_as_by_hand() -> None:
    draw = random.Random(3)

    def some(least: int) -> str:
        return " ".join(draw.choices("abc", k=draw.randrange(least, 40)))

    def grams(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text)
        return {tuple(words[i : i + 8]) for i in range(len(words) - 7)}

    asked = [some(4) for _ in range(40)]
    texts = [some(0) for _ in range(400)] + [f"{some(0)} {one} {some(0)}" for one in asked] + asked
    tests = pl.DataFrame({"place": [str(i) for i in range(40)], "question": asked})
    found = {row["text"]: row for row in TestQuestions(tests).flags(pl.Series(texts)).iter_rows(named=True)}
    for number, text in enumerate(texts):
        overlaps = [len(grams(text) & grams(one)) / len(grams(one)) for one in asked if grams(one)]
        if text in asked:
            assert (found[number]["exact"], asked[int(found[number]["repeats"])]) == (True, text)
        elif max(overlaps) >= 0.5:
            assert found[number]["similarity"] == pytest.approx(max(overlaps))
            one = asked[int(found[number]["repeats"])]
            assert len(grams(text) & grams(one)) / len(grams(one)) == pytest.approx(max(overlaps))
            assert found[number]["shared"] in text
            assert found[number]["shared"] in one
        else:
            assert number not in found


def test_nothing_to_hold_against_flags_nothing() -> None:
    assert TestQuestions(TESTS.clear()).flags(pl.Series([LONG, ""])).is_empty()
    assert flagged() == []
