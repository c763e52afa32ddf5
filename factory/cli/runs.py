"""The command line: ``python -m factory iterate RECIPE``, and what else is done with recipes and runs."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from factory import terminal
from factory.cli import datasets, new
from factory.cli.said import command
from factory.errors import user_errors

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="A factory of rationale datasets."
)
app.add_typer(datasets.app)
app.add_typer(new.app)


@app.command()
def iterate(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe in recipes/, or path of a YAML file.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, such as strategy.samples=2.")] = None,
    generations: Annotated[int | None, typer.Option(help="Generations to make; the recipe says how many.")] = None,
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/<recipe> by default.")] = None,
) -> None:
    """Make generations of a dataset, each with the model trained on the one before. Run again to go on."""
    from factory.recipe.load import load_recipe

    with user_errors():
        checked = load_recipe(recipe, overrides or [], generations)
        from factory import api

        folder = api.iterate(checked, run, generations)
        _say_where(recipe, folder, generations or checked.total, overrides or [])


@app.command()
def preflight(
    recipe: Annotated[str, typer.Argument(help="Name of a recipe in recipes/, or path of a YAML file.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, such as preflight.questions=64.")] = None,
    run: Annotated[
        Path | None, typer.Option(help="Run folder; runs/<recipe> by default. iterate goes on in it.")
    ] = None,
) -> None:
    """Try a recipe before anything long: configuration, files, model, disk, memory, gold answers, 32 questions."""
    from factory.recipe.load import load_recipe

    with user_errors():
        checked = load_recipe(recipe, overrides or [])
        from factory.api import working_in

        with working_in(run, checked) as opened:
            from factory.loop import probe

            probe(checked, opened)
            next_step = command("iterate", opened.folder, recipe, overrides or [])
            terminal.console.print(f"\n  go on      {next_step}", markup=False)


@app.command()
def status(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Show what a run has made so far."""
    from factory.reading.status import show
    from factory.reading.status import status as read

    with user_errors():
        if as_json:
            typer.echo(json.dumps(read(run), indent=2))
        else:
            read(run)
            show(run)


@app.command()
def curate(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, such as curation.criterion=best.")] = None,
    generation: Annotated[int, typer.Option(min=0, help="Generation to curate.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Curate a generation again from its rollouts, without sampling. The run itself stays as it is."""
    with user_errors():
        from factory.curation.recurate import load, table

        opened, recipe, name = load(run, generation, overrides or [])
        with opened.locked(), terminal.quiet(opened.log, descriptor=2 if as_json else 1):
            from factory.cluster import connected
            from factory.loop import recurate

            with connected():
                record = recurate(recipe, opened, generation, name)
        typer.echo(json.dumps(record, indent=2) if as_json else table(opened, generation, record))


@app.command()
def verify(
    verifier: Annotated[str, typer.Argument(help="Short name, such as numeric, or dotted path of a verifier.")],
    file: Annotated[str, typer.Argument(help="JSONL file, or - for standard input.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line instead of a table.")] = False,
) -> None:
    """Judge completions: lines of {"completion", "answer"}, maybe "accepted_answers", "choices", "metadata"."""
    from factory.reading.verify import verify as judge

    with user_errors():
        judge(verifier, file, sys.stdout, as_json)


@app.command()
def reverify(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="key=value, such as verifier.marked_only=true.")] = None,
    out: Annotated[Path | None, typer.Option(help="New folder for the rollouts with their new verdicts.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of lines.")] = False,
) -> None:
    """Judge a run's attempts again, without sampling, and say what changed. The run itself stays as it is."""
    with user_errors():
        from factory.reading.reverify import reverify as again
        from factory.reading.reverify import told

        report = again(run, overrides or [], out)
        typer.echo(json.dumps(report, indent=2) if as_json else "\n".join(told(report)))


def _say_where(recipe: str, folder: Path, generations: int, overrides: list[str]) -> None:
    from factory.reading.status import status as read

    made = [one["dataset"] for one in read(folder)["generations"] if one["dataset"]][:generations]
    dataset = made[-1]
    if len(made) < generations:  # it ended on a plateau
        overrides = [*overrides, "until=null"]
    words = {
        "dataset": dataset,
        "load it": datasets.load_line(dataset),
        "go on": command("iterate", folder, recipe, overrides, len(made) + 1),
        "look back": command("status", folder),
        "look at it": command("report", folder),
    }
    terminal.console.print()
    for word, text in words.items():
        terminal.console.print(f"  {word:<10} {text}", markup=False)
