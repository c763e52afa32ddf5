"""RISE's criteria and weights, against a plain reading of the authors' conversion of dialogues to examples."""

import math
import random
from typing import Any

import pytest

from schemas.rejects import REASONS
from tests.curation.test_curate import Row, attempt, curated, keys, rollout

REWARDS = {"correct": 1.0, "wrong": 0.0, "unparseable": -1.0, "truncated": -1.0, "error": None}


def tried(key: str, turn: int, verdict: str, text: str = "", reward: Any = "of the verdict") -> Row:
    rewarded = REWARDS[verdict] if reward == "of the verdict" else reward
    return attempt(key, text or f"It is {key}", verdict) | {"turn": turn, "reward": rewarded}


def some_dialogues(draw: random.Random, questions: int) -> list[Row]:
    """As the strategy makes them: the best of each turn is gone on from, until it is right or none is usable."""
    made = []
    for number in range(questions):
        attempts: list[Row] = []
        for turn in range(5):
            samples = [
                tried(f"q{number}/s{i}t{turn}", turn, draw.choices(list(REWARDS), (1, 5, 2, 1, 1))[0])
                for i in range(draw.choice((1, 1, 4)))
            ]
            attempts += samples
            rewards = [one["reward"] for one in samples if one["reward"] is not None]
            if not rewards or max(rewards) == 1:
                break
        made.append(rollout(f"q{number}", attempts))
    return made


def by_hand(attempts: list[Row], criterion: str) -> list[str]:
    """What is kept of a dialogue: the loop over turns of the authors' workflow_convert.py, in other words."""
    kept, rewards = [], []
    for turn in range(5):
        samples = [one for one in attempts if one["turn"] == turn and one["reward"] is not None]
        if not samples:
            break
        best = samples[[one["reward"] for one in samples].index(max(one["reward"] for one in samples))]
        reward = best["reward"]
        if turn == 0 and criterion != "success":
            keep = True
        elif criterion == "best":
            keep = all(reward >= before for before in rewards)
        elif criterion == "better":
            keep = reward > rewards[-1]
        else:
            keep = criterion == "all" or reward == 1
        if keep:
            kept.append(best["attempt_id"])
        rewards.append(reward)
    return kept


@pytest.mark.parametrize("criterion", ["all", "better", "best", "success"])
def test_a_criterion_keeps_what_the_authors_code_keeps(criterion: str) -> None:
    dialogues = some_dialogues(random.Random(criterion), 300)
    examples, rejects = curated(dialogues, criterion=criterion)
    made = keys([one for row in dialogues for one in row["attempts"]])
    assert sorted(keys(examples) + keys(rejects)) == sorted(made)
    expected = [key for row in dialogues for key in by_hand(row["attempts"], criterion)]
    assert keys(examples) == expected
    reasons = {row["reason"] for row in rejects}
    assert reasons == {"not_best", "error"} | ({"criterion"} if criterion != "all" else set())
    assert reasons <= set(REASONS)


def test_the_criteria_differ_and_hold_one_another() -> None:
    dialogues = some_dialogues(random.Random(0), 300)
    kept = {one: set(keys(curated(dialogues, criterion=one)[0])) for one in ("all", "best", "better", "success")}
    assert kept["better"] < kept["best"] < kept["all"]
    assert kept["success"] < kept["best"]


@pytest.mark.parametrize("centred", [False, True])
def test_an_example_weighs_exp_of_its_reward_over_tau(centred: bool) -> None:
    dialogue = [
        tried("q/a", 0, "wrong"),
        tried("q/b", 1, "unparseable"),
        tried("q/c", 2, "wrong"),
        tried("q/d", 2, "correct"),
        tried("q/e", 2, "error"),
    ]
    examples, rejects = curated([rollout("q", dialogue)], criterion="all", tau=0.4, centred=centred)
    mean = (0 - 1 + 0 + 1) / 4 if centred else 0.0
    weights = {"q/a": math.exp(-mean / 0.4), "q/b": math.exp((-1 - mean) / 0.4), "q/d": math.exp((1 - mean) / 0.4)}
    assert {row["attempt_id"]: row["weight"] for row in examples} == pytest.approx(weights)
    assert [row["reward"] for row in examples] == [0.0, -1.0, 1.0]
    assert [row["verdict"] for row in examples] == ["wrong", "unparseable", "correct"]
    assert [row["origin"] for row in examples] == ["sampled", "corrected", "corrected"]
    assert [row["turn"] for row in examples] == [0, 1, 2]
    assert {row["attempt_id"]: row["reason"] for row in rejects} == {"q/c": "not_best", "q/e": "error"}


def test_the_mean_reward_is_the_questions_own() -> None:
    easy, hard = [tried("p/a", 0, "correct")], [tried("q/a", 0, "wrong"), tried("q/b", 1, "correct")]
    examples, _ = curated([rollout("p", easy), rollout("q", hard)], criterion="all", tau=0.5, centred=True)
    expected = [math.exp(0), math.exp(-0.5 / 0.5), math.exp(0.5 / 0.5)]
    assert [row["weight"] for row in examples] == pytest.approx(expected)


def test_the_messages_go_up_to_the_attempt_and_no_further() -> None:
    first, second = tried("q/a", 0, "wrong", "It is 4"), tried("q/b", 1, "correct", "It is 5")
    second["context"] = [*first["context"], *({"role": role, "content": role} for role in ("assistant", "user"))]
    examples, _ = curated([rollout("q", [first, second])], criterion="all")
    for example, made in zip(examples, (first, second), strict=True):
        assert example["messages"] == [*made["context"], {"role": "assistant", "content": made["completion"]}]


def test_what_must_not_be_learnt_from_has_its_reason() -> None:
    overflow = tried("q/c", 2, "error") | {"error": "context overflow: a prompt of 300 tokens"}
    dialogue = [
        tried("q/a", 0, "wrong", "the the the", reward=None),
        tried("q/b", 1, "wrong", "It is 4"),
        overflow,
    ]
    repeated = [tried("r/a", 0, "wrong", "It is 4"), tried("r/b", 1, "wrong", " It is 4\n")]
    blank = [tried("s/a", 0, "unparseable", " ")]
    written = [tried("t/a", 0, "correct") | {"teacher": "a-teacher"}, tried("t/b", 0, "error")]
    rows = [rollout(name, made) for name, made in zip("qrst", (dialogue, repeated, blank, written), strict=True)]
    examples, rejects = curated(rows, criterion="all")
    assert keys(examples) == ["q/b", "r/a", "t/a"]
    assert {row["attempt_id"]: row["reason"] for row in rejects} == {
        "q/a": "degenerate",
        "q/c": "context_overflow",
        "r/b": "duplicate",
        "s/a": "empty",
        "t/b": "error",
    }
    assert [row["model"] for row in examples] == ["gen-1/checkpoint", "gen-1/checkpoint", "a-teacher"]
    assert curated([rollout("q", [overflow])])[1][0]["reason"] == "context_overflow"
