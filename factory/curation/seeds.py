"""Seed questions: given with their rationales, to warm a base up on and to keep in the training mix."""

import math
from collections import deque
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa

from factory.files import shards
from factory.prompts import Message, Prompt
from factory.recipe.curation import Curation
from factory.recipe.groups import PromptSettings, Warmup
from factory.run import Run
from schemas import EXAMPLES
from validation.texts import reasons


def warmup_examples(run: Run, prompt: Prompt, warmup: Warmup) -> pa.Table:
    """``messages`` of every seed question: alone; if ``hinted`` with its hint; if ``dialogues`` after a failed attempt.

    They make the base, which is how it knows what a hint and what feedback is.
    """
    rows = []
    for seed, failed in _with_failures(run):
        rows.append({"messages": _answered(prompt, seed)})
        if warmup.hinted:
            asked = prompt.sampling_messages(
                seed["question"], seed["answer"], seed["choices"], 0, hinted=True, system=seed.get("system")
            )
            rows.append({"messages": [*asked, rows[-1]["messages"][-1]]})
        if warmup.dialogues and failed is not None:
            rows.append({"messages": _answered(prompt, seed, failed)})
    return pa.Table.from_pylist(rows, schema=pa.schema([EXAMPLES.field("messages")]))


def reference_examples(run: Run, prompt: Prompt, generation: int, curation: Curation, dialogues: bool) -> pa.Table:
    """The seed questions as examples of origin ``reference``, never with a hint: a table of schema EXAMPLES.

    With ``dialogues`` each comes again, after a failed attempt. Where attempts are weighed they are as well, as right
    ones; their question's mean reward is their own.
    """
    weighed = curation.criterion != "correct"
    rows = []
    for seed, failed in _with_failures(run):
        for tried in [None, failed] if dialogues and failed is not None else [None]:
            turn = 0 if tried is None else 1
            rows.append(
                dict.fromkeys(EXAMPLES.names)
                | {name: seed[name] for name in ("question_id", "question", "answer", "difficulty")}
                | {
                    "example_id": f"{seed['question_id']}/reference/t{turn}",
                    "rationale": seed["reference_rationale"],
                    "messages": _answered(prompt, seed, tried),
                    "origin": "reference",
                    "turn": turn,
                    "weight": math.exp(1 / curation.tau) if weighed and not curation.centred else 1.0,
                    "reward": 1.0 if weighed else None,
                    "checks": [],
                    "generation": generation,
                }
            )
    return pa.Table.from_pylist(rows, schema=EXAMPLES)


def _with_failures(run: Run) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Each seed, in order, with an attempt at it that is wrong: the rationale of the next seed of the same difficulty
    that has another answer; None if there is none."""
    groups: dict[str | None, deque[dict[str, Any]]] = {}
    for seed in seeds(run):
        groups.setdefault(seed["difficulty"], deque()).append(seed)
    for seed in seeds(run):
        group = groups[seed["difficulty"]]
        group.rotate(-1)  # the seed, which was the first, goes to the end
        yield seed, next((one["reference_rationale"] for one in group if one["answer"] != seed["answer"]), None)


def seeds(run: Run) -> Iterator[dict[str, Any]]:
    """The rows of the seed questions, in order."""
    for shard in shards(run.questions("seed")):
        yield from pl.read_parquet(shard).iter_rows(named=True)


def answers_only(run: Run, prompt: PromptSettings) -> bool:
    """Whether most rationales that the recipe shows, exemplars and seeds, are answers alone: then the examples may be.
    A recipe that shows none wants rationales."""
    run.recorded("questions", None, run.questions("seed"))
    shown = prompt.exemplar_answers + [(seed["reference_rationale"], seed["answer"]) for seed in seeds(run)]
    texts = pl.DataFrame(shown, {"text": pl.String, "answer": pl.String}, orient="row")
    alone = texts.filter(~reasons(pl.col("text"), pl.col("answer")))
    return 2 * alone.height > texts.height


def _answered(prompt: Prompt, seed: dict[str, Any], failed: str | None = None) -> list[Message]:
    """A seed question and its rationale, without a hint; perhaps a failed attempt at it in between."""
    tried = [] if failed is None else [failed]
    asked = prompt.training_messages(seed["question"], seed["choices"], tried, seed.get("system"))
    return [*asked, {"role": "assistant", "content": seed["reference_rationale"]}]
