"""The recipe: every setting that decides what a run computes, with its type and bounds."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from factory.engines import Sampling
from factory.settings import (
    ROOT,
    AComponent,
    Components,
    ConfigFile,
    ExemplarFile,
    Settings,
    a_component,
    components,
    located,
    template,
)

RECIPES = ROOT / "recipes"


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
    first if ``prefer`` says so. The others are RISE's, see :mod:`factory.criteria`: they go by the strategy's rewards,
    and an example weighs ``exp(reward / tau)``; with ``centred`` the question's mean reward is taken off its rewards
    first. A recipe that names none gets that of its strategy (``CRITERION`` in its module), or ``correct``.

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


class Gate(Settings):
    """Limits beyond which a generation is not published."""

    min_examples: PositiveInt = 1
    max_error_share: Annotated[float, Field(ge=0, le=1)] = 0.05


class Publish(Settings):
    """``registry/name/gen-N`` is where generation N is published; ``name`` is the run folder's unless given."""

    registry: Path = Path("registry")
    name: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    license: str | None = None


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

    def steps_of(self, generation: int) -> int:
        return round(self.steps * self.growth**generation)

    @property
    def recipe(self) -> str:
        """The torchtune recipe that runs: a name, or the path of a ``.py`` file."""
        return str(self.overrides.get("recipe") or yaml.safe_load(located(self.config).read_text()).get("recipe"))


class Recipe(Settings):
    """Everything that decides what a run computes, and how.

    ``then`` holds the later phases of a recipe that changes its method on the way, each with its own ``generations``
    and all settings; in the file a phase says only what it changes.
    """

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    seed: NonNegativeInt = 0
    generations: PositiveInt = 1
    corpus: AComponent
    questions: Questions = Questions()
    base: AComponent
    warmup: Warmup = Warmup()
    prompt: PromptSettings = PromptSettings()
    verifier: AComponent
    strategy: AComponent
    engine: AComponent
    teacher: Teacher | None = None
    sampling: Sampling = Sampling()
    rollout: Rollout = Rollout()
    preflight: Preflight = Preflight()
    evaluation: Evaluation
    curation: Curation = Curation()
    gate: Gate = Gate()
    publish: Publish = Publish()
    finetune: Finetune
    then: tuple["Recipe", ...] = ()

    @property
    def phases(self) -> tuple["Recipe", ...]:
        return (self, *self.then)

    def phase_of(self, generation: int) -> tuple["Recipe", int]:
        """The phase that a generation belongs to, and the generation it begins with; the last one has no end."""
        begin = 0
        for phase in self.phases[:-1]:
            if generation < begin + phase.generations:
                return phase, begin
            begin += phase.generations
        return self.phases[-1], begin

    def at(self, generation: int) -> "Recipe":
        """The settings that hold for a generation."""
        return self.phase_of(generation)[0]

    @property
    def total(self) -> int:
        """The generations of all phases."""
        return sum(phase.generations for phase in self.phases)

    @property
    def served_model(self) -> str | None:
        """The one model that the engine samples whatever the generation; None if it samples those of the run."""
        name: str | None = self.engine.settings.get("served_model")
        return name

    def resolved(self) -> dict[str, Any]:
        """Every setting with its value, defaults included, as plain YAML types; of a later phase what it changes."""
        first, *later = (phase.model_dump(mode="json", exclude={"then"}) for phase in self.phases)
        changes = [
            {key: value for key, value in phase.items() if value != first[key] or key == "generations"}
            for phase in later
        ]
        return first | ({"then": changes} if changes else {})

    def identity(self) -> dict[str, Any]:
        """What the run computes: dotted settings with their values, and the digests of the files they name.

        How many generations the last phase has is left out (a run may be continued), and so is what changes no table.
        """
        found: dict[str, Any] = {}
        for number, phase in enumerate(self.phases):
            left_out = {"then", "description", "preflight"} | ({"generations"} if phase is self.phases[-1] else set())
            settings = flat(phase.model_dump(mode="json", exclude=left_out))
            training = phase.finetune.recipe
            files = [
                phase.prompt.exemplars,
                phase.finetune.config,
                Path(training) if training.endswith(".py") else None,
            ]
            for path in filter(None, files):
                settings[f"contents of {path}"] = hashlib.sha256(located(path).read_bytes()).hexdigest()[:16]
            if not number:
                found = settings
            else:
                found |= {
                    f"then.{number - 1}.{key}": value for key, value in settings.items() if found.get(key) != value
                }
        return found

    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:16]


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one mapping of dotted keys to values."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key: value}
    return found


def component_keys() -> Iterator[str]:
    """The dotted keys under which a recipe names a component or a list of them."""

    def walk(model: type[BaseModel], prefix: str) -> Iterator[str]:
        for name, field in model.model_fields.items():
            if any(
                isinstance(mark, BeforeValidator) and mark.func in (a_component, components) for mark in field.metadata
            ):
                yield prefix + name
            elif group := group_of(field.annotation):
                yield from walk(group, f"{prefix}{name}.")

    return walk(Recipe, "")


def group_of(annotation: Any) -> type[BaseModel] | None:
    """The model of a group of settings, also of one that a recipe may go without; None for a setting."""
    kinds = get_args(annotation) if NoneType in get_args(annotation) else (annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
