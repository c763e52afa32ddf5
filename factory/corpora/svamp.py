"""SVAMP: 1,000 one-step word problems (Patel et al. 2021), 700 to train on and 300 to measure.

A row of the original file::

    {"ID": "chal-777", "Body": "There are 87 oranges ...", "Question": "How big is ...?", "Equation": "( 87.0 / 2.0 )",
     "Answer": 43.5, "Type": "Common-Division"}

The original file has no split; the usual one trains on 700 rows and measures on 300, here the first and the last.
"""

import json
from functools import partial
from pathlib import Path

from factory.corpora import QuestionRow, Questions
from factory.corpora.known import placed, placed_on_hub, questions
from factory.corpora.rows import Row

LICENSE = "mit"
CHECKS = [{"_component_": "factory.checks.derived.Derived"}]

TRAIN_ROWS = 700


def svamp(path: Path | None = None) -> Questions:
    """Yield SVAMP from a local copy of the original ``SVAMP.json`` (or the folder it lies in), or from the Hub.

    Args:
        path: the file or its folder; without one, ``ChilleD/SVAMP`` is loaded from the Hub.

    Raises:
        OSError: there is no file at ``path``, or the Hub cannot be reached.
        ValueError: the file cannot be read.
    """
    if path is None:
        for split, name in (("train", "train"), ("eval", "test")):
            yield from questions(placed_on_hub("ChilleD/SVAMP", name), partial(_question, split=split))
        return
    file = path / "SVAMP.json" if path.is_dir() else path
    for number, row in enumerate(placed(file, file.parent)):
        yield from questions([row], partial(_question, split="train" if number < TRAIN_ROWS else "eval"))


def _question(row: Row, split: str) -> QuestionRow:
    body = row["Body"].strip()
    if body[-1:] not in ".!?,;":
        body += ","
    answer = float(row["Answer"])
    return {
        "question_id": f"svamp-{row['ID']}",
        "corpus": "svamp",
        "split": split,
        "question": f"{body} {row['Question'].strip()}",
        "answer": str(int(answer)) if answer.is_integer() else str(answer),
        "difficulty": row["Type"].replace("Divison", "Division"),  # one row misspells it
        "metadata": json.dumps({"equation": row["Equation"]}),
    }
