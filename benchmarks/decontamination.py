"""How long it takes to hold questions against a test set.

``python -m benchmarks.decontamination [FILE] [--questions 1000000] [--json]``: FILE is a table with a column
``question``, such as GSM8K's ``test.jsonl``; without one 1,319 questions of the same length are made. The questions
that are held against it are made as well; one in a thousand is a test question with a few words changed.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import polars as pl

from factory.curation.decontamination import TestQuestions
from factory.curation.eval_sets import read_eval_sets
from factory.recipe.decontamination import EvalSet

WORDS = 45
"""Words of a question, as many as GSM8K's have on average."""

VOCABULARY = 5_000


def made(draw: np.random.Generator, count: int) -> pl.Series:
    """Questions of words that are as frequent as words are: the nth has a share of 1/n."""
    share = 1 / np.arange(1, VOCABULARY + 1)
    drawn = draw.choice(VOCABULARY, (count, WORDS), p=share / share.sum())
    parts = [pl.Series(f"w{at}", drawn[:, at]).cast(pl.String) for at in range(WORDS)]
    return pl.DataFrame(parts).select(pl.concat_str("Word" + pl.all(), separator=" ") + "?").to_series()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--questions", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    draw = np.random.default_rng(0)
    if given.file:
        tests = pl.DataFrame(pl.from_arrow(read_eval_sets([EvalSet(path=str(given.file))])))
    else:
        tests = pl.DataFrame({"question": made(draw, 1_319)}).with_row_index("place").cast({"place": pl.String})
    near = tests["question"].sample(given.questions // 1000, with_replacement=True, seed=0)
    questions = pl.concat([made(draw, given.questions - len(near)), near + " And how many are these altogether?"])
    started, work = time.perf_counter(), time.process_time()
    flags = TestQuestions(tests).flags(questions)
    found = {
        "questions": len(questions),
        "test_questions": len(tests),
        "flagged": len(flags),
        "seconds": round(time.perf_counter() - started, 2),
        "processor_seconds": round(time.process_time() - work, 2),
    }
    print(json.dumps(found) if given.json else "\n".join(f"{name:<20}{figure:,}" for name, figure in found.items()))


if __name__ == "__main__":
    main()
