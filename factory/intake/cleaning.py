"""What may not stay in a snapshot of questions, and what a run refuses."""

import hashlib
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa

from factory.attempt import Question
from factory.corpora import LeftOut, QuestionRow
from factory.corpora.cells import NotText, plain
from factory.errors import ConfigError
from factory.recipe.recipe import Recipe
from factory.verifiers import Verifier
from factory.verifiers.number import parse_number
from schemas import QUESTIONS
from schemas.questions import SPLITS
from validation.facts import PYTHON_IS_ASKED_FOR
from validation.texts import is_repr

COLUMNS = frozenset(QUESTIONS.names)
REQUIRED = ("question_id", "corpus", "split", "question", "answer")
MAY_BE_EMPTY = frozenset({"question", "answer"})
"""A row without one of these is left out; without another of the required it does not fit the schema."""

ORDER = ("eval", "seed", "train")
"""A question that is in two splits stays in the first of these."""

KEPT, TWO_QUESTIONS, CONFLICT, TWICE = range(4)
"""Fates of a row. From TWICE on they say which split it is in, and which the row of the same text that stays."""

CONFLICTS = "questions that occur twice with answers that differ"

WRITTEN_OUT = "gold answers that are a list, a mapping or another value of Python, written out"

NUMBER = re.compile(r"[-+$]?[\d.,/ ]{1,40}%?")

SHOWN = 3
"""Examples of one kind that are shown; the others are counted."""


class Notes:
    """Counts by kind, each with its first few examples."""

    def __init__(self) -> None:
        self.kinds: dict[str, dict[str, Any]] = {}

    def add(self, kind: str, example: str) -> None:
        found = self.kinds.setdefault(kind, {"count": 0, "examples": []})
        found["count"] += 1
        if len(found["examples"]) < SHOWN:
            found["examples"].append(example)

    def told(self) -> Iterator[str]:
        for kind, found in self.kinds.items():
            yield f"{found['count']:,} {kind}: {'; '.join(found['examples'])}{' ...' if found['count'] > SHOWN else ''}"


class Cleaning:
    """Goes through a corpus twice: :meth:`cleaned` sees every row by itself and remembers digests of its id and text,
    :meth:`fates` knows by them what occurs twice. They are 25 bytes a question."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.verifier: Verifier = recipe.verifier()
        self.rejected = f"gold answers that the verifier '{self.verifier.name}' rejects"
        self.dropped, self.refused, self.narrowed = Notes(), Notes(), Notes()
        self.read = self.unusable = 0
        self.instead: list[str] = []
        self.ids, self.texts, self.answers, self.splits = array("Q"), array("Q"), array("Q"), array("B")
        self.exemplars = {_normal(question) for question in recipe.prompt.exemplar_questions}

    def cleaned(self, given: Sequence[QuestionRow | LeftOut]) -> pa.Table:
        """The rows that are good by themselves, as a table."""
        self.read += len(given)
        rows: list[QuestionRow] = []
        for row in given:
            if isinstance(row, LeftOut):
                self._leave_out(row)
            elif self._is_whole(row):
                rows.append(row)
        try:
            table = pa.Table.from_pylist(rows, schema=QUESTIONS)
        except (pa.ArrowException, TypeError, ValueError):
            rows = [row for row in rows if self._fits(row)]
            table = pa.Table.from_pylist(rows, schema=QUESTIONS)
        reprs = pl.Series(table["answer"]).to_frame("answer").select(is_repr(pl.col("answer"))).to_series()
        good = [self._is_good(row, by_gate) for row, by_gate in zip(rows, reprs, strict=True)]
        if any(row.get("accepted_answers") for row in rows):  # some of them may have gone
            table = pa.Table.from_pylist(rows, schema=QUESTIONS)
        return table if all(good) else table.filter(pa.array(good))

    def _leave_out(self, row: LeftOut) -> None:
        self.dropped.add(row.reason, row.place)
        if row.instead:
            self.unusable += 1
            if row.instead not in self.instead and len(self.instead) < SHOWN:
                self.instead.append(row.instead)

    def _is_whole(self, row: QuestionRow) -> bool:
        where = str(row.get("question_id"))
        missing = [name for name in REQUIRED if not str(row.get(name) or "").strip()]
        if missing:
            notes = self.dropped if MAY_BE_EMPTY.issuperset(missing) else self.refused
            notes.add(f"questions without {', '.join(missing)}", where)
        elif row["split"] not in SPLITS:
            self.refused.add(f"splits that are none of {', '.join(SPLITS)}", f"{where} ({row['split']})")
        elif row["split"] == "seed" and not row.get("reference_rationale"):
            self.refused.add("seed questions without a reference_rationale", where)
        elif not row.keys() <= COLUMNS:
            unknown = ", ".join(sorted(row.keys() - COLUMNS))
            self.refused.add("questions with columns that schemas/questions.py lacks", f"{where} ({unknown})")
        else:
            return True
        return False

    def _fits(self, row: QuestionRow) -> bool:
        try:
            pa.Table.from_pylist([row], schema=QUESTIONS)
        except UnicodeEncodeError:
            self.dropped.add("questions with half a surrogate in them", ascii(row["question_id"]))
            return False
        except (pa.ArrowException, TypeError, ValueError) as error:
            self.refused.add("questions that do not fit schemas/questions.py", f"{row['question_id']} ({error})")
            return False
        return True

    def _is_good(self, row: QuestionRow, is_repr: bool) -> bool:
        text = row["question"]
        if self.exemplars and _normal(text) in self.exemplars:
            self.dropped.add("questions that are exemplars of the prompt", row["question_id"])
            return False
        written_out = is_repr or any(map(_is_written_out, _golds(row)))
        if written_out and row["corpus"] not in PYTHON_IS_ASKED_FOR:  # the gate would refuse the generation for it
            self.dropped.add(WRITTEN_OUT, f"{row['question_id']}: {row['answer']!r}")
            return False
        if rejection := self._rejection(row):
            self.dropped.add(self.rejected, f"{row['question_id']}: {row['answer']!r} ({rejection})")
            return False
        if row.get("choices"):
            text = "\0".join([text, *(f"{choice['label']}\0{choice['text']}" for choice in row["choices"])])
        if row.get("system"):
            text = f"{row['system']}\0{text}"
        self.ids.append(_digest(row["question_id"]))
        self.texts.append(_digest(_normal(text)))
        # only equal or not within this process, so Python's own hash will do, which is quicker
        self.answers.append(hash("\0".join(sorted(map(_value, _golds(row))))) % 2**64)
        self.splits.append(ORDER.index(row["split"]))
        return True

    def _rejection(self, row: QuestionRow) -> str | None:
        """Why the verifier accepts no gold answer, if it does not; of several those that it accepts stay."""
        golds = _golds(row)
        if len(golds) == 1:
            return self._rejection_of(row, golds[0])
        rejections = {gold: reason for gold in golds if (reason := self._rejection_of(row, gold))}
        accepted = [gold for gold in golds if gold not in rejections]
        if accepted and rejections:
            rejected = ", ".join(map(repr, rejections))
            self.narrowed.add(f"questions without those {self.rejected}", f"{row['question_id']}: {rejected}")
            row["answer"], row["accepted_answers"] = accepted[0], accepted if len(accepted) > 1 else None
        return None if accepted else rejections[golds[0]]

    def _rejection_of(self, row: QuestionRow, gold: str) -> str | None:
        asked = Question.of(row)
        if asked.accepted_answers:
            asked = replace(asked, answer=gold, accepted_answers=None)
        try:
            verdict = self.verifier.verify(self.verifier.state(asked), asked).verdict
        except Exception as error:  # what a verifier raises on an answer that it cannot read is its own affair
            return str(error) or type(error).__name__
        return None if verdict == "correct" else verdict

    def fates(self) -> Any:
        """What becomes of each row beside the others, by its number: :data:`KEPT`, or what :meth:`note` makes of it.

        Of rows with the same text and choices the first stays; if they are in two splits, that of the split that
        comes first in :data:`ORDER`. If their answers differ, the recipe says what stays (``questions.conflicts``).
        """
        ids, texts = np.frombuffer(self.ids, np.uint64), np.frombuffer(self.texts, np.uint64)
        answers = np.frombuffer(self.answers, np.uint64)
        splits = np.frombuffer(self.splits, np.uint8)
        fates = np.full(len(ids), KEPT, np.uint8)
        order = np.lexsort((splits, texts))
        ordered = texts[order]
        later = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
        first = order[np.searchsorted(ordered, ordered[later])]
        fates[order[later]] = TWICE + len(ORDER) * splits[order[later]] + splits[first]
        differ = order[later][answers[order[later]] != answers[first]]
        if self.recipe.questions.conflicts != "first":
            differ = np.flatnonzero(np.isin(texts, texts[differ]))
        fates[differ] = CONFLICT
        order = np.lexsort((texts, ids))
        ids, texts = ids[order], texts[order]
        fates[order[1:][(ids[1:] == ids[:-1]) & (texts[1:] != texts[:-1])]] = TWO_QUESTIONS
        return fates

    def note(self, fate: int, question_id: str, answer: str) -> None:
        """Note a row that does not stay beside the others."""
        if fate == CONFLICT:
            notes = self.refused if self.recipe.questions.conflicts == "refuse" else self.dropped
            notes.add(CONFLICTS, f"{question_id}: {answer!r}")
            return
        if fate == TWO_QUESTIONS:
            self.refused.add("question ids that two different questions have", question_id)
            return
        mine, other = (ORDER[place] for place in divmod(fate - TWICE, len(ORDER)))
        twice = "questions that occur twice" if mine == other else f"{mine} questions that are {other} questions too"
        self.dropped.add(twice, question_id)

    def refuse(self, counts: dict[str, int]) -> None:
        """Hold what was found against the recipe.

        Raises:
            ConfigError: there is something that the run cannot do with, or without; lists everything.
        """
        strict = self.recipe.questions.strict
        problems = [*self.refused.told(), *(self.dropped.told() if strict else ())]
        if self.dropped.kinds.get(self.rejected, {"count": 0})["count"] > self.read / 2:
            problems.append(
                f"the verifier '{self.verifier.name}' does not fit: it rejects more than half of the answers"
            )
        if self.unusable > self.read / 2:
            problems.append(
                f"{self.unusable:,} of {self.read:,} rows are no questions as they are read: {'; '.join(self.instead)}"
            )
        needed = ["train", "eval"] + (["seed"] if self.recipe.warmup.steps or self.recipe.curation.keep_seeds else [])
        problems += [f"no questions in the split '{split}'" for split in needed if not counts[split]]
        if problems and not strict:
            problems += [f"left out: {told}" for told in self.dropped.told()]
        if problems:
            raise ConfigError(f"corpus {self.recipe.corpus.name}", problems)


def _golds(row: QuestionRow) -> list[str]:
    return row.get("accepted_answers") or [row["answer"]]


def _is_written_out(gold: str) -> bool:
    try:
        plain(gold)
    except NotText:
        return True
    return False


def _value(gold: str) -> str:
    """What makes two gold answers the same: 1,200 is 1200, and case does not count."""
    if gold.isdecimal() and gold[0] != "0":
        return gold
    number = parse_number(gold) if NUMBER.fullmatch(gold) else None
    return _normal(gold) if number is None else str(number)


def _normal(text: str) -> str:
    """White space and case do not make another question."""
    return " ".join(text.split()).casefold()


def _digest(text: str) -> int:
    """64 bits: two of five million texts have the same once in a million corpora."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
