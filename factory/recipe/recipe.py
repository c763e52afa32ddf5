"""The recipe: every setting that decides what a run computes, with its type and bounds."""

import hashlib
import json
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field, NonNegativeInt, PositiveInt, model_validator

from factory.engines import Sampling
from factory.recipe.advisers import JUDGE, Judge, Teacher
from factory.recipe.component import Component, find, settings_model
from factory.recipe.curation import Curation, Gate
from factory.recipe.decontamination import Decontamination
from factory.recipe.groups import Evaluation, Finetune, Preflight, PromptSettings, Publish, Questions, Rollout, Warmup
from factory.recipe.settings import NAME, SHIPPED, AComponent, Settings, a_component, components, located

RECIPES = SHIPPED / "recipes"


class Recipe(Settings):
    """Everything that decides what a run computes, and how.

    Args:
        name: name of the recipe; that of its file unless given.
        description: one line for people.
        seed: what every draw of the run comes from.
        generations: generations to make; of a recipe with later phases those of the first.
        until: ``plateau`` ends the loop earlier, after the generation whose health says to stop (``advice`` of the
            status); of a recipe with later phases only in the last. Then the model trained on it is measured, as at
            the end of any loop.
        corpus: where the questions come from.
        base: what makes model 0.
        verifier: what judges final answers.
        strategy: what is done per question of the train split.
        engine: what samples.
        then: the later phases of a recipe that changes its method on the way, each with its own ``generations``, 1
            unless given. In the file a phase says only what it changes in the one before; read, it has all settings.
    """

    name: str = Field(pattern=f"^{NAME}$")
    description: str = ""
    seed: NonNegativeInt = 0
    generations: PositiveInt = 1
    until: Literal["plateau"] | None = None
    corpus: AComponent
    questions: Questions = Questions()
    base: AComponent
    warmup: Warmup = Warmup()
    prompt: PromptSettings = PromptSettings()
    verifier: AComponent
    strategy: AComponent
    engine: AComponent
    teacher: Teacher | None = None
    judge: Judge | None = None
    sampling: Sampling = Sampling()
    rollout: Rollout = Rollout()
    preflight: Preflight = Preflight()
    evaluation: Evaluation
    curation: Curation = Curation()
    decontamination: Decontamination = Decontamination()
    gate: Gate = Gate()
    publish: Publish = Publish()
    finetune: Finetune
    then: tuple["Recipe", ...] = ()

    @model_validator(mode="after")
    def _judge_is_there(self) -> "Recipe":
        decide = self.curation.checks_decide
        if isinstance(decide, dict) and JUDGE in decide and self.judge is None:
            raise ValueError("curation.checks_decide: the judge is to decide, and the recipe has none")
        return self

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

    def ends_on_plateau(self, generation: int) -> bool:
        """Whether the loop ends after a generation whose health says to stop."""
        phase = self.at(generation)
        return phase is self.phases[-1] and phase.until == "plateau"

    @property
    def total(self) -> int:
        """The generations of all phases."""
        return sum(phase.generations for phase in self.phases)

    @property
    def advisers(self) -> dict[str, Teacher | None]:
        """The other models that it may ask, by the name of their group."""
        return {"teacher": self.teacher, "judge": self.judge}

    @property
    def served_model(self) -> str | None:
        """The one model that the engine samples whatever the generation; None if it samples those of the run."""
        name: str | None = self.engine.settings.get("served_model")
        return name

    @property
    def rewarded(self) -> bool:
        """Whether the strategy gives its attempts a reward: then its module has a ``CRITERION``."""
        return hasattr(sys.modules[find(self.strategy.path).__module__], "CRITERION")

    def resolved(self) -> dict[str, Any]:
        """Every setting with its value, defaults included, as plain YAML types; of a later phase what it changes."""
        phases = [phase.model_dump(mode="json", exclude={"then"}) for phase in self.phases]
        changes = [
            {key: value for key, value in phase.items() if value != before[key] or key == "generations"}
            for before, phase in pairwise(phases)
        ]
        return phases[0] | ({"then": changes} if changes else {})

    def identity(self) -> dict[str, Any]:
        """What the run computes: dotted settings with their values, and the digests of the files they name.

        How many generations a run makes, and what ends it, is left out (it may be continued), and so is what changes no
        table: see
        :meth:`neutral` as well.
        """
        found: dict[str, Any] = {}
        begin = 0
        for number, phase in enumerate(self.phases):
            left_out = {"then", "description", "preflight", "publish", "generations", "until"}
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
                prefix = f"then.{number - 1}."
                found |= {prefix + key: value for key, value in settings.items() if (key, value) not in found.items()}
                found[prefix + "begins"] = begin
            begin += phase.generations
        neutral = self.neutral()
        return {key: value for key, value in found.items() if key not in neutral}

    def neutral(self) -> set[str]:
        """The dotted settings of all phases that change no row: of the spread of the sampling, and of the engines what
        their classes say (``NEUTRAL``)."""
        found: set[str] = set()
        for number, phase in enumerate(self.phases):
            engines = {"engine": phase.engine} | {
                f"{name}.engine": other.engine for name, other in phase.advisers.items() if other
            }
            names = {"rollout": Rollout.NEUTRAL} | {
                key: getattr(find(engine.path), "NEUTRAL", ()) for key, engine in engines.items()
            }
            prefix = f"then.{number - 1}." if number else ""
            found |= {f"{prefix}{key}.{name}" for key, some in names.items() for name in some}
        return found

    def at_default(self, key: str) -> bool:
        """Whether a setting of :meth:`identity` has its default: a run of a release without it computed the same."""
        part: Any = self
        *parents, last = key.split(".")
        if parents[:1] == ["then"]:
            part, parents = self.then[int(parents[1])], parents[2:]
        for name in parents:
            part = part.settings.get(name) if isinstance(part, Component) else getattr(part, name, None)
        if isinstance(part, Component):
            field = settings_model(find(part.path)).model_fields.get(last)
            return field is not None and part.settings[last] == field.get_default(call_default_factory=True)
        field = type(part).model_fields.get(last) if isinstance(part, BaseModel) else None
        return field is not None and getattr(part, last) == field.get_default(call_default_factory=True)

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
