"""The judge: another model that is asked about rationales, shard by shard like rollouts and by the same workers.

A rationale is a question to it, under the rubric of the recipe, and its answer an attempt with a verdict:
``correct`` for pass, ``wrong`` for fail, ``unparseable`` if it cannot be told (:mod:`factory.verifiers.judgement`).
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from factory.prompts import Prompt
from factory.recipe.advisers import Judge
from factory.recipe.component import parse
from factory.recipe.recipe import Recipe
from factory.record import Files, Record
from factory.run import Run
from factory.sampling.engine_pass import told
from factory.sampling.evaluate import rollout_counts
from factory.sampling.rollout import roll_out
from factory.sampling.worker import Job, Pass, Tally
from factory.sampling.written import Written
from factory.terminal import Line

ONCE = parse({"_component_": "factory.strategies.star.star", "samples": 1, "hinted_samples": 0})
READER = parse({"_component_": "factory.verifiers.judgement.Judgement"})


def ask(recipe: Recipe, judge: Judge, run: Run, n: int, questions: Path, out: Path, shown: Line) -> Record:
    """Ask the judge every question of ``questions`` that it has not been asked; what it says lies in ``out``.

    Args:
        questions: shards of rationales to judge, ``schemas.QUESTIONS``: the attempt's id, and the rubric filled in.
        out: shards of the judge's answers, ``schemas.ROLLOUTS``, one attempt a row.

    Returns:
        ``judge``, ``rationales``, ``passed``, ``errors``, ``completion_tokens``, ``retried``, ``outputs``.

    Raises:
        FactoryError: the judge cannot be asked; what it has said so far stays.
    """
    one = Pass(questions, out, ONCE, judge.sampling)
    asked: Files = run.described(questions)
    by: Record = {
        "model": {"path": judge.name, "sha256": None},
        "verifier": READER.identity,
        # what it has said of other texts with the same ids is not taken for these
        "prompt_sha256": hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest(),
    }
    job = Job(
        model=Path(judge.model or ""),
        model_name=judge.name,
        generation=n,
        seed=recipe.seed,
        engine=judge.engine,
        verifier=READER,
        prompt=Prompt(),
        passes=(one,),
        log=run.log.resolve(),
    )
    written = Written(run, one, asked, by, None)
    written.begin(job)
    total = sum(pq.read_metadata(path).num_rows for path in one.missing())
    spread = recipe.rollout
    if "base_url" in judge.engine.settings:  # its GPUs are elsewhere
        spread = spread.model_copy(update={"gpus_per_engine": 0})

    def progress(tally: Tally, pace: Tally) -> None:
        shown.update(told(tally, pace), tally["questions"], total)

    roll_out(job, spread, progress, written.add)
    if spread.retry_errors and (again := written.to_try_again()):
        roll_out(replace(job, passes=(replace(one, again=again),)), spread, progress, written.add)
    outputs = written.outputs()
    counts = (
        rollout_counts(out) if outputs else dict.fromkeys(("questions", "solved", "errors", "completion_tokens"), 0)
    )
    written.forget()
    return {
        "judge": judge.name,
        "rationales": counts["questions"],
        "passed": counts["solved"],
        "errors": counts["errors"],
        "completion_tokens": counts["completion_tokens"],
        "retried": written.retried(),
        "outputs": outputs,
    }
