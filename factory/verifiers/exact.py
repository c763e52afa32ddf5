"""The final answer after a marker, compared as a string."""

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from factory.attempt import Question
from factory.verifiers import Verdict
from factory.verifiers.answer import CLOSERS
from factory.verifiers.doubt import NoAnswer, denied, doubted, settled
from factory.verifiers.visible import visible

_AROUND = " *_`\"':="
"""What may stand around an answer without being a part of it."""


@dataclass(frozen=True)
class Exact:
    """The text after the last ``marker``, up to the end of its line, must equal the gold answer.

    White space around the two, a colon and emphasis around the first, a final full stop, the case of letters and the
    way in which Unicode composes them do not count. Another text with a hedge in it is ``unparseable``.
    """

    name: ClassVar[str] = "exact"
    version: ClassVar[str] = "2"

    marker: str = "The answer is"

    def verify(self, completion: str, question: Question) -> Verdict:
        gold = _normal(question.answer)
        try:
            text = visible(completion)
            before, found, tail = text.rpartition(self.marker)
            line, _, behind = tail.partition("\n")
            predicted = _normal(line)
            if predicted != gold:
                predicted = _normal(predicted.partition("</")[0].strip(_AROUND))
            if not found or not predicted:
                raise NoAnswer(f"no '{self.marker}'")
            doubt = denied(before[-80:]) if before and before[-1] != "\n" else None
            if predicted != gold:
                doubt = doubt or doubted(predicted)
            if doubt:
                raise NoAnswer(f"'{doubt}' beside the answer")
            if behind:
                settled("", behind)
        except NoAnswer as why:
            return Verdict("unparseable", reason=str(why))
        unclosed = len(line) == len(tail) and line[-1:] not in CLOSERS
        return Verdict("correct" if predicted == gold else "wrong", predicted, open=unclosed)

    def state(self, question: Question) -> str:
        return f"{self.marker} {question.answer}"


def _normal(text: str) -> str:
    text = text if text.isascii() else unicodedata.normalize("NFC", text)
    return text.strip().removesuffix(".").strip().casefold()
