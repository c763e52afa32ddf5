"""The stages of a run, each a method: it shows a line, does its work and leaves its record. Imports all stages."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import polars as pl

from factory.curate import check_counts, curate
from factory.errors import ConfigError, FactoryError
from factory.evaluate import evaluate
from factory.finetune import FinetuneResult, train
from factory.preflight import preflight, room
from factory.probe import draw, refuse_cold_start
from factory.probe import read as read_probe
from factory.prompts import Prompt
from factory.publish import publish
from factory.questions import snapshot
from factory.recipe import Recipe
from factory.report import card_facts, rollout_counts
from factory.rollout import roll_out
from factory.run import Record, Run, describe, digest, folder_atomically, shards, write_json, write_table
from factory.seeds import reference_examples, warmup_examples
from factory.settings import located
from factory.terminal import console, line
from factory.worker import Job, Pass, Tally
from schemas.questions import SPLITS
from validation.gate import Limits, validate


class Stages:
    """The stages of one run. Each shows a line, and writes its record when it has finished."""

    def __init__(self, recipe: Recipe, run: Run):
        self.recipe, self.run = recipe, run
        self.dataset = recipe.publish.name or run.folder.resolve().name

    def preflight(self) -> None:
        """Refuse what would fail later; nothing is written down."""
        preflight(self.recipe, self.run, self.dataset)

    def snapshot(self) -> None:
        def work() -> Record:
            folder = self.run.folder / "questions"
            with line("questions") as shown, folder_atomically(folder) as temporary:
                found = snapshot(self.recipe, temporary, shown.update)
                shown.result(str(found))
            return {**asdict(found), "outputs": self._described(*(folder / split for split in SPLITS))}

        self.run.stage("questions", work)

    def make_base(self) -> None:
        """Model 0: what the recipe names, warmed up on the seed questions if it says so."""

        def work() -> Record:
            warmup, training = self.recipe.warmup, None
            untrained = self.run.folder / "untrained" if warmup.steps else self.run.base
            with line("base model") as shown, folder_atomically(untrained) as temporary:
                try:
                    self.recipe.base(temporary)
                except (OSError, ValueError) as error:
                    raise ConfigError(f"base {self.recipe.base.name}", [str(error)]) from error
                shown.result(self.recipe.base.name)
            if warmup.steps:
                seeds = self.run.folder / "warmup" / "00000.parquet"
                write_table(seeds, warmup_examples(self.run, prompt_of(self.recipe), warmup))
                training = self._train("base model: warm-up", untrained, [seeds], self.run.base, warmup.steps, 0)
            return {"model": self._model(0), "training": training and asdict(training)}

        self.run.stage("base", work)

    def check_room(self, generations: int) -> None:
        """Whether disk and memory have room for what follows, now that the model's size is known."""
        with line("room") as shown:
            told, problems = room(self.recipe, self.run, generations)
            shown.result(told)
        if problems:
            raise ConfigError(f"run '{self.run.folder}'", problems)

    def sample(self, n: int, *stages: str) -> None:
        """Evaluate model n and sample the corpus with it, in one engine pass; model 0 is probed first."""
        run, recipe, folder = self.run, self.recipe.at(n), self.run.generation(n)
        passes = {
            "evaluation": Pass(
                run.questions("eval"), folder / "evaluation", recipe.evaluation.strategy, recipe.evaluation.sampling
            ),
            "rollouts": Pass(run.questions("train"), folder / "rollouts", recipe.strategy, recipe.sampling),
        }
        left = {stage: passes[stage] for stage in stages if run.record(stage, n) is None}
        probe = Pass(run.probe / "questions", run.probe / "rollouts", recipe.strategy, recipe.sampling)
        probes = {"probe": probe} if n == 0 and self._is_to_be_sampled(probe) else {}
        if not probes | left:
            return
        teacher = recipe.teacher if (probes | left).keys() - {"evaluation"} else None
        served = recipe.served_model
        model: Record = {"path": served, "sha256": None} if served else self._model(n)
        job = Job(
            model=run.model(n).resolve(),
            model_name=model["path"],
            generation=n,
            seed=recipe.seed,
            engine=recipe.engine,
            verifier=recipe.verifier,
            prompt=prompt_of(recipe),
            passes=tuple((probes | left).values()),
            log=run.log.resolve(),
            teacher=teacher.engine if teacher else None,
            teacher_name=teacher.name if teacher else "",
        )
        started = time.monotonic()
        with line(f"gen {n}  {' + '.join(left or probes)}") as shown:
            shown.update("starting the engine")
            total = sum(row_count(path) for one in job.passes for path in one.missing())

            roll_out(
                job,
                recipe.rollout,
                on_progress=lambda tally, pace: shown.update(_told(tally, pace), tally["questions"], total),
                on_shard=lambda shard: self._judge(probe) if shard.parent == probe.out else None,
            )
        seconds = time.monotonic() - started
        for stage, one in left.items():
            record: Record = {
                **rollout_counts(one.out),
                "model": model,
                "inputs": self._described(one.questions),
                "outputs": self._described(one.out),
            }
            if stage == "evaluation":
                record["eval"] = evaluate(one.out, recipe.evaluation.reported_apart)
            # one pass made them all; its time is that of the last, which is by far the longest
            run.finish(stage, record, seconds if stage == stages[-1] else 0.0, n)

    def _is_to_be_sampled(self, probe: Pass) -> bool:
        """Draw the probe's questions, unless the recipe wants none or sampling has got past it; judge one that is
        sampled already."""
        run, questions = self.run, self.recipe.preflight.questions
        if not questions or run.record("probe") or run.records(0):
            return False
        draw(run.questions("train"), probe.questions, questions, self.recipe.seed)
        if probe.missing():
            return True
        self._judge(probe)
        return False

    def _judge(self, probe: Pass) -> None:
        """Look at the probe as soon as its questions are sampled, while the others still run."""
        found = read_probe(probe.out)
        console.print(f"  {'probe':<28} {found}")
        refuse_cold_start(found, self.recipe)
        self.run.finish("probe", asdict(found), 0.0)  # its time is part of that of the pass

    def curate(self, n: int) -> None:
        folder = self.run.generation(n)
        self.run.stage("curate", lambda: self._curated(n, folder), n)

    def view(self, n: int, name: str) -> Record:
        """Curate generation n again, into a folder beside its own examples; the record of that."""
        out = self.run.generation(n) / "views" / name
        with folder_atomically(out):
            pass  # one of an earlier call makes room
        record = self._curated(n, out) | {"folder": str(out), "curation": self.recipe.at(n).resolved()["curation"]}
        write_json(out / "record.json", record)
        return record

    def _curated(self, n: int, out: Path) -> Record:
        curation, rollouts = self.recipe.at(n).curation, self.run.generation(n) / "rollouts"
        with line(f"gen {n}  curate") as shown:
            curate(rollouts, out / "examples", out / "rejects", curation)
            if curation.keep_seeds:
                reference = reference_examples(
                    self.run, prompt_of(self.recipe.at(n)), n, curation, self.recipe.warmup.dialogues
                )
                write_table(out / "examples" / "reference.parquet", reference)
            kept = _count_by("origin", out / "examples")
            dropped = _count_by("reason", out / "rejects")
            shown.result(", ".join(f"{count:,} {name}" for name, count in {**kept, **dropped}.items()))
        return {
            "examples": kept,
            "rejects": dropped,
            "checks": check_counts(out / "examples", out / "rejects"),
            "inputs": self._described(rollouts),
            "outputs": self._described(out / "examples", out / "rejects"),
        }

    def validate(self, n: int) -> None:
        """The gate: what fails an expectation is not published, and the run stops."""
        folder = self.run.generation(n)

        def work() -> Record:
            gate, curation = self.recipe.at(n).gate, self.recipe.at(n).curation
            weighed = curation.criterion != "correct"
            limits = Limits(
                curation.per_question,
                gate.min_examples,
                gate.max_error_share,
                tau=curation.tau if weighed else None,
                centred=curation.centred,
            )
            questions = [path for split in SPLITS for path in shards(self.run.questions(split))]
            with line(f"gen {n}  validate") as shown:
                judged = validate(
                    shards(folder / "rollouts"), shards(folder / "examples"), questions, folder / "validation", limits
                )
                held = judged.expectations - len(judged.failures)
                shown.result(f"{held}/{judged.expectations} expectations hold")
            if not judged.success:
                failures = "\n".join(f"  - {failure}" for failure in judged.failures)
                raise FactoryError(
                    f"generation {n} is not published, because it fails validation:\n{failures}\n"
                    f"  all results: {judged.data_docs}"
                )
            return {
                "expectations": judged.expectations,
                "data_docs": str(judged.data_docs.relative_to(self.run.folder)),
                "inputs": self._described(folder / "rollouts", folder / "examples"),
            }

        self.run.stage("validate", work, n)

    def publish(self, n: int) -> None:
        folder = self.run.generation(n)

        def work() -> Record:
            with line(f"gen {n}  publish") as shown:
                dataset = publish(
                    registry=self.recipe.publish.registry,
                    name=self.dataset,
                    generation=n,
                    tables={name: shards(folder / name) for name in ("examples", "rollouts", "rejects")},
                    recipe=(self.run.folder / "recipe.yaml").read_text(),
                    facts=card_facts(self.run, self.recipe, n),
                )
                shown.result(str(dataset))
            return {"dataset": str(dataset), "manifest_sha256": digest(dataset / "manifest.json")}

        self.run.stage("publish", work, n)

    def finetune(self, n: int) -> None:
        """Train model n+1 on this generation's examples: from the base of the phase, or from model n."""
        recipe, begin = self.recipe.phase_of(n)

        def work() -> Record:
            examples = self.run.generation(n) / "examples"
            start = self.run.model(begin if recipe.finetune.start == "base" else n)
            steps = recipe.finetune.steps_of(n - begin)
            training = self._train(f"gen {n}  fine-tune", start, shards(examples), self.run.model(n + 1), steps, n + 1)
            return {
                "start": str(start.relative_to(self.run.folder)),
                "model": self._model(n + 1),
                "training": asdict(training),
                "inputs": self._described(examples),
            }

        self.run.stage("finetune", work, n)

    def _train(
        self, title: str, start: Path, examples: Sequence[Path], out: Path, steps: int, model: int
    ) -> FinetuneResult:
        settings = self.recipe.at(max(0, model - 1)).finetune
        with line(title) as shown:
            shown.update("starting torchtune")
            result = train(
                start,
                examples,
                located(settings.config),
                out,
                steps=steps,
                seed=self.recipe.seed + model,  # each model sees its examples in an order of its own
                overrides=settings.overrides,
                log=self.run.log,
                on_progress=lambda step, total, loss: shown.update(f"steps  loss {loss:.3f}", step, total),
                num_cpus=settings.cpus,
                num_gpus=settings.gpus,
            )
            shown.result(f"{result.steps:,} steps  loss {result.loss_first:.3f} -> {result.loss_last:.3f}")
        return result

    def _model(self, n: int) -> Record:
        path = self.run.model(n)
        return {"path": str(path.relative_to(self.run.folder)), "sha256": digest(path)}

    def _described(self, *folders: Path) -> Record:
        return describe([path for folder in folders for path in shards(folder)], self.run.folder)


def prompt_of(recipe: Recipe) -> Prompt:
    """How a recipe shows its questions."""
    settings = recipe.prompt.model_dump()
    exemplars = settings.pop("exemplars")
    return Prompt(**settings, exemplars=exemplars and located(exemplars))


def row_count(path: Path) -> int:
    """Number of rows of a Parquet file."""
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def _count_by(column: str, folder: Path) -> dict[str, int]:
    return dict(pl.scan_parquet(shards(folder)).group_by(column).len().sort(column).collect().iter_rows())


def _told(tally: Tally, pace: Tally) -> str:
    """``questions  56 attempts/s  7,890 tokens/s  12% correct``; the share is of the unhinted attempts."""
    share = f"  {tally['correct'] / tally['unhinted']:.0%} correct" if tally["unhinted"] else ""
    return f"questions  {pace['attempts']:,} attempts/s  {pace['tokens']:,} tokens/s{share}"
