"""Draws docs/accuracy.png from the first table of docs/results.md: ``python docs/accuracy.py``, or ``make docs``."""

import re
import sys
from pathlib import Path
from typing import Any

import polars as pl

from factory.publishing.card.figures import draw

HERE = Path(__file__).parent


def measured(page: str) -> list[dict[str, Any]]:
    """The accuracy of each model of the page's first table, as a card's facts have it."""
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in _first_table(page))
    digits = {place: int(cell.split()[0]) for place, cell in enumerate(head) if cell[0].isdigit()}
    groups = {place: f"{number} digit{'s' if number > 1 else ''}" for place, number in digits.items()}
    return [
        {
            "generation": int(row[0]),
            "accuracy": _share(row[1]),
            "by_difficulty": {group: _share(row[place]) for place, group in groups.items()},
        }
        for row in rows
    ]


def _first_table(page: str) -> list[str]:
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|"))
    return lines[start : next(number for number, line in enumerate(lines[start:], start) if not line.startswith("|"))]


def _share(cell: str) -> float:
    found = re.fullmatch(r"\**([\d.]+)%\**", cell)
    if found is None:
        raise ValueError(f"'{cell}' is no share in percent")
    return float(found[1]) / 100


def main(folder: Path) -> None:
    """Write ``accuracy.png`` to a folder; the other figures of a card have no data here."""
    facts = {"accuracy": measured((HERE / "results.md").read_text(encoding="utf-8"))}
    no_rollouts = pl.LazyFrame(schema={"pass_rate": pl.Float32})
    no_examples = pl.LazyFrame(schema={"origin": pl.String, "rationale": pl.String})
    draw(folder, {"facts": facts}, no_rollouts, no_examples)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else HERE)
