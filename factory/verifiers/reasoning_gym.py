"""The scorers of Reasoning Gym (Stojanovski et al. 2025, arXiv 2505.24760): a procedure for every task.

Many answers to one question may be right (a path, a board), so the library checks them; some of its scorers evaluate
what the model wrote, which is why they run in a :mod:`factory.verifiers.child`.
"""

import json
import re
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

from pydantic import PositiveFloat

from factory.attempt import Question
from factory.errors import ConfigError
from factory.verifiers import Verdict
from factory.verifiers.child import Child, ChildError

_TAGGED = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL | re.IGNORECASE)
_MARK = re.compile(r"\banswer\s+is\b:?", re.IGNORECASE)


class ReasoningGym:
    """What stands between the last ``<answer>`` and ``</answer>``, judged by the scorer of the question's task.

    Without tags it is what follows the last "answer is", up to the end of that line; without that, the last line.
    Only a score of 1 is ``correct``: the library gives part of the marks for the right form, or for a right answer
    among other words. An answer on which the scorer raises is ``unparseable``: on the gold answer it did not. A scorer
    that needs more than ``deadline`` seconds of processor time, or dies, gives the verdict ``error``. The question's
    ``metadata`` holds ``{"task", "config", "entry"}``, the entry as the library made it.

    Raises:
        ConfigError: the library is not installed.
    """

    name: ClassVar[str] = "reasoning_gym"
    version: ClassVar[str] = "1"

    def __init__(self, deadline: PositiveFloat = 2.0):
        if find_spec("reasoning_gym") is None:
            problem = "the package reasoning-gym is not installed; a part of it needs a C compiler: see `make setup`"
            raise ConfigError("verifier reasoning_gym", [problem])
        self._score = Child(load, deadline)

    def verify(self, completion: str, question: Question) -> Verdict:
        asked = _asked(question)
        predicted = final_answer(completion)
        if not predicted:
            return Verdict("unparseable", reason="no answer")
        try:
            score = self._score(asked["task"], json.dumps(asked.get("config") or {}), predicted, asked["entry"])
        except ChildError as error:
            return Verdict("error", predicted, f"verifier {self.name}: {error}")
        if isinstance(score, str):
            return Verdict("unparseable", predicted, f"the scorer cannot read the answer: {score}")
        return Verdict("correct" if score == 1 else "wrong", predicted)

    def state(self, question: Question) -> str:
        return f"<answer>{question.answer}</answer>"


def final_answer(completion: str) -> str:
    """The answer's text without the white space around it; empty if there is none."""
    tagged = _TAGGED.findall(completion)
    if tagged:
        return str(tagged[-1]).strip()
    marks = list(_MARK.finditer(completion))
    if marks:
        return completion[marks[-1].end() :].strip().partition("\n")[0].strip()
    return completion.rstrip().rpartition("\n")[2].strip()


def _asked(question: Question) -> dict[str, Any]:
    """The task, its configuration and the entry that the library made.

    Raises:
        ValueError: the question's metadata hold no such thing.
    """
    try:
        asked = json.loads(question.metadata or "")
    except ValueError:
        asked = None
    if not isinstance(asked, dict) or not isinstance(asked.get("entry"), dict) or "task" not in asked:
        raise ValueError("the question's metadata hold no task and entry of Reasoning Gym")
    return asked


def load() -> Callable[[str, str, str, dict[str, Any]], float | str]:
    """In the child: the library's own scorer, on an entry as JSON gives it back; the error if it raises one."""
    package = import_module("reasoning_gym")

    @lru_cache(maxsize=256)
    def dataset(task: str, config: str) -> Any:
        return package.create_dataset(task, **json.loads(config))

    def score(task: str, config: str, answer: str, entry: dict[str, Any]) -> float | str:
        scorer = dataset(task, config).score_answer
        try:
            return float(scorer(answer, entry))
        except MemoryError:
            raise
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:200]

    return score
