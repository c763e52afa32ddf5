"""The final answer after a marker, compared as a string."""

from dataclasses import dataclass
from typing import ClassVar

from factory.attempt import Question
from factory.verifiers import Verdict


@dataclass(frozen=True)
class Exact:
    """The text after the last ``marker``, up to the end of its line, must equal the gold answer.

    White space around the two, a final full stop and the case of letters do not count.
    """

    name: ClassVar[str] = "exact"
    version: ClassVar[str] = "1"

    marker: str = "The answer is"

    def verify(self, completion: str, question: Question) -> Verdict:
        _, found, tail = completion.rpartition(self.marker)
        predicted = _normal(tail.partition("\n")[0]) if found else ""
        if not predicted:
            return Verdict("unparseable", reason=f"no '{self.marker}'")
        return Verdict("correct" if predicted == _normal(question.answer) else "wrong", predicted)

    def state(self, question: Question) -> str:
        return f"{self.marker} {question.answer}"


def _normal(text: str) -> str:
    return text.strip().removesuffix(".").strip().casefold()
