"""The errors that are a user's to mend. The command line shows their text, without a traceback, and exits with 2."""

import errno
import os
import re
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


WAYS_OUT = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room there"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "see that this user may read and write there"),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST), "see that nothing else works there"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "allow more open files (ulimit -n)"),
}
"""What to do about an error of the system, by its number."""

IN_WORDS = re.compile(r"\[Errno (\d+)\] (.+?)(?:: '(.+?)')?$|(.*)\(os error (\d+)\)", re.DOTALL)
"""An error of the system as Python and as Rust write it; either may stand in a traceback."""

WRAPPED = "The above exception was the direct cause of the following exception:"


def of_the_system(error: BaseException) -> OSError | None:
    """An error of disk or network as one: libraries in Rust (polars, safetensors) only say so in words."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    words = IN_WORDS.search(str(error))
    if words:
        return OSError(int(words[1] or words[5]), words[2] or str(error), words[3])
    return error if isinstance(error, OSError) else None


def in_a_line(error: BaseException) -> str:
    """What went wrong; of an error of the system ``'file': what is wrong; what to do``."""
    found = of_the_system(error)
    if found is None:
        return " ".join(f"{type(error).__name__}: {error}".split())[:500]
    where = f"'{os.fsdecode(found.filename)}': " if isinstance(found.filename, str | bytes | os.PathLike) else ""
    if found.errno in WAYS_OUT and (where or os.strerror(found.errno) in str(found)):
        return f"{where}{os.strerror(found.errno)}; {WAYS_OUT[found.errno]}"
    what = found.strerror or str(found) or type(found).__name__
    return f"{where}{' '.join(what.split())[:500]}; see that the disk, or the network, is well"


def cause(story: str) -> str:
    """What a worker's traceback says went wrong, in a line: not what Ray has wrapped it in, nor what Ray advises."""
    parts = [part for part in story.split(WRAPPED) if "ray.exceptions.UserCodeException" not in part]
    lines = [line for line in (parts[-1] if parts else story).splitlines() if line.strip()]
    if any(line.lstrip().startswith('File "') for line in lines):
        raised = [number for number, line in enumerate(lines) if re.match(r"[A-Za-z_][\w.]*(: |$)", line)]
        if raised:
            said = " ".join(line.strip() for line in lines[raised[-1] :])
            return in_a_line(Exception(said)) if IN_WORDS.search(said) else said[:500]
    return lines[0].strip()[:500] if lines else "no reason was given"


@contextmanager
def named(path: os.PathLike[str]) -> Iterator[None]:
    """Errors of the disk within the block name this file, where they name none."""
    try:
        yield
    except Exception as error:
        found = of_the_system(error)
        if found is None or found.filename is not None or found.errno not in WAYS_OUT:
            raise
        raise OSError(found.errno, os.strerror(found.errno), os.fspath(path)) from error


@contextmanager
def user_errors() -> Iterator[None]:
    """No traceback for what a user can mend: 2 for what was refused before any work, 1 for a stage that failed and for
    an error of the disk, 130 for Ctrl-C."""
    try:
        yield
    except ConfigError as error:
        _fail(str(error), 2)
    except FactoryError as error:
        _fail(str(error), 1)
    except KeyboardInterrupt:
        _fail("stopped; the same command goes on from here", 130)
    except Exception as error:
        if isinstance(error, BrokenPipeError) or of_the_system(error) is None:
            raise
        _fail(f"{in_a_line(error)}; the same command goes on from here", 1)


def _fail(message: str, code: int) -> NoReturn:
    sys.stdout.flush()
    print(message, file=sys.stderr, flush=True)
    if code == 130:
        os._exit(code)  # a second Ctrl-C must not print a traceback from Ray's exit handlers
    sys.exit(code)
