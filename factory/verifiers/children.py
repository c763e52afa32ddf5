"""One function in several processes, and its results remembered: as many calls at a time as there are processors."""

import os
import queue
from collections.abc import Callable, Hashable
from functools import lru_cache
from typing import Any

from factory.verifiers.child import Child, ChildError, ChildLost

REMEMBERED = 1 << 15
"""Calls whose results are kept, those that failed as well: what missed its deadline once would miss it again."""


class Children:
    """Calls a function as :class:`~factory.verifiers.child.Child` does, from any number of threads.

    A child is started when all those before it are busy. The function must give the same result for the same
    arguments.
    """

    def __init__(self, load: Callable[[], Callable[..., Any]], deadline: float):
        self._idle: queue.LifoQueue[Child] = queue.LifoQueue()
        for _ in range(processors()):
            self._idle.put(Child(load, deadline))
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._ask)

    def __call__(self, *arguments: Hashable) -> Any:
        """The function's result.

        Raises:
            ChildError: there is none.
        """
        result, failure = self._remembered(*arguments)
        if failure is not None:
            raise ChildError(failure)
        return result

    def _ask(self, *arguments: Hashable) -> tuple[Any, str | None]:
        child = self._idle.get()
        try:
            return child(*arguments), None
        except ChildLost:
            raise
        except ChildError as error:
            return None, str(error)
        finally:
            self._idle.put(child)


def processors() -> int:
    """What this process may use: Ray tells its workers by this variable how many processors each of them was lent."""
    lent = os.environ.get("OMP_NUM_THREADS", "")
    return int(lent) if lent.isdigit() and int(lent) else len(os.sched_getaffinity(0))
