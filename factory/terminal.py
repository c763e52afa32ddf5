"""What people see: one live line per stage, a table at the end, plain lines where there is no terminal.

The libraries below print a great deal. :func:`quiet` moves the process's output to the run's log and leaves this
module the only one that still reaches the terminal.
"""

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, cast

from rich.console import Console
from rich.live import Live
from rich.text import Text

console = Console(highlight=False, soft_wrap=True, emoji=False)

PLAIN_SECONDS = 10
"""Without a terminal a stage prints a line this often."""


@contextmanager
def quiet(log: Path, descriptor: int = 1) -> Iterator[None]:
    """Within the block everything but :data:`console` writes to ``log``: Python, C libraries, child processes.

    The console keeps standard output, or with ``descriptor=2`` standard error, where a machine reads the other.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    terminal = os.fdopen(os.dup(descriptor), "w", encoding="utf-8", buffering=1)
    before = None if console.file is sys.stdout else console.file
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    try:
        console.file = terminal
        os.dup2(file, 1)
        os.dup2(file, 2)
        logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError):  # the log may be on a disk that is full; the user is still to be told
                stream.flush()
        os.dup2(saved[0], 1)
        os.dup2(saved[1], 2)
        console.file = cast(IO[str], before)  # None: whatever sys.stdout is then
        root.handlers[:] = handlers
        root.setLevel(level)
        for opened in (*saved, file):
            os.close(opened)
        terminal.close()


class Line:
    """The line of one stage; :meth:`update` shows how far it is, :meth:`close` leaves the last state standing."""

    def __init__(self, title: str):
        self.title, self.text = title, ""
        self.started = self.printed = time.monotonic()
        self.first: tuple[float, int] | None = None
        self.live = Live(console=console, get_renderable=self._render) if console.is_terminal else None
        if self.live:
            self.live.start()

    def update(self, text: str = "", done: int = 0, total: int = 0) -> None:
        """Show ``text`` behind ``done/total``, with the time left as the pace since the first progress has it."""
        now = time.monotonic()
        count, left = f"{done:,}/{total:,} " if total else "", ""
        if done and self.first is None:
            self.first = (now, done)
        if self.first and self.first[1] < done < total:
            left = f"  {_clock((now - self.first[0]) / (done - self.first[1]) * (total - done))} left"
        self.text = f"{count}{text}{left}"
        if not self.live and now - self.printed > PLAIN_SECONDS:
            self.printed = now
            console.print(self._render())

    def result(self, text: str) -> None:
        """What the line says when it is closed."""
        self.text = text

    def close(self) -> None:
        """End the line; what it said last stays."""
        if self.live:
            self.live.stop()
        else:
            console.print(self._render())

    def _render(self) -> Text:
        elapsed = _clock(time.monotonic() - self.started)
        return Text(f"  {self.title:<28} {elapsed:>6}  {self.text}", no_wrap=True, overflow="ellipsis")


@contextmanager
def line(title: str) -> Iterator[Line]:
    """A :class:`Line` that is closed whatever happens."""
    shown = Line(title)
    try:
        yield shown
    except BaseException:
        shown.result(f"{shown.text}  stopped")
        shown.close()
        raise
    shown.close()


def print_table(columns: dict[str, str], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under their heading, two spaces between columns; never cut, however narrow the terminal is.

    Args:
        columns: how each is aligned, ``<`` or ``>``, by its name.
        rows: a text for each column.
    """
    lines = [list(columns), *rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [f"{cell:{side}{width}}" for cell, side, width in zip(line, columns.values(), widths, strict=True)]
        console.print(Text("  ".join(cells).rstrip(), style="" if number else "bold"))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
