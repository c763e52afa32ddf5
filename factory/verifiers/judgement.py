"""What a judge says of a rationale: pass or fail, and why (the process check ``judge``)."""

import re
from dataclasses import dataclass
from typing import ClassVar

from factory.attempt import Question
from factory.verifiers import Verdict
from factory.verifiers.doubt import NoAnswer
from factory.verifiers.visible import visible

_JUDGED = re.compile(
    r"^[ \t>*_#`\"'-]{0,8}(PASS|FAIL)[*_`\"']{0,3}(?=\s*$|[:.,]|\s+[-\u2013\u2014])(.{0,2000})$",
    re.IGNORECASE | re.MULTILINE,
)
"""A line that begins with the word, alone or with punctuation behind it, as the rubric asks for it."""

_AGAIN = re.compile(r"\b(?:pass|fail)(?:e?s|ed|ing)?\b", re.IGNORECASE)

REASON = 300
"""Characters of a judge's reason that are kept."""


@dataclass(frozen=True)
class Judgement:
    """``correct`` for a line that begins with PASS, ``wrong`` for FAIL, and as the reason what the line says.

    Both words, neither, or "pass or fail" said again are ``unparseable``: a judge that cannot be read has not judged.
    """

    name: ClassVar[str] = "judgement"
    version: ClassVar[str] = "1"

    def verify(self, completion: str, question: Question) -> Verdict:
        try:
            lines = _JUDGED.findall(visible(completion))
        except NoAnswer as why:
            return Verdict("unparseable", reason=str(why))
        said = {word.upper() for word, _ in lines}
        if len(said) != 1:
            return Verdict("unparseable", reason="both PASS and FAIL" if said else "no line begins with PASS or FAIL")
        word, reason = lines[-1]
        if _AGAIN.search(reason):
            return Verdict("unparseable", reason="both words in one line")
        told = " ".join(reason.lstrip(" \t:.,;*_`\"'\u2014\u2013-").rstrip(" *_`").split())[:REASON]
        return Verdict("correct" if word.upper() == "PASS" else "wrong", word.lower(), told or None)

    def state(self, question: Question) -> str:
        return "PASS: every step holds."
