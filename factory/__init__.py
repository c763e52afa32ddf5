"""The rationale factory: questions with known answers in, versioned and validated datasets of rationales out.

::

    import factory

    recipe = factory.load_recipe("star_arithmetic", ["strategy.samples=2"])
    run = factory.iterate(recipe, "runs/sums", generations=1)
    print(factory.status(run)["generations"][0]["eval"]["pass@1"])
    frame = factory.examples(run)  # a polars frame: question, rationale, messages, origin, ...

The names in ``__all__`` are public, and nothing else. They are looked up when they are first used, so that importing
the package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from factory.api import examples, iterate, status
    from factory.errors import ConfigError, FactoryError
    from factory.recipe.load import load_recipe

__all__ = ["ConfigError", "FactoryError", "examples", "iterate", "load_recipe", "status"]

_HOMES = {
    "examples": "factory.api",
    "iterate": "factory.api",
    "status": "factory.api",
    "ConfigError": "factory.errors",
    "FactoryError": "factory.errors",
    "load_recipe": "factory.recipe.load",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'factory' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
