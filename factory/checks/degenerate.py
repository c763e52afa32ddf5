"""Is the text one at all: no loop, no other script, not too short and not too long?"""

import re
from dataclasses import dataclass
from itertools import groupby
from typing import Annotated, ClassVar

from pydantic import Field, NonNegativeInt, PositiveInt

from factory.checks import PASSED, READ, Rationale, Result, failed, not_applicable

GRAM = 4
FEWEST_GRAMS = 20
"""Fewer runs of :data:`GRAM` words are too few for a share of them."""

LONG_WORD = 60
"""Characters without white space in which a loop is looked for; a shorter word is a word, a number or a formula."""

_LOOP = re.compile(r"(\S{1,12}?)\1{7,}")
_LETTER = re.compile(r"[^\W\d_]")
_OTHER_LETTER = re.compile(r"[^\W\d_a-zA-Z]")
_SCRIPTS = {
    "Cyrillic": "\u0400-\u052f",
    "Greek": "\u0370-\u03ff",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff\u0750-\u077f",
    "Devanagari": "\u0900-\u097f",
    "Bengali": "\u0980-\u09ff",
    "Tamil": "\u0b80-\u0bff",
    "Thai": "\u0e00-\u0e7f",
    "Georgian": "\u10a0-\u10ff",
    "Japanese kana": "\u3040-\u30ff",
    "Han": "\u3400-\u4dbf\u4e00-\u9fff",
    "Hangul": "\u1100-\u11ff\uac00-\ud7af",
    "Latin": "A-Za-z\u00c0-\u024f",
}
_LETTERS = {name: re.compile(f"[{letters}]") for name, letters in _SCRIPTS.items()}
_WORDS = {
    name: re.compile(f"[{letters}]{'{3,}' if name in ('Latin', 'Greek') else '+'}")
    for name, letters in _SCRIPTS.items()
}
"""Latin and Greek letters by themselves are names in mathematics."""


@dataclass(frozen=True)
class Degenerate:
    """No line comes again and again, few runs of four words come twice, the letters are those of the question's script,
    and the text is neither too short nor too long.

    Not applicable to an empty text.

    Args:
        loops: how often the same line may come in a row, or the same piece of a very long word.
        repeated: largest share of runs of four words that were there before; of texts with 23 words or more.
        foreign: largest share of letters that are of a script which the question does not use.
        shortest: fewest characters of a rationale.
        longest: most characters.
    """

    name: ClassVar[str] = "degenerate"
    version: ClassVar[str] = "1"

    loops: PositiveInt = 5
    repeated: Annotated[float, Field(ge=0, le=1)] = 0.5
    foreign: Annotated[float, Field(ge=0, le=1)] = 0.05
    shortest: NonNegativeInt = 10
    longest: Annotated[int, Field(gt=0, le=READ)] = 20_000

    def check(self, rationale: Rationale) -> Result:
        text = rationale.text.strip()
        if not text:
            return not_applicable("it is empty")
        if len(text) < self.shortest:
            return failed(f"it has {len(text)} characters, fewer than {self.shortest}")
        if len(text) > self.longest:
            return failed(f"it has {len(text):,} characters, more than {self.longest:,}")
        reason = self._loops(text) or self._repeats(text)
        if not reason and not _plainly_latin(text, rationale.question.question):
            reason = self._is_foreign(text, rationale.question.question)
        return failed(reason) if reason else PASSED

    def _loops(self, text: str) -> str | None:
        lines = text.splitlines()
        if len(lines) > self.loops and len(set(lines)) <= len(lines) - self.loops:
            for line, same in groupby(lines):
                if line.strip() and (times := len(list(same))) > self.loops:
                    return f'the line "{_short(line.strip())}" comes {times} times in a row'
        return None

    def _repeats(self, text: str) -> str | None:
        words = text.split()
        grams = len(words) - GRAM + 1
        most = self.repeated * grams
        # a run that was there before begins with a word that was there before
        if grams >= FEWEST_GRAMS and len(words) - len(set(words)) > most:
            different = len({*zip(words, words[1:], words[2:], words[3:], strict=False)})
            if grams - different > most:
                share = (grams - different) / grams
                return f"{share:.0%} of its runs of {GRAM} words were there before"
        if len(text) > LONG_WORD * len(words) or max(map(len, words)) > LONG_WORD:
            for word in words:
                found = _LOOP.search(word) if len(word) > LONG_WORD else None
                if found and len(found.group()) > LONG_WORD // 2:
                    times = len(found.group()) // len(found[1])
                    if times > self.loops:
                        return f'"{found[1]}" comes {times} times in a row'
        return None

    def _is_foreign(self, text: str, question: str) -> str | None:
        counts = {name: sum(map(len, words.findall(text))) for name, words in _WORDS.items()}
        foreign = {name: n for name, n in counts.items() if n and not _LETTERS[name].search(question)}
        letters = len(_LETTER.findall(text))
        if sum(foreign.values()) > self.foreign * letters:
            most = max(foreign, key=foreign.__getitem__)
            share = sum(foreign.values()) / letters
            return f"{share:.0%} of its letters are of a script that the question does not use: {most}"
        return None


def _plainly_latin(text: str, question: str) -> bool:
    """Whether a text has no letters but those of English, which its question has as well; most have."""
    if question.isascii():
        return text.isascii() or not _OTHER_LETTER.search(text)
    return False


def _short(line: str) -> str:
    return line if len(line) <= 40 else f"{line[:40]}..."
