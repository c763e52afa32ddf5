"""How fast attempts are curated, and how much memory it takes, on rollouts that it makes itself.

``python -m benchmarks.curation ATTEMPTS [--checks] [--gate] [--json]`` makes ATTEMPTS attempts, eight a question, six
of them correct: word problems with rationales of some 50 words, of which some are the same text again, some the same
calculation in other words, some the same words but for a few. They are curated with every setting of a question on:
equal sets of equations, near duplicates, the most diverse four. With ``--checks`` every correct attempt is put to all
process checks but that of written sums, with ``--gate`` the result is validated as well, and ``--similar QUESTIONS``
looks for near duplicates among so many questions instead. Memory is that of all processes.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import polars as pl
import psutil

from factory.cluster import connected
from factory.curation.curate import curate
from factory.curation.similar_questions import similar
from factory.files import shards, to_schema, write_table
from factory.recipe.component import parse
from factory.recipe.curation import Curation
from factory.recipe.reference import components
from schemas import QUESTIONS, ROLLOUTS
from validation import Limits, validate

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
QUESTION = pl.format(
    "{} has {} boxes with {} {} in each of them, and is given {} more. How many {} does {} have?",
    *("name", "boxes", "each", "thing", "more", "thing", "name"),
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
            "halved": draw.random(n * PER_QUESTION) < 0.4,
            "word": draw.integers(0, 3, n * PER_QUESTION),
            "right": np.tile(np.arange(PER_QUESTION) < 6, n),
            "mean_logprob": -draw.random(n * PER_QUESTION).astype(np.float32),
        }
    )
    in_boxes, total = pl.col("boxes") * pl.col("each"), pl.col("boxes") * pl.col("each") + pl.col("more")
    product = pl.when("swapped").then(pl.format("{} * {} = {}", "each", "boxes", in_boxes))
    product = product.otherwise(pl.format("{} * {} = {}", "boxes", "each", in_boxes))
    halves = pl.format("{} + {} = {}", pl.col("boxes") // 2, (pl.col("boxes") + 1) // 2, "boxes")
    opening = pl.col("opening").replace_strict(dict(enumerate(OPENINGS)), return_dtype=pl.String)
    middle = pl.col("middle").replace_strict(dict(enumerate(MIDDLES)), return_dtype=pl.String)
    word = pl.col("word").replace_strict({0: "altogether", 1: "in all", 2: "in total"}, return_dtype=pl.String)
    answer = (total + pl.when("right").then(0).otherwise(7)).cast(pl.String)
    attempts = attempts.with_columns(
        question=QUESTION,
        answer=total.cast(pl.String),
        completion=pl.concat_str(
            opening.str.replace("{}", pl.col("thing"), literal=True),
            pl.when("halved").then(pl.format("Some of the boxes are red, the others blue: {}.", halves)),
            pl.format("There are {} boxes with {} {} in each, and {}.", "boxes", "each", "thing", product),
            middle.str.replace("{}", pl.col("name"), literal=True),
            pl.format("That makes {} + {} = {} {} {}.", in_boxes, "more", answer, "thing", word),
            pl.format("The answer is {}.", answer),
            separator=" ",
            ignore_nulls=True,
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


class Watched:
    """What this process and those it has started take: wall clock and processor time in seconds, and the most memory
    in GiB that they hold at a time, looked at five times a second. Of shared pages each counts its part."""

    def __init__(self) -> None:
        self.gib, self._ended = 0.0, threading.Event()
        self._work: dict[int, float] = {}
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watched":
        self._before = self._sum()
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self.processor_seconds = self._sum() - self._before
        self._ended.set()
        self._thread.join()

    def _sum(self) -> float:
        for process in _processes():
            with suppress(psutil.Error):  # it has ended
                self._work[process.pid] = sum(process.cpu_times()[:2])
        return sum(self._work.values())

    def _look(self) -> None:
        while not self._ended.wait(0.2):
            held = 0
            for process in _processes():
                with suppress(psutil.Error):
                    held += process.memory_full_info().pss
            self.gib = max(self.gib, held / 2**30)
            self._sum()


def _processes() -> list[psutil.Process]:
    return [psutil.Process(), *psutil.Process().children(recursive=True)]


def figures(watched: Watched, count: int, prefix: str = "") -> dict[str, float]:
    return {
        f"{prefix}seconds": round(watched.seconds, 1),
        f"{prefix}processor_seconds": round(watched.processor_seconds, 1),
        f"{prefix}attempts_per_second": round(count / watched.seconds),
        f"{prefix}peak_gib": round(watched.gib, 2),
    }


def curated(folder: Path, count: int, checks: Sequence[str]) -> dict[str, float]:
    """Curate the rollouts of a folder, with the start of nothing but its workers."""
    asked = Curation(per_question=4, prefer="most_diverse", duplicates="equations", max_similarity=0.8)
    curation = asked.model_copy(update={"checks": tuple(parse({"_component_": check}) for check in checks)})
    with connected(), Watched() as watched:
        curate(folder / "rollouts", folder / "examples", folder / "rejects", curation)
    return figures(watched, count)


def validated(folder: Path, count: int) -> dict[str, float]:
    """Put what was curated to the gate."""
    asked = pl.scan_parquet(shards(folder / "rollouts")).select(
        "question_id", "question", "answer", "difficulty", "split"
    )
    missing = [field.name for field in QUESTIONS if field.name not in asked.collect_schema().names()]
    questions = asked.with_columns(pl.lit(None).alias(name) for name in missing).with_columns(corpus=pl.lit("made"))
    write_table(folder / "questions" / "00000.parquet", to_schema(questions.collect(), QUESTIONS))
    paths = [shards(folder / name) for name in ("rollouts", "examples", "rejects", "questions")]
    with Watched() as watched:
        judgement = validate(*paths, folder / "validation", Limits(per_question=4))
    assert judgement.success, judgement.failures
    return figures(watched, count, "gate_")


def alike(count: int) -> dict[str, float]:
    """Look for near duplicates among so many questions, of which every 64th is another one with a word more."""
    draw = np.random.default_rng(0)
    numbers = {name: draw.integers(2, 99, count) for name in ("boxes", "each", "more")}
    words = {"name": draw.choice(NAMES, count), "thing": draw.choice(THINGS, count)}
    questions = pl.DataFrame(numbers | words).select(QUESTION).to_series()
    planted = questions.head(count // 64) + " Think."
    questions = questions.head(count - len(planted)).append(planted)
    with Watched() as watched:
        found = similar(questions, 0.8)
    told = figures(watched, count)
    return {"questions": count, "planted": len(planted), "near_duplicates": found.height} | {
        name: told[name] for name in ("seconds", "processor_seconds", "peak_gib")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("attempts", type=int, nargs="?", default=0)
    parser.add_argument("--similar", type=int)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--checks", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found: dict[str, float] = alike(given.similar) if given.similar else {}
    questions = given.attempts // PER_QUESTION
    if questions:
        with tempfile.TemporaryDirectory() as temporary:
            folder, count = Path(temporary), questions * PER_QUESTION
            for first in range(0, questions, SHARD_ROWS):
                made(np.arange(first, min(first + SHARD_ROWS, questions)), folder / "rollouts")
            checks = [path for path in components("checks") if given.checks and not path.endswith(".Columns")]
            found |= {"attempts": count, "checks": len(checks), **curated(folder, count, checks)}
            if given.gate:
                found |= validated(folder, count)
            reasons = pl.scan_parquet(shards(folder / "rejects")).group_by("reason").len().sort("reason").collect()
            found |= {f"rejected_{reason}": number for reason, number in reasons.iter_rows()}
    print(json.dumps(found) if given.json else "\n".join(f"{name:<28}{figure:,}" for name, figure in found.items()))


if __name__ == "__main__":
    main()
