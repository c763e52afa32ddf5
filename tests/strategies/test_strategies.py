"""The strategies, asking a model that follows a script."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from factory.attempt import Attempt, By, Question
from factory.strategies import window_of
from factory.strategies.independent import independent
from factory.strategies.introspection import introspection
from factory.strategies.rise import LONGEST_WORD, MOST_REPEATED, TRIES, Turn, is_degenerate, rise
from factory.strategies.star import star

QUESTION = Question("q", "train", "2+3", "5")
LOOP = "again " * (MOST_REPEATED + 1)


class Script:
    """Answers turn by turn with the words of a list: verdicts, or ``looping`` for a degenerate text."""

    def __init__(self, *turns: Sequence[str]):
        self.turns = {turn: list(words) for turn, words in enumerate(turns)}
        self.asked: list[dict[str, Any]] = []

    async def __call__(
        self,
        question: Question,
        /,
        *,
        n: int = 1,
        hint: bool = False,
        after: Sequence[Attempt] = (),
        by: By = "student",
        temperature: float | None = None,
    ) -> list[Attempt]:
        turn = after[-1].turn + 1 if after else 0
        shown = [attempt.attempt_id for attempt in after]
        self.asked.append({"turn": turn, "n": n, "shown": shown, "by": by, "temperature": temperature, "hint": hint})
        return [self.attempt(turn, hint) for _ in range(n)]

    def attempt(self, turn: int, hint: bool = False) -> Attempt:
        words = self.turns[turn]
        number = len([one for one in self.asked if one["turn"] == turn])
        word = words.pop(0)
        looping = word == "looping"
        return Attempt(
            attempt_id=f"{turn}{'abcdefghijklmnop'[len(words)]}{number}",
            sample=0,
            turn=turn,
            hinted=hint,
            context=[],
            completion=LOOP if looping else f"It is {word}.",
            predicted_answer=None,
            verdict="wrong" if looping else word,
            verifier="exact/1",
            reward=None,
            finish_reason="stop",
            prompt_tokens=1,
            completion_tokens=1,
            mean_logprob=None,
            seed=0,
            temperature=0.7,
            error="no reply" if word == "error" else None,
        )


def run(strategy: Callable[..., Any], script: Script, **settings: Any) -> list[Attempt]:
    attempts: list[Attempt] = asyncio.run(strategy(QUESTION, script, **settings))
    return attempts


def turns_of(*samples: int) -> tuple[Turn, ...]:
    return tuple(Turn(samples=n) for n in samples)


def test_rise_stops_on_success() -> None:
    script = Script(["correct"])
    (attempt,) = run(rise, script)
    assert (attempt.turn, attempt.reward) == (0, 1.0)
    script = Script(["wrong"], ["unparseable", "correct", "wrong"])
    attempts = run(rise, script, turns=turns_of(1, 3, 1))
    assert [attempt.reward for attempt in attempts] == [0.0, -1.0, 1.0, 0.0]
    assert [one["turn"] for one in script.asked] == [0, 1]


def test_rise_goes_on_from_the_first_of_the_best() -> None:
    script = Script(["wrong"], ["truncated", "wrong", "wrong", "error"], ["unparseable"], ["wrong"])
    attempts = run(rise, script, turns=turns_of(1, 4, 1, 1))
    first, best, third = attempts[0], attempts[2], attempts[5]
    assert [attempt.reward for attempt in attempts] == [0.0, -1.0, 0.0, 0.0, None, -1.0, 0.0]
    assert [one["shown"] for one in script.asked] == [
        [],
        [first.attempt_id],
        [first.attempt_id, best.attempt_id],
        [first.attempt_id, best.attempt_id, third.attempt_id],
    ]


def test_rise_asks_each_turn_of_whom_and_how_the_recipe_says() -> None:
    script = Script(["wrong"], ["wrong"], ["correct"])
    turns = (Turn(), Turn(temperature=1.0), Turn(by="teacher", temperature=0.0))
    run(rise, script, turns=turns, window=2)
    asked = [(one["n"], one["by"], one["temperature"], len(one["shown"])) for one in script.asked]
    assert asked == [(1, "student", None, 0), (1, "student", 1.0, 1), (1, "teacher", 0.0, 1)]


def test_rise_samples_again_where_every_text_is_degenerate() -> None:
    script = Script(["looping", "wrong"], ["correct"])
    attempts = run(rise, script, turns=turns_of(1, 1))
    assert [attempt.reward for attempt in attempts] == [None, 0.0, 1.0]
    script = Script(["looping"] * 9)
    attempts = run(rise, script, turns=turns_of(1, 1))
    assert [attempt.reward for attempt in attempts] == [None] * TRIES


def test_rise_ends_where_a_turn_failed() -> None:
    script = Script(["wrong"], ["error", "looping"])
    attempts = run(rise, script, turns=turns_of(1, 2, 1))
    assert [attempt.reward for attempt in attempts] == [0.0, None, None]


@pytest.mark.parametrize(
    ("text", "degenerate"),
    [
        ("word " * MOST_REPEATED, False),
        ("word " * MOST_REPEATED + "Word", True),
        ("x" * LONGEST_WORD, False),
        ("a b " + "x" * (LONGEST_WORD + 1), True),
        (" ".join(map(str, range(1000))), False),
        ("", False),
    ],
)
def test_degenerate(text: str, degenerate: bool) -> None:
    assert is_degenerate(text) == degenerate


def test_introspection_has_no_oracle() -> None:
    script = Script(["correct", "wrong", "wrong"], ["correct"], ["wrong"], ["correct"])
    attempts = run(introspection, script, turns=4, parallel=3, window=3)
    assert [attempt.turn for attempt in attempts] == [0, 0, 0, 1, 2, 3]
    dialogue = [attempts[0], *attempts[3:]]
    assert [one["shown"] for one in script.asked] == [
        [],
        [dialogue[0].attempt_id],
        [one.attempt_id for one in dialogue[:2]],
        [one.attempt_id for one in dialogue[1:3]],
    ]
    assert all(attempt.reward is None for attempt in attempts)


def test_introspection_cannot_go_on_from_an_error() -> None:
    attempts = run(introspection, Script(["wrong"], ["error"], ["wrong"]), turns=3, parallel=1)
    assert [attempt.verdict for attempt in attempts] == ["wrong", "error"]


UNHINTED, HINTED = False, True


@pytest.mark.parametrize(
    ("settings", "verdicts", "asked"),
    [
        ({}, ["correct"], [(1, UNHINTED)]),
        ({}, ["wrong", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["wrong", "wrong"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["unparseable", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["truncated", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({}, ["error", "correct"], [(1, UNHINTED), (1, HINTED)]),
        ({"samples": 4}, ["wrong", "wrong", "wrong", "correct"], [(4, UNHINTED)]),
        ({"samples": 2, "hinted_samples": 3}, ["wrong"] * 5, [(2, UNHINTED), (3, HINTED)]),
        ({"samples": 3, "hinted_samples": 0}, ["wrong"] * 3, [(3, UNHINTED)]),
    ],
)
def test_star_shows_the_hint_only_after_failure(
    settings: dict[str, int], verdicts: list[str], asked: list[tuple[int, bool]]
) -> None:
    script = Script(verdicts)
    attempts = run(star, script, **settings)
    assert [(one["n"], one["hint"]) for one in script.asked if one["n"]] == asked
    assert [made.verdict for made in attempts] == verdicts
    assert [made.hinted for made in attempts] == [hint for n, hint in asked for _ in range(n)]


@pytest.mark.parametrize("samples", [1, 5])
def test_independent_samples_see_no_hint(samples: int) -> None:
    script = Script(["wrong"] * samples)
    assert len(run(independent, script, samples=samples)) == samples
    assert [(one["n"], one["hint"]) for one in script.asked] == [(samples, UNHINTED)]


@pytest.mark.parametrize(("turns", "shown"), [(None, [0, 1, 2]), (2, [2]), (3, [1, 2]), (4, [0, 1, 2]), (9, [0, 1, 2])])
def test_a_window_holds_the_latest_turns_and_the_new_one(turns: int | None, shown: list[int]) -> None:
    script = Script(*[["wrong"]] * 3)
    dialogue = [script.attempt(turn) for turn in range(3)]
    assert [attempt.turn for attempt in window_of(dialogue, turns)] == shown
