"""The choice that a completion settles on, by its label or its text (multiple choice, as CommonsenseQA)."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from factory.attempt import Question
from factory.verifiers import Verdict

_MARK = re.compile(r"####|\\boxed\s*\{|\banswer(?:\*\*)?\s*(?:is|=|:)", re.IGNORECASE)
_TEXT_COMMAND = re.compile(r"\\(?:text|textbf|mathrm|mathbf)\s*\{")
_SENTENCE_END = re.compile(r"[.!?](?=\W*\s\W*[A-Z])")
_DENIAL = re.compile(r"\W*(?:not|neither|none)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Choice:
    r"""The choice named behind the last "answer is", "Answer:", ``####`` or ``\boxed{``, up to the end of the sentence.

    A choice is named by its label, by its text, or by both; where any label is given, texts without one are taken for
    prose. A label in brackets counts anywhere, one without brackets must come first. Two choices are no answer, nor is
    a label beside the text of another choice, as in "pear (a)": both are ``unparseable``. Without a marker a
    completion is read only if it is nothing but a choice. ``predicted_answer`` is the label.
    """

    name: ClassVar[str] = "choice"
    version: ClassVar[str] = "1"

    def verify(self, completion: str, question: Question) -> Verdict:
        choices = _choices(question)
        gold = choices.label(question.answer)
        end = max((mark.end() for mark in _MARK.finditer(completion)), default=None)
        if end is None and not choices.alone.fullmatch(completion):
            return Verdict("unparseable", reason="no 'answer is'")
        line = _TEXT_COMMAND.sub("", completion[end or 0 :]).lstrip(" \t\r\n*:").partition("\n")[0]
        named = choices.named_in(line)
        if len(named) != 1:
            return Verdict("unparseable", reason=f"names {' and '.join(sorted(named)) or 'no choice'}")
        predicted = named.pop()
        return Verdict("correct" if predicted == gold else "wrong", predicted)

    def state(self, question: Question) -> str:
        choices = _choices(question)
        gold = choices.label(question.answer)
        return f"Therefore, the answer is {choices.texts[gold]} ({gold.lower()})."


@dataclass(frozen=True)
class _Mention:
    """A label, or a text with the labels that have it (a few questions give one text twice)."""

    start: int
    end: int
    labels: frozenset[str]
    is_label: bool


class _Choices:
    """The choices of one question, and how to find them in a line of text."""

    def __init__(self, choices: tuple[tuple[str, str], ...]):
        self.texts = {label: text.strip() for label, text in choices}
        self.labels = {label.casefold(): label for label in self.texts}
        self.having: dict[str, set[str]] = {}
        for label, text in self.texts.items():
            self.having.setdefault(_key(text), set()).add(label)
        label = "|".join(map(re.escape, sorted(self.texts, key=len, reverse=True)))
        # the longest first, so that "bank vault" is not taken for "bank"; no group matches where every text is empty
        words = [r"\s+".join(map(re.escape, key.split())) for key in sorted(self.having, key=len, reverse=True) if key]
        text = "|".join(words) or "(?!)"
        flags = re.IGNORECASE
        self.mention = re.compile(rf"[(\[]({label})[)\]]|(?<!\w)({text})(?!\w)", flags)
        self.head = re.compile(rf"\W*(?:(?:option|choice|letter)\W+)?({label})(?![\w'-]|\.\w)(\s+\w)?", flags)
        self.further = re.compile(rf"\W*(?:[,/&]|\b(?:or|and)\b)\W*({label})(?![\w'-])", flags)
        self.alone = re.compile(rf"\W*(?:(?:{label})|(?:(?:{label})\W+)?(?:{text})(?:\W+(?:{label}))?)\W*", flags)

    def label(self, gold: str) -> str:
        """The label that is the gold answer.

        Raises:
            ValueError: it is none of the labels.
        """
        label = self.labels.get(gold.strip().casefold())
        if label is None:
            raise ValueError(f"the gold answer {gold!r} is none of the labels {', '.join(self.texts)}")
        return label

    def named_in(self, line: str) -> set[str]:
        """The labels of the choices that the first sentence of a line names."""
        mentions = self._mentions(line)
        if _DENIAL.match(line) and not (mentions and not line[: mentions[0].start].strip()):
            return set()
        by_label: set[str] = set()
        by_text: set[str] = set()
        while mentions:
            one = mentions.pop(0)
            if mentions and one.is_label != mentions[0].is_label and not _words(line[one.end : mentions[0].start]):
                other = mentions.pop(0)  # a label and a text side by side name one choice, or contradict each other
                by_label |= one.labels & other.labels or one.labels | other.labels
            elif one.is_label:
                by_label |= one.labels
            else:
                by_text |= one.labels
        return by_label or by_text

    def _mentions(self, line: str) -> list[_Mention]:
        """The labels and texts in the first sentence of a line, in order."""
        found = [
            _Mention(match.start(), match.end(), frozenset({self.labels[match[1].casefold()]}), True)
            if match[1]
            else _Mention(match.start(), match.end(), frozenset(self.having[_key(match[2])]), False)
            for match in self.mention.finditer(line)
        ]
        heads = self._heads(line, found)
        if heads:
            found = heads + [one for one in found if one.start >= heads[-1].end]
        for stop in _SENTENCE_END.finditer(line):
            within = any(one.start <= stop.start() < one.end for one in found)
            numbering = any(not (one.is_label or _words(line[stop.end() : one.start])) for one in found)
            if not within and not (heads and heads[-1].end == stop.start() and numbering):  # as in "E. Blotter"
                return [one for one in found if one.start < stop.start()]
        return found

    def _heads(self, line: str, found: list[_Mention]) -> list[_Mention]:
        """Labels without brackets, which count only where the line begins with them: "C", "Option C.", "B or C"."""
        match = self.head.match(line)
        if match is None or (match[2] and (match[1] not in self.texts or match[1].islower())):
            return []  # "a bank" begins with an article; before another word a label must be written as one
        if found and found[0].start <= match.start(1):
            named = len(found) > 1 and found[1].is_label and found[0].labels & found[1].labels
            if found[0].start < match.start(1) or found[0].end > match.end(1) or named:
                return []  # it is in brackets, or part of a choice's text
        labels = [match]
        while (further := self.further.match(line, labels[-1].end(1))) and further[1].isupper() == match[1].isupper():
            labels.append(further)
        return [_Mention(one.start(1), one.end(1), frozenset({self.labels[one[1].casefold()]}), True) for one in labels]


def _choices(question: Question) -> _Choices:
    """The choices of a question.

    Raises:
        ValueError: it has none.
    """
    if not question.choices:
        raise ValueError("the question has no choices")
    return _cached(tuple((choice["label"], choice["text"]) for choice in question.choices))


_cached = lru_cache(maxsize=1 << 12)(_Choices)


def _key(text: str) -> str:
    """A choice's text as texts are compared: case, white space and a full stop at its end do not count."""
    return " ".join(text.split()).rstrip(" .").casefold()


def _words(text: str) -> bool:
    return re.search(r"\w", text) is not None
