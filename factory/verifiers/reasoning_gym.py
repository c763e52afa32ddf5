"""The scorers of Reasoning Gym (Stojanovski et al. 2025, arXiv 2505.24760): a procedure for every task.

Many answers to one question may be right (a path, a board), so the library checks them; some of its scorers evaluate
what the model wrote, which is why they run in a :mod:`factory.verifiers.child`.
"""

import json
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from pydantic import PositiveFloat

from factory.attempt import Question
from factory.errors import ConfigError
from factory.verifiers import Verdict
from factory.verifiers.answer import final_answer
from factory.verifiers.child import ChildError
from factory.verifiers.children import Children
from factory.verifiers.doubt import NoAnswer, doubted, settled
from factory.verifiers.number import parse_number


class ReasoningGym:
    """What stands between ``<answer>`` and ``</answer>``, judged by the scorer of the question's task.

    Other markers count as well, the last one decides (:mod:`.answer`); without any it is the last line. Only a score
    of 1 is ``correct``: the library gives part of the marks for the right form, or for a right answer among other
    words. Some of its scorers overlook a sign, or take the best of several answers: an answer that hedges, or whose
    number is not the only one or has another sign than the library's own, is not ``correct`` whatever they say. An
    answer on which the scorer raises is ``unparseable``: on the gold answer it did not. A scorer that needs more than
    ``deadline`` seconds of processor time, or dies, gives the verdict ``error``. The question's ``metadata`` holds
    ``{"task", "config", "entry"}``, the entry as the library made it.

    Raises:
        ConfigError: the library is not installed.
    """

    name: ClassVar[str] = "reasoning_gym"
    version: ClassVar[str] = "2"

    def __init__(self, deadline: PositiveFloat = 2.0):
        if find_spec("reasoning_gym") is None:
            problem = "the package reasoning-gym is not installed; a part of it needs a C compiler: see `make setup`"
            raise ConfigError("verifier reasoning_gym", [problem])
        self._score = Children(load, deadline)

    def verify(self, completion: str, question: Question) -> Verdict:
        metadata = _checked(question)
        try:
            predicted, unclosed = written(completion, question.answer)
            score = self._score(metadata, predicted)
            right = score == 1 and _plausible(predicted, question.answer)
        except NoAnswer as why:
            return Verdict("unparseable", reason=str(why))
        except ChildError as error:
            return Verdict("error", predicted, f"verifier {self.name}: {error}")
        if isinstance(score, str):
            return Verdict("unparseable", predicted, f"the scorer cannot read the answer: {score}", unclosed)
        return Verdict("correct" if right else "wrong", predicted, open=unclosed)

    def state(self, question: Question) -> str:
        return f"<answer>{question.answer}</answer>"


def written(completion: str, gold: str) -> tuple[str, bool]:
    """The answer's text, and whether nothing closes it.

    Raises:
        NoAnswer: there is none, or it is taken back.
    """
    answer = final_answer(completion)
    text = answer.text
    if answer.mark == "none":
        text = text.rpartition("\n")[2].strip()
    if answer.mark == "line" and not gold.endswith("."):
        text = text.removesuffix(".")
    if not text:
        raise NoAnswer("no answer")
    settled("", answer.behind)
    return text, answer.open


def _plausible(predicted: str, gold: str) -> bool:
    """Whether an answer that a scorer accepts may be right: not if it has another sign than the library's own.

    Raises:
        NoAnswer: it hedges where that one does not, or is more than the number that that one is.
    """
    word = doubted(predicted)
    if word and word.casefold() not in gold.casefold():
        raise NoAnswer(f"'{word}' in the answer")
    value, number = parse_number(gold), parse_number(predicted)
    if value is not None and number is None:
        raise NoAnswer("not one number")
    return value is None or number is None or (number < 0) == (value < 0)


def _checked(question: Question) -> str:
    """The question's metadata, which hold the task, its configuration and the entry that the library made.

    Raises:
        ValueError: they do not.
    """
    try:
        asked = json.loads(question.metadata or "")
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("entry"), dict) or "task" not in asked:
        raise ValueError("the question's metadata hold no task and entry of Reasoning Gym")
    return str(question.metadata)


def load() -> Callable[[str, str], float | str]:
    """In the child: the library's own scorer, on an entry as JSON gives it back; the error if it raises one."""
    package = import_module("reasoning_gym")

    @lru_cache(maxsize=256)
    def dataset(task: str, config: str) -> Any:
        return package.create_dataset(task, **json.loads(config))

    def score(metadata: str, answer: str) -> float | str:
        asked = json.loads(metadata)
        scorer = dataset(asked["task"], json.dumps(asked.get("config") or {})).score_answer
        try:
            return float(scorer(answer, asked["entry"]))
        except MemoryError:
            raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:200]

    return score
