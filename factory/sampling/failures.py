"""What a worker says of a failure, and when a failure is not that of the attempts."""

import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from factory.engines import EngineMisconfigured
from factory.errors import in_a_line
from schemas.rollouts import OVERFLOW

SEVERAL = 8
"""If not one attempt at so many questions of a shard could be sampled, the fault is not that of the questions."""

HALF = "no text: half of a surrogate pair, shown as \\udXXX"
"""The ``error`` of an attempt whose completion is not Unicode."""


def told(error: Exception) -> str:
    """A failure in a line, for the driver; the log gets all of it."""
    with suppress(OSError):  # the log may be on the disk that is full
        traceback.print_exception(error)
    return escaped(str(error) if isinstance(error, EngineMisconfigured) else in_a_line(error))


def refuse_unsampled(rows: Sequence[dict[str, Any]]) -> None:
    """Look at the rollouts of a shard before they are written.

    A prompt without room in the model is its attempt's own matter, however many they are.

    Raises:
        EngineMisconfigured: of several questions not one attempt was served.
    """
    attempts = [attempt for row in rows for attempt in row["attempts"]]
    unsampled = [a for a in attempts if a["finish_reason"] == "error" and not a["error"].startswith(OVERFLOW)]
    if len(rows) >= SEVERAL and len(unsampled) == len(attempts) > 0:
        raise EngineMisconfigured(f"not one attempt at {len(rows)} questions was served: {unsampled[0]['error']}")


def escaped(text: str) -> str:
    """The text with halves of surrogate pairs as ``\\\\udXXX``: neither a table nor a tokenizer takes them."""
    return text.encode("utf-8", "backslashreplace").decode()
