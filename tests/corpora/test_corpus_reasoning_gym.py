"""Questions that are made to order: as many as asked for, distinct, and with all that their scorer needs."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest

from factory.corpora.reasoning_gym import TASKS, Task, reasoning_gym

gym = pytest.importorskip("reasoning_gym", reason="the package reasoning_gym needs a C compiler", exc_type=ImportError)

ORDER: dict[str, Any] = {"gcd": {"train": 20, "eval": 10, "max_value": 50}, "spell_backward": {"train": 5}}


def test_a_task_gives_as_many_distinct_questions_as_are_asked_for() -> None:
    rows = list(reasoning_gym(ORDER))
    assert rows == list(reasoning_gym(ORDER))
    assert rows != list(reasoning_gym(ORDER, seed=1))
    wanted = {("gcd", "train"): 20, ("gcd", "eval"): 10, ("spell_backward", "train"): 5}
    assert Counter((row["difficulty"], row["split"]) for row in rows) == wanted
    assert len({row["question"] for row in rows}) == len({row["question_id"] for row in rows}) == 35


def test_the_metadata_is_all_that_the_scorer_needs() -> None:
    for row in reasoning_gym(ORDER):
        facts = json.loads(row["metadata"])
        assert facts["task"] == row["difficulty"]
        assert facts["config"] == ({"max_value": 50} if facts["task"] == "gcd" else {})
        scorer = gym.create_dataset(facts["task"], size=1, seed=0, **facts["config"])
        assert scorer.score_answer(row["answer"], facts["entry"]) == 1.0
        assert scorer.score_answer("nothing of the kind", facts["entry"]) < 1.0


def test_another_process_makes_the_same_questions() -> None:
    tasks: dict[str, Task] = {
        task: {"train": 8} for task in ("group_anagrams", "family_relationships", "number_sorting", "syllogism")
    }
    script = f"from {reasoning_gym.__module__} import *; print([r['question_id'] for r in reasoning_gym({tasks})])"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([row["question_id"] for row in reasoning_gym(tasks)])


def test_every_task_that_may_be_used_is_one_of_the_package() -> None:
    assert len(TASKS) == 70
    assert gym.factory.DATASETS.keys() >= TASKS


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_scorer_of_a_task_that_may_be_used_accepts_its_answer_and_no_other(task: str) -> None:
    """What models write beside the right answer, tried on the library's scorers: 13 more tasks accept some of it."""
    with contextlib.redirect_stdout(io.StringIO()):  # some of them print
        made = gym.create_dataset(task, size=6, seed=11)
        entries = [json.loads(json.dumps(made[number])) for number in range(6)]
        answers = [str(entry["answer"]) for entry in entries]
        for entry, answer in zip(entries, answers, strict=True):
            assert made.score_answer(answer, entry) == 1.0
            another = next((other for other in answers if other != answer), "7")
            for wrong in _wrong(answer, another):
                assert _score(made, wrong, entry) != 1.0, wrong


def _wrong(answer: str, another: str) -> list[str]:
    turned = answer[1:] if answer.startswith("-") else f"-{answer}"
    return [
        *([turned] if answer.strip() != "0" else []),
        *(f"{answer}{between}{another}" for between in (" or ", " and ", ", ", "; ", " to ", "\n", " but possibly ")),
        *(f"{another}{between}{answer}" for between in (" or ", ", ", "\n")),
        *(f"[{answer}, {another}]", f"maybe {answer}", f"not {answer}", f"{answer}?"),
        *([""] if answer else []),
    ]


def _score(made: Any, answer: str, entry: dict[str, Any]) -> float:
    try:
        return float(made.score_answer(answer, entry))
    except Exception:  # a scorer that cannot read an answer does not accept it
        return 0.0


@pytest.mark.parametrize(
    ("tasks", "told"),
    [
        ({"gdc": {"train": 1}}, "'gdc' is not a task that can be used; did you mean 'gcd'?"),
        ({"countdown": {"train": 1}}, "'countdown' is not a task that can be used"),  # its scorer runs what it is given
        ({"gcd": {"train": 1, "max_valeu": 9}}, "task 'gcd' cannot be configured so: .*max_valeu"),
        ({"gcd": {"train": 1, "min_value": 9, "max_value": 1}}, "task 'gcd' cannot be configured so: "),
        (
            {"gcd": {"train": 9, "eval": 1, "min_value": 1, "max_value": 2, "max_numbers": 2}},
            "task 'gcd': 180 tries for 9 train questions gave 3",
        ),
    ],
)
def test_an_order_that_cannot_be_filled_is_refused(tasks: dict[str, Task], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        list(reasoning_gym(tasks))


def test_a_missing_package_is_told_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(ValueError, match=r"the package reasoning_gym cannot be imported .* C compiler"):
        list(reasoning_gym(ORDER))
