"""A target, or a published generation, by the name that people type."""

import re
from pathlib import Path

from factory.errors import ConfigError, nearest
from factory.recipe.settings import HUB_NAME, hub_name
from factory.targets import Published, Target
from factory.targets.hub import Hub
from factory.targets.registry import Folder, Registry


def target(where: str, private: bool = True) -> Target:
    """The target of a name such as ``hub:owner/name``, or of the folder of a dataset.

    Raises:
        ConfigError: what follows ``hub:`` is no ``owner/name``.
    """
    if not where.startswith("hub:"):
        return Registry(Path(where))
    repository = where.removeprefix("hub:")
    try:
        return Hub(hub_name(repository), private=private)
    except ValueError as error:
        raise ConfigError(f"target '{where}'", [f"is not of the form hub:owner/name ({error})"]) from error


def published(where: str) -> Published:
    """The published generation of a name: a folder such as ``registry/sums/gen-3``, or ``owner/name@gen-3``.

    Raises:
        ConfigError: nothing is published there.
        PublishError: the Hub is out of reach, or refuses.
    """
    folder = Path(where)
    if (folder / "manifest.json").is_file():
        return Folder(folder)
    on_hub = re.fullmatch(rf"(?:hub:)?({HUB_NAME})@gen-(\d+)", where)
    if on_hub is None:
        manifests = [*folder.parent.glob("*/manifest.json"), *folder.glob("*/manifest.json")]
        choices = nearest(where, (str(path.parent) for path in manifests))
        problem = "is neither the folder of a published generation, such as registry/sums/gen-3, nor owner/name@gen-3"
        raise ConfigError(f"'{where}'", [problem + choices])
    try:
        hub, number = Hub(hub_name(on_hub[1])), int(on_hub[2])
    except ValueError as error:
        raise ConfigError(f"'{where}'", [str(error)]) from error
    found = hub.generation(number)
    if found is None:
        there = nearest(f"gen-{number}", hub.tags())
        raise ConfigError(f"'{where}'", [f"is not on the Hub, or not for this token to read{there}"])
    return found
