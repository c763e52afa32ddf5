"""The groups of settings that a recipe is made of, each with its types and bounds."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

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
    AComponent,
    Components,
    ConfigFile,
    ExemplarFile,
    Settings,
    a_folder,
    hub_name,
    located,
    template,
)


class Questions(Settings):
    """What becomes of questions that cannot stay in the snapshot: left out and counted, or with ``strict`` refused."""

    strict: bool = False


class PromptSettings(Settings):
    """How a question becomes messages: see :class:`factory.prompts.Prompt`."""

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

    def prompt(self) -> Prompt:
        settings = self.model_dump()
        exemplars = settings.pop("exemplars")
        return Prompt(**settings, exemplars=exemplars and located(exemplars))


class Warmup(Settings):
    """Training of the base on the corpus's seed questions, before generation 0; ``steps=0``: none.

    With ``hinted`` every seed is shown once with and once without its hint: that is how the base knows what a
    hint is. No generation's training prompt ever shows one. With ``dialogues`` every seed is shown once more as the
    second turn of a dialogue, after an attempt that is wrong, so that the base knows what feedback is (RISE's "boost").
    """

    steps: NonNegativeInt = 0
    hinted: bool = True
    dialogues: bool = False


class Teacher(Settings):
    """A stronger model that a strategy may ask. ``model`` is a folder or a Hub name; a server's own name for it may
    stand in its engine's ``served_model`` instead."""

    engine: AComponent
    model: str | None = None

    @property
    def name(self) -> str:
        return self.engine.settings.get("served_model") or self.model or ""


class Rollout(Settings):
    """How the sampling is spread: ``engines`` workers, each with the processors it asks Ray for."""

    engines: PositiveInt = 1
    cpus_per_engine: PositiveFloat = 1
    gpus_per_engine: NonNegativeFloat = 0
    shard_rows: PositiveInt = 128
    shards_in_flight: PositiveInt = 4


class Evaluation(Settings):
    """How each model is measured. Difficulty groups in ``reported_apart`` do not count in the overall figure."""

    strategy: AComponent
    sampling: Sampling = Sampling(temperature=0)
    reported_apart: tuple[str, ...] = ()


class Preflight(Settings):
    """The probe before the long work: so many questions (0: none), and whether to ``go_on`` if none is solved.

    It changes no table, so it is no part of a run's identity.
    """

    questions: NonNegativeInt = 32
    go_on: bool = False


class Curation(Settings):
    """Which attempts become examples.

    With the ``criterion`` ``correct`` these are the correct ones, at most ``per_question`` (of each turn), the shortest
    first if ``prefer`` says so. The others are RISE's (``factory/curation/criteria.py``): they go by the strategy's
    rewards, and an example weighs ``exp(reward / tau)``; with ``centred`` the question's mean reward is taken off its
    rewards first. A recipe that names none gets that of its strategy (``CRITERION`` in its module), or ``correct``.

    Every correct attempt is put to the process ``checks``; those of the corpus (``CHECKS`` in its module) unless the
    recipe lists others. An attempt that fails one is dropped if its origin is among ``checks_decide``; else the
    result is only written down. ``keep_seeds`` adds the seed questions' own rationales to every generation (origin
    ``reference``), in dialogues as well if the warm-up has such.
    """

    criterion: Literal["correct", "all", "better", "best", "success"] = "correct"
    tau: PositiveFloat = 0.4
    centred: bool = False
    per_question: PositiveInt = 1
    prefer: Literal["first", "shortest"] = "first"
    checks: Components = ()
    checks_decide: tuple[Literal["sampled", "rationalized", "corrected"], ...] = ("rationalized",)
    keep_seeds: bool = False

    @property
    def check_versions(self) -> dict[str, str]:
        """By name; a check whose behaviour changes gets another version."""
        return {one["name"]: one["version"] for one in (check.identity for check in self.checks)}


class Gate(Settings):
    """Limits beyond which a generation is not published."""

    min_examples: PositiveInt = 1
    max_error_share: Annotated[float, Field(ge=0, le=1)] = 0.05


class Publish(Settings):
    """Where a generation is published: with ``hub`` (``owner/name``) as a commit with the tag ``gen-N``, else in the
    folder ``registry/name/gen-N``; ``name`` is the run folder's unless given.

    A new repository on the Hub is ``private``; one that is there stays as it is. ``license`` is the corpus's unless
    given. With ``publish_model`` the model that was trained on generation N is published as well: on the Hub in the
    model repository of the same name.

    Where a dataset goes changes no table, so this group is no part of a run's identity.
    """

    registry: Annotated[Path, AfterValidator(a_folder)] = Path("registry")
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    hub: Annotated[str, AfterValidator(hub_name)] | None = None
    private: bool = True
    license: str | None = None
    language: tuple[str, ...] = ("en",)
    publish_model: bool = False


class Finetune(Settings):
    """Training of model n+1: ``steps * growth**n`` steps (STaR: 40 and 1.2) on generation n's examples.

    ``start`` is ``base`` as in STaR, or ``previous`` to go on from model n. In a later phase of a recipe (``then``) n
    counts from its beginning, and its base is the model it begins with. ``overrides`` are keys of the torchtune config,
    such as ``optimizer.lr``.
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
