"""Plug-ins are named by dotted path: ``{_component_: factory.strategies.star.star, samples: 2}``.

Anything importable will do, in this project or in yours: a function or a class, whose annotated parameters are the
settings it takes. There is no registry. A component is checked as soon as the recipe is read: the path, every
setting's name, type and bounds (``pydantic`` annotations such as ``PositiveInt`` work).
"""

import importlib
import inspect
import os
import pkgutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model

from factory.errors import nearest

PATH = "_component_"


@dataclass(frozen=True)
class Component:
    """A callable and the settings to call it with, defaults filled in. Picklable: workers call it on their side."""

    path: str
    settings: dict[str, Any]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it: a class gives an instance, a strategy function its coroutine."""
        return find(self.path)(*args, **self.settings, **kwargs)

    def bound(self) -> Callable[..., Any]:
        """The callable with its settings filled in, looked up once (for calls in a hot loop)."""
        return partial(find(self.path), **self.settings)

    @property
    def name(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def identity(self) -> dict[str, str]:
        """Of a verifier or a check its name and version: constants of the classes of this project."""
        found = find(self.path)
        return {"name": getattr(found, "name", self.path), "version": getattr(found, "version", "")}

    def as_config(self) -> dict[str, Any]:
        return {PATH: self.path, **self.settings}


def beside(folder: Path) -> None:
    """Have the modules of a folder found, here and in the processes that are started from here; never before others.

    A recipe may so name a component in a module that lies beside it.
    """
    place = str(folder.resolve())
    if place not in sys.path:
        sys.path.append(place)
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if place not in known:
        os.environ["PYTHONPATH"] = os.pathsep.join([*filter(None, known), place])


def find(path: str) -> Callable[..., Any]:
    """The object at a dotted path.

    Raises:
        LookupError: with the nearest name and the names that are there, if there is no such module or name.
    """
    module_path, _, name = path.rpartition(".")
    if not module_path:
        raise LookupError(f"'{path}' is not a dotted path such as factory.strategies.star.star")
    try:
        module = importlib.import_module(module_path)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_path}.".startswith(f"{error.name}."):
            raise LookupError(f"'{path}' cannot be imported: {error}") from error
        parent, _, leaf = error.name.rpartition(".")
        siblings = _submodules(parent) if parent else []
        raise LookupError(f"there is no module '{error.name}'{nearest(leaf, siblings)}") from error
    except Exception as error:  # a plug-in's own code, or a path such as '..star'
        raise LookupError(f"'{path}' cannot be imported: {type(error).__name__}: {error}") from error
    found: Callable[..., Any] | ModuleType | None = getattr(module, name, None)
    if callable(found):
        return found
    own = [
        n
        for n, o in vars(module).items()
        if callable(o) and not n.startswith("_") and getattr(o, "__module__", "") == module_path
    ]
    if isinstance(found, ModuleType):
        raise LookupError(f"'{path}' is a module; name a function or class in it, such as {path}.{name}")
    raise LookupError(f"module '{module_path}' has no component '{name}'{nearest(name, own)}")


def parse(config: Mapping[str, Any]) -> Component:
    """A checked component from its part of a recipe.

    Raises:
        LookupError: see :func:`find`.
        pydantic.ValidationError: for unknown, missing or ill-typed settings, all of them at once.
    """
    if not isinstance(config.get(PATH), str):
        raise LookupError(f"needs a '{PATH}': the dotted path of a function or class")
    target = find(config[PATH])
    checked = settings_model(target).model_validate({k: v for k, v in config.items() if k != PATH})
    return Component(config[PATH], {name: getattr(checked, name) for name in type(checked).model_fields})


def settings_of(path: str) -> list[str]:
    """The names of the settings of the component at a dotted path; raises LookupError as :func:`find` does."""
    return list(settings_model(find(path)).model_fields)


def settings_model(target: Callable[..., Any]) -> type[BaseModel]:
    """A pydantic model of the parameters that a recipe may set: those that can be given by keyword, less the ones
    that the caller fills in by position."""
    fields: dict[str, Any] = {}
    try:
        parameters = inspect.signature(target, eval_str=True).parameters.values()
    except (ValueError, TypeError, NameError) as error:  # a builtin, or an annotation that names nothing
        raise LookupError(f"the settings of {target!r} cannot be read: {error}") from error
    for parameter in parameters:
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        default = ... if parameter.default is parameter.empty else parameter.default
        annotation = Any if parameter.annotation is parameter.empty else parameter.annotation
        fields[parameter.name] = (annotation, default)
    config = ConfigDict(
        extra="forbid", strict=False, allow_inf_nan=False, arbitrary_types_allowed=True, protected_namespaces=()
    )
    return create_model(getattr(target, "__name__", "settings"), __config__=config, **fields)


def _submodules(package: str) -> list[str]:
    try:
        module = importlib.import_module(package)
    except ImportError:
        return []
    return [found.name for found in pkgutil.iter_modules(getattr(module, "__path__", []))]
