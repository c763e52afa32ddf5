"""Checkers of final answers: one file each, a class whose parameters are settings of the recipe.

A verifier accepts every gold answer of the corpora it is for; the loop refuses to sample otherwise. Inside it is
three-valued: right, wrong, or no final answer to be found. ``truncated`` and ``error`` are decided outside (see
:func:`judge`), for they say nothing about the answer: the sampling was cut off, or the verification itself failed.
"""

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Protocol

from factory.attempt import Question


@dataclass(slots=True)
class Verdict:
    """What a verifier says of one completion. It is not frozen, for that would take as long as the verdict itself.

    Attributes:
        verdict: one of :data:`schemas.rollouts.VERDICTS`.
        predicted_answer: what was read, if anything.
        reason: why, in words, unless the verdict says it all.
        open: nothing marks the answer, or nothing closes it: a text cut off by the token limit may have gone on.
    """

    verdict: str
    predicted_answer: str | None = None
    reason: str | None = None
    open: bool = field(default=False, compare=False)


class Verifier(Protocol):
    """``name`` and ``version`` are written beside every verdict; a change of behaviour raises the version."""

    name: str
    version: str

    def verify(self, completion: str, question: Question) -> Verdict:
        """Read the final answer of a completion and compare it: ``correct``, ``wrong`` or ``unparseable``.

        ``error``, or any exception, says that the comparison failed; ValueError, that the question is at fault.
        """
        ...

    def state(self, question: Question) -> str:
        """The shortest completion that gives the gold answer: what the verifier is tried on before any sampling."""
        ...


def judge(verifier: Verifier, completion: str, question: Question, finish_reason: str) -> Verdict:
    """The verdict on one attempt: ``correct`` if it gives any of the accepted answers, else that beside the gold one.

    A completion that hit the token limit without a complete final answer is ``truncated``, whatever it ends in, and
    not ``unparseable``: the remedy differs. A verifier that raises gives ``error``, which counts neither as right nor
    as wrong.
    """
    try:
        verdict = verifier.verify(completion, question)
        others = (question.accepted_answers or ())[1:] if verdict.verdict != "correct" else ()
        for other in others:
            with suppress(ValueError):  # an answer that this verifier does not read is accepted by another
                beside = verifier.verify(completion, replace(question, answer=other))
                if beside.verdict == "correct":
                    verdict = beside
                    break
    except Exception as error:
        return Verdict("error", reason=f"verifier {verifier.name}: {type(error).__name__}: {error}")
    if finish_reason == "length" and (verdict.open or verdict.verdict == "unparseable"):
        return Verdict("truncated", reason="the token limit came before a final answer")
    return verdict
