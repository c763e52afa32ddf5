"""Patience with the Hub: what is worth another try, and what its errors say."""

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

import httpx2
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from factory.targets import PublishError

TRIES = 8
SECONDS = 1.0
"""Before the second try; each later one waits twice as long, and a Hub that says how long is waited for."""

LONGEST_WAIT = 300.0
"""Seconds that a Hub may ask for."""

T = TypeVar("T")

logging.getLogger("huggingface_hub.utils._http").setLevel(logging.ERROR)  # its warnings hold signed addresses


class Behind(Exception):
    """Another publisher is at work; what it does has to be read first."""


def patiently(name: str, work: Callable[[], T]) -> T:
    """What ``work`` returns, which is called again while the Hub is busy, out of reach or ahead of it.

    Args:
        name: the repository, for the message.
        work: begins by reading what is there, as a call before may have done its part without being answered.

    Raises:
        PublishError: the Hub refuses, or patience has come to its end.
    """
    for number in range(TRIES):
        try:
            return work()
        except (Behind, OSError, httpx2.TransportError) as error:
            wait = _wait(error, SECONDS * 2**number)
            if wait is None or number == TRIES - 1:
                raise PublishError(f"hub:{name}: {_told(error)}") from error
            time.sleep(wait)
    raise AssertionError


def _wait(error: Exception, seconds: float) -> float | None:
    """How many seconds to wait before another try; None if that would be in vain."""
    seconds *= random.uniform(0.5, 1)  # publishers that met must not meet again
    if isinstance(error, HfHubHTTPError):
        status, asked = error.response.status_code, error.response.headers.get("retry-after", "")
        if status not in (409, 412, 408, 429) and status < 500:
            return None
        return min(float(asked), LONGEST_WAIT) if asked.isdigit() else seconds
    lasting = isinstance(error, (OfflineModeIsEnabled, FileNotFoundError, PermissionError))
    return None if lasting else seconds


def _told(error: Exception) -> str:
    """The error in a line, without addresses: those of uploads are signed."""
    if not isinstance(error, HfHubHTTPError):
        return (
            "HF_HUB_OFFLINE is set" if isinstance(error, OfflineModeIsEnabled) else f"{type(error).__name__}: {error}"
        )
    status = error.response.status_code
    hints = {
        401: "; no token, or one that the Hub does not know: set HF_TOKEN, or `hf auth login`",
        403: "; the token may not do this: it takes one that may write",
        412: "; others keep committing",
    }
    said = error.server_message or error.response.reason_phrase
    return f"{status} {said}{hints.get(status, '')}"
