"""What a row of a table becomes: the question, or why it is none."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from factory.corpora import LeftOut, QuestionRow, text_id
from factory.corpora.cells import NotText, asked, asked_in, dialogue, is_list, plain, text, written_out
from factory.corpora.choices import FORMS, Answers, Choice, Reading, read_choices
from factory.corpora.rows import Row

COLUMNS = ("question", "answer", "id", "choices", "difficulty", "reference_rationale")

ANSWER_KEYS = ("value", "answer", "answers", "text", "aliases", "normalized_value", "normalized_aliases")
"""Fields of a mapping that hold accepted answers (SQuAD's ``text``, TriviaQA's ``value`` and ``aliases``); the others,
such as SQuAD's ``answer_start``, do not."""

MISSING = object()

_PART = re.compile(r"\{([^{}]+)\}")


def names_in(column: str) -> list[str]:
    """The columns that a setting names: itself, or the parts of a template such as ``{body} {question}``."""
    return _PART.findall(column) or [column]


def value_of(row: Row, column: str) -> Any:
    """What a row has in a column, in a field of one (``meta.level``) or in an item of a list (``messages.0.content``,
    from the end ``messages.-1.content``); :data:`MISSING` if it has no such thing. Lists and mappings that are written
    out, as in CSV, are read."""
    if column in row:
        return row[column]
    value: Any = row
    for part in column.split("."):
        if isinstance(value, str):
            value = written_out(value.strip(), whatever=True)
        if isinstance(value, Mapping):
            value = value.get(part, MISSING)
        elif is_list(value) and re.fullmatch(r"-?\d+", part) and -len(value) <= int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value


class _Nothing(ValueError):
    """Raised for a row that lacks what a question needs: the reason, and what to write where most rows are so."""

    def __init__(self, reason: str, instead: str = ""):
        self.instead = instead
        super().__init__(reason)


@dataclass
class Form:
    """How rows become questions: the settings of :func:`factory.corpora.table.table` of the same names."""

    columns: dict[str, str]
    answer_pattern: str | None = None
    answer_map: dict[str, str] | None = None
    answer_is: Reading | None = None
    answers: Literal["one", "any"] = "one"
    meant: Answers = field(init=False)
    templates: dict[str, list[str]] = field(init=False)
    """The columns that are templates, as texts and names by turns."""

    def __post_init__(self) -> None:
        self.meant = Answers(self.answer_is)
        parts = {name: _PART.split(column) for name, column in self.columns.items()}
        self.templates = {name: found for name, found in parts.items() if len(found) > 1}

    @property
    def wanted(self) -> list[str]:
        """The columns of the table that are read."""
        return [name for column in self.columns.values() for name in names_in(column)]

    def question(self, row: Row, place: str) -> QuestionRow | LeftOut:
        """The question that a row is, without its split.

        Raises:
            ValueError: which choice its answer means cannot be told; the whole table may be misread then.
        """
        at = ""
        try:
            at = "question"
            question_text, system = self._asked(row)
            at = "choices"
            choices = read_choices(self._value(row, at)) if at in self.columns else None
            at = "answer"
            accepted = self._answers(row, choices, place)
            at = "id"
            question: QuestionRow = {
                "question_id": self._id(row, question_text, system, choices),
                "corpus": "table",
                "question": question_text,
                "answer": accepted[0],
                "choices": choices,
            }
            for at in ("difficulty", "reference_rationale"):
                if at in self.columns:
                    question[at] = self._text(row, at)
        except _Nothing as nothing:
            return LeftOut(str(nothing), place, nothing.instead)
        except NotText as found:
            return LeftOut(_reason(at, found.what), place, self._instead(row, at))
        if system:
            question["system"] = system
        if len(accepted) > 1:
            question["accepted_answers"] = accepted
        return question

    def _asked(self, row: Row) -> tuple[str, str | None]:
        """The text of the question and the system's, if it is the beginning of a dialogue."""
        value = self._value(row, "question")
        messages = dialogue(value)
        found, system = (asked(value), None) if messages is None else asked_in(messages)
        if not found:
            raise _Nothing("questions without question")
        return found, system

    def _id(self, row: Row, asked: str, system: str | None, choices: list[Choice] | None) -> str:
        if "id" not in self.columns:
            shown = [part for choice in choices or () for part in choice.values()]
            return text_id(asked, *shown, *([system] if system else []))
        if found := self._text(row, "id"):
            return found
        raise _Nothing("questions without an id")

    def _answers(self, row: Row, choices: list[Choice] | None, place: str) -> list[str]:
        """The accepted answers, the first of them the gold one; labels where there are choices."""
        value = self._value(row, "answer")
        if self.answers == "any":
            given = [answer for answer in self._accepted(value) if answer]
        else:
            answer = text(value) if choices else plain(value)
            given = [answer] if answer else []
        if not given:
            raise _Nothing("questions without answer")
        if self.answer_pattern:
            given = [last for answer in given if (last := self._last_match(answer))]
            if not given:
                raise _Nothing(
                    "rows in whose answer answer_pattern finds nothing", "answer_pattern should match in every answer"
                )
        if self._mapped:
            given = [mapped for answer in given if (mapped := self._mapped.get(answer.casefold()))]
            if not given:
                raise _Nothing("rows whose answer is not in answer_map", "answer_map should name every answer")
        if choices:
            given = [self.meant.label(answer, choices, place) for answer in given]
        return list(dict.fromkeys(given)) if len(given) > 1 else given

    def _accepted(self, value: Any) -> Iterator[str | None]:
        """Every answer in a list or a mapping of them."""
        if isinstance(value, str) and (written := written_out(value.strip(), whatever=True)) is not None:
            value = written
        if isinstance(value, Mapping):
            keys = [key for key in ANSWER_KEYS if key in value]
            if not keys:
                raise NotText("a mapping")
            for key in keys:
                yield from self._accepted(value[key])
        elif is_list(value):
            for one in value:
                if is_list(one):
                    raise NotText("a list of lists")
                yield from self._accepted(one)
        else:
            yield text(value)

    def _last_match(self, answer: str) -> str | None:
        found: list[str] = re.findall(str(self.answer_pattern), answer)
        return found[-1].strip() if found else None

    def _text(self, row: Row, name: str) -> str | None:
        return plain(self._value(row, name))

    def _value(self, row: Row, name: str) -> Any:
        """What a row has for a column of a question; of a template the text."""
        column = self.columns[name]
        if column in row:
            return row[column]
        if name not in self.templates:
            value = value_of(row, column)
            return None if value is MISSING else value
        parts = [*self.templates[name]]
        for at in range(1, len(parts), 2):
            value = value_of(row, parts[at])
            found = None if value is MISSING else plain(value)
            if found is None:  # half a question is another one
                raise _Nothing(f"rows without {parts[at]}, a part of the {name}")
            parts[at] = found
        return "".join(parts)

    @cached_property
    def _mapped(self) -> dict[str, str]:
        return {given.casefold(): meant for given, meant in (self.answer_map or {}).items()}

    def _instead(self, row: Row, at: str) -> str:
        """What to write in the recipe where a cell is no text."""
        column = self.columns[at]
        if at in self.templates:
            return f"columns.{at} should join columns of texts"
        value = value_of(row, column)
        if isinstance(value, str) and (written := written_out(value.strip(), whatever=True)) is not None:
            value = written
        if at == "answer" and self.answer_is and isinstance(value, str | int | float):
            return (
                f"columns.answer should name a column with the {self.answer_is} of a choice; answer_is says that it is"
            )
        if at == "choices":
            return f"columns.choices should name a column with {FORMS}"
        if isinstance(value, Mapping):
            fields = [f"{column}.{key}" for key in value]
        elif is_list(value):
            last = value[-1] if len(value) else None
            keys = [key for key in ("content", "value", "text") if isinstance(last, Mapping) and key in last]
            fields = [".".join([column, "-1" if keys else "0", *keys[:1]])]
        else:
            return f"columns.{at} should name a column of texts; bytes of another encoding need encoding: latin-1, say"
        told = f"columns.{at} can name one text in it, such as {' or '.join(fields[:4])}"
        return f"{told}; answers: any accepts every answer in it" if at == "answer" and not dialogue(value) else told


def _reason(at: str, what: str) -> str:
    if at == "choices":
        return f"rows with {what if 'choices' in what else f'a choice that is {what}'}"
    return f"rows whose {at} is {what}"
