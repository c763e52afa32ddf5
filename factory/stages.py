"""The stages of a run, each a method: it shows a line, does its work and leaves its record. Imports all stages."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.dataset

from factory.curation import union
from factory.curation.candidates import candidates
from factory.curation.flagging import Flagging
from factory.curation.generation import curated
from factory.curation.health import is_due, look
from factory.curation.seeds import answers_only, warmup_examples
from factory.errors import ConfigError, FactoryError, named
from factory.files import folder_atomically, shards, write_json, write_table
from factory.intake.questions import snapshot
from factory.preflight import preflight, room
from factory.publishing.publication import Publication
from factory.recipe.recipe import Recipe
from factory.recipe.settings import located
from factory.record import Record
from factory.run import Run
from factory.sampling.engine_pass import EnginePass
from factory.sampling.judging import ask
from factory.terminal import console, line
from factory.training.finetune import FinetuneResult, train
from factory.training.fitness import refuse_unfit
from schemas import QUESTIONS
from schemas.questions import SPLITS
from validation import Limits, validate


class Stages:
    """The stages of one run. Each shows a line, and writes its record when it has finished."""

    def __init__(self, recipe: Recipe, run: Run):
        self.recipe, self.run = recipe, run
        self.publication, self.flagging = Publication(recipe, run), Flagging(recipe, run)

    def preflight(self) -> None:
        """Refuse what would fail later; nothing is written down."""
        problems = [
            *self.publication.problems(),
            *self.flagging.problems(),
            *union.problems(self.recipe, self.run),
        ]
        preflight(self.recipe, self.run, problems)

    def snapshot(self) -> None:
        def work() -> Record:
            folder = self.run.folder / "questions"
            with line("questions") as shown, folder_atomically(folder) as temporary:
                found = snapshot(self.recipe, temporary, shown.update)
                shown.result(str(found))
            return {**asdict(found), "outputs": self.run.described(*(folder / split for split in SPLITS))}

        self.run.stage("questions", work)

    def flag_questions(self) -> None:
        self.flagging.stage()

    def make_base(self) -> None:
        """Model 0: what the recipe names, refused if it is unfit; warmed up on the seed questions if it says so."""

        def work() -> Record:
            warmup, training = self.recipe.warmup, None
            untrained = self.run.folder / "untrained" if warmup.steps else self.run.base
            with line("base model") as shown, folder_atomically(untrained) as temporary:
                try:
                    self.recipe.base(temporary)
                except (OSError, ValueError) as error:
                    raise ConfigError(f"base {self.recipe.base.name}", [str(error)]) from error
                strips = refuse_unfit(temporary, self.recipe, self._system())
                shown.result(self.recipe.base.name)
            if warmup.steps:
                self.run.recorded("questions", None, self.run.questions("seed"))
                given = self.run.folder / "warmup" / "00000.parquet"
                write_table(given, warmup_examples(self.run, self.recipe.prompt.prompt(), warmup))
                training = self._train("base model: warm-up", untrained, [given], self.run.base, warmup.steps, 0)
            trained = training and asdict(training)
            return {"model": self.run.identity_of(0), "training": trained, "strips_reasoning": strips}

        self.run.stage("base", work)

    def _system(self) -> str | None:
        """What the system says before one of the questions; None if it says nothing before any."""
        files = [path for split in SPLITS for path in shards(self.run.questions(split))]
        questions = pyarrow.dataset.dataset(files, QUESTIONS)  # one of before the column has nulls there
        said: list[str] = questions.filter(pc.field("system").is_valid()).head(1, ["system"])["system"].to_pylist()
        return next(iter(said), None)

    def check_room(self, generations: int) -> None:
        """Whether disk and memory have room for what follows, now that the model's size is known."""
        with line("room") as shown:
            told, problems = room(self.recipe, self.run, generations)
            shown.result(told)
        if problems:
            raise ConfigError(f"run '{self.run.folder}'", problems)

    def sample(self, n: int, *stages: str) -> None:
        """Evaluate model n and sample the corpus with it, in one engine pass; model 0 is probed first."""
        EnginePass(self.recipe, self.run, n).sample(*stages)

    def judge(self, n: int) -> None:
        """Ask the recipe's judge, if it has one, about every correct attempt that has failed no other check."""
        recipe, folder = self.recipe.at(n), self.run.generation(n)
        judge = recipe.judge
        if judge is None:
            return

        def work() -> Record:
            inputs = self.run.recorded("rollouts", n, folder / "rollouts")
            asked = folder / "judge" / "questions"
            shutil.rmtree(asked, ignore_errors=True)  # of a try that was interrupted
            with line(f"gen {n}  judge") as shown:
                written = candidates(folder / "rollouts", asked, recipe.curation, judge, recipe.prompt.hints)
                self.run.arrived(written, asked)
                record = ask(recipe, judge, self.run, n, asked, folder / "judge" / "rollouts", shown)
                shown.result("{passed:,} of {rationales:,} rationales pass".format(**record))
            return record | {"inputs": inputs}

        self.run.stage("judge", work, n)

    def curate(self, n: int) -> None:
        folder = self.run.generation(n)
        self.run.stage("curate", lambda: curated(self.recipe, self.run, self.flagging, n, folder), n)

    def health(self, n: int) -> None:
        """How generation n is doing, and whether to go on; of one that an earlier release has finished it is not told.

        Told again if the generation was curated anew, until it is validated.
        """
        run = self.run
        if run.record("validate", n):
            return
        if is_due(run, n):
            started = time.monotonic()
            with line(f"gen {n}  health") as shown:
                found = look(run, self.recipe.phase_of(n)[1], n)
                shown.result(found["advice"])
            run.finish("health", found, time.monotonic() - started, n)

    def is_plateau(self, n: int) -> bool:
        """Whether the recipe ends the loop after generation n; says so, and how to go on."""
        told = self.run.record("health", n) if self.recipe.ends_on_plateau(n) else None
        if told is None or told["go_on"]:
            return False
        console.print(f"  generation {n} is the last (until=plateau): {told['advice']}; to go on: until=null")
        return True

    def view(self, n: int, name: str) -> Record:
        """Curate generation n again, into a folder beside its own examples; the record of that."""
        out = self.run.generation(n) / "views" / name
        shutil.rmtree(out, ignore_errors=True)  # one of an earlier call
        curation = self.recipe.at(n).resolved()["curation"]
        record = curated(self.recipe, self.run, self.flagging, n, out) | {"folder": str(out), "curation": curation}
        write_json(out / "record.json", record)
        return record

    def validate(self, n: int, unsafe: bool = False) -> None:
        """The gate: what fails an expectation is not published, and the run stops, unless that is to be ``unsafe``."""
        folder = self.run.generation(n)

        def work() -> Record:
            gate, curation = self.recipe.at(n).gate, self.recipe.at(n).curation
            weighed = curation.criterion != "correct"
            tests = shards(self.flagging.eval_sets) if self.recipe.decontamination.wanted else []
            limits = Limits(
                curation.per_question,
                gate.min_examples,
                gate.max_error_share,
                tau=curation.tau if weighed else None,
                centred=curation.centred,
                exemplars=self.recipe.at(n).prompt.exemplar_questions,
                answers_only=answers_only(self.run, self.recipe.at(n).prompt),
                max_contaminated=self.recipe.decontamination.max_share if tests else None,
            )
            inputs = (
                self.run.recorded("questions", None, *map(self.run.questions, SPLITS))
                | self.run.recorded("rollouts", n, folder / "rollouts")
                | self.run.recorded("curate", n, folder / "examples", folder / "rejects")
                | self.flagging.inputs()
                | union.recorded(self.recipe, self.run, n)
            )
            earlier = [self.run.generation(m) / "rollouts" for m in union.earlier(self.recipe, n)]
            questions = [path for split in SPLITS for path in shards(self.run.questions(split))]
            with line(f"gen {n}  validate") as shown:
                with named(folder / "validation"):
                    judged = validate(
                        shards(folder / "rollouts"),
                        shards(folder / "examples"),
                        shards(folder / "rejects"),
                        questions,
                        folder / "validation",
                        limits,
                        tests,
                        [path for rollouts in earlier for path in shards(rollouts)],
                    )
                held = judged.expectations - len(judged.failures)
                shown.result(f"{held}/{judged.expectations} expectations hold")
            failures = [str(failure) for failure in judged.failures]
            if failures and not unsafe:
                listed = "\n".join(f"  - {failure}" for failure in failures)
                raise FactoryError(
                    f"generation {n} is not published, because it fails validation:\n{listed}\n"
                    f"  all results: {judged.data_docs}\n"
                    f"  to publish it all the same, with a warning: python -m factory publish {self.run.folder} "
                    f"--generation {n} --unsafe"
                )
            return {
                "expectations": judged.expectations,
                "failures": failures,
                "data_docs": str(judged.data_docs.relative_to(self.run.folder)),
                "inputs": inputs,
            }

        self.run.stage("validate", work, n)

    def publish(self, n: int) -> None:
        self.publication.dataset(n)

    def publish_model(self, n: int) -> None:
        """If the recipe says so: the model that was trained on generation n."""
        self.publication.model(n)

    def finetune(self, n: int) -> None:
        """Train model n+1 on this generation's examples: from the base of the phase, or from model n."""
        recipe, begin = self.recipe.phase_of(n)

        def work() -> Record:
            examples = self.run.generation(n) / "examples"
            inputs = self.run.recorded("curate", n, examples)
            start = begin if recipe.finetune.start == "base" else n
            started_from = self.run.identity_of(start)
            steps = recipe.finetune.steps_of(n - begin)
            training = self._train(
                f"gen {n}  fine-tune", self.run.model(start), shards(examples), self.run.model(n + 1), steps, n + 1
            )
            return {
                "start": started_from["path"],
                "model": self.run.identity_of(n + 1),
                "training": asdict(training),
                "inputs": inputs,
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
