"""``manifest.json`` of what is published, as it is read: others may have written it, or a disk may have damaged it."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, NonNegativeInt, ValidationError, model_validator
from pydantic_core import from_json

from factory.files import digest
from factory.targets import Published, PublishError


class Shape(BaseModel):
    """What has to hold of the entries that are read; others may be there."""

    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False)


class File(Shape):
    sha256: str


def _within(files: dict[str, File]) -> dict[str, File]:
    """Paths of files in the generation's own folder, as :mod:`factory.publishing.tree` spells them."""
    for path in files:
        if {"", ".", ".."} & {*path.split("/")} or {"\\", "\0"} & {*path}:
            raise ValueError(f"{path!r} is not a path within the folder")
    return files


Files = Annotated[dict[str, File], AfterValidator(_within)]


class Table(Shape):
    rows: int
    by_origin: dict[str, int] = {}
    by_reason: dict[str, int] = {}


class Tables(Shape):
    examples: Table
    rollouts: Table
    rejects: Table
    pairs: Table | None = None
    prompt_completion: Table | None = None


class Accuracy(Shape):
    """Of one model. What is measured over turns has names that depend on their number, such as ``m1@t5``."""

    generation: int
    accuracy: float | None
    by_difficulty: dict[str, float | None] = {}

    @model_validator(mode="after")
    def over_turns(self) -> "Accuracy":
        for name, share in (self.model_extra or {}).items():
            if "@t" in name and not isinstance(share, float | int | None):
                raise ValueError(f"{name} is not a number")
        return self


class TrainedOn(Shape):
    generation: int | None = None
    examples_sha256: str | None = None


class Model(Shape):
    name: str | None = None
    trained_on: TrainedOn | None = None


class Parent(Shape):
    generation: int | None = None
    commit: str | None = None
    manifest_sha256: str | None = None


class Validation(Shape):
    passed: bool | None = None
    failures: list[str] = []


class Facts(Shape):
    examples_sha256: str | None = None
    accuracy: list[Accuracy] | None = None
    model: Model | None = None
    parent: Parent | None = None
    validation: Validation | None = None


class OfDataset(Shape):
    name: str
    generation: NonNegativeInt
    tables: Tables
    files: Files
    facts: Facts


class OfModel(Shape):
    """It has no tables, and facts that are not read."""

    name: str
    generation: NonNegativeInt
    files: Files
    facts: dict[str, Any]


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in a folder: that of a generation of a dataset, or of a model, whose ``tables`` are empty.

    What lineage, diff and publishing read in it has the shape that it should, and the paths of its files lie in the
    folder.

    Raises:
        PublishError: there is none, or none of a published generation; the text lists why.
    """
    path = folder / "manifest.json"
    try:
        found: dict[str, Any] = from_json(path.read_bytes(), allow_inf_nan=False)
    except (OSError, ValueError) as error:
        raise PublishError(f"{path} cannot be read: {error}") from error
    try:
        shape = OfModel if isinstance(found, dict) and found.get("tables") == {} else OfDataset
        shape.model_validate(found)
    except ValidationError as error:
        raise PublishError(f"{path} is not the manifest of a published generation: {_told(error)}") from error
    return found


def manifest_digest(published: Published) -> str:
    """The sha256 of the manifest, which stands for everything that it names."""
    return digest(published.folder("manifest.json") / "manifest.json")


def _told(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_input=False)
    told = [(".".join(map(str, one["loc"])), one["msg"].removeprefix("Value error, ")) for one in found]
    return re.sub(r" or instance of \w+", "", "; ".join(": ".join(filter(None, one)) for one in told))
