"""Several processes for one function: spread over threads, as many as there are processors, and what they remember."""

import gc
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest

from factory.verifiers.child import ChildError
from factory.verifiers.children import Children, processors


def load() -> Callable[[str, Any], Any]:
    """In the child: a function that says which process it was, after a while, or never ends."""
    calls = [0]

    def told(deed: str, value: Any) -> Any:
        calls[0] += 1
        if deed == "end never":
            while True:
                pass
        if deed == "kill":
            os._exit(value)
        time.sleep(value)
        return os.getppid() if deed == "who" else calls[0]

    return told


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> Children:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    return Children(load, deadline=0.3)


def spread(children: Children) -> set[int]:
    """The children that answered six threads."""
    with ThreadPoolExecutor(6) as pool:
        return set(pool.map(lambda number: children("who", 0.2 + number / 1000), range(6)))


def test_threads_spread_over_as_many_children_as_there_are_processors(two: Children) -> None:
    assert len(spread(two)) == 2


def test_one_thread_needs_one_child(two: Children) -> None:
    before = set(psutil.Process().children())
    assert len({two("who", number / 1000) for number in range(3)}) == 1
    assert len(set(psutil.Process().children()) - before) == 1


def test_a_result_is_remembered(two: Children) -> None:
    assert [two("count", 0) for _ in range(3)] == [1, 1, 1]
    assert two("count", 0.001) == 2


def test_a_deadline_that_was_missed_is_remembered(two: Children) -> None:
    for _ in range(100):  # 30 s of processor time, if it were not
        with pytest.raises(ChildError, match=r"no result within 0.3 s"):
            two("end never", 0)
    assert two("count", 0) == 1


def test_a_child_that_went_away_is_not_held_against_the_arguments(two: Children) -> None:
    first = two("who", 0)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(two, "who", 0.5)
        time.sleep(0.2)
        os.killpg(first, signal.SIGKILL)
        with pytest.raises(ChildError, match="the child is gone"):
            asked.result()
    assert two("who", 0.5) != first


def test_nothing_is_left_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    children = Children(load, deadline=0.3)
    pids = spread(children)
    del children
    gc.collect()
    assert not any(map(psutil.pid_exists, pids))


@pytest.mark.parametrize(("lent", "number"), [("1", 1), ("3", 3), ("0", None), ("", None), ("many", None)])
def test_the_processors_that_ray_has_lent(lent: str, number: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", lent)
    assert processors() == (number or len(os.sched_getaffinity(0)))
