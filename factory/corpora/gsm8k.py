"""GSM8K: 8,792 word problems of 2-8 steps (Cobbe et al. 2021, arXiv 2110.14168), 7,473 to train on, 1,319 to measure.

A row of the original files::

    {"question": "Natalia sold clips to 48 of her friends ...",
     "answer": "Natalia sold 48/2 = <<48/2=24>>24 clips in May.\\nNatalia sold ...\\n#### 72"}

Only the number after ``####`` is the gold answer, so only that is ever a hint. Its thousands separators are taken
out; the numeric verifier does not mind them in a completion.
"""

import re
from functools import partial
from pathlib import Path

from factory.corpora import QuestionRow, Questions, text_id
from factory.corpora.known import placed, placed_on_hub, questions
from factory.corpora.rows import Row

LICENSE = "mit"
CHECKS = [{"_component_": "factory.checks.derived.Derived"}]

_STEP = re.compile(r"<<[^<>]*>>")


def gsm8k(path: Path | None = None) -> Questions:
    """Yield GSM8K from a folder with the original ``train.jsonl`` and ``test.jsonl``, or from the Hub.

    ``reference_rationale`` is the solution without its annotations, ``difficulty`` their number (about 1 in 80
    solutions has none: then there is no difficulty either).

    Args:
        path: the folder; without one, ``openai/gsm8k`` is loaded from the Hub.

    Raises:
        OSError: there are no such files, or the Hub cannot be reached.
        ValueError: a file cannot be read.
    """
    for split, name in (("eval", "test"), ("train", "train")):
        rows = placed(path / f"{name}.jsonl", path) if path else placed_on_hub("openai/gsm8k", name, "main")
        yield from questions(rows, partial(_question, split=split))


def _question(row: Row, split: str) -> QuestionRow:
    solution, _, answer = row["answer"].rpartition("####")
    steps = len(_STEP.findall(solution))
    return {
        "question_id": f"gsm8k-{text_id(row['question'])}",
        "corpus": "gsm8k",
        "split": split,
        "question": row["question"].strip(),
        "answer": answer.strip().replace(",", ""),
        "reference_rationale": _STEP.sub("", solution).strip(),
        "difficulty": f"{steps} step{'s' if steps > 1 else ''}" if steps else None,
    }
