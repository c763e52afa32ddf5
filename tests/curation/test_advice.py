"""Whether to go on: every reason to stop, alone, and what is not enough for one."""

from typing import Any

import pytest

from factory.curation.advice import advise


def one(accuracy: float | None = None, **figures: Any) -> dict[str, Any]:
    """A generation that solves something new; its accuracy has an interval of ten points."""
    interval = None if accuracy is None else [accuracy - 0.05, accuracy + 0.05]
    return {"accuracy": accuracy, "accuracy_interval": interval, "newly_solved": 3} | figures


HISTORIES = {
    "the first": ([one(0.5, newly_solved=None)], "go on: there is no generation to compare with yet"),
    "it rises": ([one(0.5), one(0.6)], "go on: accuracy is 60.0% after 50.0%, 3 questions are newly solved"),
    "nothing new": ([one(0.5), one(0.9, newly_solved=0)], "stop: no question is newly solved"),
    "flat once": (
        [one(0.5), one(0.52, newly_solved=1)],
        "go on: accuracy is 52.0% after 50.0%, 1 question is newly solved",
    ),
    "flat twice": (
        [one(0.2), one(0.5), one(0.52), one(0.55)],
        "stop: accuracy has been flat for two generations (52.0% and 55.0%, after 45.0% to 55.0%)",
    ),
    "it falls": (
        [one(0.5), one(0.52), one(0.3)],
        "stop: accuracy has been flat for two generations (52.0% and 30.0%, after 45.0% to 55.0%)",
    ),
    "flat, then better": (
        [one(0.5), one(0.52), one(0.56)],
        "go on: accuracy is 56.0% after 52.0%, 3 questions are newly solved",
    ),
    "less diverse": (
        [one(0.5, distinct_rationales=2.0), one(0.52, distinct_rationales=1.7)],
        "stop: a solved question has 1.70 distinct rationales, and had 2.00, and accuracy does not rise",
    ),
    "less diverse and better": ([one(0.5, distinct_rationales=2.0), one(0.6, distinct_rationales=1.0)], "go on: "),
    "hardly less diverse": ([one(0.5, distinct_rationales=2.0), one(0.52, distinct_rationales=1.8)], "go on: "),
    "more hinted": (
        [one(0.5, rationalized=0.2), one(0.52, rationalized=0.26)],
        "stop: 26.0% of the examples are rationalized, and 20.0% were, and accuracy does not rise",
    ),
    "more hinted and better": ([one(0.5, rationalized=0.2), one(0.6, rationalized=0.9)], "go on: "),
    "hardly more hinted": ([one(0.5, rationalized=0.2), one(0.52, rationalized=0.25)], "go on: "),
    "not measured": ([one(), one(distinct_rationales=1.0), one()], "go on: 3 questions are newly solved"),
    "nothing known": ([one(newly_solved=None), one(newly_solved=None)], "go on: nothing speaks against it"),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_advice(name: str) -> None:
    history, sentence = HISTORIES[name]
    told = advise(history)
    assert told["advice"].startswith(sentence)
    assert told["go_on"] == sentence.startswith("go on")
    assert told["because"]["accuracy"] == [figures["accuracy"] for figures in history[-3:]]
