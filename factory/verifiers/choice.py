"""The choice that a completion settles on, by its label or its text (multiple choice, as CommonsenseQA)."""

from dataclasses import dataclass
from typing import ClassVar

from factory.attempt import Question
from factory.verifiers import Verdict
from factory.verifiers.answer import final_answer
from factory.verifiers.doubt import NoAnswer, settled
from factory.verifiers.number import flat
from factory.verifiers.offered import Offered


@dataclass(frozen=True)
class Choice:
    r"""The choice named behind the last "answer is", "Answer:", ``####``, ``\boxed{`` or ``<answer>``.

    A choice is named by its label, by its text, or by both; where any label is given, texts without one are taken for
    prose. Only what may stand before an answer stands before it ("option", "it is", "I think"); what follows may give
    a reason, or refuse another choice ("C, not B"). Two choices are no answer, nor is a label beside the text of
    another choice, as in "pear (a)"; what is hedged or denied is none, either: all of them are ``unparseable``. A text
    that is a number is compared by value. Without a marker a completion is read only if it is nothing but a choice.
    ``predicted_answer`` is the label.
    """

    name: ClassVar[str] = "choice"
    version: ClassVar[str] = "2"

    def verify(self, completion: str, question: Question) -> Verdict:
        choices = _offered(question)
        gold = choices.label(question.answer)
        try:
            answer = final_answer(completion)
            predicted = choices.alone(answer.text)
            rest = ""
            if predicted is None:
                if answer.mark == "none":
                    raise NoAnswer("no 'answer is'")
                predicted, rest = choices.settled_on(flat(answer.text))
            settled(rest, answer.behind)
        except NoAnswer as why:
            return Verdict("unparseable", reason=str(why))
        return Verdict(
            "correct" if predicted == gold else "wrong", predicted, open=answer.open and not rest.strip(" ,")
        )

    def state(self, question: Question) -> str:
        choices = _offered(question)
        gold = choices.label(question.answer)
        return f"Therefore, the answer is {choices.texts[gold]} ({gold.lower()})."


def _offered(question: Question) -> Offered:
    """The choices of a question.

    Raises:
        ValueError: it has none.
    """
    if not question.choices:
        raise ValueError("the question has no choices")
    return Offered(question.choices)
