"""The final number of a completion, compared by value (GSM8K style)."""

import re
from dataclasses import dataclass
from typing import ClassVar

from factory.attempt import Question
from factory.verifiers import Verdict
from factory.verifiers.answer import SPAN, final_answer, may_go_on, plain_ending
from factory.verifiers.doubt import NoAnswer, refuse_next_part, sentence, settled
from factory.verifiers.number import parse_number, plainly, same_value
from factory.verifiers.stated import Stated, is_whole, stated


@dataclass(frozen=True)
class Numeric:
    r"""The one number behind the last ``####``, ``\boxed{``, ``<answer>`` or "answer is".

    Its unit, currency, emphasis and a reason may stand around it; another number, a hedge or a denial makes the
    completion ``unparseable``, and so does what is more than a number, as ``2^10`` and ``12:00``. Of an equation the
    side that is no calculation counts. Without a marker the last sentence with a number is read if that is the only
    one in it; with ``marked_only`` nothing is.

    Thousands separators, ``$``, ``%``, minus signs of Unicode and trailing zeros do not count; fractions ``3/4`` and
    decimals are compared exactly, as fractions, but for a gold answer of 6 decimals or more (see
    :func:`~factory.verifiers.number.same_value`).
    """

    name: ClassVar[str] = "numeric"
    version: ClassVar[str] = "2"

    marked_only: bool = False

    def verify(self, completion: str, question: Question) -> Verdict:
        plain = plain_ending(completion)
        if plain == question.answer:
            return Verdict("correct", plain, None, may_go_on(completion))
        if parse_number(question.answer) is None:
            raise ValueError(f"the gold answer {question.answer!r} is not a number")
        if plain is not None:
            right = same_value(parse_number(plain), question.answer)
            return Verdict("correct" if right else "wrong", plain, None, may_go_on(completion))
        try:
            found, unclosed = self._final_number(completion)
        except NoAnswer as why:
            return Verdict("unparseable", reason=str(why))
        right = same_value(found.value, question.answer)
        return Verdict("correct" if right else "wrong", found.written, open=unclosed)

    def state(self, question: Question) -> str:
        return f"The answer is {question.answer}."

    def _final_number(self, completion: str) -> tuple[Stated, bool]:
        """The number that a completion gives, and whether nothing closes it.

        Raises:
            NoAnswer: there is none, or not exactly one; the message says what else is there.
        """
        answer = final_answer(completion)
        if answer.mark == "none":
            if self.marked_only:
                raise NoAnswer("no marked answer")
            statement, behind = _last_statement(answer.text)
            if _BRACKETED.fullmatch(statement) and statement != answer.text:
                raise NoAnswer(f"'{statement[:24]}' is no sentence")  # a label, or the hint said again
            found = stated(statement, alone=True)
            settled(found.rest, behind)
            return found, True
        text = _EXCLAIMED.sub("", answer.text) if answer.mark == "line" and "!" in answer.text[-5:] else answer.text
        found = stated(plainly(text))
        beside = plainly(answer.behind[:60]).lstrip("$")
        if answer.mark == "box" and not (_CLOSED.match(beside) or is_whole(beside, 0, 0)):
            raise NoAnswer("the box holds a piece of the number")
        settled(found.rest, answer.behind)
        refuse_next_part(found.rest, answer.behind)
        word = found.rest.strip(" ,-").casefold()
        return found, answer.open and any(magnitude.startswith(word) for magnitude in _MAGNITUDES)


_EXCLAIMED = re.compile(r"(?:(?<=[$.]\d)|(?<=[$.]\d\d)|(?<=[2-9]\d)|(?<=\d\d\d))![*_\"' ]{0,4}\Z")
"""Behind a price, a decimal or 20 and more: nobody leaves such a factorial as it is."""

_BRACKETED = re.compile(r"[(\[][^()\[\]]{0,200}[)\]][.\s]{0,9}")

_CLOSED = re.compile(r"\s*(?:</|\\end\b|\\\\)")
"""What closes the tag, the lines or the line of a formula in which a box stands."""

_MAGNITUDES = ("hundred", "thousand", "million", "billion", "trillion", "dozen", "squared", "cubed", "times", "halves")
"""Of which a text that is cut off may hold the beginning: "12 thou"."""

_CONCLUSION = re.compile(
    r"(?:^|.*[,;]\s?)(?:and )?(?:so|thus|therefore|hence|which means)\b,?", re.IGNORECASE | re.DOTALL
)


def _last_statement(text: str) -> tuple[str, str]:
    """The last sentence with a digit, from its conclusion on ("there are 3 and 4, so 7"), and what follows it."""
    lines = text[-SPAN:].split("\n")
    behind = ""
    while lines:
        line = plainly(lines.pop())
        rest, before, after = line, None, ""
        while rest:
            said, rest = sentence(rest)
            if re.search(r"\d", said):
                before, after = said, rest
        if before is not None:
            conclusion = _CONCLUSION.match(before)
            return before[conclusion.end() if conclusion else 0 :].strip(), f"{after}{behind}".rstrip()
        behind = f"\n{line}{behind}"
    raise NoAnswer("no number where the answer should be")
