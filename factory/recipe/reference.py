"""Every setting of a recipe and of the shipped plug-ins, as a page of Markdown::

    python -m factory.recipe.reference docs/recipes.md

renews what stands below :data:`MARK` in a page; without a page the text is printed. All of it is read off the models,
the signatures and the docstrings, so it cannot say anything else than the code.
"""

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from pydantic import BaseModel

from factory.recipe.component import find, settings_model
from factory.recipe.recipe import Recipe, component_keys, group_of

MARK = "<!-- Made by `make docs` from here to the end. -->"

PLUG_INS = {
    **{"corpora": None, "bases": None, "verifiers": "verify"},
    **{"strategies": None, "engines": "sample", "checks": "check"},
}
"""The folders of what a recipe names by dotted path, with the method that makes a class a plug-in of the kind. Where it
is a function, it has the name of its file."""


def reference() -> str:
    """The page: a recipe's own settings, its groups, and the plug-ins with theirs."""
    groups = {name: group for name, field in Recipe.model_fields.items() if (group := group_of(field.annotation))}
    parts = [_section("## Every setting", Recipe, Recipe, "", tuple(groups))]
    parts += [_section(f"### `{name}`", group, group, f"{name}.") for name, group in groups.items()]
    for kind in PLUG_INS:
        parts.append(f"## Settings of the shipped {kind}\n")
        parts += [_section(f"### `{path}`", find(path), settings_model(find(path))) for path in components(kind)]
    return "\n".join(parts)


def components(kind: str) -> Iterator[str]:
    """The dotted paths of the shipped plug-ins of a kind, such as ``verifiers``, by name."""
    method = PLUG_INS[kind]
    for file in iter_modules(import_module(f"factory.{kind}").__path__, f"factory.{kind}."):
        for name, found in vars(import_module(file.name)).items():
            is_one = hasattr(found, method) if method else file.name.endswith(f".{name}")
            if is_one and getattr(found, "__module__", "") == file.name:
                yield f"{file.name}.{name}"


def explained(target: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    """What a docstring says: its text up to the first of its sections, and the meaning of each of its ``Args``."""
    text, *sections = re.split(r"^(Args|Raises|Returns):\n", inspect.getdoc(target) or "", flags=re.MULTILINE)
    listed = dict(zip(sections[::2], sections[1::2], strict=True)).get("Args", "")
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {5,}.*)*)", listed, flags=re.MULTILINE)
    return _markdown(text.strip()), {name: _markdown(" ".join(meaning.split())) for name, meaning in entries}


def _section(
    title: str, target: Callable[..., Any], model: type[BaseModel], prefix: str = "", but: tuple[str, ...] = ()
) -> str:
    """A heading, what the docstring says, and a table of settings."""
    text, meanings = explained(target)
    schema = model.model_json_schema()
    defs = schema.get("$defs", {})
    rows = []
    for name, setting in defs.get(model.__name__, schema)["properties"].items():  # a recipe holds recipes: its phases
        if name not in but:
            kind, default = _kind(setting, defs), "to be given"
            if f"{prefix}{name}" in set(component_keys()):
                kind = kind.replace("anything", "component")
            if "default" in setting:
                kind = kind if setting["default"] is not None else kind.removesuffix(" or null")
                default = f"`{' '.join(_shown(setting['default']).split())}`"
            rows.append([f"`{name}`", kind, default, meanings.get(name, "")])
    if not rows:
        return f"{title}\n\n{text}\n"
    heads = ["setting", "type", "default", "meaning"]
    if not any(row[3] for row in rows):  # the text above says it
        heads, rows = heads[:3], [row[:3] for row in rows]
    lines = [" | ".join(cell.replace("|", "\\|") for cell in row) for row in [heads, ["---"] * len(heads), *rows]]
    return "\n".join([title, "", text, "", *(f"| {line} |" for line in lines), ""])


def _kind(schema: dict[str, Any], defs: dict[str, Any]) -> str:
    """The type of a setting in words, from its JSON schema."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        inner = defs[name]
        return (
            "settings"
            if name == Recipe.__name__
            else f"mapping of {', '.join(f'`{name}`' for name in inner['properties'])}"
        )
    if either := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_kind(one, defs) for one in either)
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "type" not in schema:
        return "anything"
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'], defs)}"
    if schema["type"] == "object":
        inner = schema.get("additionalProperties")
        return f"mapping to {_kind(inner, defs)}" if isinstance(inner, dict) else "mapping"
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    bounds = [f"{sign} {_shown(schema[key])}" for key, sign in signs.items() if key in schema]
    words = {"string": "path" if schema.get("format") == "path" else "text", "boolean": "true or false"}
    return f"{words.get(schema['type'], schema['type'])} {' and '.join(bounds)}".rstrip()


def _shown(value: Any) -> str:
    """A value as a recipe may write it."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(one)}" for key, one in value.items() if one is not None) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    return value if isinstance(value, str) and value else json.dumps(value)


def _markdown(text: str) -> str:
    """A docstring's marks as Markdown has them: names of code between single backticks."""
    return re.sub(r"(?::\w+:`~?|``)([^`]+)`{1,2}", r"`\1`", text)


def renew(page: Path) -> None:
    """Write the reference below :data:`MARK` in a page.

    Raises:
        ValueError: the page has no such mark.
    """
    above, mark, _ = page.read_text(encoding="utf-8").partition(MARK)
    if not mark:
        raise ValueError(f"{page} has no line {MARK}")
    page.write_text(f"{above}{MARK}\n\n{reference()}", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:]:
        renew(Path(sys.argv[1]))
    else:
        print(reference())
