"""How fast attempts are curated, and how much memory it takes, on rollouts that it makes itself.

``python -m benchmarks.curation ATTEMPTS [--json]`` makes ATTEMPTS attempts, eight a question, six of them correct: word
problems with rationales of some 50 words, of which some are the same text again, some the same calculation in other
words, some the same words but for one. They are curated with every setting of a question on: equal sets of equations,
near duplicates, the most diverse four.
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import polars as pl
import psutil
import ray

from factory.curation.curate import curate
from factory.files import shards, write_table
from factory.recipe.groups import Curation
from schemas import ROLLOUTS

PER_QUESTION = 8
SHARD_ROWS = 128
NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hugo", "Ines", "Jon", "Kim", "Leo", "Mia", "Noah", "Ola")
THINGS = ("apples", "books", "coins", "drums", "eggs", "figs", "globes", "hats", "inks", "jars", "kites", "lamps")
OPENINGS = (
    "First we look at what is known about the {}.",
    "Let us see how many {} there are to begin with.",
    "To find the number of {} we go step by step.",
    "We have to count the {} one lot after the other.",
    "The question is about {}, so we begin with the boxes.",
    "Start with the boxes, because the {} lie in them.",
)
MIDDLES = (
    "Then {} buys some more of them, which have to be added to those.",
    "After that {} gets the others, and they count as well.",
    "Now the ones that {} was given come on top of what we had.",
    "Next we must not forget what {} found later on that day.",
)


def made(questions: np.ndarray, folder: Path, seed: int = 0) -> None:
    """Write the rollouts of some questions (their numbers) as one shard; the same numbers give the same rows."""
    draw = np.random.default_rng([seed, int(questions[0])])
    n = len(questions)
    boxes, each, more = (draw.integers(2, 99, n) for _ in range(3))
    name, thing = draw.integers(0, len(NAMES), n), draw.integers(0, len(THINGS), n)
    attempts = pl.DataFrame(
        {
            "question_id": np.repeat([f"made-{number:08}" for number in questions], PER_QUESTION),
            "sample": np.tile(np.arange(PER_QUESTION, dtype=np.int32), n),
            "boxes": np.repeat(boxes, PER_QUESTION),
            "each": np.repeat(each, PER_QUESTION),
            "more": np.repeat(more, PER_QUESTION),
            "name": np.repeat(np.array(NAMES)[name], PER_QUESTION),
            "thing": np.repeat(np.array(THINGS)[thing], PER_QUESTION),
            "opening": draw.integers(0, len(OPENINGS), n * PER_QUESTION),
            "middle": draw.integers(0, len(MIDDLES), n * PER_QUESTION),
            "swapped": draw.random(n * PER_QUESTION) < 0.4,
            "word": draw.integers(0, 3, n * PER_QUESTION),
            "right": np.tile(np.arange(PER_QUESTION) < 6, n),
            "mean_logprob": -draw.random(n * PER_QUESTION).astype(np.float32),
        }
    )
    in_boxes, total = pl.col("boxes") * pl.col("each"), pl.col("boxes") * pl.col("each") + pl.col("more")
    product = pl.when("swapped").then(pl.format("{} * {} = {}", "each", "boxes", in_boxes))
    product = product.otherwise(pl.format("{} * {} = {}", "boxes", "each", in_boxes))
    opening = pl.col("opening").replace_strict(dict(enumerate(OPENINGS)), return_dtype=pl.String)
    middle = pl.col("middle").replace_strict(dict(enumerate(MIDDLES)), return_dtype=pl.String)
    word = pl.col("word").replace_strict({0: "altogether", 1: "in all", 2: "in total"}, return_dtype=pl.String)
    question = pl.format(
        "{} has {} boxes with {} {} in each of them, and is given {} more. How many {} does {} have?",
        *("name", "boxes", "each", "thing", "more", "thing", "name"),
    )
    answer = (total + pl.when("right").then(0).otherwise(7)).cast(pl.String)
    attempts = attempts.with_columns(
        question=question,
        answer=total.cast(pl.String),
        completion=pl.concat_str(
            opening.str.replace("{}", pl.col("thing"), literal=True),
            pl.format("There are {} boxes with {} {} in each, and {}.", "boxes", "each", "thing", product),
            middle.str.replace("{}", pl.col("name"), literal=True),
            pl.format("That makes {} + {} = {} {} {}.", in_boxes, "more", answer, "thing", word),
            pl.format("The answer is {}.", answer),
            separator=" ",
        ),
        predicted_answer=answer,
    )
    attempts = attempts.with_columns(
        attempt_id=pl.format("{}/0/s{}t0", "question_id", "sample"),
        turn=pl.lit(0, pl.Int32),
        hinted=pl.lit(False),
        context=pl.concat_list(pl.struct(role=pl.lit("user"), content="question")),
        verdict=pl.when("right").then(pl.lit("correct")).otherwise(pl.lit("wrong")),
        verifier=pl.lit("numeric/2"),
        reward=pl.lit(None, pl.Float32),
        finish_reason=pl.lit("stop"),
        prompt_tokens=pl.lit(40, pl.Int32),
        completion_tokens=(pl.col("completion").str.len_bytes() // 4).cast(pl.Int32),
        seed=pl.lit(1, pl.Int64),
        temperature=pl.lit(0.7, pl.Float32),
        error=pl.lit(None, pl.String),
        teacher=pl.lit(None, pl.String),
    )
    fields = [field.name for field in ROLLOUTS.field("attempts").type.value_type]
    rollouts = attempts.group_by("question_id", maintain_order=True).agg(
        pl.first("question", "answer"), attempts=pl.struct(fields)
    )
    rollouts = rollouts.with_columns(
        split=pl.lit("train"),
        difficulty=pl.format("{} digits", pl.col("answer").str.len_chars()),
        generation=pl.lit(0, pl.Int32),
        strategy=pl.lit("star"),
        model=pl.lit("base"),
        solved=pl.lit(True),
        pass_rate=pl.lit(6 / PER_QUESTION, pl.Float32),
    )
    shard = rollouts.select(ROLLOUTS.names).to_arrow().cast(ROLLOUTS)
    write_table(folder / f"{int(questions[0]) // SHARD_ROWS:05}.parquet", shard)


class Peak:
    """The most memory that this process and those it started hold at a time, looked at ten times a second: of shared
    pages, such as Ray's object store, each process counts its part."""

    def __init__(self) -> None:
        self.gib, self._ended = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            held = 0
            for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
                try:
                    held += process.memory_full_info().pss
                except psutil.Error:  # it has ended
                    continue
            self.gib = max(self.gib, held / 2**30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("attempts", type=int)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    questions = given.attempts // PER_QUESTION
    curation = Curation(per_question=4, prefer="most_diverse", duplicates="equations", max_similarity=0.8)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for first in range(0, questions, SHARD_ROWS):
            made(np.arange(first, min(first + SHARD_ROWS, questions)), folder / "rollouts")
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        ray.data.DataContext.get_current().enable_progress_bars = False
        with Peak() as peak:
            started = time.perf_counter()
            curate(folder / "rollouts", folder / "examples", folder / "rejects", curation)
            seconds = time.perf_counter() - started
        found = {
            "attempts": questions * PER_QUESTION,
            "seconds": round(seconds, 1),
            "attempts_per_second": round(questions * PER_QUESTION / seconds),
            "peak_gib": round(peak.gib, 2),
        }
        reasons = pl.scan_parquet(shards(folder / "rejects")).group_by("reason").len().sort("reason").collect()
        ray.shutdown()
        shutil.rmtree(folder / "rollouts")
    print(json.dumps(found) if given.json else "\n".join(f"{key:<22}{value:,}" for key, value in found.items()))
    if not given.json:
        print("\n".join(f"{reason:<22}{count:,}" for reason, count in reasons.iter_rows()))


if __name__ == "__main__":
    main()
