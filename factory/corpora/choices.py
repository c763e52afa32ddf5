"""The choices of a question in the forms that tables have them in, and which of them an answer means."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from factory.corpora.cells import NotText, is_list, text, written_out

LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FORMS = 'a list of texts, texts by label, a list of {label, text}, or {"label": [...], "text": [...]}'

Choice = dict[str, str]
Reading = Literal["label", "index", "text"]
"""How an answer names a choice: by its label, by its number from 0, or by its text."""

# "A)324", "(b) red", "A. x", "c : y", "**A.** x"; after a number's point or colon there may be more: "1.5", "2:30"
_OWN_LABEL = re.compile(
    r"\s*(?:\*\*)?[(\[]?\s*([A-Za-z]|\d{1,2}|[ivx]{1,5})\s*"
    r"(?:[)\]](?:\*\*)?[.:]?\s*|(?<=[A-Za-z\s])[.:](?:\*\*)?\s*|[.:](?:\*\*)?\s+|\*\*[.:)]?\s*)(?=\S)"
)
_ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV"]
_BARE_LABEL = re.compile(r"[(\[]?\s*(\w+)\s*[)\].:]*")


class Ambiguous(ValueError):
    """Raised for an answer that means one choice in one reading and another in another."""


def read_choices(given: Any) -> list[Choice] | None:
    """The choices that a cell holds, in their order, as ``{label, text}``; None if it is empty.

    A list is labelled A, B, ... Labels that the texts carry themselves are taken out of them, so that they are shown
    once.

    Raises:
        NotText: it holds something else, more choices than there are letters, or a choice without a text.
    """
    if isinstance(given, str | bytes):
        written = text(given) or ""
        given = written_out(written, whatever=True) if written else None
        if written and not isinstance(given, list | dict):
            raise NotText("choices that cannot be read")
    if given is None or (not isinstance(given, Mapping) and is_list(given) and not len(given)):
        return None
    pairs, labelled = _pairs(given)
    choices = [(text(label), text(one)) for label, one in pairs]
    if any(label is None or one is None for label, one in choices):
        raise NotText("choices with one that is empty")
    labels, texts = [str(label) for label, _ in choices], [str(one) for _, one in choices]
    own = [_OWN_LABEL.match(one) for one in texts]
    if len(texts) > 1 and all(own):
        carried = [match[1].upper() for match in own if match]
        expected = {label.upper() for label in labels}
        counted = [[str(number + begin) for number in range(len(texts))] for begin in (0, 1)]
        known = [expected, *map(set, counted), set(_ROMAN[: len(texts)])]
        if set(carried) in known and not labelled:
            labels = carried
        if carried == [label.upper() for label in labels]:
            texts = [one[match.end() :].strip() for one, match in zip(texts, own, strict=True) if match]
        elif labelled and set(carried) == expected:
            raise NotText("choices that carry the labels of others")
    if len({label.casefold() for label in labels}) < len(labels):
        raise NotText("choices of which two have the same label")
    return [{"label": label, "text": one} for label, one in zip(labels, texts, strict=True)]


def _pairs(given: Any) -> tuple[list[tuple[Any, Any]], bool]:
    """Labels with texts, and whether the cell itself labels them."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(given, Mapping) and given.keys() == {"label", "text"} and is_list(given["text"]):
        if not is_list(given["label"]) or len(given["label"]) != len(given["text"]):
            raise NotText("choices with more or fewer labels than texts")
        pairs = zip(given["label"], given["text"], strict=True)
    elif isinstance(given, Mapping):
        found = list(given.items())
        while found and found[-1][1] is None:  # a table of A to E holds questions with four choices, too
            found.pop()
        pairs = found
    elif not is_list(given):
        raise NotText("choices that cannot be read")
    elif all(isinstance(one, Mapping) for one in given):
        if not all({"label", "text"} <= one.keys() for one in given):
            raise NotText("choices that cannot be read")
        pairs = [(one["label"], one["text"]) for one in given]
    elif len(given) > len(LABELS):
        raise NotText(f"more than {len(LABELS)} choices")
    else:
        return list(zip(LABELS, given, strict=False)), False
    return list(pairs), True


@dataclass
class Answers:
    """Which choice an answer means. It remembers whether the indices of a table begin with 0.

    Args:
        answer_is: the one reading that counts; None: any, as long as no two of them disagree.
    """

    answer_is: Reading | None = None
    by_index: bool = False
    """Whether an answer was nothing but an index."""
    from_zero: bool = False
    beyond: str = ""
    """Where an index was one beyond the last choice, as in a table that counts from 1."""

    def label(self, answer: str, choices: list[Choice], place: str) -> str:
        """The label that an answer means; the answer itself if it means none: the verifier will reject it.

        Raises:
            Ambiguous: the readings disagree.
            NotText: it means none in the one reading that counts; the verifier might take it for a label.
        """
        meant = {
            reading: labels[0]
            for reading, labels in self._readings(answer, choices, place).items()
            if len(labels) == 1 and self.answer_is in (None, reading)
        }
        if len(set(meant.values())) > 1:
            texts = {choice["label"]: choice["text"] for choice in choices}
            told = ", ".join(f"as {reading} {label} ({texts[label]})" for reading, label in meant.items())
            raise Ambiguous(
                f"the answer '{answer}' means more than one choice: {told}; "
                f"corpus.answer_is says which it is: {' or '.join(meant)}"
            )
        if self.answer_is and not meant:
            raise NotText(f"not the {self.answer_is} of one of its choices")
        return next(iter(meant.values()), answer)

    def _readings(self, answer: str, choices: list[Choice], place: str) -> dict[Reading, list[str]]:
        bare = _BARE_LABEL.fullmatch(answer)
        label = (bare[1] if bare else answer).casefold()
        by_label = [choice["label"] for choice in choices if choice["label"].casefold() == label]
        whole = _OWN_LABEL.match(answer)  # "B) red" is a choice as it stood in the table
        wanted = {_key(answer)} | ({_key(answer[whole.end() :])} if whole else set())
        by_text = [choice["label"] for choice in choices if _key(choice["text"]) in wanted]
        by_index: list[str] = []
        if answer.isascii() and answer.isdigit():
            index = int(answer)
            if index < len(choices):
                by_index = [choices[index]["label"]]
                self.from_zero |= index == 0
                self.by_index |= self.answer_is == "index" or not (by_label or by_text)
            elif index == len(choices) and (self.answer_is == "index" or not (by_label or by_text)):
                self.beyond = self.beyond or place
        return {"label": by_label, "index": by_index, "text": by_text}

    def refuse_from_one(self) -> None:
        """Refuse indices that seem to count from 1, once the table has been read.

        Raises:
            ValueError: none was 0, and one was the number of choices.
        """
        if self.by_index and self.beyond and not self.from_zero and self.answer_is in (None, "index"):
            raise ValueError(
                f"{self.beyond}: the answer is the number of choices, and no answer is 0, so these count from 1; an "
                'index counts from 0: name the labels, with answer_is: label and answer_map: {"1": A, "2": B, ...}'
            )


def _key(found: str) -> str:
    """A text as choices are compared: case, white space, and how a number is written do not count."""
    found = " ".join(found.split()).casefold()
    try:
        return str(text(Decimal(found)))
    except (InvalidOperation, NotText):
        return found
