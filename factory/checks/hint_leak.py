"""Does the text say that it was given the answer?

A model that is shown the answer is asked for the way to it. What shows through of the hint teaches nothing, and where
there is no hint it makes no sense.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from factory.checks import PASSED, READ, Rationale, Result, failed, not_applicable

_ELSEWHERE = r"(?! (?:\w+ ){0,3}(?:question|problem|puzzle|text|story|passage|above|earlier|before|previously)\b)"
_GIVEN = r"(?:given|stated|provided|shown|told|indicated|marked|specified)"
_SAID = re.compile(
    rf"\b{_GIVEN} (?:(?:the|final|correct|right) )?(?:answer|solution|hint)\b"
    rf"|\b(?:answer|solution|hint)(?: that)?(?: (?:is|was|has been|we|were|are|i|it|already)){{0,3}} {_GIVEN}\b(?! by)"
    rf"|\bas (?:is |was |already )?(?:given|stated|provided|indicated)\b{_ELSEWHERE}"
    rf"|\bas shown (?:in (?:the )?(?:parentheses|brackets)|by (?:the )?(?:answer|hint))\b"
    rf"|\bwe (?:are|were|have been) told (?:that )?(?:the |its )?(?:final |correct |right )?answer\b"
    r"|\b(?:according to|from|based on|matches|match|using|in|says) the (?:hint|given answer|answer key)\b"
    r"|\bthe hint (?:is|was|says|tells|shows|gives)\b"
    r"|\b(?:we|i) (?:already )?know (?:that )?the (?:final |correct |right )?answer\b"
    r"|\b(?:since|because|as) the (?:final |correct |right )?answer (?:is|must be)\b"
    r"|\(correct\)"
)
_WORDS_OF_IT = (
    *(
        "given",
        "stated",
        "provid",
        "shown",
        "told",
        "indicated",
        "marked",
        "specified",
        "hint",
        "answer key",
        "(correct)",
    ),
    *("know the ", "know that the ", "know its ", "e the answer", "s the answer", "e the final ", "s the final "),
    *("e the correct ", "s the correct ", "e the right ", "s the right "),
)
"""One of these is in all that is looked for; most texts have none."""

_FIRST = re.compile(
    r"\W{0,8}(?:(?:so|therefore|thus|hence),? )?(?:(?:the )?(?:final |correct |right )?answer(?: is| must be)?:? ?)?"
    r"[*(\\$\[{]{0,4}"
)
BEGINNING = 200
"""Characters at the beginning of a text in which its first words are looked for."""


@dataclass(frozen=True)
class HintLeak:
    """The text neither says that the answer was given ("the given answer", "as stated", "(CORRECT)", the form of the
    recipe's hint), nor begins with the answer, before any step.

    What the question itself says does not count. Not applicable where nothing of it is said and no answer was read, so
    that it cannot be told whether the text begins with it.

    Args:
        phrases: what else gives a hint away, in small letters or capitals.
    """

    name: ClassVar[str] = "hint_leak"
    version: ClassVar[str] = "1"

    phrases: tuple[str, ...] = ()

    def check(self, rationale: Rationale) -> Result:
        question = rationale.question.question
        text = rationale.text[:READ].lower()
        if (said := self._said(text, question)) is not None:
            return failed(f'it says that the answer was given: "{said}"')
        for mark in rationale.hints:
            if _shows(text, mark.lower(), question):
                return failed(f'it has the form of the hint: "{mark}"')
        answer = rationale.predicted_answer
        if not answer:
            return not_applicable("no answer was read")
        if _begins_with(text[:BEGINNING], answer.lower()):
            return failed("it gives its answer before any step")
        if len(rationale.text) > READ:
            return not_applicable(f"nothing of the kind is said in the first {READ:,} characters; more are not read")
        return PASSED

    def _said(self, text: str, question: str) -> str | None:
        found = [phrase for phrase in self.phrases if phrase.lower() in text]
        if [word for word in _WORDS_OF_IT if word in text]:
            found += [match.group() for match in _SAID.finditer(text)]
        asked = question.lower() if found else ""
        return next((said for said in found if said.lower() not in asked), None)


def _shows(text: str, mark: str, question: str) -> bool:
    """Whether a text shows a hint's mark: alone if there are words in it, else behind the end of the question."""
    if not mark or mark not in text:
        return False
    if re.search(r"[^\W\d_]{3}", mark):
        return mark not in question.lower()
    end = "".join(question.lower().split())[-12:]
    return bool(end) and end + "".join(mark.split()) in "".join(text.split())


def _begins_with(text: str, answer: str) -> bool:
    """Whether the first words of a text give its answer: ``5 + 3 = 8`` does not begin with the answer 5."""
    first = _FIRST.match(text)
    begin = first.end() if first else 0
    if not text.startswith(answer, begin):
        return False
    behind = text[begin + len(answer) :].lstrip(")]}*$ ")
    if not behind or behind[0] in "\n;!" or (behind[0] in ".:" and not behind[1:2].isdigit()):
        return True
    stated = first is not None and "answer" in first.group()
    return stated and (behind[0] == "," or behind.startswith(("because", "since", "as ")))
