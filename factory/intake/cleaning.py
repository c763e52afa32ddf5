"""What may not stay in a snapshot of questions, and what a run refuses."""

import hashlib
from array import array
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from factory.attempt import Question
from factory.corpora import QuestionRow
from factory.errors import ConfigError
from factory.recipe.recipe import Recipe
from factory.verifiers import Verifier
from schemas import QUESTIONS
from schemas.questions import SPLITS

COLUMNS = frozenset(QUESTIONS.names)
REQUIRED = ("question_id", "corpus", "split", "question", "answer")
MAY_BE_EMPTY = frozenset({"question", "answer"})
"""A row without one of these is left out; without another of the required it does not fit the schema."""

ORDER = ("eval", "seed", "train")
"""A question that is in two splits stays in the first of these."""

KEPT, TWO_QUESTIONS, TWICE = range(3)
"""Fates of a row. From TWICE on they say which split it is in, and which the row of the same text that stays."""

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
    :meth:`fates` knows by them what occurs twice. They are 17 bytes a question."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.verifier: Verifier = recipe.verifier()
        self.rejected = f"gold answers that the verifier '{self.verifier.name}' rejects"
        self.dropped, self.refused = Notes(), Notes()
        self.read = 0
        self.ids, self.texts, self.splits = array("Q"), array("Q"), array("B")
        self.exemplars = {_normal(question) for question in recipe.prompt.exemplar_questions}

    def cleaned(self, rows: list[QuestionRow]) -> pa.Table:
        """The rows that are good by themselves, as a table."""
        self.read += len(rows)
        rows = [row for row in rows if self._is_whole(row)]
        try:
            table = pa.Table.from_pylist(rows, schema=QUESTIONS)
        except (pa.ArrowException, TypeError, ValueError):
            rows = [row for row in rows if self._fits(row)]
            table = pa.Table.from_pylist(rows, schema=QUESTIONS)
        good = [self._is_good(row) for row in rows]
        return table if all(good) else table.filter(pa.array(good))

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
        except (pa.ArrowException, TypeError, ValueError) as error:
            self.refused.add("questions that do not fit schemas/questions.py", f"{row['question_id']} ({error})")
            return False
        return True

    def _is_good(self, row: QuestionRow) -> bool:
        text = row["question"]
        if self.exemplars and _normal(text) in self.exemplars:
            self.dropped.add("questions that are exemplars of the prompt", row["question_id"])
            return False
        if rejection := self._rejection(row):
            self.dropped.add(self.rejected, f"{row['question_id']}: {row['answer']!r} ({rejection})")
            return False
        if row.get("choices"):
            text = "\0".join([text, *(f"{choice['label']}\0{choice['text']}" for choice in row["choices"])])
        self.ids.append(_digest(row["question_id"]))
        self.texts.append(_digest(_normal(text)))
        self.splits.append(ORDER.index(row["split"]))
        return True

    def _rejection(self, row: QuestionRow) -> str | None:
        """Why the verifier does not accept the gold answer, if it does not."""
        asked = Question(
            row["question_id"],
            row["split"],
            row["question"],
            row["answer"],
            row.get("choices"),
            metadata=row.get("metadata"),
        )
        try:
            verdict = self.verifier.verify(self.verifier.state(asked), asked).verdict
        except Exception as error:  # what a verifier raises on an answer that it cannot read is its own affair
            return str(error) or type(error).__name__
        return None if verdict == "correct" else verdict

    def fates(self) -> Any:
        """What becomes of each row beside the others, by its number: :data:`KEPT`, or what :meth:`note` makes of it.

        Of rows with the same text and choices the first stays; if they are in two splits, that of the split that
        comes first in :data:`ORDER`.
        """
        ids, texts = np.frombuffer(self.ids, np.uint64), np.frombuffer(self.texts, np.uint64)
        splits = np.frombuffer(self.splits, np.uint8)
        fates = np.full(len(ids), KEPT, np.uint8)
        order = np.lexsort((splits, texts))
        ordered = texts[order]
        later = np.flatnonzero(ordered[1:] == ordered[:-1]) + 1
        first = order[np.searchsorted(ordered, ordered[later])]
        fates[order[later]] = TWICE + len(ORDER) * splits[order[later]] + splits[first]
        order = np.lexsort((texts, ids))
        ids, texts = ids[order], texts[order]
        fates[order[1:][(ids[1:] == ids[:-1]) & (texts[1:] != texts[:-1])]] = TWO_QUESTIONS
        return fates

    def note(self, fate: int, question_id: str) -> None:
        """Note a row that does not stay beside the others."""
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
        needed = ["train", "eval"] + (["seed"] if self.recipe.warmup.steps or self.recipe.curation.keep_seeds else [])
        problems += [f"no questions in the split '{split}'" for split in needed if not counts[split]]
        if problems and not strict:
            problems += [f"left out: {told}" for told in self.dropped.told()]
        if problems:
            raise ConfigError(f"corpus {self.recipe.corpus.name}", problems)


def _normal(text: str) -> str:
    """White space and case do not make another question."""
    return " ".join(text.split()).casefold()


def _digest(text: str) -> int:
    """64 bits: two of five million texts have the same once in a million corpora."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())
