"""CommonsenseQA: 10,962 questions with five choices (Talmor et al. 2019, arXiv 1811.00937), 1,221 of them to measure.

A row of the original files, and the same on the Hub::

    {"id": "1afa02df...", "answerKey": "A", "question": {"question_concept": "revolving door",
     "choices": [{"label": "A", "text": "bank"}, ...], "stem": "A revolving door is convenient ..."}}
    {"id": "1afa02df...", "answerKey": "A", "question_concept": "revolving door",
     "choices": {"label": ["A", ...], "text": ["bank", ...]}, "question": "A revolving door is convenient ..."}

The paper and STaR measure on the development split: the answers of the test split are not public.
"""

import json
from functools import partial
from pathlib import Path

from factory.corpora import QuestionRow, Questions
from factory.corpora.choices import read_choices
from factory.corpora.known import placed, placed_on_hub, questions
from factory.corpora.rows import Row

LICENSE = "mit"


def commonsense_qa(path: Path | None = None) -> Questions:
    """Yield CommonsenseQA from a folder with the original ``*_rand_split.jsonl``, or from the Hub.

    The answer is the label of the right choice.

    Args:
        path: the folder; without one, ``tau/commonsense_qa`` is loaded from the Hub.

    Raises:
        OSError: there are no such files, or the Hub cannot be reached.
        ValueError: a file cannot be read.
    """
    for split, name, file in (("eval", "validation", "dev"), ("train", "train", "train")):
        rows = placed(path / f"{file}_rand_split.jsonl", path) if path else placed_on_hub("tau/commonsense_qa", name)
        yield from questions(rows, partial(_question, split=split))


def _question(row: Row, split: str) -> QuestionRow:
    asked = row["question"]
    if isinstance(asked, str):
        asked = {"stem": asked, "question_concept": row["question_concept"], "choices": row["choices"]}
    return {
        "question_id": f"commonsense_qa-{row['id']}",
        "corpus": "commonsense_qa",
        "split": split,
        "question": asked["stem"].strip(),
        "answer": row["answerKey"].strip(),
        "choices": read_choices(asked["choices"]),
        "metadata": json.dumps({"question_concept": asked["question_concept"]}),
    }
