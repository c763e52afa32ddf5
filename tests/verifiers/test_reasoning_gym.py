"""The verifier of Reasoning Gym: where the answer stands, the library's scorers, and answers that are code."""

import json
import sys
import time
from importlib.util import find_spec

import pytest

from factory.attempt import Question
from factory.errors import ConfigError
from factory.verifiers import judge
from factory.verifiers.doubt import NoAnswer
from factory.verifiers.reasoning_gym import ReasoningGym, written


@pytest.mark.parametrize(
    ("completion", "answer", "unclosed"),
    [
        ("Well. <answer>12</answer>", "12", False),
        ("<answer>1</answer> no, then <answer>\n1 2\n3 4\n</answer> done", "1 2\n3 4", False),
        ("<ANSWER>2</ANSWER>", "2", False),
        ("<think>maybe <answer>99999</answer></think><answer>1</answer>", "1", False),
        ("<answer>The answer is 12</answer>", "12", False),
        ("I think the answer is: 12\nThat is all.", "12", False),
        ("The answer is 12.", "12", False),
        ("The answer is 12<|im_end|>", "12", False),
        ("Well.\n12\n", "12", True),
        ("<answer>12", "12", True),
    ],
)
def test_the_answer(completion: str, answer: str, unclosed: bool) -> None:
    assert written(completion, "12") == (answer, unclosed)


@pytest.mark.parametrize(
    "completion",
    [
        "",
        "<answer></answer>",
        "<think>maybe <answer>1</answer> or",
        "<answer>1</answer> or <answer>2</answer>",
        "<answer>1</answer> Wait, that is wrong.",
        "I doubt that the answer is 3",
    ],
)
def test_no_answer_is_given(completion: str) -> None:
    with pytest.raises(NoAnswer):
        written(completion, "12")


@pytest.fixture(scope="module")
def gym() -> ReasoningGym:
    if find_spec("reasoning_gym") is None:
        pytest.skip("reasoning-gym is not installed: a part of it needs a C compiler")
    return ReasoningGym(deadline=1)


def test_a_missing_library_is_told_before_any_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    with pytest.raises(ConfigError, match="the package reasoning-gym is not installed"):
        ReasoningGym()


def asked(task: str, answer: str, **metadata: object) -> Question:
    entry = {"question": "?", "answer": answer, "metadata": metadata}
    return Question("q1", "train", "?", answer, metadata=json.dumps({"task": task, "config": {}, "entry": entry}))


GCD = asked("gcd", "12")
COUNTDOWN = asked("countdown", "3*4", numbers=[3, 4], target=12)
MATRIX = asked("binary_matrix", "0 1\n1 0", matrix=[[0, 1], [1, 0]], solution=[[0, 1], [1, 0]])


@pytest.mark.parametrize(
    ("question", "answer", "verdict"),
    [
        (GCD, "12", "correct"),
        (GCD, "13", "wrong"),
        (GCD, "it is 12", "wrong"),  # for which the library gives a part of the marks
        (COUNTDOWN, "3*4", "correct"),
        (COUNTDOWN, "4*3", "correct"),
        (COUNTDOWN, "12", "wrong"),
        (MATRIX, "0 1\n1 0", "correct"),
        (MATRIX, "1 1\n1 1", "wrong"),
        (asked("prime_factorization", "2 \N{MULTIPLICATION SIGN} 3", number=6), "two and three", "unparseable"),
        (asked("no_such_task", "1"), "1", "error"),
    ],
)
def test_the_librarys_scorer_decides(gym: ReasoningGym, question: Question, answer: str, verdict: str) -> None:
    judged = gym.verify(f"<answer>{answer}</answer>", question)
    assert (judged.verdict, judged.predicted_answer) == (verdict, answer)


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("57", "correct"),
        ("57.0", "correct"),
        ("-57", "wrong"),
        ("58", "wrong"),
        ("57 or 58", "unparseable"),
        ("57, 58", "unparseable"),
        ("maybe 57", "unparseable"),
        ("57?", "unparseable"),
    ],
)
def test_what_a_generous_scorer_accepts_is_held_against_the_gold_answer(
    gym: ReasoningGym, answer: str, verdict: str
) -> None:
    question = asked("gsm_symbolic", "57", difficulty=1.0, answer_value=57)
    assert gym.verify(f"<answer>{answer}</answer>", question).verdict == verdict


@pytest.mark.parametrize("question", [COUNTDOWN, MATRIX])
@pytest.mark.parametrize(
    "answer",
    [
        "9**9**9**9",
        "[0]*10**10",
        "exit()",
        "[" * 3000,
        "__import__('os')._exit(0)",
        "open('{folder}/new', 'w')",
        "__import__('os').system('touch {folder}/new')",
        "\x00",
        "\ud800",
    ],
)
def test_an_answer_that_is_code_does_no_harm(
    gym: ReasoningGym, question: Question, answer: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("harm")
    judged = gym.verify(f"<answer>{answer.replace('{folder}', str(folder))}</answer>", question)
    assert judged.verdict in ("wrong", "unparseable", "error")
    assert not list(folder.iterdir())
    assert gym.verify("<answer>12</answer>", GCD).verdict == "correct"


def test_the_gold_answer_as_it_is_stated_is_accepted(gym: ReasoningGym) -> None:
    for question in (GCD, COUNTDOWN, MATRIX):
        assert gym.verify(gym.state(question), question).verdict == "correct"


def test_a_deadline_that_was_missed_once_is_remembered(gym: ReasoningGym) -> None:
    completion = "<answer>9**9**9**9</answer>"
    verdict = gym.verify(completion, COUNTDOWN)
    started = time.monotonic()
    assert all(gym.verify(completion, COUNTDOWN) == verdict for _ in range(1000))
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("metadata", [None, "", "[]", "{}", "not JSON", '{"task": "gcd"}'])
def test_a_question_without_an_entry_is_at_fault(gym: ReasoningGym, metadata: str | None) -> None:
    judged = judge(gym, "<answer>1</answer>", Question("q1", "train", "?", "1", metadata=metadata), "stop")
    assert judged.verdict == "error"
    assert "hold no task and entry" in str(judged.reason)
