"""Corpus in, questions out: a checked snapshot in shards, so that the run no longer depends on the corpus."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from factory.attempt import Question
from factory.corpora import QuestionRow
from factory.errors import ConfigError
from factory.prompts import read_exemplars
from factory.recipe import Recipe, located
from factory.run import write_table
from factory.verifiers import Verifier
from schemas import QUESTIONS
from schemas.questions import SPLITS

REQUIRED = ("question_id", "corpus", "split", "question", "answer")
SHOWN = 3
"""Problems of one kind that are shown; the rest are counted."""


def snapshot(recipe: Recipe, folder: Path) -> dict[str, int]:
    """Write the corpus to ``folder/<split>/00000.parquet`` and on, ``rollout.shard_rows`` questions a shard.

    Returns the number of questions by split. Only the shards in the making and a digest of every question are held
    in memory.

    Raises:
        ConfigError: nothing to sample, ids or questions that occur twice (within a split or over two), empty
            questions, exemplars among the questions, answers that the verifier rejects; all of them at once.
    """
    problems = _Problems(recipe)
    shards: dict[str, list[QuestionRow]] = {split: [] for split in SPLITS}
    counts: Counter[str] = Counter()

    def write(split: str) -> None:
        if shards[split]:
            number = (counts[split] - 1) // recipe.rollout.shard_rows
            write_table(folder / split / f"{number:05}.parquet", pa.Table.from_pylist(shards[split], schema=QUESTIONS))
            shards[split] = []

    for row in _rows(recipe):
        if problems.found_in(row):
            continue
        counts[row["split"]] += 1
        shards[row["split"]].append(dict.fromkeys(QUESTIONS.names) | row)
        if len(shards[row["split"]]) == recipe.rollout.shard_rows:
            write(row["split"])
    for split in SPLITS:
        write(split)
    problems.refuse(counts)
    return {split: counts[split] for split in SPLITS}


def _rows(recipe: Recipe) -> Iterator[QuestionRow]:
    """The corpus's rows; what goes wrong in reading it is a problem of the configuration."""
    try:
        yield from recipe.corpus()
    except OSError as error:
        raise ConfigError(
            f"corpus {recipe.corpus.name}", [f"{error.strerror}: {error.filename}" if error.filename else str(error)]
        ) from error
    except (ValueError, KeyError) as error:
        raise ConfigError(f"corpus {recipe.corpus.name}", [f"{type(error).__name__}: {error}"]) from error


class _Problems:
    """Collects what is wrong with a corpus, by kind."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.verifier: Verifier = recipe.verifier()
        self.ids: set[int] = set()
        self.texts: set[int] = set()
        self.kinds: dict[str, list[str]] = {}
        exemplars = recipe.prompt.exemplars
        shown = read_exemplars(located(exemplars)) if exemplars else []
        self.exemplars = {_digest(exemplar["question"]) for exemplar in shown}

    def found_in(self, row: QuestionRow) -> bool:
        """Whether a row is wrong; if so, it is noted."""
        where = str(row.get("question_id"))
        before = sum(map(len, self.kinds.values()))
        missing = [name for name in REQUIRED if not str(row.get(name) or "").strip()]
        if missing:
            self._note("questions without " + ", ".join(missing), where)
            return True
        try:
            pa.RecordBatch.from_pylist([dict.fromkeys(QUESTIONS.names) | row], schema=QUESTIONS)
        except (pa.ArrowException, TypeError, ValueError) as error:
            self._note("questions that do not fit schemas/questions.py", f"{where} ({error})")
            return True
        if row["split"] not in SPLITS:
            self._note(f"splits that are none of {', '.join(SPLITS)}", f"{where} ({row['split']})")
        if row["split"] == "seed" and not row.get("reference_rationale"):
            self._note("seed questions without a reference_rationale", where)
        text = _digest(row["question"] + str(row.get("choices") or ""))
        for seen, key, kind in ((self.ids, hash(where), "question ids"), (self.texts, text, "questions")):
            if key in seen:
                self._note(f"{kind} that occur twice", where)
            seen.add(key)
        if _digest(row["question"]) in self.exemplars:
            self._note("questions that are exemplars of the prompt", where)
        self._try_verifier(row, where)
        return sum(map(len, self.kinds.values())) > before

    def _try_verifier(self, row: QuestionRow, where: str) -> None:
        question = Question(
            where, row["split"], row["question"], row["answer"], row.get("choices"), metadata=row.get("metadata")
        )
        try:
            verdict = self.verifier.verify(self.verifier.state(question), question).verdict
        except ValueError as error:
            verdict = str(error)
        if verdict != "correct":
            self._note(
                f"gold answers that the verifier '{self.verifier.name}' rejects",
                f"{where}: {row['answer']!r} ({verdict})",
            )

    def _note(self, kind: str, where: str) -> None:
        self.kinds.setdefault(kind, []).append(where)

    def refuse(self, counts: Counter[str]) -> None:
        problems = [
            f"{len(found)} {kind}: {'; '.join(found[:SHOWN])}{' ...' if len(found) > SHOWN else ''}"
            for kind, found in self.kinds.items()
        ]
        needed = ["train", "eval"] + (["seed"] if self.recipe.warmup.steps or self.recipe.curation.keep_seeds else [])
        problems += [f"no questions in the split '{split}'" for split in needed if not counts[split]]
        if problems:
            raise ConfigError(f"corpus {self.recipe.corpus.name}", problems)


def _digest(text: str) -> int:
    return hash(" ".join(text.split()).casefold())
