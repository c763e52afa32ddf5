"""One start of the engine: the evaluation of model n, the rollouts of generation n, and before the first the probe."""

import time
from dataclasses import asdict

import pyarrow.parquet as pq

from factory.recipe.recipe import Recipe
from factory.run import Record, Run
from factory.sampling.evaluate import evaluate, rollout_counts
from factory.sampling.probe import draw, read, refuse_cold_start
from factory.sampling.rollout import roll_out
from factory.sampling.worker import Job, Pass, Tally
from factory.terminal import console, line


class EnginePass:
    """What model n is to sample, all in one pass: see :meth:`sample`."""

    def __init__(self, recipe: Recipe, run: Run, n: int):
        self.recipe, self.run, self.n = recipe.at(n), run, n
        sampled, measured, folder = self.recipe, self.recipe.evaluation, run.generation(n)
        self.passes = {
            "evaluation": Pass(run.questions("eval"), folder / "evaluation", measured.strategy, measured.sampling),
            "rollouts": Pass(run.questions("train"), folder / "rollouts", sampled.strategy, sampled.sampling),
        }
        self.probe = Pass(run.probe / "questions", run.probe / "rollouts", sampled.strategy, sampled.sampling)

    def sample(self, *stages: str) -> None:
        """Do what is missing of the stages ``evaluation`` and ``rollouts``, and write their records.

        Raises:
            ColdStart: model 0 solves none of the probe's questions.
            FactoryError: sampling stopped.
        """
        run, recipe, n = self.run, self.recipe, self.n
        left = {stage: self.passes[stage] for stage in stages if run.record(stage, n) is None}
        probes = {"probe": self.probe} if n == 0 and self._is_to_be_probed() else {}
        if not probes | left:
            return
        job = self._job(probes | left)
        started = time.monotonic()
        with line(f"gen {n}  {' + '.join(left or probes)}") as shown:
            shown.update("starting the engine")
            total = sum(pq.read_metadata(path).num_rows for one in job.passes for path in one.missing())
            roll_out(
                job,
                recipe.rollout,
                on_progress=lambda tally, pace: shown.update(told(tally, pace), tally["questions"], total),
                on_shard=lambda shard: self._judge() if shard.parent == self.probe.out else None,
            )
        seconds = time.monotonic() - started
        for stage, one in left.items():
            record: Record = {
                **rollout_counts(one.out),
                "model": self._model(),
                "verifier": recipe.verifier.identity,
                "prompt_sha256": recipe.prompt.sha256,
                "inputs": run.described(one.questions),
                "outputs": run.described(one.out),
            }
            if stage == "evaluation":
                record["eval"] = evaluate(one.out, recipe.evaluation.reported_apart)
            # one pass made them all; its time is that of the last, which is by far the longest
            run.finish(stage, record, seconds if stage == stages[-1] else 0.0, n)

    def _job(self, passes: dict[str, Pass]) -> Job:
        recipe = self.recipe
        teacher = recipe.teacher if passes.keys() - {"evaluation"} else None
        return Job(
            model=self.run.model(self.n).resolve(),
            model_name=self._model()["path"],
            generation=self.n,
            seed=recipe.seed,
            engine=recipe.engine,
            verifier=recipe.verifier,
            prompt=recipe.prompt.prompt(),
            passes=tuple(passes.values()),
            log=self.run.log.resolve(),
            teacher=teacher.engine if teacher else None,
            teacher_name=teacher.name if teacher else "",
        )

    def _model(self) -> Record:
        served = self.recipe.served_model
        return {"path": served, "sha256": None} if served else self.run.identity_of(self.n)

    def _is_to_be_probed(self) -> bool:
        """Draw the probe's questions, unless the recipe wants none or sampling has got past it; judge one that is
        sampled already."""
        run, questions = self.run, self.recipe.preflight.questions
        if not questions or run.record("probe") or run.records(0):
            return False
        draw(run.questions("train"), self.probe.questions, questions, self.recipe.seed)
        if self.probe.missing():
            return True
        self._judge()
        return False

    def _judge(self) -> None:
        """Look at the probe as soon as its questions are sampled, while the others still run."""
        found = read(self.probe.out)
        console.print(f"  {'probe':<28} {found}")
        refuse_cold_start(found, self.recipe)
        self.run.finish("probe", asdict(found), 0.0)  # its time is part of that of the pass


def told(tally: Tally, pace: Tally) -> str:
    """``questions  56 attempts/s  7,890 tokens/s  12% correct``; the share is of the unhinted attempts."""
    share = f"  {tally['correct'] / tally['unhinted']:.0%} correct" if tally["unhinted"] else ""
    return f"questions  {pace['attempts']:,} attempts/s  {pace['tokens']:,} tokens/s{share}"
