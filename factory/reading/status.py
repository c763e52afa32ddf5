"""What a run says of itself, read from its records: the status object and the table."""

from itertools import accumulate, zip_longest
from operator import or_
from pathlib import Path
from typing import Any

import yaml

from factory import terminal
from factory.errors import ConfigError
from factory.record import Record
from factory.run import Run

COLUMNS = {
    "gen": 4,
    "model": 18,
    "pass@1": 8,
    "questions": 10,
    "attempts": 10,
    "solved": 8,
    "sampled": 8,
    "rationalized": 13,
    "corrected": 11,
    "rejects": 8,
    "tokens": 11,
    "seconds": 8,
}
"""The table's columns with their widths; a recipe's table lacks an origin that its strategies do not make."""

OVER_TURNS = ("m1@t1", "m5@t1", "m1@t5", "p1@t5", "per_turn")
EVAL = {"pass@1": None, "interval": None, "by_difficulty": {}} | dict.fromkeys(OVER_TURNS)
"""What is known of a model that has not been measured; see :func:`factory.sampling.evaluate.evaluate`."""

BARS = " ▁▂▃▄▅▆▇█"


def status(folder: Path) -> dict[str, Any]:
    """The status of a run, as ``python -m factory status RUN --json`` prints it.

    ``{"run", "recipe", "generations": [...]}``; a generation has ``generation``, ``model``, ``eval`` (``pass@1``, its
    95 % ``interval``, ``by_difficulty``; ``m1@t1``, ``m5@t1``, ``m1@t5``, ``p1@t5`` and ``per_turn``, null where there
    is one turn; the same for other numbers of turns and parallel attempts), ``questions``, ``attempts``, ``solved``,
    ``retried`` (attempts that failed and were tried again: ``errors``, and how many are ``mended``), ``examples`` (by
    origin), ``rejects`` (by reason), ``checks`` (by name and origin: how many passed and failed, and to how many it did
    not apply), ``health`` (the figures of :func:`factory.curation.health.figures`; ``advice``, one sentence;
    ``go_on``; ``because``, the figures behind it), ``completion_tokens``, ``seconds`` (by stage) and ``dataset``. What
    has not been done yet, or was not by the release that made it, is null; the evaluation of the final model is the
    last element.

    Raises:
        ConfigError: the folder holds no run.
    """
    run = Run.existing(folder)
    generations: list[dict[str, Any]] = []
    while records := run.records(len(generations)):
        generations.append(_generation(len(generations), records))
    return {"run": str(folder), "recipe": _phases(folder)[0]["name"], "generations": generations}


def _phases(folder: Path) -> list[dict[str, Any]]:
    """The settings of each phase of the recipe, as the run folder has them."""
    try:
        first = yaml.safe_load((folder / "recipe.yaml").read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise ConfigError(f"run '{folder}'", [f"its recipe.yaml cannot be read: {told}"]) from error
    if not isinstance(first, dict) or "name" not in first:
        raise ConfigError(f"run '{folder}'", ["its recipe.yaml is no recipe"])
    return list(accumulate([first, *first.get("then", ())], or_))


def _generation(number: int, records: dict[str, Record]) -> dict[str, Any]:
    evaluation, rollouts = records.get("evaluation", {}), records.get("rollouts", {})
    curated = records.get("curate")
    measured = EVAL | evaluation.get("eval", {})
    tokens = [record["completion_tokens"] for record in (evaluation, rollouts) if record]
    return {
        "generation": number,
        "model": (rollouts or evaluation).get("model", {}).get("path"),
        "eval": {key: value for key, value in measured.items() if key != "questions"},
        "questions": rollouts.get("questions"),
        "attempts": rollouts.get("attempts"),
        "solved": rollouts.get("solved"),
        "retried": rollouts.get("retried"),
        "examples": {"sampled": 0, "rationalized": 0} | curated["examples"] if curated else None,
        "rejects": curated["rejects"] if curated else None,
        "checks": curated.get("checks") if curated else None,
        "health": health(records),
        "completion_tokens": sum(tokens) if tokens else None,
        "seconds": {stage: record["seconds"] for stage, record in records.items()},
        "dataset": records.get("publish", {}).get("dataset"),
    }


def health(records: dict[str, Record]) -> dict[str, Any] | None:
    """What the record of a generation's health says of it; None without one."""
    told = records.get("health")
    return {**told["figures"], **{name: told[name] for name in ("advice", "go_on", "because")}} if told else None


class Table:
    """The table of a run, a row a generation: printed while the run goes on, and by ``status``.

    Its columns follow from the recipe, as the first row is printed before the others are known.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.figures = _figures(folder)
        self.columns = _columns(folder, self.figures)
        self.headed = False

    def add(self, number: int) -> None:
        """Print the row of a generation, under the heading if it is the first."""
        generation = status(self.folder)["generations"][number]
        if not self.headed:
            terminal.console.print("".join(f"{name:>{width}}" for name, width in self.columns.items()), style="bold")
            self.headed = True
        shares = {name: generation["eval"].get(name) for name in ("pass@1", *self.figures)}
        cells = {
            "gen": number,
            "model": generation["model"],
            **{name: f"{share:.1%}" for name, share in shares.items() if share is not None},
            **{name: generation[name] for name in ("questions", "attempts", "solved")},
            **(generation["examples"] or {}),
            "rejects": None if generation["rejects"] is None else sum(generation["rejects"].values()),
            "tokens": generation["completion_tokens"],
            "seconds": round(sum(generation["seconds"].values())),
        }
        if self.figures:
            _, parallel, over_turns, _, gain = self.figures
            if parallel in cells and over_turns in cells:
                cells[gain] = f"{100 * (shares[over_turns] - shares[parallel]):+.1f}"
        found = [(cells.get(name), width) for name, width in self.columns.items()]
        texts = ["" if cell is None else f"{cell:,}" if isinstance(cell, int) else str(cell) for cell, _ in found]
        terminal.console.print("".join(f"{text:>{width}}" for text, (_, width) in zip(texts, found, strict=True)))

    def finish(self) -> None:
        """Print what accuracy did, by difficulty and by turn: a curve where every generation is a bar; and whether to
        go on."""
        generations = status(self.folder)["generations"]
        measured = [generation["eval"] for generation in generations]
        groups = list(dict.fromkeys(group for one in measured for group in one["by_difficulty"]))
        if len(groups) > 12:
            groups = []
        curves = {"accuracy": [one["pass@1"] for one in measured]}
        curves |= {group: [one["by_difficulty"].get(group) for one in measured] for group in groups}
        curves |= {name: [one.get(name) for one in measured] for name in self.figures[2:3]}  # m1@t5
        by_turn = zip_longest(*(one["per_turn"]["accuracy"] if one["per_turn"] else [] for one in measured))
        curves |= {f"turn {turn}": list(accuracies) for turn, accuracies in enumerate(by_turn, start=1)}
        terminal.console.print()
        for name, values in curves.items():
            known = [value for value in values if value is not None]
            if known:
                bars = "".join(" " if value is None else BARS[round(value * 8)] for value in values)
                steps = " -> ".join(f"{value:.1%}" for value in known)
                terminal.console.print(f"  {name:<20} {bars}  {steps}")
            if name == "accuracy" and known:
                bounds = " -> ".join("{:.1%}-{:.1%}".format(*one["interval"]) for one in measured if one["interval"])
                terminal.console.print(f"  {'its 95% interval':<20} {' ' * len(values)}  {bounds}")
        told = [(one["generation"], one["health"]["advice"]) for one in generations if one["health"]]
        for number, advice in told[-1:]:
            terminal.console.print(f"\n  advice after gen {number}: {advice}", markup=False)


def _figures(folder: Path) -> tuple[str, ...]:
    """``m1@t1``, ``m5@t1``, ``m1@t5``, ``p1@t5``, in the recipe's own numbers, and what turns gain over parallel
    attempts (at equal compute if there are as many); none if the recipe evaluates one turn."""
    strategies = [phase["evaluation"]["strategy"] for phase in _phases(folder)]
    numbers = [(one["turns"], one.get("parallel", 1)) for one in strategies if isinstance(one.get("turns"), int)]
    turns, samples = max(numbers, default=(1, 1))
    parallel, over_turns = f"m{samples}@t1", f"m1@t{turns}"
    return ("m1@t1", parallel, over_turns, f"p1@t{turns}", f"{over_turns}-{parallel}") if turns > 1 else ()


def _columns(folder: Path, figures: tuple[str, ...]) -> dict[str, int]:
    """The columns of a recipe's table with their widths."""
    strategies = [phase["strategy"] for phase in _phases(folder)]
    # a strategy that takes turns corrects what is wrong; the others rationalize it, if anything
    made = {"corrected" if "turns" in strategy else "rationalized" for strategy in strategies}
    columns = [(name, width) for name, width in COLUMNS.items() if name not in {"rationalized", "corrected"} - made]
    columns[3:3] = [(name, len(name) + 3) for name in figures]
    return dict(columns)


def show(folder: Path) -> None:
    """Print the table and the curve of a run."""
    generations = status(folder)["generations"]
    table = Table(folder)
    for generation in generations:
        table.add(generation["generation"])
    if generations:
        table.finish()
    else:
        terminal.console.print("no stage of generation 0 has finished yet")
