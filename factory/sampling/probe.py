"""The probe: a few questions are sampled before all others, so that a cold start shows while it is still cheap.

A model that solves nothing yields nothing: STaR keeps what reaches the answer, and there would be nothing to keep.
"""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from factory.errors import FactoryError
from factory.files import shards, write_table
from factory.recipe.recipe import Recipe


class ColdStart(FactoryError):
    """Raised when the model solved none of the probe's questions; says what can be done about it."""


@dataclass(frozen=True)
class Probe:
    """What the probe found.

    Args:
        questions: questions sampled.
        solved: those with a correct unhinted attempt.
        hinted: those that were solved only under the hint.
        attempts: unhinted attempts.
        pass_rate: share of these that is correct, errors left out.
        truncated: share that hit the token limit before a final answer.
        unparseable: share in which no final answer was found.
        errors: share whose sampling or verification failed.
        said: how often the engine or the verifier gave which reason for an error, most frequent first, at most three.
    """

    questions: int
    solved: int
    hinted: int
    attempts: int
    pass_rate: float
    truncated: float
    unparseable: float
    errors: float
    said: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return (
            f"{self.solved}/{self.questions} questions solved, {self.hinted} more under the hint; of the unhinted "
            f"attempts {self.pass_rate:.0%} correct, {self.truncated:.0%} truncated, "
            f"{self.unparseable:.0%} unparseable, {self.errors:.0%} errors"
        )


def draw(questions: Path, out: Path, count: int, seed: int) -> None:
    """Write ``count`` questions, drawn evenly from all shards of a folder, as one shard to ``out``."""
    files = shards(questions)
    starts = [0]
    for file in files:
        starts.append(starts[-1] + pq.read_metadata(file).num_rows)
    wanted = sorted(random.Random(f"probe/{seed}").sample(range(starts[-1]), min(count, starts[-1])))
    parts = []
    for file, start, end in zip(files, starts, starts[1:], strict=False):
        rows = [row - start for row in wanted if start <= row < end]
        if rows:
            parts.append(pq.read_table(file).take(rows))
    write_table(out / "00000.parquet", pa.concat_tables(parts))


def read(rollouts: Path) -> Probe:
    """What the rollouts of a probe say."""
    questions = pl.read_parquet(shards(rollouts))
    attempts = questions.select("attempts").explode("attempts").unnest("attempts")
    unhinted = attempts.filter(~pl.col("hinted"))
    count = dict(unhinted.group_by("verdict").len().iter_rows())
    total = unhinted.height
    solved_by_hint = pl.col("attempts").list.eval(pl.element().struct.field("verdict") == "correct").list.any()
    return Probe(
        questions=questions.height,
        solved=int(questions["solved"].sum()),
        hinted=questions.filter(~pl.col("solved") & solved_by_hint).height,
        attempts=total,
        pass_rate=count.get("correct", 0) / max(1, total - count.get("error", 0)),
        truncated=count.get("truncated", 0) / max(1, total),
        unparseable=count.get("unparseable", 0) / max(1, total),
        errors=count.get("error", 0) / max(1, total),
        said=dict(Counter(unhinted["error"].drop_nulls().to_list()).most_common(3)),
    )


def refuse_cold_start(probe: Probe, recipe: Recipe) -> None:
    """Stop before the long work if nothing was solved.

    Raises:
        ColdStart: with what can be done about it in this recipe, most likely cause first.
    """
    if probe.solved or recipe.preflight.go_on:
        return
    prompt, sampling = recipe.prompt, recipe.sampling
    remedies = []
    if probe.errors > 0.5:
        remedies.append("most attempts are errors, not wrong answers; with what is said above mended, the same command")
    if probe.truncated > 0.5:
        remedies.append(f"most texts are cut off: raise sampling.max_tokens (now {sampling.max_tokens}) or set stop")
    if probe.unparseable > 0.5:
        remedies.append(f"most texts hold no answer that '{recipe.verifier.name}' reads: show the form in the prompt")
    if prompt.exemplars is None:
        remedies.append("few-shot: prompt.exemplars, such as those in recipes/exemplars/")
    if not recipe.warmup.steps:
        remedies.append("seed rationales: a corpus with a 'seed' split, and warmup.steps")
    remedies += [
        "a teacher: sample the first generation with a stronger model (base.model, or engine: the openai engine)",
        "easier questions: begin with those of least difficulty (corpus settings)",
        "more luck: strategy.samples and sampling.temperature up",
        "or go on all the same, for what the hints give: preflight.go_on=true",
    ]
    listed = "\n".join(f"  - {remedy}" for remedy in remedies)
    said = "".join(f"\n  {count:,} attempts: {' '.join(reason.split())}" for reason, count in probe.said.items())
    raise ColdStart(
        f"cold start: {probe}{said}\nWith nothing solved there is little to learn from. What can be done:\n{listed}\n"
        "A changed recipe needs a run folder of its own (RUN=...)."
    )
