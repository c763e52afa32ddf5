"""Reading a recipe: a YAML file and ``key=value`` overrides in, a checked recipe or every problem with them out."""

import copy
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from factory.errors import ConfigError, nearest
from factory.recipe.component import PATH, beside, find, parse, settings_model, settings_of
from factory.recipe.recipe import RECIPES, Recipe, component_keys, group_of

PHASE = (
    *("generations", "prompt", "strategy", "engine", "teacher", "judge", "sampling", "rollout"),
    *("evaluation", "curation", "gate", "finetune"),
)
"""What a later phase of a recipe may change."""


def load_recipe(recipe: str, overrides: Sequence[str] = (), generations: int | None = None) -> Recipe:
    """Read a recipe by its name in ``recipes/`` or by its path, with ``key=value`` overrides.

    A key is a dotted path such as ``strategy.samples``; its last part is enough where only one setting has it.
    Components may lie in modules beside the recipe, or in the working directory.

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
    for folder in (Path(), path.parent):
        beside(folder)
    problems: list[str] = []
    config.setdefault("name", path.stem)
    for override in overrides:
        _override(config, override, problems)
    if generations is not None:
        _set_total(config, generations, problems)
    checked = _check_phases(config, problems)
    if checked is None or problems:
        raise ConfigError(f"recipe '{recipe}'", problems)
    return checked


def _set_total(config: dict[str, Any], generations: int, problems: list[str]) -> None:
    """Have the last phase make what is missing. Fewer than the phases make are left to the caller to count."""
    later = config.get("then")
    if not later:
        config["generations"] = generations
        return
    if generations < 1:
        problems.append(f"generations: input should be greater than 0 (it is {generations})")
    if not isinstance(later, list) or not all(isinstance(phase, dict) for phase in later):
        return  # said elsewhere, as is a count that is none
    counts = [phase.get("generations", 1) for phase in (config, *later)]
    if all(isinstance(count, int) for count in counts):
        later[-1]["generations"] = max(counts[-1], generations - sum(counts[:-1]))


def _check_phases(config: dict[str, Any], problems: list[str]) -> Recipe | None:
    """The recipe with its later phases, each a recipe of its own that differs from the one before in what it says."""
    later = config.pop("then", None) or []
    if not isinstance(later, list) or not all(isinstance(changes, dict) for changes in later):
        problems.append("then: should be a list of mappings of settings")
        later = []
    phases: list[Recipe | None] = []
    told: set[str] = set()
    for number, changes in enumerate([{}, *later]):
        found = [
            f"{key}: is the same in the whole run"
            if key in Recipe.model_fields
            else f"{key}: unknown setting{nearest(str(key), PHASE)}"
            for key in changes
            if key not in PHASE
        ]
        known = {key: value for key, value in changes.items() if key in PHASE}
        config = _merged(config, ({"generations": 1} if number else {}) | known)
        phases.append(_check(copy.deepcopy(config), found))
        # what is wrong in a phase is wrong in all that do not change it
        prefix = f"then.{number - 1}." if number else ""
        problems += [prefix + problem for problem in found if problem not in told]
        told |= set(found)
    first, *others = phases
    limits = {phase.curation.max_question_similarity for phase in phases if phase}
    if len(limits) > 1:  # a question that is dropped is dropped in all generations
        problems.append("curation.max_question_similarity: is the same in the whole run")
    return first and first.model_copy(update={"then": tuple(others)})


def _merged(config: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Settings with some of them changed; a component that is named anew keeps none of the old one's settings."""
    merged = copy.deepcopy(config)
    for key, value in changes.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict) and PATH not in value:
            merged[key] = _merged(old, value)
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _check(config: dict[str, Any], problems: list[str]) -> Recipe | None:
    """The recipe, its components parsed; whatever is wrong is added to ``problems``."""
    _defaults(config)
    for key in component_keys():
        *parents, last = key.split(".")
        part: Any = config
        for parent in parents:
            part = part.get(parent) if isinstance(part, dict) else None
        if not isinstance(part, dict):
            continue
        if isinstance(part.get(last), dict):
            part[last] = _component(key, part[last], problems)
        elif isinstance(part.get(last), list):
            part[last] = [
                _component(f"{key}.{i}", one, problems) if isinstance(one, dict) else one
                for i, one in enumerate(part[last])
            ]
    try:
        return Recipe.model_validate(config)
    except ValidationError as error:
        problems.extend(_sentences(error, "", config))
        return None


def _component(key: str, config: dict[str, Any], problems: list[str]) -> Any:
    try:
        return parse(config)
    except LookupError as error:
        problems.append(f"{key}: {error.args[0]}")
    except ValidationError as error:
        problems.extend(_sentences(error, key, config))
    return config


def _defaults(config: dict[str, Any]) -> None:
    """A recipe that says nothing about process checks gets those of its corpus (``CHECKS`` in the corpus's module), one
    that names no license the corpus's (``LICENSE``), and one that names no criterion that of its strategy
    (``CRITERION``)."""
    curation, publish = config.setdefault("curation", {}), config.setdefault("publish", {})
    if isinstance(publish, dict):
        publish.setdefault("license", _constant(config.get("corpus"), "LICENSE", None))
    if isinstance(curation, dict):
        curation.setdefault("checks", copy.deepcopy(_constant(config.get("corpus"), "CHECKS", [])))
        curation.setdefault("criterion", _constant(config.get("strategy"), "CRITERION", "correct"))


def _constant(component: Any, name: str, default: Any) -> Any:
    """What the module of a component says under a name."""
    try:
        return getattr(sys.modules[find(component[PATH]).__module__], name, default)
    except (LookupError, TypeError, AttributeError):  # said elsewhere
        return default


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
    part: Any = config
    for parent in parents:
        place = _place(part, parent)
        if isinstance(part, dict):
            part.setdefault(parent, {})
        part = None if place is None else part[place]
        if not isinstance(part, dict | list):
            problems.append(f"'{key}': '{parent}' is not a group of settings")
            return
    place = _place(part, last)
    try:
        if place is None:
            problems.append(f"'{key}': there is no item '{last}' in a list of {len(part)}")
        else:
            part[place] = yaml.safe_load(value)
    except yaml.YAMLError:
        problems.append(f"'{override}': the value is not YAML")


def _place(part: Any, name: str) -> str | int | None:
    """Where a part of a dotted key lies: in a mapping under its name, in a list under its number (``then.0``)."""
    if isinstance(part, list):
        return int(name) if name.isdigit() and int(name) < len(part) else None
    return name


def _settings(config: dict[str, Any]) -> set[str]:
    """The dotted paths of every setting that this recipe could have, those left at their defaults included."""
    found = set()

    def walk(model: type[BaseModel], prefix: str) -> None:
        for name, field in model.model_fields.items():
            found.add(prefix + name)
            group = group_of(field.annotation)
            if group and (field.default is not None or config.get(name)):  # not of a teacher that there is not
                walk(group, f"{prefix}{name}.")

    walk(Recipe, "")
    for key in component_keys():
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
            of_a_group = problem["type"] == "value_error" and isinstance(problem["input"], dict)
            it_is = "" if of_a_group else f" (it is {problem['input']!r})"
            yield f"{key}: {message[0].lower()}{message[1:]}{it_is}" if key else f"{message}{it_is}"


def _siblings(config: Any, prefix: str, where: list[str]) -> list[str]:
    """The settings that are valid beside an unknown one."""
    model: type[BaseModel] = settings_model(find(config[PATH])) if prefix else Recipe
    for name in where[:-1]:
        if name in model.model_fields:  # else the number of an item in a list
            annotation = model.model_fields[name].annotation
            for kind in (annotation, *get_args(annotation)):
                if isinstance(kind, type) and issubclass(kind, BaseModel):
                    model = kind
    return list(model.model_fields)
