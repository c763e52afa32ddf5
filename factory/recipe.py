"""The recipe: what to do, as a YAML file; ``key=value`` overrides; everything that is wrong with it, at once."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PlainSerializer,
    PositiveFloat,
    PositiveInt,
    ValidationError,
)

from factory.component import PATH, Component, parse, settings_of
from factory.engines import Sampling
from factory.errors import ConfigError, nearest

ROOT = Path(__file__).parent.parent
RECIPES = ROOT / "recipes"


def _component(value: Any) -> Any:
    if isinstance(value, Component):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"should be a mapping with a '{PATH}'")
    return value


AComponent = Annotated[
    Any, BeforeValidator(_component), PlainSerializer(lambda c: c.as_config() if isinstance(c, Component) else c)
]
"""A mapping with ``_component_`` and settings in the file; a :class:`Component` once the recipe is loaded."""


def located(path: Path) -> Path:
    """Where a path of a recipe lies: relative ones count from the working directory or from the project."""
    path = path.expanduser()
    return path if path.exists() else ROOT / path


def _shows_both(hint: str) -> str:
    missing = [part for part in ("{question}", "{answer}") if part not in hint]
    if missing:
        raise ValueError(f"should contain {' and '.join(missing)}")
    return hint


def _exemplars(path: Path) -> Path:
    """A YAML list of ``{question, answer, rationale}``."""
    try:
        shown = yaml.safe_load(located(_exists(path)).read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"is not a YAML file: {error}") from error
    keys = {"question", "answer", "rationale"}
    if not isinstance(shown, list) or not all(isinstance(one, dict) and one.keys() == keys for one in shown):
        raise ValueError("should be a list of mappings with question, answer and rationale")
    return path


def _exists(path: Path) -> Path:
    if not located(path).is_file():
        raise ValueError("there is no such file")
    return path


ExistingFile = Annotated[Path, AfterValidator(_exists)]
"""A file that the recipe names; it stays as written, so that a recipe reads the same on every machine."""


class Settings(BaseModel):
    """A part of a recipe: every key is known, nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class PromptSettings(Settings):
    """How a question becomes messages: see :class:`factory.prompts.Prompt`."""

    instruction: str | None = None
    hint: Annotated[str, AfterValidator(_shows_both)] = "{question} ({answer})"
    exemplars: Annotated[Path, AfterValidator(_exemplars)] | None = None
    exemplar_generations: NonNegativeInt | None = None
    exemplars_in_training: bool = False


class Warmup(Settings):
    """Training of the base on the corpus's seed questions, before generation 0; ``steps=0``: none.

    With ``hinted`` every seed is shown once with and once without its hint: that is how the base knows what a
    hint is. No generation's training prompt ever shows one.
    """

    steps: NonNegativeInt = 0
    hinted: bool = True


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


class Curation(Settings):
    """Which correct attempts become examples: at most ``per_question``, the shortest first if ``prefer`` says so.

    ``keep_seeds`` adds the seed questions' own rationales to every generation (origin ``reference``).
    """

    per_question: PositiveInt = 1
    prefer: Literal["first", "shortest"] = "first"
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
    """Training of model n+1: ``steps * growth**n`` steps (paper: 40 and 1.2) on generation n's examples.

    ``start`` is ``base`` as in STaR, or ``previous`` to go on from model n. ``overrides`` are keys of the torchtune
    config, such as ``optimizer.lr``.
    """

    config: ExistingFile
    steps: PositiveInt = 40
    growth: PositiveFloat = 1.2
    start: Literal["base", "previous"] = "base"
    cpus: PositiveFloat = 1
    gpus: NonNegativeFloat = 0
    overrides: dict[str, Any] = {}

    def steps_of(self, generation: int) -> int:
        return round(self.steps * self.growth**generation)


class Recipe(Settings):
    """Everything that decides what a run computes, and how."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    seed: NonNegativeInt = 0
    generations: PositiveInt = 1
    corpus: AComponent
    base: AComponent
    warmup: Warmup = Warmup()
    prompt: PromptSettings = PromptSettings()
    verifier: AComponent
    strategy: AComponent
    engine: AComponent
    sampling: Sampling = Sampling()
    rollout: Rollout = Rollout()
    evaluation: Evaluation
    curation: Curation = Curation()
    gate: Gate = Gate()
    publish: Publish = Publish()
    finetune: Finetune

    def resolved(self) -> dict[str, Any]:
        """Every setting with its value, defaults included, as plain YAML types."""
        return self.model_dump(mode="json")

    def identity(self) -> dict[str, Any]:
        """What the run computes: dotted settings with their values, and the digests of the files they name.

        The number of generations is left out: a run may be continued.
        """
        settings = flat({key: v for key, v in self.resolved().items() if key not in ("generations", "description")})
        for path in filter(None, (self.prompt.exemplars, self.finetune.config)):
            settings[f"contents of {path}"] = hashlib.sha256(located(path).read_bytes()).hexdigest()[:16]
        return settings

    def fingerprint(self) -> str:
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:16]


def flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one mapping of dotted keys to values."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {prefix + key: value}
    return found


def load(recipe: str, overrides: Sequence[str] = (), generations: int | None = None) -> Recipe:
    """Read a recipe by its name in ``recipes/`` or by its path, with ``key=value`` overrides.

    A key is a dotted path such as ``strategy.samples``; its last part is enough where only one setting has it.

    Raises:
        ConfigError: lists every problem.
    """
    path = Path(recipe) if recipe.endswith((".yaml", ".yml")) else RECIPES / f"{recipe}.yaml"
    if not path.is_file():
        names = [p.stem for p in RECIPES.glob("*.yaml")]
        raise ConfigError(f"recipe '{recipe}'", [f"there is no such recipe{nearest(Path(recipe).stem, names)}"])
    try:
        config = yaml.safe_load(path.read_text())
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"recipe '{recipe}'", [f"not a YAML file: {error}"]) from error
    if not isinstance(config, dict):
        raise ConfigError(f"recipe '{recipe}'", ["should be a mapping of settings"])
    problems: list[str] = []
    config.setdefault("name", path.stem)
    for override in overrides:
        _override(config, override, problems)
    if generations is not None:
        config["generations"] = generations
    checked = _check(config, problems)
    if checked is None or problems:
        raise ConfigError(f"recipe '{recipe}'", problems)
    return checked


def _check(config: dict[str, Any], problems: list[str]) -> Recipe | None:
    """The recipe, its components parsed; whatever is wrong is added to ``problems``."""
    components = {}
    for key in _component_keys():
        *parents, last = key.split(".")
        part = config
        for parent in parents:
            part = part.get(parent) if isinstance(part, dict) else None  # type: ignore[assignment]
        if not isinstance(part, dict) or not isinstance(part.get(last), dict):
            continue
        try:
            components[key] = part[last] = parse(part[last])
        except LookupError as error:
            problems.append(f"{key}: {error.args[0]}")
        except ValidationError as error:
            problems.extend(_sentences(error, key, part[last]))
    try:
        return Recipe.model_validate(config)
    except ValidationError as error:
        problems.extend(_sentences(error, "", config))
        return None


def _component_keys() -> Iterator[str]:
    """The dotted keys under which a recipe names a component."""

    def walk(model: type[BaseModel], prefix: str) -> Iterator[str]:
        for name, field in model.model_fields.items():
            if any(isinstance(mark, BeforeValidator) and mark.func is _component for mark in field.metadata):
                yield prefix + name
            elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                yield from walk(field.annotation, f"{prefix}{name}.")

    return walk(Recipe, "")


def _override(config: dict[str, Any], override: str, problems: list[str]) -> None:
    key, equals, value = override.partition("=")
    if not equals or not key:
        problems.append(f"'{override}' is not of the form key=value")
        return
    if "." not in key and key not in Recipe.model_fields:
        paths = [path for path in _settings(config) if path.rpartition(".")[2] == key]
        if len(paths) > 1:
            problems.append(f"'{key}' is ambiguous: {' or '.join(sorted(paths))}")
            return
        if not paths:
            known = {path.rpartition(".")[2] for path in _settings(config)}
            problems.append(f"{key}: unknown setting{nearest(key, known)}")
            return
        key = paths[0]
    *parents, last = key.split(".")
    part = config
    for parent in parents:
        part = part.setdefault(parent, {})
        if not isinstance(part, dict):
            problems.append(f"'{key}': '{parent}' is not a group of settings")
            return
    try:
        part[last] = yaml.safe_load(value)
    except yaml.YAMLError:
        problems.append(f"'{override}': the value is not YAML")


def _settings(config: dict[str, Any]) -> set[str]:
    """The dotted paths of every setting that this recipe could have, those left at their defaults included."""
    found = set()

    def walk(model: type[BaseModel], prefix: str) -> None:
        for name, field in model.model_fields.items():
            found.add(prefix + name)
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                walk(field.annotation, f"{prefix}{name}.")

    walk(Recipe, "")
    for key in _component_keys():
        part: Any = config
        for name in key.split("."):
            part = part.get(name) if isinstance(part, dict) else None
        try:
            found |= {f"{key}.{name}" for name in settings_of(part[PATH])}
        except (LookupError, TypeError):
            continue
    return found


def _sentences(error: ValidationError, prefix: str, config: Any) -> Iterator[str]:
    """One line a problem: where, what, and for an unknown key the nearest known one."""
    for problem in error.errors():
        where = [str(part) for part in problem["loc"]]
        key = ".".join([prefix, *where] if prefix else where)
        if problem["type"] == "extra_forbidden":
            yield f"{key}: unknown setting{nearest(where[-1], _siblings(config, prefix, where))}"
        elif problem["type"] == "missing":
            yield f"{key}: is missing"
        else:
            message = problem["msg"].removeprefix("Value error, ")
            yield f"{key}: {message[0].lower()}{message[1:]} (it is {problem['input']!r})"


def _siblings(config: Any, prefix: str, where: list[str]) -> list[str]:
    """The settings that are valid beside an unknown one."""
    if prefix:
        return settings_of(config[PATH])
    model: Any = Recipe
    for name in where[:-1]:
        annotation = model.model_fields[name].annotation
        model = annotation if get_origin(annotation) is None else get_args(annotation)[0]
    return list(model.model_fields)
