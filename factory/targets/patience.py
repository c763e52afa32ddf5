"""Patience with the Hub: what is worth another try, and what its errors say."""

import logging
import random
import re
import time
from collections.abc import Callable
from json import JSONDecodeError
from typing import TypeVar

import httpx2
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
)

from factory.targets import PublishError

TRIES = 8
SECONDS = 1.0
"""Before the second try; each later one waits twice as long, and a Hub that says how long is waited for."""

LONGEST_WAIT = 300.0
"""Seconds that a Hub may ask for."""

HINTS = {
    401: ": set HF_TOKEN to one that the Hub knows, or `hf auth login`",
    403: ": the token may not do this; it takes one that may write",
    412: ": others keep committing",
}

T = TypeVar("T")

# addresses of uploads and downloads are signed, and must not reach a log
logging.getLogger("huggingface_hub.utils._http").setLevel(logging.ERROR)
logging.getLogger("httpx2").setLevel(logging.WARNING)

BUSY = (
    *(httpx2.TransportError, ConnectionError, TimeoutError),
    JSONDecodeError,  # a proxy's page instead of an answer
    LocalEntryNotFoundError,  # how the library tells of a download that failed
)
"""What may be otherwise a little later."""


class Again(Exception):
    """What has to be done again, and why: another publisher is at work, an upload has failed."""


def patiently(name: str, work: Callable[[], T]) -> T:
    """What ``work`` returns, which is called again while the Hub is busy, out of reach or ahead of it.

    Args:
        name: the repository, for the message.
        work: begins by reading what is there, as a call before may have done its part without being answered.

    Raises:
        PublishError: the Hub refuses, or patience has come to its end.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return work()
        except (Again, OSError, ValueError, httpx2.TransportError) as error:
            wait = _wait(error, SECONDS * 2 ** (tries - 1))
            if wait is None or tries == TRIES:
                raise PublishError(f"hub:{name}: {_told(error)}") from None  # the chain holds addresses
            time.sleep(wait)


def _wait(error: Exception, seconds: float) -> float | None:
    """How many seconds to wait before another try; None if that would be in vain."""
    seconds *= random.uniform(0.5, 1)  # publishers that met must not meet again
    if isinstance(error, HfHubHTTPError):
        status, asked = error.response.status_code, error.response.headers.get("retry-after", "")
        if status not in (409, 412, 408, 429) and status < 500:
            return None
        return min(float(asked), LONGEST_WAIT) if asked.isdigit() else seconds
    passing = isinstance(error, (Again, *BUSY)) and not isinstance(error, OfflineModeIsEnabled)
    return seconds if passing else None


def _told(error: Exception) -> str:
    """The error in a line, without addresses: those of uploads are signed."""
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set"
    if isinstance(error, LocalTokenNotFoundError):
        return f"there is no token{HINTS[401]}"
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        text = f"{status} {error.server_message or error.response.reason_phrase}{HINTS.get(status, '')}"
    else:
        text = str(error) if isinstance(error, (Again, ValueError)) else f"{type(error).__name__}: {error}"
    return re.sub(r"https?://\S+", "(an address)", text.partition("\n\n")[0])
