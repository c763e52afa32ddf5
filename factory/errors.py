"""The errors that are a user's to mend. The command line shows their text, without a traceback, and exits with 2."""

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from typing import NoReturn

SHOWN = 40
"""Valid choices that a message lists."""


class FactoryError(Exception):
    """Raised when a stage cannot go on for a reason outside the code; the text says what to do about it."""


class ConfigError(FactoryError):
    """Raised before any work is done; lists everything that is wrong with a recipe or a command.

    Args:
        subject: what the problems are about, such as the recipe's name.
        problems: one line each.
    """

    def __init__(self, subject: str, problems: Sequence[str]):
        self.problems = list(problems)
        count = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{subject}: {count}", *(f"  - {problem}" for problem in self.problems)]))


def nearest(name: str, choices: Iterable[str]) -> str:
    """``; did you mean 'x'? Valid: x, y, z`` for a name that is not among the choices."""
    choices = sorted(choices)
    close = get_close_matches(name, choices, n=1, cutoff=0.5)
    hint = f"; did you mean '{close[0]}'?" if close else "."
    more = f" and {len(choices) - SHOWN} more" if len(choices) > SHOWN else ""
    return f"{hint} Valid: {', '.join(choices[:SHOWN])}{more}" if choices else hint


@contextmanager
def user_errors() -> Iterator[None]:
    """No traceback for what a user can mend: 2 for what was refused before any work, 1 for a stage that failed,
    130 for Ctrl-C."""
    try:
        yield
    except ConfigError as error:
        _fail(str(error), 2)
    except FactoryError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("stopped; the same command goes on from here", 130)


def _fail(message: str, code: int) -> NoReturn:
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
    if code == 130:
        os._exit(code)  # a second Ctrl-C must not print a traceback from Ray's exit handlers
    sys.exit(code)
