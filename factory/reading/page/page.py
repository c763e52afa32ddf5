"""The page of a run: one HTML file with its figures, its generations side by side and a browser of its rollouts.

It needs no server and asks the network for nothing. What it shows travels in it as JSON, gzipped, in base64: no text of
a model can end the element that it lies in. The page shows texts as texts only, and its content security policy runs
the one script whose digest it names.
"""

import base64
import gzip
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

from factory.files import read_json, write_text
from factory.reading.page import rollouts as page_rollouts
from factory.reading.status import status
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.run import Run
from schemas.questions import SPLITS

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("figures.js", "detail.js", "browser.js", "page.js")

STAGES = ("evaluation", "rollouts", "curate", "validate", "publish", "finetune")
"""The stages of a generation, in order."""

TABLES = {"evaluation": ("evaluation",), "rollouts": ("rollouts",), "curate": ("examples", "rejects")}
"""What they write and the page reads."""


def write(folder: Path, out: Path | None = None) -> Path:
    """Write the page of the run in ``folder``, as far as the run has come, and return where it is.

    Args:
        out: the file; ``report.html`` in the run folder unless given. It is replaced atomically.

    Raises:
        ConfigError: the folder holds no run, or one whose recipe can no longer be read.
        FactoryError: a shard is missing, truncated, changed or foreign.
    """
    run = Run.existing(folder)
    recipe = load_recipe(str(folder / "recipe.yaml"))
    _refuse_changed(run)
    shown = heading(run, recipe) | page_rollouts.packed(run, recipe)
    out = out or folder / "report.html"
    write_text(out, rendered(shown))
    return out


def _refuse_changed(run: Run) -> None:
    """What the page shows is what the finished stages have written."""
    if run.record("questions"):
        run.recorded("questions", None, *map(run.questions, SPLITS))
    for n in run.generations():
        folder, records = run.generation(n), run.records(n)
        for stage, tables in TABLES.items():
            if stage in records:
                run.recorded(stage, n, *(folder / table for table in tables))


def heading(run: Run, recipe: Recipe) -> dict[str, Any]:
    """``{"run", "description", "state", "facts": {name: text}, "generations": [...]}``.

    A generation is one of :func:`factory.reading.status.status`, with the ``verdicts`` of its rollouts, counted.
    """
    generations = status(run.folder)["generations"]
    for generation in generations:
        generation["verdicts"] = page_rollouts.verdicts(run, generation["generation"])
    methods = dict.fromkeys(phase.strategy.name for phase in recipe.phases)
    codes = dict.fromkeys(one["code"] for n in range(len(generations)) for one in run.records(n).values())
    return {
        "run": run.folder.resolve().name,
        "description": recipe.description,
        "state": _state(recipe, generations),
        "facts": {
            "recipe": recipe.name,
            "strategy": ", then ".join(methods),
            "base": recipe.base.name,
            "corpus": recipe.corpus.name,
            "verifier": " ".join(filter(None, recipe.verifier.identity.values())),
            "seed": str(recipe.seed),
            "recipe fingerprint": read_json(run.folder / "run.json")["fingerprint"],
            "code": ", ".join(codes),
        },
        "generations": generations,
    }


def _state(recipe: Recipe, generations: list[dict[str, Any]]) -> str:
    made = sum("finetune" in generation["seconds"] for generation in generations)
    measured = len(generations) > made or recipe.at(made).served_model
    told = generations[made - 1]["health"] if made else None
    plateau = bool(told and not told["go_on"]) and recipe.ends_on_plateau(made - 1)
    if (made >= recipe.total or plateau) and measured:
        return f"finished: {made} generation{'s' if made > 1 else ''}{', until a plateau' if plateau else ''}"
    if not generations:
        return "no stage of generation 0 has finished yet"
    done = [stage for stage in STAGES if stage in generations[-1]["seconds"]]
    if len(done) == len(STAGES):
        return f"in progress: generation {len(generations) - 1} is finished, of {recipe.total}"
    return f"in progress: generation {len(generations) - 1} of {recipe.total}, {', '.join(done)} finished"


def rendered(shown: dict[str, Any]) -> str:
    """The HTML of a page that shows this; the same for the same."""
    style = "\n" + (STATIC / "page.css").read_text()
    script = "\n" + "\n".join((STATIC / name).read_text() for name in SCRIPTS)
    data = json.dumps(shown, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    parts = {
        "title": html.escape(f"{shown['run']}: run of the rationale factory"),
        "policy": f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}",
        "style": style,
        "script": script,
        "data": base64.b64encode(gzip.compress(data, mtime=0)).decode(),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda name: parts[name[1]], (STATIC / "page.html").read_text())


def _source(text: str) -> str:
    """How a content security policy names an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
