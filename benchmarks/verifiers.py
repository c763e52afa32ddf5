"""Verdicts per second on one core: ``python -m benchmarks.verifiers [FOLDER]``. With a file of cases it says how many
verdicts are wrong (see :mod:`benchmarks.verdicts`): ``python -m benchmarks.verifiers CASES.jsonl``. ``--json`` prints
one object.

FOLDER holds GSM8K's ``train.jsonl``; without one, solutions of the same form are made up. Every solution is judged
against its own answer, and again against another one's. The figure is the best of several rounds, in processor
time: others on the machine only slow it down. Measured on GSM8K's 7,473 train solutions, on one of two cores of an
Intel Xeon::

    verifier  ending                verdicts  verdicts/s
    numeric   #### 12                 14,946     639,569
    math      #### 12                 14,946     621,556
    numeric   The answer is 12.       14,946     522,304
    math      The answer is 12.       14,946     508,298
    exact     The answer is 12.       14,946     525,339
    numeric   boxed                   14,946      75,822
    math      boxed                   14,946     448,452
    choice    the answer is x (a).     7,473     203,058
"""

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.verdicts import compared
from factory.attempt import Question
from factory.verifiers import Verifier
from factory.verifiers.choice import Choice
from factory.verifiers.exact import Exact
from factory.verifiers.math import Math
from factory.verifiers.numeric import Numeric

ROUNDS = 7
MADE_UP = 5000

Item = tuple[str, Question]


def solutions(folder: Path | None) -> list[str]:
    """Texts that end in ``#### 1,234``."""
    if folder is not None:
        return [json.loads(line)["answer"] for line in (folder / "train.jsonl").read_text().splitlines()]
    draw = random.Random(0)
    step = "She sells {0} clips, so that is {0}*2=<<{0}*2={1}>>{1} clips in April and in May together."
    made = []
    for _ in range(MADE_UP):
        numbers = [draw.randint(2, 5000) for _ in range(3)]
        made.append("\n".join([*(step.format(n, 2 * n) for n in numbers), f"#### {2 * numbers[-1]:,}"]))
    return made


def rows(texts: list[str]) -> Iterator[tuple[str, Verifier, list[Item]]]:
    golds = [text.rpartition("####")[2].strip() for text in texts]
    bodies = [text.rpartition("####")[0] for text in texts]
    for name, ending in (
        ("#### 12", "#### {}"),
        ("The answer is 12.", "The answer is {}."),
        ("boxed", r"\boxed{{{}}}"),
    ):
        completions = [body + ending.format(gold) for body, gold in zip(bodies, golds, strict=True)]
        items = _asked(completions, golds) + _asked(completions, [*golds[1:], golds[0]])
        for verifier in (Numeric(), Math()):
            yield name, verifier, items
        if name == "The answer is 12.":
            yield name, Exact(), items
    texts_of = {"A": "bank", "B": "mall", "C": "pen", "D": "blotter", "E": "desk"}
    choices = [{"label": label, "text": text} for label, text in texts_of.items()]
    labels = random.Random(0).choices("ABCDE", k=len(bodies))
    stated = [Choice().state(Question("", "eval", "", label, choices)) for label in labels]
    questions = [Question("", "eval", "", label, choices) for label in labels]
    # Every question is seen once, so nothing that is kept of it helps.
    yield "the answer is x (a).", Choice(), [(b + s, q) for b, s, q in zip(bodies, stated, questions, strict=True)]


def _asked(completions: list[str], golds: list[str]) -> list[Item]:
    return [(text, Question("", "eval", "", gold)) for text, gold in zip(completions, golds, strict=True)]


def verdicts_per_second(verifier: Verifier, items: list[Item]) -> float:
    paces = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for completion, question in items:
            verifier.verify(completion, question)
        paces.append(len(items) / (time.process_time() - started))
    return max(paces)


def speeds(folder: Path | None) -> Iterator[dict[str, Any]]:
    for ending, verifier, items in rows(solutions(folder)):
        pace = round(verdicts_per_second(verifier, items))
        yield {"verifier": verifier.name, "ending": ending, "verdicts": len(items), "verdicts/s": pace}


def told(found: list[dict[str, Any]]) -> Iterator[str]:
    """The rows as a table, with their keys above."""
    table = [list(found[0]), *([f"{one:,}" if isinstance(one, int) else one for one in row.values()] for row in found)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        words, figures = row[:2], row[2:]
        yield "  ".join(
            [*map(str.ljust, words, widths), *map(str.rjust, figures, widths[2:])],
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", nargs="?", type=Path, help="folder with GSM8K's train.jsonl, or a file of cases")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    judging = asked.path is not None and asked.path.is_file()
    printed = list(compared(asked.path) if judging else speeds(asked.path))
    print(json.dumps({"verdicts" if judging else "speed": printed}) if asked.json else "\n".join(told(printed)))
