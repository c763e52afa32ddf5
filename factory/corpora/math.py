r"""MATH: 12,500 competition problems (Hendrycks et al. 2021, arXiv 2103.03874), 7,500 to train on, and MATH-500.

A file of the original folders, and a row of MATH-500 (the 500 test problems of Lightman et al. 2023)::

    {"problem": "What is ...?", "level": "Level 2", "type": "Algebra", "solution": "We ... $\\boxed{\\frac{1}{2}}$."}
    {"problem": "What is ...?", "level": 2, "subject": "Algebra", "solution": "...", "answer": "\\frac{1}{2}",
     "unique_id": "test/algebra/1.json"}

The gold answer is what stands in the solution's last ``\boxed``.
"""

import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import PositiveInt

from factory.corpora import LeftOut, QuestionRow, Questions, nth_place, place, text_id
from factory.corpora.known import Placed, placed, placed_on_hub, questions
from factory.corpora.rows import Row

LICENSE = "mit"

_BOX = re.compile(r"\\(?:boxed|fbox)\s*")


def math(path: Path | None = None, eval_rows: PositiveInt | None = None) -> Questions:
    """Yield MATH from a folder, or from the Hub: there with MATH-500 to measure.

    In a folder the problems of a split are its JSON files (``train/algebra/1.json``) or the rows of a
    ``train.jsonl``; a ``test.jsonl`` (MATH-500) goes before a folder ``test``. Problems of MATH-500 that are in the
    train split as well are taken out of it with the other duplicates (:mod:`factory.intake.questions`).

    Args:
        path: the folder; without one, ``DigitalLearningGmbH/MATH-lighteval`` and ``HuggingFaceH4/MATH-500``.
        eval_rows: for a folder without a train split: measure with this many of its test problems, drawn by a hash
            of their text, and train on the others.

    Raises:
        OSError: the folder has no test problems, or the Hub cannot be reached.
        ValueError: ``eval_rows`` is needed, or is given and is not; a file cannot be read.
    """
    has_train = path is None or any(_files(path, "train"))
    if has_train and eval_rows:
        raise ValueError("eval_rows is for a copy of MATH without a train split; this one has one")
    if path is None or has_train:
        for split, name in (("eval", "test"), ("train", "train")):
            yield from questions(_local(path, name) if path else _hub(name), partial(_question, split=split))
        return
    if not eval_rows:
        raise ValueError(
            f"'{path}' has no train split; with eval_rows=100 a hundred of its test problems are for measuring and "
            "the others are trained on"
        )
    given = list(questions(_local(path, "test"), partial(_question, split="train")))
    last = nth_place((one["question_id"] for one in given if not isinstance(one, LeftOut)), eval_rows)
    for one in given:
        if not isinstance(one, LeftOut) and place(one["question_id"]) <= last:
            one["split"] = "eval"
        yield one


def boxed(solution: str) -> str | None:
    r"""What stands in the last ``\boxed{...}`` of a text, braces within it matched; ``\boxed 5`` is 5; or None."""
    *_, last = [None, *_BOX.finditer(solution)]
    if last is None:
        return None
    rest = solution[last.end() :]
    if not rest.startswith("{"):
        return re.split(r"[\s$.,]", rest, maxsplit=1)[0] or None
    depth = 0
    for end, mark in enumerate(re.sub(r"\\.", "  ", rest, flags=re.DOTALL)):  # \{ is no brace
        depth += (mark == "{") - (mark == "}")
        if not depth:
            return rest[1:end].strip()
    return None


def _question(row: Row, split: str) -> QuestionRow:
    level = str(row["level"]).lower().removeprefix("level").strip()
    facts = {"subject": row.get("subject") or row["type"], "unique_id": row.get("unique_id")}
    return {
        "question_id": f"math-{text_id(row['problem'])}",
        "corpus": "math",
        "split": split,
        "question": row["problem"].strip(),
        "answer": boxed(row["solution"]),
        "reference_rationale": row["solution"].strip(),
        "difficulty": f"level {level}" if level.isdigit() else None,  # three problems are of "Level ?"
        "metadata": json.dumps({name: fact for name, fact in facts.items() if fact}),
    }


def _hub(name: str) -> Iterator[Placed]:
    return placed_on_hub("HuggingFaceH4/MATH-500" if name == "test" else "DigitalLearningGmbH/MATH-lighteval", name)


def _local(folder: Path, name: str) -> Iterator[Placed]:
    files = list(_files(folder, name))
    if not files:
        raise FileNotFoundError(f"'{folder}' has neither {name}.jsonl nor {name}/<subject>/*.json")
    for file in files:
        try:
            yield from placed(file, folder)
        except ValueError:
            if file.suffix != ".json":
                raise
            yield file.relative_to(folder).as_posix(), "files that are no JSON"  # a problem each


def _files(folder: Path, name: str) -> list[Path]:
    together = folder / f"{name}.jsonl"
    return [together] if together.exists() else sorted((folder / name).glob("*/*.json"))
