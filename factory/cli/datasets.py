"""The commands around published datasets; :mod:`factory.cli.runs` adds them to its own."""

import json
from pathlib import Path
from typing import Annotated

import typer

from factory import terminal
from factory.errors import user_errors

app = typer.Typer()

AsJson = Annotated[bool, typer.Option("--json", help="One JSON value instead of text.")]
Where = Annotated[str, typer.Argument(help="A folder such as registry/sums/gen-3, or owner/name@gen-3 on the Hub.")]


@app.command()
def publish(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    generation: Annotated[int | None, typer.Option(min=0, help="One generation; else all that are finished.")] = None,
    to: Annotated[
        str | None, typer.Option(help="hub:owner/name, or a folder that gets gen-N folders; the recipe's by default.")
    ] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Also what fails validation; its card says so.")] = False,
    as_json: AsJson = False,
) -> None:
    """Publish a run's generations, oldest first. What is published already stays as it is."""
    with user_errors():
        from factory.publishing.publication import chosen

        opened, recipe, generations, target = chosen(run, generation, to)
        with opened.locked(), terminal.quiet(opened.log, descriptor=2 if as_json else 1):
            from factory.loop import republish

            published = republish(recipe, opened, generations, target, unsafe)
        if as_json:
            typer.echo(json.dumps(published, indent=2))
        else:
            last = published[-1]["dataset"]
            typer.echo(f"\n  load it    {load_line(last)}\n  look back  python -m factory lineage {last}")


@app.command()
def lineage(where: Where, as_json: AsJson = False) -> None:
    """Walk a generation back to generation 0, and say what does not match its digests (then the exit code is 1)."""
    with user_errors():
        from factory.reading.lineage import show

        show(where, as_json)


@app.command()
def diff(a: Where, b: Where, as_json: AsJson = False) -> None:
    """Compare two generations: questions solved and lost, counts, accuracy, lengths, ten changed examples."""
    with user_errors():
        from factory.reading.diff.shown import show

        show(a, b, as_json)


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="Run folder.")],
    out: Annotated[Path | None, typer.Option(help="HTML file; RUN/report.html by default.")] = None,
) -> None:
    """Write one page of a run: its figures, and every attempt to look through. It needs no server and no network."""
    with user_errors():
        from factory.reading.page.page import write

        typer.echo(f"  open       {write(run, out)}")


def load_line(dataset: str) -> str:
    """How Python loads a published generation."""
    name, _, revision = dataset.partition("@")
    return f"datasets.load_dataset({name!r}" + (f", revision={revision!r})" if revision else ")")
