"""``new``: a starter recipe for questions of one's own."""

import re
import sys
from pathlib import Path
from typing import Annotated

import typer

from factory.cli.said import program
from factory.errors import ConfigError, user_errors

app = typer.Typer()

ASKED = {
    "path": "Where are the questions? A file, a folder or a pattern",
    "question": "Column of the question",
    "answer": "Column of the answer",
    "verifier": "Verifier (numeric, choice, math, exact, or a dotted path of your own)",
    "model": "Base model: a folder, or a name on the Hub",
}
"""What a recipe cannot do without, as a person is asked for it."""


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the recipe; NAME.yaml is written to the working directory.")],
    path: Annotated[str | None, typer.Option(help="File, folder or pattern of the questions.")] = None,
    question: Annotated[str | None, typer.Option(help="Column of the question.")] = None,
    answer: Annotated[str | None, typer.Option(help="Column of the answer.")] = None,
    choices: Annotated[str | None, typer.Option(help="Column of the choices, if there are any.")] = None,
    verifier: Annotated[str | None, typer.Option(help="numeric, choice, math, exact, or a dotted path.")] = None,
    model: Annotated[str | None, typer.Option(help="Folder of the base model, or its name on the Hub.")] = None,
) -> None:
    """Write a commented recipe for questions of your own. What no option gives is asked for."""
    from factory.reading.verify import dotted
    from factory.recipe.load import load_recipe
    from factory.recipe.settings import NAME
    from factory.recipe.starter import starter

    given = {"path": path, "question": question, "answer": answer, "verifier": verifier, "model": model}
    with user_errors():
        name = name.removesuffix(".yaml")
        if not re.fullmatch(NAME, name):
            problem = "a name begins with a letter from a to z or a digit; dots, dashes and underscores may follow"
            raise ConfigError(f"recipe {name!r}", [problem])
        file = Path(f"{name}.yaml")
        if file.exists():
            raise ConfigError(f"recipe '{name}'", [f"'{file}' is there already; choose another name"])
        missing = [key for key, value in given.items() if not value]
        if missing and not sys.stdin.isatty():
            raise ConfigError(f"recipe '{name}'", [f"--{key}: is missing" for key in missing])
        said = {key: value or typer.prompt(ASKED[key]) for key, value in given.items()}
        columns = {"question": said["question"], "answer": said["answer"]} | ({"choices": choices} if choices else {})
        on_gpu = Path("/dev/nvidiactl").exists()
        text = starter(name, said["path"], columns, dotted(said["verifier"]), said["model"], on_gpu, program())
        file.write_text(text)
        try:
            load_recipe(str(file))
        except ConfigError:
            file.unlink()  # a name that cannot be one, or a verifier that is none
            raise
        typer.echo(f"wrote {file}\n\n  try it     {program()} preflight {file}")
