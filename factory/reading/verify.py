"""Completions from a file in, verdicts out, without any run: ``python -m factory verify``."""

import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pkgutil import iter_modules
from typing import IO, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

import factory.verifiers
from factory.attempt import Question
from factory.errors import ConfigError, nearest
from factory.recipe.component import PATH, parse
from factory.verifiers import Verdict, Verifier, judge

SHOWN = 1000
"""Bad lines that a message lists; the rest are counted."""


class Labelled(BaseModel):
    """A choice of a multiple-choice question."""

    model_config = ConfigDict(strict=True)

    label: str
    text: str


class Line(BaseModel):
    """A line of the file. Keys that are not listed here are passed over."""

    model_config = ConfigDict(strict=True)

    completion: str
    answer: str
    accepted_answers: list[str] | None = None
    choices: list[Labelled] | None = None
    metadata: dict[str, Any] | str | None = None
    finish_reason: Literal["stop", "length", "error"] = "stop"

    def question(self) -> Question:
        choices = [choice.model_dump() for choice in self.choices] if self.choices else None
        metadata = json.dumps(self.metadata) if isinstance(self.metadata, dict) else self.metadata
        return Question(
            "", "eval", "", self.answer, choices, metadata=metadata, accepted_answers=self.accepted_answers or None
        )


L = TypeVar("L", bound=Line)


def verify(verifier: str, path: str, out: IO[str], as_json: bool = False) -> None:
    """Judge every line of a JSONL file (``-``: standard input) and print the verdicts in the order of the lines.

    The file is read twice, a line at a time: nothing is printed before every line is known to be good.

    Args:
        verifier: a short name such as ``numeric``, or a dotted path.
        out: where the verdicts go: a table with counts at its end, or with ``as_json`` one object a line.

    Raises:
        ConfigError: there is no such verifier or file, or lines are no good: every one of them with its number.
    """
    judging = load_verifier(verifier)
    counts: Counter[str] = Counter()
    with _opened(path) as file:
        _check(file, path)
        file.seek(0)
        for number, text in enumerate(file, start=1):
            line = read(text, Line)
            judged = judge(judging, line.completion, line.question(), line.finish_reason)
            counts[judged.verdict] += 1
            print(_as_json(judged) if as_json else _as_row(number, judged), file=out)
    if not as_json:
        shown = ", ".join(f"{count:,} {verdict}" for verdict, count in counts.most_common())
        print(f"{judging.name}/{judging.version}: {counts.total():,} lines{': ' if shown else ''}{shown}", file=out)


def load_verifier(name: str) -> Verifier:
    """A verifier with its default settings.

    Raises:
        ConfigError: there is none of this name, it is something else, or it has settings without a default.
    """
    try:
        verifier: Verifier = parse({PATH: dotted(name)})()
    except LookupError as error:
        raise ConfigError(f"verifier '{name}'", [error.args[0]]) from error
    except ValidationError as error:
        problems = [f"needs a value for '{problem['loc'][0]}'" for problem in error.errors()]
        raise ConfigError(f"verifier '{name}'", problems) from error
    except TypeError as error:
        raise ConfigError(f"verifier '{name}'", [f"cannot be made: {error}"]) from error
    if not hasattr(verifier, "verify"):
        raise ConfigError(f"verifier '{name}'", ["is none: it has no method 'verify'"])
    return verifier


def dotted(name: str) -> str:
    """The dotted path of a verifier by its short name; what is one already stays.

    Raises:
        ConfigError: there is none of this name.
    """
    if "." in name:
        return name
    shipped = dict(_shipped())
    if name not in shipped:
        raise ConfigError(f"verifier '{name}'", [f"there is no such verifier{nearest(name, shipped)}"])
    return shipped[name]


def _shipped() -> Iterator[tuple[str, str]]:
    """Short names and dotted paths of the verifiers that come with the factory."""
    for module in iter_modules(factory.verifiers.__path__, "factory.verifiers."):
        for name, found in vars(import_module(module.name)).items():
            if hasattr(found, "verify") and getattr(found, "__module__", "") == module.name:
                yield module.name.rpartition(".")[2], f"{module.name}.{name}"


@contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    """The file, or standard input; a pipe is copied to a file that can be read twice."""
    with ExitStack() as stack:
        try:
            source: IO[bytes] = sys.stdin.buffer if path == "-" else stack.enter_context(open(path, "rb"))
        except OSError as error:
            raise ConfigError(f"file '{path}'", [f"cannot be read: {error.strerror}"]) from error
        if not source.seekable():
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(source, copy)
            copy.seek(0)
            source = copy
        yield source


def read(text: bytes, form: type[L]) -> L:
    """A line of the file. Half a surrogate pair, as a tokenizer leaves it, is no text of Unicode, and pydantic's own
    reader refuses it; it is that completion's matter, and is judged.

    Raises:
        ValidationError: the line is no JSON, or not of this form.
    """
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        if error.errors()[0]["type"] != "json_invalid":
            raise
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise error from None
        return form.model_validate(found)


def _check(file: IO[bytes], path: str) -> None:
    bad, problems = 0, []
    for number, text in enumerate(file, start=1):
        try:
            read(text, Line)
        except ValidationError as error:
            bad += 1
            if bad <= SHOWN:
                problems.append(f"line {number}: {'; '.join(_sentences(error))}")
    if bad > SHOWN:
        problems.append(f"and {bad - SHOWN:,} more lines")
    if problems:
        raise ConfigError(f"file '{path}'", problems)


def _sentences(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "missing":
            yield f"{where} is missing"
        else:
            yield f"{where}: {problem['msg']}" if where else problem["msg"]


def _as_json(judged: Verdict) -> str:
    return json.dumps({"verdict": judged.verdict, "predicted_answer": judged.predicted_answer, "reason": judged.reason})


def _as_row(number: int, judged: Verdict) -> str:
    predicted, reason = (_printable(text or "") for text in (judged.predicted_answer, judged.reason))
    return f"{number:>7}  {judged.verdict:<11}  {predicted:<24}  {reason}".rstrip()


def _printable(text: str) -> str:
    """On one line, without what a terminal obeys or cannot show."""
    shown = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in " ".join(text.split()))
    return "".join(shown)
