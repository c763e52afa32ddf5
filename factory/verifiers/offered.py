"""The choices that a question offers, and which of them a line of text settles on.

Nothing is compiled per question: a line is read token by token, and labels and texts are looked up.
"""

import re
from functools import cached_property
from typing import NamedTuple

from factory.prompts import Choices
from factory.verifiers.doubt import REASON, SENTENCE_END, NoAnswer
from factory.verifiers.number import flat, parse_number
from factory.verifiers.stated import is_whole, stated


class _Mention(NamedTuple):
    """A label, bare or in brackets, or a text with the labels that have it (a few questions give one text twice)."""

    start: int
    end: int
    labels: frozenset[str]
    by: str


BARE, BRACKETS, TEXT = "bare", "brackets", "text"

_WRAPPED = " \t\r\n*_`\"'$"
_ENDING = _WRAPPED + "."
_BRACKETED = re.compile(r"[(\[<{]\s?([^()\[\]<>{}\s]{1,9})\s?[)\]>}]")
_TOKEN = re.compile(r"[^\W_]+(?:[.'\u2019-][^\W_]+)*")
_WORD = re.compile(r"[\s*_`$]*([^\W_]+)")
_NEXT = re.compile(r"\s+([^\W_]+)")
_PUNCTUATION = frozenset(" *_`\"'\u201c\u201d\u2018\u2019$:,.;!()[]{}\u2014-")
_HEADED = re.compile(r"\(?([^\W_]{1,3})[).:]\s")
_LEADS = """
    the a an this that it is it's its are was be i we you i'd in think believe choose pick select say option
    choice letter answer number at namely simply just clearly definitely obviously indeed therefore thus so
    hence on to by from with inside go into e.g i.e correct right best one
"""
_LEADING = frozenset(_LEADS.split())
"""The words that may stand before the choice that a sentence settles on. No other may: "anything but", "dark"."""

# What may follow without punctuation between: a reason, and behind a text also where and when.
_REASONS = frozenset(["because", "since", "as", "due", "given", "is", "was", "not", "rather", "instead"])
_PLACES = frozenset(["for", "which", "where", "when", "that", "so", "in", "on", "at", "with", "from", "to"])
_OPERATORS = frozenset("0123456789-+/^=<>\u00b1\u2248~\u221a\\")
_SYMBOL = re.compile(r"\s?(?:[+/^=<>|&%~\\]|[-*]\s?\w|\*\*?\s?\d)")
_REJECTS = re.compile(
    r"[\s,;:\u2014-]{0,4}(?:and |but )?(?:definitely |certainly |clearly )?(?:not|rather than|instead of)\s"
    r"(?:(?:the|an?|option|choice) ){0,2}",
    re.IGNORECASE,
)
_JOINS = re.compile(
    r"\s?(?:[,;/&+\u2014-]|(?:or|and|to|then|plus)\b)(?: ?(?:or|and|then)\b)?\s?(?:(?:the|option) )?", re.IGNORECASE
)


class Offered:
    """The choices of one question."""

    def __init__(self, choices: Choices):
        self.choices = choices
        self.labels = {choice["label"].casefold(): choice["label"] for choice in choices}

    @cached_property
    def texts(self) -> dict[str, str]:
        return {choice["label"]: choice["text"].strip() for choice in self.choices}

    @cached_property
    def having(self) -> dict[str, frozenset[str]]:
        """The labels of each text."""
        having: dict[str, frozenset[str]] = {}
        for label, text in self.texts.items():
            having[_key(text)] = having.get(_key(text), frozenset()) | {label}
        return having

    def label(self, gold: str) -> str:
        """The label that is the gold answer.

        Raises:
            ValueError: it is none of the labels.
        """
        label = self.labels.get(gold.strip().casefold())
        if label is None:
            raise ValueError(f"the gold answer {gold!r} is none of the labels {', '.join(self.texts)}")
        return label

    def alone(self, said: str) -> str | None:
        """The label of a text that is nothing but a choice: "B", "(b)", "bank", "bank (b)", "(b) bank", "B. bank"."""
        key = _key(said)
        if key[-1:] in (")", "]"):
            rest, _, label = key[:-1].replace("[", "(").rpartition("(")
        else:
            head = _HEADED.match(key)
            label, rest = (head[1], key[head.end() :]) if head else (key, "")
        found = self.labels.get(label.strip(_WRAPPED))
        if found is not None and (rest := rest.strip(" ,:.-*_")):
            for one in self.choices:
                if one["label"] == found:
                    return found if _key(one["text"]) == rest else None
        same = self.having.get(key, frozenset())
        if found is not None:
            return found if same <= {found} else None
        return next(iter(same)) if len(same) == 1 else None

    def settled_on(self, line: str) -> tuple[str, str]:
        """The label of the choice that a line settles on, and what follows it in the line.

        Raises:
            NoAnswer: it names none, or several, or more than a choice.
        """
        low = line.casefold()
        if len(low) != len(line):
            line = low
        texts = self._texts(low)
        first = self._first(line, texts)
        if first is None:
            return self._by_value(line, texts)
        named, end, by = first.labels, first.end, {first.by}
        beside = self._mention(line, _past(line, end), texts)
        if beside and (beside.by == TEXT) != (first.by == TEXT):
            # A label and a text side by side name one choice, or contradict each other.
            named, end, by = named & beside.labels or named | beside.labels, beside.end, by | {beside.by}
        while rejects := _REJECTS.match(line, end):
            other = self._mention(line, rejects.end(), texts)
            if other is None or other.labels & named:
                break
            end = other.end
        if by == {TEXT} and all(parse_number(self.texts[label]) is not None for label in named):
            return self._by_value(line, texts)
        named |= self._others(line, end, texts, by)
        if len(named) != 1:
            raise NoAnswer(f"names {' and '.join(sorted(named))}")
        if by != {BRACKETS}:
            _followed(line, end, first.by == BARE and len(by) == 1)
        return next(iter(named)), line[end:]

    def _first(self, line: str, texts: dict[int, _Mention]) -> _Mention | None:
        """The mention that a line begins with, but for words that may stand before it."""
        at = _past(line, 0)
        while True:
            mention = self._mention(line, at, texts)
            token = _TOKEN.match(line, at)
            if mention or token is None or token[0].casefold() not in _LEADING:
                return mention
            at = _past(line, token.end())

    def _mention(self, line: str, at: int, texts: dict[int, _Mention]) -> _Mention | None:
        """The label or text that begins at a place."""
        bracketed = _BRACKETED.match(line, at)
        if bracketed and (label := self.labels.get(bracketed[1].strip(_WRAPPED).casefold())):
            return _Mention(at, bracketed.end(), frozenset((label,)), BRACKETS)
        if at in texts:
            return texts[at]
        token = _TOKEN.match(line, at)
        label = self.labels.get(token[0].casefold()) if token else None
        if token is None or label is None or line[token.end() : token.end() + 1] in frozenset("'\u2019^%-+"):
            return None
        if token[0].isdigit() and not _delimited(line, at, token.end()):
            return None
        word = _NEXT.match(line, token.end())
        if (
            word
            and word.start(1) not in texts
            and word[1].casefold() not in _REASONS
            and not _JOINS.match(line, token.end())
        ):
            return None  # "A good choice", "I think"
        if word and token[0] != label and not _JOINS.match(line, token.end()):
            return None  # "a bank" begins with an article; before another word a label must be written as one
        return _Mention(at, token.end(), frozenset((label,)), BARE)

    def _texts(self, low: str) -> dict[int, _Mention]:
        """The texts in a line, by where they begin; the longest first, so that "bank vault" is not taken for "bank"."""
        found: dict[int, _Mention] = {}
        taken = bytearray(len(low))
        for key in sorted(filter(None, self.having), key=len, reverse=True):
            at = low.find(key)
            while at >= 0:
                end = at + len(key)
                if not any(taken[at:end]) and _delimited(low, at, end):
                    found[at] = _Mention(at, end, self.having[key], TEXT)
                    taken[at:end] = b"\1" * len(key)
                at = low.find(key, end)
        return found

    def _others(self, line: str, start: int, texts: dict[int, _Mention], by: set[str]) -> frozenset[str]:
        """The other choices that the sentence names. Behind a reason only labels in brackets count."""
        ends = (
            stop.end()
            for stop in SENTENCE_END.finditer(line, start)
            if not any(one.start <= stop.start() < one.end for one in texts.values())
        )
        end = next(ends, len(line))
        reason = REASON.search(line, start, end)
        before = reason.start() if reason else end
        tokens = [token[1] for token in _BRACKETED.finditer(line, start, end)]
        for token in _TOKEN.finditer(line, start, before):
            if token[0] not in ("A", "I") or not re.match(r" [a-z]", line[token.end() : token.end() + 2]):
                tokens += [token[0]] if token[0] in self.texts else []
        lower = line[start - 1 : start].islower()
        while by == {BARE} and (joins := _JOINS.match(line, start)) and (joined := _TOKEN.match(line, joins.end())):
            tokens += [joined[0]] if joined[0].islower() == lower else []
            start = joined.end()
        named = {self.labels[token.casefold()] for token in tokens if token.casefold() in self.labels}
        if by == {TEXT}:
            named = named.union(*(text.labels for at, text in texts.items() if start <= at < before))
        return frozenset(named)

    def _by_value(self, line: str, texts: dict[int, _Mention]) -> tuple[str, str]:
        """The choice whose text is the number that a line gives."""
        values = {label: parse_number(text) for label, text in self.texts.items()}
        if any(value is not None for value in values.values()) and re.search(r"\d", line):
            found = stated(line)
            named = frozenset(label for label, value in values.items() if value is not None and value == found.value)
            others = self._others(line, len(line) - len(found.rest), texts, {TEXT})
            if len(named | others) > 1:
                raise NoAnswer(f"names {' and '.join(sorted(named | others))}")
            if named:
                return next(iter(named)), found.rest
        raise NoAnswer("names no choice")


def _key(text: str) -> str:
    """A choice's text as texts are compared: case, white space, emphasis and a full stop at its end do not count."""
    if not (text.isascii() and text.isprintable()) or "\\" in text or "  " in text:
        text = flat(text)
    return text.lstrip(_WRAPPED).rstrip(_ENDING).casefold()


def _past(line: str, at: int) -> int:
    """The place behind punctuation, or that of a label in brackets."""
    while line[at : at + 1] in _PUNCTUATION and not _BRACKETED.match(line, at):
        at += 1
    return at


def _delimited(line: str, start: int, end: int) -> bool:
    """Whether a text stands by itself, and is no part of a word, a number or a formula."""
    if line[start - 1 : start].isalnum() or line[end : end + 1].isalnum():
        return False
    if line[start].isdigit() or line[start] in "-.":
        before = line[max(0, start - 9) : start]
        if before[-1:] in (".", ",", "~") or before.rstrip(" *_([{$\"'`")[-1:] in _OPERATORS:
            return False
    return not line[end - 1].isdigit() or is_whole(line, start, end)


def _followed(line: str, end: int, bare: bool) -> None:
    """Hold what follows a text or a bare label against it: a "bank account" is no bank.

    Raises:
        NoAnswer: it is more than a choice.
    """
    word = _WORD.match(line, end)
    if word and word[1].casefold() not in _REASONS and (bare or word[1].casefold() not in _PLACES):
        raise NoAnswer(f"'{word[1]}' behind the choice")
    symbol = _SYMBOL.match(line, end)
    if symbol:
        raise NoAnswer(f"'{symbol[0].strip()}' behind the choice")
