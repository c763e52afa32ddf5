"""A diff as people read it: figures in tables, the changed examples side by side."""

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from rich.table import Table
from rich.text import Text

from factory import terminal
from factory.reading.diff.diff import diff
from factory.targets.named import published

QUESTIONS = ("in_both", "newly_solved", "lost", "still_solved", "still_unsolved", "only_before", "only_after")


def show(before: str, after: str, as_json: bool) -> None:
    """Print what changed between two published generations, as text or as JSON.

    Raises:
        ConfigError: nothing is published there.
        PublishError: what is published cannot be read, or the Hub is out of reach.
    """
    found = diff(published(before), published(after))
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        tell(found)


def tell(found: dict[str, Any]) -> None:
    """Print what :func:`factory.reading.diff.diff.diff` found."""
    for side in ("before", "after"):
        identity = found[side]
        commit = f"   commit {identity['commit'][:12]}" if identity["commit"] else ""
        terminal.console.print(Text(f"{side:<7} {identity['where']}{commit}"))
    terminal.console.print()
    _questions(found["questions"])
    terminal.console.print()
    moves = [
        ("+".join(move["before"]) or "none", "+".join(move["after"]) or "none", f"{move['questions']:,}")
        for move in found["moves"]
    ]
    terminal.print_table({"origin before": "<", "origin after": "<", "questions": ">"}, moves)
    terminal.console.print()
    terminal.print_table({"": "<", "before": ">", "after": ">", "change": ">"}, list(_figures(found)))
    _changed(found["changed"])


def _questions(questions: dict[str, Any]) -> None:
    counts = {name: found if isinstance(found, int) else len(found) for name, found in questions.items()}
    rows = [(name.replace("_", " "), f"{counts[name]:,}") for name in QUESTIONS]
    terminal.print_table({"": "<", "questions": ">"}, rows)
    if counts["other_text"]:
        text = f"{counts['other_text']:,} of the ids in both stand for another text: the questions are not the same"
        terminal.console.print(text, style="bold")


def _figures(found: dict[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for table, counts in found["counts"].items():
        for name, (before, after) in counts.items():
            yield _line(table if name == "all" else f"{table}, {name}", before, after, "{:,}", "{:+,}")
    shares = {name if name == "accuracy" else f"accuracy, {name}": pair for name, pair in found["accuracy"].items()}
    for name, pair in (shares | {"pass rate, questions in both": found["pass_rate"]["mean"]}).items():
        before, after = (None if share is None else 100 * share for share in pair)
        yield _line(name, before, after, "{:.1f}%", "{:+z.1f}")
    for origin, lengths in found["lengths"].items():
        for name, (before, after) in lengths.items():
            if (before, after) != (None, None):  # reference rationales have no tokens
                yield _line(f"{name}, {origin}", before, after, "{:,.1f}", "{:+z,.1f}")


def _line(name: str, before: float | None, after: float | None, form: str, change: str) -> tuple[str, str, str, str]:
    cells = ["" if value is None else form.format(value) for value in (before, after)]
    return name, cells[0], cells[1], "" if before is None or after is None else change.format(after - before)


def _changed(changed: dict[str, Any]) -> None:
    drawn = f"; drawn by the digests of the manifests: {len(changed['drawn'])}" if changed["drawn"] else ""
    terminal.console.print(f"\nquestions in both with other examples: {changed['questions']:,}{drawn}", style="bold")
    for one in changed["drawn"]:
        terminal.console.print(Text(f"\n{one['question_id']}, answer {one['answer']}: {one['question']}"))
        table = Table("before", "after", expand=True, show_lines=True)
        for column in table.columns:
            column.ratio = 1
        for pair in zip_longest(one["before"], one["after"]):
            table.add_row(*map(_example, pair))
        terminal.console.print(table, soft_wrap=False)


def _example(example: dict[str, Any] | None) -> Text:
    if example is None:
        return Text()
    verdict = f", {example['verdict']}" if example["verdict"] else ""  # a reference rationale has none
    return Text(f"{example['origin']}, turn {example['turn']}{verdict}\n{example['rationale']}")
