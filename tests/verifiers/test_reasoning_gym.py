"""The verifier of Reasoning Gym: where the answer stands, the library's scorers, and answers that are code."""

import json
import sys
from importlib.util import find_spec

import pytest

from factory.attempt import Question
from factory.errors import ConfigError
from factory.verifiers import judge
from factory.verifiers.reasoning_gym import ReasoningGym, final_answer


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        ("Well. <answer>12</answer>", "12"),
        ("<answer>1</answer> no <answer>\n1 2\n3 4\n</answer> done", "1 2\n3 4"),
        ("<answer>1 <answer>2</answer>", "2"),
        ("<ANSWER>2</ANSWER>", "2"),
        ("The answer is 3. <answer></answer>", ""),
        ("I think the answer is: 12\nThat is all.", "12"),
        ("Well.\n12\n", "12"),
        ("<answer>12", "<answer>12"),
        ("", ""),
    ],
)
def test_the_final_answer(completion: str, answer: str) -> None:
    assert final_answer(completion) == answer


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


def test_no_answer(gym: ReasoningGym) -> None:
    assert gym.verify("<answer> </answer>", GCD).verdict == "unparseable"


@pytest.mark.parametrize("metadata", [None, "", "[]", "{}", "not JSON", '{"task": "gcd"}'])
def test_a_question_without_an_entry_is_at_fault(gym: ReasoningGym, metadata: str | None) -> None:
    judged = judge(gym, "<answer>1</answer>", Question("q1", "train", "?", "1", metadata=metadata), "stop")
    assert judged.verdict == "error"
    assert "hold no task and entry" in str(judged.reason)
