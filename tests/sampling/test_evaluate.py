"""The figures of an evaluation, worked out by hand and by a slow second way."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.estimates import wilson
from factory.sampling.evaluate import evaluate
from schemas import ROLLOUTS
from tests.support.generation import Row, attempt

RIGHT = "7"
"""The gold answer of every question here."""


def answered(answer: str | None, sample: int = 0, turn: int = 0, **columns: Any) -> Row:
    """An attempt that gives an answer; ``None``: it gives none, ``"error"``: it failed."""
    verdicts = {RIGHT: "correct", None: "unparseable", "error": "error"}
    text = None if answer == "error" else answer
    return attempt("", [], verdicts.get(answer, "wrong"), text, sample=sample, turn=turn, **columns)


def dialogue(*answers: str | None, beside: str = "") -> list[Row]:
    """One attempt a turn, and further parallel ones, a character each."""
    parallel = [answered(answer, sample=sample) for sample, answer in enumerate(beside, start=1)]
    first, *others = (answered(answer, turn=turn) for turn, answer in enumerate(answers))
    return [first, *parallel, *others]


def measured(folder: Path, *rollouts: list[Row], difficulties: str = "", apart: tuple[str, ...] = ()) -> dict[str, Any]:
    """Evaluate rollouts, written as shards of two."""
    rows = [
        {
            **dict.fromkeys(("question", "strategy", "model"), "x"),
            "question_id": f"q{number}",
            "answer": RIGHT,
            "split": "eval",
            "difficulty": difficulties[number] if difficulties else None,
            "generation": 0,
            "attempts": attempts,
            "solved": False,
        }
        for number, attempts in enumerate(rollouts)
    ]
    folder.mkdir(exist_ok=True)
    for first in range(0, len(rows), 2):
        pq.write_table(pa.Table.from_pylist(rows[first : first + 2], schema=ROLLOUTS), folder / f"{first:05}.parquet")
    return evaluate(folder, apart)


def test_one_turn_has_no_figures_of_turns(tmp_path: Path) -> None:
    found = measured(
        tmp_path,
        [answered(RIGHT), answered("3", 1), answered("error", 2)],
        [answered("3"), answered(RIGHT, 0, hinted=True)],
        [answered("error")],
        [answered(RIGHT)],
        difficulties="9a99",
        apart=("a",),
    )
    interval = [round(bound, 4) for bound in wilson(0.75, 2)]
    assert found == {"pass@1": 0.75, "interval": interval, "questions": 2, "by_difficulty": {"9": 0.75, "a": 0.0}}


@pytest.mark.parametrize("rollouts", [[], [[answered("error")]]], ids=["no questions", "none judged"])
def test_nothing_is_none(tmp_path: Path, rollouts: list[list[Row]]) -> None:
    assert measured(tmp_path, *rollouts) == {"pass@1": None, "interval": None, "questions": 0, "by_difficulty": {}}


def test_groups_are_in_natural_order(tmp_path: Path) -> None:
    found = measured(tmp_path, *[[answered(RIGHT)]] * 4, difficulties="9b1a")
    assert list(found["by_difficulty"]) == ["1", "9", "a", "b"]


def test_figures_over_turns(tmp_path: Path) -> None:
    found = measured(
        tmp_path,
        dialogue("7", "3", "3", beside="77"),  # right at first, then led astray
        dialogue("3", "7", "7", beside="47"),  # corrects itself; its parallel ones are tied
        dialogue("3", "4", "7", beside="33"),  # right in the end: a tie, which the last wins
        dialogue("3", "4", None, beside="45"),
        difficulties="1111",
    )
    assert found["pass@1"] == round((3 / 3 + 1 / 3 + 0 + 0) / 4, 4)
    assert [found[name] for name in ("m1@t1", "m3@t1", "m1@t3", "p1@t3")] == [0.25, 0.5, 0.5, 0.75]
    assert found["per_turn"] == {
        "questions": 4,
        "accuracy": [0.25, 0.25, 0.5],
        "m1": [0.25, 0.25, 0.5],  # after two turns only the second question's tie is for the right answer
        "p1": [0.25, 0.5, 0.75],
        "parallel": [0.25, 0.25, 0.5],
    }
    assert found["by_difficulty"] == {"1": found["pass@1"]}


def test_groups_reported_apart_are_in_no_figure(tmp_path: Path) -> None:
    found = measured(tmp_path, dialogue("7", "3"), dialogue("3", "7"), difficulties="1a", apart=("a",))
    assert found["per_turn"] == {"questions": 1, "accuracy": [1, 0], "m1": [1, 0], "p1": [1, 1], "parallel": [1]}
    assert found["by_difficulty"] == {"1": 1, "a": 0}


@pytest.mark.parametrize(
    ("answers", "right"),
    [
        (("7", "3"), False),  # a tie goes to the answer given last
        (("3", "7"), True),
        (("3", "7", "7", "3"), False),  # to the one whose last vote is the latest
        (("7", "3", "3", "7", None), True),
        (("7", None, None, None), True),  # no answer is no vote
        (("3", "4", "5", "7", "7"), True),  # the most, not half
        ((None, None), False),
    ],
)
def test_majority(tmp_path: Path, answers: tuple[str | None, ...], right: bool) -> None:
    """Over turns, and the same among parallel attempts (with one more turn, as the figures need two)."""
    assert measured(tmp_path, dialogue(*answers))[f"m1@t{len(answers)}"] == right
    parallel = [answered(answer, sample=sample) for sample, answer in enumerate(answers)]
    assert measured(tmp_path, [*parallel, answered("8", turn=1)])[f"m{len(answers)}@t1"] == right


def test_the_verdict_on_an_answer_is_its_last(tmp_path: Path) -> None:
    told_apart = [answered("7.0", turn=0), answered("7.0", turn=1) | {"verdict": "correct"}]
    assert measured(tmp_path, told_apart)["m1@t2"] == 1
    assert measured(tmp_path, [told_apart[1] | {"turn": 0}, told_apart[0] | {"turn": 1}])["m1@t2"] == 0


def test_what_has_no_answer_has_no_vote(tmp_path: Path) -> None:
    """Not even from a verifier that finds something right without reading an answer from it."""
    silent = [answered(None, turn=turn) | {"verdict": "correct"} for turn in range(2)]
    found = measured(tmp_path, silent)
    assert (found["pass@1"], found["m1@t2"], found["p1@t2"]) == (1, 0, 1)


def test_a_failed_attempt_counts_nowhere(tmp_path: Path) -> None:
    found = measured(
        tmp_path,
        dialogue("7", "7", "7", beside="37"),
        dialogue("3", "error", beside="77"),  # ended early
        dialogue("error", beside="73"),
        [answered("3"), answered("error", 1), answered("7", 2), answered("7", turn=1), answered("3", turn=2)],
    )
    assert found["pass@1"] == round((2 / 3 + 2 / 3 + 1 / 2 + 1 / 2) / 4, 4)
    assert found["per_turn"] == {  # all of the first question alone
        "questions": 1,
        "accuracy": [1.0, 1.0, 1.0],
        "m1": [1.0, 1.0, 1.0],
        "p1": [1.0, 1.0, 1.0],
        "parallel": [1.0, 0.0, 1.0],
    }
    ended = measured(tmp_path / "ended", dialogue("3", "error"))
    assert (ended["m1@t1"], ended["m1@t2"], ended["p1@t2"]) == (None, None, None)


def test_dialogues_that_stop_on_success_have_no_figures(tmp_path: Path) -> None:
    found = measured(tmp_path, dialogue("7"), dialogue("3", "7"), dialogue("7"))
    assert found["pass@1"] == round(2 / 3, 4)
    assert "per_turn" not in found


def test_figures_equal_those_of_a_plain_loop(tmp_path: Path) -> None:
    """300 random rollouts of up to 4 turns and 3 parallel attempts."""
    draw = random.Random(0)
    rollouts = []
    for _ in range(300):
        answers = draw.choices(["7", "3", "4", None, "error"], [6, 6, 6, 3, 1], k=4)
        ended = answers.index("error") + 1 if "error" in answers else 4
        rollouts.append(dialogue(*answers[:ended], beside="".join(draw.choices("734", k=2))))
        draw.shuffle(rollouts[-1])
    found = measured(tmp_path, *rollouts)

    whole = [rollout for rollout in rollouts if not any(a["verdict"] == "error" for a in rollout)]
    assert 100 < len(whole) == found["per_turn"]["questions"] < 300

    def share(key: str, over: str, among: int, any_of_them: bool = False) -> float:
        rights = []
        for rollout in whole:
            looked_at = sorted((a for a in rollout if a[over] == 0 and a[key] < among), key=lambda a: a[key])
            answers = [a["predicted_answer"] for a in looked_at]
            votes = Counter(answer for answer in answers if answer)
            tied = [answer for answer in answers if answer and votes[answer] == max(votes.values())]
            rights.append(RIGHT in answers if any_of_them else bool(tied) and tied[-1] == RIGHT)
        return round(sum(rights) / len(rights), 4)

    assert found["per_turn"]["m1"] == [share("turn", "sample", among) for among in range(1, 5)]
    assert found["per_turn"]["p1"] == [share("turn", "sample", among, True) for among in range(1, 5)]
    assert found["per_turn"]["parallel"] == [share("sample", "turn", among) for among in range(1, 4)]
    assert (found["m3@t1"], found["m1@t4"]) == (found["per_turn"]["parallel"][-1], found["per_turn"]["m1"][-1])
