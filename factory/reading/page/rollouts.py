"""The rollouts of a run as its page holds them: columns of numbers, and every text once."""

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from factory.files import shards
from factory.prompts import Choices
from factory.recipe.recipe import Recipe
from factory.run import Run

MOST_ATTEMPTS = 50_000
MOST_CHARACTERS = 50_000_000
"""Of completions. What goes beyond one of the two makes a page that a browser no longer opens at once."""

COLUMNS = ("sample", "turn", "hinted", "prompt_tokens", "completion_tokens", "seed")
NUMBERS = ("reward", "mean_logprob", "temperature")
TEXTS = (
    *("attempt_id", "completion", "predicted_answer", "verdict", "verifier", "finish_reason"),
    *("error", "teacher"),
)
OF_ROLLOUT = ("question_id", "question", "answer", "split", "difficulty", "strategy", "model")

Columns = dict[str, list[Any]]


class Codes(dict[Any, int]):
    """Numbers things in the order in which they come, equal ones alike; None stays None."""

    def of(self, thing: Any) -> int | None:
        return None if thing is None else self.setdefault(thing, len(self))


def packed(run: Run, recipe: Recipe) -> dict[str, Any]:
    """The rollouts of all finished generations, those of the evaluation too, in the order of the run.

    ::

        texts      [text, ...]                     what the numbers of texts below stand for
        contexts   [[role, content, ...], ...]     hint-free dialogues, as numbers of texts
        checks     [[[name, passed, reason], ...], ...]
                                                   results of process checks; passed is null where one does not
                                                   apply, reason is null where there is none
        rollouts   {column: [...]}                 OF_ROLLOUT, hint (the question as a hinted prompt shows it; null if
                                                   no attempt was hinted): numbers of texts; generation, pass_rate
        attempts   {column: [...]}                 rollout, COLUMNS, NUMBERS, weight; TEXTS, origin, outcome (kept,
                                                   rejected, evaluation, not curated), reason: numbers of texts;
                                                   context, checks: their numbers
        drawn      {"attempts": [shown, all], "questions": [shown, all]}

    Beyond MOST_ATTEMPTS or MOST_CHARACTERS questions are drawn by the run's seed, each with all its attempts.
    """
    files = [path for folder in _folders(run) for path in shards(folder)]
    questions, drawn = _drawn(files, recipe.seed)
    texts, contexts, checks = Codes(), Codes(), Codes()
    rollouts: Columns = defaultdict(list)
    attempts: Columns = defaultdict(list)
    outcomes = _outcomes(run, questions)
    choices = _choices(run, questions)
    for row in _rows(files, questions):
        hinted = any(attempt["hinted"] for attempt in row["attempts"])
        hint = _hint(recipe, row, choices.get(row["question_id"])) if hinted else None
        for name in OF_ROLLOUT:
            rollouts[name].append(texts.of(row[name]))
        rollouts["hint"].append(texts.of(hint))
        rollouts["generation"].append(row["generation"])
        rollouts["pass_rate"].append(_number(row["pass_rate"]))
        for attempt in row["attempts"]:
            context = tuple(texts.of(part) for said in attempt["context"] for part in (said["role"], said["content"]))
            # what curation would call an example made of it
            origin = "rationalized" if attempt["hinted"] else "corrected" if attempt["turn"] else "sampled"
            by_split = "evaluation" if row["split"] == "eval" else "not curated"
            outcome, reason, weight, checked = outcomes.get(attempt["attempt_id"], (by_split, None, None, None))
            attempts["rollout"].append(len(rollouts["hint"]) - 1)
            for name in COLUMNS:
                attempts[name].append(int(attempt[name]))
            for name in NUMBERS:
                attempts[name].append(_number(attempt[name]))
            for name in TEXTS:
                attempts[name].append(texts.of(attempt[name]))
            attempts["origin"].append(texts.of(origin))
            attempts["outcome"].append(texts.of(outcome))
            attempts["reason"].append(texts.of(reason))
            attempts["weight"].append(_number(weight))
            attempts["context"].append(contexts.of(context))
            attempts["checks"].append(checks.of(tuple(map(_result, checked or ()))))
    return {
        "texts": list(texts),
        "contexts": list(contexts),
        "checks": list(checks),
        "rollouts": rollouts,
        "attempts": attempts,
        "drawn": drawn,
    }


def verdicts(run: Run, generation: int) -> dict[str, int]:
    """How many attempts of a generation, of its evaluation none, have each verdict; all of them, drawn or not."""
    if run.record("rollouts", generation) is None:
        return {}
    attempts = pl.scan_parquet(shards(run.generation(generation) / "rollouts")).select("attempts")
    attempts = attempts.explode("attempts", empty_as_null=False, keep_nulls=False).unnest("attempts")
    return dict(attempts.group_by("verdict").len().sort("verdict").collect().iter_rows())


def _folders(run: Run) -> Iterator[Path]:
    generation = 0
    while records := run.records(generation):
        yield from (run.generation(generation) / stage for stage in ("rollouts", "evaluation") if stage in records)
        generation += 1


def _drawn(files: list[Path], seed: int) -> tuple[list[str], dict[str, list[int]]]:
    """The ids of the questions that are shown, and ``drawn`` as the page has it."""
    if not files:
        return [], {"attempts": [0, 0], "questions": [0, 0]}
    characters = pl.element().struct.field("completion").str.len_chars()
    attempts = pl.col("attempts")
    sizes = (
        pl.scan_parquet(files)
        .group_by("question_id")
        .agg(attempts=attempts.list.len().sum(), characters=attempts.list.eval(characters).list.sum().sum())
        .sort("question_id")
        .collect()
    )
    shown = sizes
    if sizes["attempts"].sum() > MOST_ATTEMPTS or sizes["characters"].sum() > MOST_CHARACTERS:
        shuffled = sizes.sample(fraction=1, shuffle=True, seed=seed)
        few = pl.col("attempts").cum_sum() <= MOST_ATTEMPTS
        shown = shuffled.filter(few & (pl.col("characters").cum_sum() <= MOST_CHARACTERS))
    counts = [int(shown["attempts"].sum()), int(sizes["attempts"].sum())]
    return shown["question_id"].to_list(), {"attempts": counts, "questions": [shown.height, sizes.height]}


def _rows(files: list[Path], questions: list[str]) -> Iterator[dict[str, Any]]:
    """The rollouts of some questions, a file at a time."""
    for path in files:
        yield from pl.read_parquet(path).filter(pl.col("question_id").is_in(questions)).iter_rows(named=True)


def _outcomes(run: Run, questions: list[str]) -> dict[str, tuple[Any, ...]]:
    """Outcome, reason, weight and checks of the curated attempts at some questions, by ``attempt_id``."""
    found: dict[str, tuple[Any, ...]] = {}
    generation = 0
    while records := run.records(generation):
        folder = run.generation(generation)
        generation += 1
        if "curate" not in records:
            continue
        some = pl.col("question_id").is_in(questions)
        kept = pl.scan_parquet(shards(folder / "examples")).filter(some & pl.col("attempt_id").is_not_null())
        for key, *rest in kept.select("attempt_id", "weight", "checks").collect().iter_rows():
            found[key] = ("kept", None, *rest)
        dropped = pl.scan_parquet(shards(folder / "rejects")).filter(some)
        for key, reason, checks in dropped.select("attempt_id", "reason", "checks").collect().iter_rows():
            found[key] = ("rejected", reason, None, checks)
    return found


def _result(one: dict[str, Any]) -> tuple[str, bool | None, str | None]:
    """The result of a check; those of an earlier release have no reason."""
    return one["name"], one["passed"], one.get("reason")


def _choices(run: Run, questions: list[str]) -> dict[str, Choices]:
    """The choices of those of some questions that have any."""
    files = [path for split in ("train", "eval") for path in shards(run.questions(split))]
    if not files:
        return {}
    rows = pl.scan_parquet(files).filter(pl.col("choices").is_not_null() & pl.col("question_id").is_in(questions))
    return dict(rows.select("question_id", "choices").collect().iter_rows())


def _hint(recipe: Recipe, rollout: dict[str, Any], choices: Choices | None) -> str:
    """The question as a hinted prompt shows it."""
    prompt = replace(recipe.at(rollout["generation"]).prompt.prompt(), exemplars=None)
    asked = prompt.sampling_messages(
        rollout["question"], rollout["answer"], choices, rollout["generation"], hinted=True
    )
    return asked[-1]["content"]


def _number(value: float | None) -> float | None:
    """Six digits are what a 32-bit float knows; JSON has no other numbers than finite ones."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
