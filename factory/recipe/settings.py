"""What the settings of a recipe are made of: components, paths, texts with parts to fill in."""

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from factory.files import address
from factory.recipe.component import PATH, Component

ROOT = Path(__file__).parents[2]
"""The folder that holds the package ``factory``: a checkout, or where Python keeps its packages."""

SHIPPED = ROOT / "factory" / "shipped" if (ROOT / "factory" / "shipped").is_dir() else ROOT
"""The folder of ``recipes/`` and ``torchtune_configs/``: within the package in a wheel, beside it in a checkout."""

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""Of a recipe or a data set, as a pattern: it is the name of a folder, too."""

HUB_NAME = f"{NAME}/{NAME}"
"""``owner/name``, as a pattern."""


def hub_name(name: str) -> str:
    """``owner/name`` as the Hub accepts it.

    Raises:
        ValueError: it is none.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise ValueError(str(error)) from error
    if "/" not in name:
        raise ValueError("should be owner/name")
    return name


def a_folder(path: Path) -> Path:
    """A folder of this machine.

    Raises:
        ValueError: it is the address of something else.
    """
    if found := address(path):
        to_hub = "; publish.hub=owner/name publishes to the Hub" if found.startswith("hf:") else ""
        raise ValueError(f"should be a folder, and '{found}' is none{to_hub}")
    return path


def a_component(value: Any) -> Any:
    if isinstance(value, Component):
        return value
    if not isinstance(value, dict):
        raise ValueError(f"should be a mapping with a '{PATH}'")
    return value


AComponent = Annotated[
    Any, BeforeValidator(a_component), PlainSerializer(lambda c: c.as_config() if isinstance(c, Component) else c)
]
"""A mapping with ``_component_`` and settings in the file; a :class:`Component` once the recipe is loaded."""


def components(value: Any) -> Any:
    if isinstance(value, str | dict) or not hasattr(value, "__iter__"):
        raise ValueError(f"should be a list of mappings with a '{PATH}'")
    return tuple(a_component(one) for one in value)


Components = Annotated[
    tuple[Any, ...],
    BeforeValidator(components),
    PlainSerializer(lambda cs: [c.as_config() if isinstance(c, Component) else c for c in cs]),
]
"""A list of such mappings."""


def located(path: Path) -> Path:
    """Where a path of a recipe lies: relative ones count from the working directory, or from what is shipped."""
    path = path.expanduser()
    return next((place / path for place in (Path(), SHIPPED) if (place / path).exists()), ROOT / path)


def template(*parts: str) -> AfterValidator:
    """A text that holds every one of some ``{parts}``."""

    def holds(text: str) -> str:
        missing = [part for part in parts if part not in text]
        if missing:
            raise ValueError(f"should contain {' and '.join(missing)}")
        return text

    return AfterValidator(holds)


def _exemplars(path: Path) -> Path:
    """A YAML list of ``{question, answer, rationale}``, with ``choices`` (texts by label) or without."""
    shown = _yaml(path)
    keys = {"question", "answer", "rationale"}
    if not isinstance(shown, list) or not all(
        isinstance(one, dict) and one.keys() - {"choices"} == keys and isinstance(one.get("choices", {}), dict)
        for one in shown
    ):
        raise ValueError(
            "should be a list of mappings with question, answer, rationale and perhaps choices (texts by label)"
        )
    return path


def _torchtune_config(path: Path) -> Path:
    if not isinstance(_yaml(path), dict):
        raise ValueError("should be a mapping of torchtune's settings")
    return path


def _yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(located(path).read_text())
    except FileNotFoundError:
        raise ValueError("there is no such file") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"is not a YAML file: {error}") from error


ExemplarFile = Annotated[Path, AfterValidator(_exemplars)]
"""A file that the recipe names; it stays as written, so that a recipe reads the same on every machine."""

ConfigFile = Annotated[Path, AfterValidator(_torchtune_config)]
"""The same, for torchtune."""


class Settings(BaseModel):
    """A part of a recipe: every key is known, nothing changes once it is read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
