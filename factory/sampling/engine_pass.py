"""One start of the engine: the evaluation of model n, the rollouts of generation n, and before the first the probe."""

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from factory.files import read_json, write_json
from factory.recipe.recipe import Recipe
from factory.record import Record
from factory.run import Run
from factory.sampling.evaluate import evaluate, rollout_counts
from factory.sampling.probe import ColdStart, draw, read, refuse_cold_start
from factory.sampling.rollout import roll_out
from factory.sampling.worker import Job, Pass, Tally
from factory.sampling.written import Written
from factory.terminal import Line, console, line

READERS = {"evaluation": ("publish",), "rollouts": ("judge", "curate", "validate", "publish")}
"""The stages of a generation that use what these two have written."""


class EnginePass:
    """What model n is to sample, all in one pass: see :meth:`sample`."""

    def __init__(self, recipe: Recipe, run: Run, n: int):
        self.recipe, self.run, self.n = recipe.at(n), run, n
        sampled, measured, folder = self.recipe, self.recipe.evaluation, run.generation(n)
        self.passes = {
            "probe": Pass(run.probe / "questions", run.probe / "rollouts", sampled.strategy, sampled.sampling),
            "evaluation": Pass(run.questions("eval"), folder / "evaluation", measured.strategy, measured.sampling),
            "rollouts": Pass(run.questions("train"), folder / "rollouts", sampled.strategy, sampled.sampling),
        }

    def sample(self, *stages: str) -> None:
        """Do what is missing of the stages ``evaluation`` and ``rollouts``, try their errors again, once, and write
        their records.

        Raises:
            ColdStart: model 0 solves none of the probe's questions.
            FactoryError: sampling stopped, or the questions, the model or the rollouts are not what was recorded.
        """
        run, recipe, n = self.run, self.recipe, self.n
        left = [stage for stage in stages if self._is_left(stage)]
        probed = n > 0 or not recipe.preflight.questions or run.record("probe") or run.records(0)
        if probed and not left:
            return
        by = self._by()
        if not probed and self._is_to_be_probed(by):
            left = ["probe", *left]
        if not left:
            return
        job = self._job(left, by)
        written = {self.passes[stage].out: self._written(stage, by) for stage in left}
        for one in written.values():
            one.begin(job)

        def keep(shard: Path, report: Record) -> None:
            written[shard.parent].add(shard, report)
            if shard.parent == self.passes["probe"].out:
                self._judge(written[shard.parent])

        def pass_over(job: Job, shown: Line) -> None:
            shown.update("starting the engine")
            total = sum(pq.read_metadata(path).num_rows for one in job.passes for path in one.left())
            roll_out(
                job,
                recipe.rollout,
                on_progress=lambda tally, pace: shown.update(told(tally, pace), tally["questions"], total),
                on_shard=keep,
            )

        started = time.monotonic()
        with line(f"gen {n}  {' + '.join(stage for stage in left if stage != 'probe') or 'probe'}") as shown:
            pass_over(job, shown)
        if recipe.rollout.retry_errors and (again := self._with_errors(stages, written)):
            with line(f"gen {n}  errors again") as shown:
                pass_over(replace(job, passes=again), shown)
                retried = [written[one.out].retried() for one in again]
                mended, errors = (sum(one[name] for one in retried) for name in ("mended", "errors"))
                shown.result(f"{mended:,} of {errors:,} errors mended")
        seconds = time.monotonic() - started
        for stage in [stage for stage in stages if stage in left]:
            # one pass made them all; its time is that of the last, which is by far the longest
            self._finish(stage, by, written[self.passes[stage].out], seconds if stage == stages[-1] else 0.0)

    def _with_errors(self, stages: Sequence[str], written: dict[Path, Written]) -> tuple[Pass, ...]:
        """What is to be tried again of the stages that are being made."""
        there = [self.passes[stage] for stage in stages if self.passes[stage].out in written]
        passes = (replace(one, again=written[one.out].to_try_again()) for one in there)
        return tuple(one for one in passes if one.again)

    def _finish(self, stage: str, by: Record, written: Written, seconds: float) -> None:
        """Write the record of a stage, all of whose shards are there as their workers reported them."""
        run, n, out = self.run, self.n, self.passes[stage].out
        outputs = written.outputs()
        if not written.repeats(outputs, [reader for reader in READERS[stage] if run.record(reader, n)]):
            record: Record = {**rollout_counts(out), **by, "inputs": written.asked, "outputs": outputs}
            record["retried"] = written.retried()
            if stage == "evaluation":
                record["eval"] = evaluate(out, self.recipe.evaluation.reported_apart)
            run.finish(stage, record, seconds, n)
        written.forget()

    def _is_left(self, stage: str) -> bool:
        """Whether a stage has not finished, or lacks a shard that it had. All rollouts of a published generation may
        have been put away."""
        run, one = self.run, self.passes[stage]
        if run.record(stage, self.n) is None:
            return True
        return bool(one.missing()) and (one.out.exists() or run.record("publish", self.n) is None)

    def _by(self) -> Record:
        """What samples and judges, as records and the reports of shards have it."""
        served = self.recipe.served_model
        return {
            "model": {"path": served, "sha256": None} if served else self.run.identity_of(self.n),
            "verifier": self.recipe.verifier.identity,
            "prompt_sha256": self.recipe.prompt.sha256,
        }

    def _job(self, stages: list[str], by: Record) -> Job:
        recipe = self.recipe
        teacher = recipe.teacher if set(stages) - {"evaluation"} else None
        return Job(
            model=self.run.model(self.n).resolve(),
            model_name=by["model"]["path"],
            generation=self.n,
            seed=recipe.seed,
            engine=recipe.engine,
            verifier=recipe.verifier,
            prompt=recipe.prompt.prompt(),
            passes=tuple(self.passes[stage] for stage in stages),
            log=self.run.log.resolve(),
            teacher=teacher.engine if teacher else None,
            teacher_name=teacher.name if teacher else "",
        )

    def _written(self, stage: str, by: Record) -> Written:
        one = self.passes[stage]
        recorded = self.run.described if stage == "probe" else partial(self.run.recorded, "questions", None)
        return Written(self.run, one, recorded(one.questions), by, self.run.record(stage, self.n))

    def _is_to_be_probed(self, by: Record) -> bool:
        """Draw the probe's questions. If they have been sampled already, and in this configuration, judge that."""
        run, one, configuration = self.run, self.passes["probe"], self.run.probe / "configuration.json"
        run.recorded("questions", None, run.questions("train"))
        draw(run.questions("train"), one.questions, self.recipe.preflight.questions, self.recipe.seed)
        settings = self.recipe.model_dump(
            mode="json", exclude={"description", "generations", "until", "preflight", "publish", "then"}
        )
        now = by | {"recipe": settings, "questions": run.described(one.questions)}
        if not configuration.exists() or read_json(configuration) != json.loads(json.dumps(now)):
            shutil.rmtree(one.out, ignore_errors=True)
            write_json(configuration, now)
        if one.missing():
            return True
        written = self._written("probe", by)
        written.begin(self._job(["probe"], by))
        self._judge(written)
        return False

    def _judge(self, written: Written) -> None:
        """Look at the probe as soon as its questions are sampled, while the others still run."""
        written.outputs()
        out = self.passes["probe"].out
        found = read(out)
        console.print(f"  {'probe':<28} {found}", markup=False)
        try:
            refuse_cold_start(found, self.recipe)
        except ColdStart:
            if found.errors > 0.5:  # it says nothing of the model: the same command samples it again
                shutil.rmtree(out)
            raise
        self.run.finish("probe", asdict(found), 0.0)  # its time is part of that of the pass


def told(tally: Tally, pace: Tally) -> str:
    """``questions  56 attempts/s  7,890 tokens/s  12% correct``; the share is of the unhinted attempts."""
    share = f"  {tally['correct'] / tally['unhinted']:.0%} correct" if tally["unhinted"] else ""
    return f"questions  {pace['attempts']:,} attempts/s  {pace['tokens']:,} tokens/s{share}"
