"""The groups of settings that a recipe is made of, each with its types and bounds."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from factory.engines import Sampling
from factory.prompts import Prompt, read_exemplars
from factory.recipe.settings import (
    NAME,
    AComponent,
    ConfigFile,
    ExemplarFile,
    Settings,
    a_folder,
    hub_name,
    located,
    template,
)


class Questions(Settings):
    """What becomes of questions that cannot stay in the snapshot.

    Args:
        strict: whether one such question stops the run; else they are left out and counted.
        conflicts: what becomes of rows with the same text and choices, and answers that differ: all of them are
            dropped, for none can be trusted; or the first stays; or the corpus is refused.
    """

    strict: bool = False
    conflicts: Literal["first", "drop", "refuse"] = "drop"


class PromptSettings(Settings):
    """How a question becomes messages (:mod:`factory.prompts`).

    Args:
        instruction: text of a system message; none by default.
        hint: how a question is shown with its answer (STaR section 3.2: the answer in brackets after the question).
            ``{question}`` and ``{answer}`` are filled in; the solution is never shown.
        choice_hint: the same where there are choices: how the line of the right one is shown (STaR's CommonsenseQA
            prompts mark it). ``{choice}`` is filled in.
        feedback: the user's message after an attempt that is to be improved (RISE section 4). ``{question}`` is filled
            in where it stands, as in the authors' code.
        exemplars: YAML file with a list of ``{question, answer, rationale}``, and ``choices`` (texts by label) where
            there are any, shown before the question.
        exemplar_generations: exemplars are shown while the generation is below this number; without one, always.
        exemplars_in_training: whether training prompts show the exemplars as well.
    """

    instruction: str | None = None
    hint: Annotated[str, template("{question}", "{answer}")] = "{question} ({answer})"
    choice_hint: Annotated[str, template("{choice}")] = "{choice} (CORRECT)"
    feedback: Annotated[str, Field(pattern=r"\S")] = "The answer is incorrect. Please try again."
    exemplars: ExemplarFile | None = None
    exemplar_generations: NonNegativeInt | None = None
    exemplars_in_training: bool = False

    @property
    def sha256(self) -> str:
        """A digest of these settings and of the exemplars; the chat template belongs to the model."""
        settings = self.model_dump(mode="json")
        if self.exemplars:
            settings["exemplars"] = located(self.exemplars).read_text(encoding="utf-8")
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    @property
    def exemplar_questions(self) -> tuple[str, ...]:
        """What is shown with its answer, and so neither trained on nor measured with."""
        return tuple(shown["question"] for shown in read_exemplars(located(self.exemplars))) if self.exemplars else ()

    @property
    def exemplar_answers(self) -> list[tuple[str, str]]:
        """Rationale and answer of what is shown."""
        if not self.exemplars:
            return []
        return [(shown["rationale"], str(shown["answer"])) for shown in read_exemplars(located(self.exemplars))]

    @property
    def hints(self) -> tuple[str, str]:
        """What a hint adds to a question, ``{answer}`` to be filled in, and to the right one of its choices."""
        added = next(part for part in self.hint.split("{question}") if "{answer}" in part)
        return added.strip(), self.choice_hint.replace("{choice}", "").strip()

    def prompt(self) -> Prompt:
        settings = self.model_dump()
        exemplars = settings.pop("exemplars")
        return Prompt(**settings, exemplars=exemplars and located(exemplars))


class Warmup(Settings):
    """Training of the base on the corpus's seed questions, before generation 0.

    Args:
        steps: training steps; 0 is no warm-up.
        hinted: whether every seed is shown once with and once without its hint: that is how the base knows what a hint
            is. No generation's training prompt ever shows one.
        dialogues: whether every seed is shown once more as the second turn of a dialogue, after an attempt that is
            wrong, so that the base knows what feedback is (RISE's "boost").
    """

    steps: NonNegativeInt = 0
    hinted: bool = True
    dialogues: bool = False


class Rollout(Settings):
    """How the sampling is spread.

    Where and beside what a shard is sampled changes no row, nor does an error that is tried again, so of these only
    ``shard_rows`` and the kind of device are part of a run's identity.

    Args:
        engines: workers, each with an engine of its own.
        cpus_per_engine: processors that each asks Ray for.
        gpus_per_engine: GPUs that each asks Ray for.
        shard_rows: questions of a shard: what is sampled again after a crash, and written at once.
        shards_in_flight: shards that a worker has open at a time, so that the last questions of one do not idle it.
        retry_errors: whether attempts with the verdict ``error`` are tried again, once, before a table is finished;
            with the same seeds, so the rows become those of a run without the fault. A context that overflowed is not.
    """

    NEUTRAL: ClassVar = ("engines", "cpus_per_engine", "shards_in_flight", "retry_errors")

    engines: PositiveInt = 1
    cpus_per_engine: PositiveFloat = 1
    gpus_per_engine: NonNegativeFloat = 0
    shard_rows: PositiveInt = 128
    shards_in_flight: PositiveInt = 4
    retry_errors: bool = True


class Evaluation(Settings):
    """How each model is measured.

    Args:
        strategy: what is done per question of the eval split.
        sampling: how completions are drawn; greedily unless given.
        reported_apart: difficulty groups that do not count in the overall figure.
    """

    strategy: AComponent
    sampling: Sampling = Sampling(temperature=0)
    reported_apart: tuple[str, ...] = ()


class Preflight(Settings):
    """The probe before the long work. It changes no table, so it is no part of a run's identity.

    Args:
        questions: train questions that are tried; 0 is no probe.
        go_on: whether the run goes on if none of them is solved.
    """

    questions: NonNegativeInt = 32
    go_on: bool = False


class Publish(Settings):
    """Where a generation is published. It changes no table, so this group is no part of a run's identity.

    Args:
        registry: folder in which a generation becomes ``name/gen-N``, unless it goes to the Hub.
        name: name of the dataset there; the run folder's unless given.
        hub: ``owner/name`` of a dataset on the Hub, where a generation is a commit with the tag ``gen-N``.
        private: whether a new repository on the Hub is private; one that is there stays as it is.
        license: the Hub's identifier of a license; the corpus's (``LICENSE`` in its module) unless given.
        language: the Hub's identifiers of the languages of the texts.
        configs: datasets to publish beside examples, rollouts and rejects: ``pairs`` of a right and a wrong answer to
            the same prompt (for DPO), and ``prompt_completion``, the right examples split for trainers that want that.
        publish_model: whether the model that was trained on generation N is published as well: on the Hub in the model
            repository of the same name.
    """

    registry: Annotated[Path, AfterValidator(a_folder)] = Path("registry")
    name: str | None = Field(default=None, pattern=f"^{NAME}$")
    hub: Annotated[str, AfterValidator(hub_name)] | None = None
    private: bool = True
    license: str | None = None
    language: tuple[str, ...] = ("en",)
    configs: tuple[Literal["pairs", "prompt_completion"], ...] = ()
    publish_model: bool = False


class Finetune(Settings):
    """Training of model n+1 on generation n's examples.

    In a later phase of a recipe (``then``) n counts from its beginning, and its base is the model it begins with.

    Args:
        config: a torchtune config, such as those in ``torchtune_configs/``.
        steps: training steps of generation 0.
        growth: generation n has ``steps * growth**n`` (STaR: 40 and 1.2).
        start: from ``base`` as in STaR, or from ``previous`` to go on from model n.
        cpus: processors that the training asks Ray for.
        gpus: GPUs that the training asks Ray for.
        overrides: keys of the torchtune config, such as ``optimizer.lr``, with their values.
    """

    config: ConfigFile
    steps: PositiveInt = 40
    growth: PositiveFloat = 1.2
    start: Literal["base", "previous"] = "base"
    cpus: PositiveFloat = 1
    gpus: NonNegativeFloat = 0
    overrides: dict[str, Any] = Field(default={})

    @model_validator(mode="after")
    def _recipe_is_there(self) -> "Finetune":
        if self.recipe.endswith(".py") and not located(Path(self.recipe)).is_file():
            raise ValueError(f"overrides.recipe: there is no file '{self.recipe}'")
        return self

    def steps_of(self, generation: int) -> int:
        return round(self.steps * self.growth**generation)

    @property
    def recipe(self) -> str:
        """The torchtune recipe that runs: a name, or the path of a ``.py`` file."""
        return str(self.overrides.get("recipe") or yaml.safe_load(located(self.config).read_text()).get("recipe"))
