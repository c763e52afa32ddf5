"""The process that untrusted text is judged in: what it may do to itself, and that nobody else notices."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from factory.recipe.settings import ROOT
from factory.verifiers.child import Child, ChildError


def load() -> Callable[[str, Any], Any]:
    """In the child: a function that does as it is told."""
    deeds: dict[str, Callable[[Any], Any]] = {
        "double": lambda value: value * 2,
        "say": lambda value: [print("noise"), os.write(1, b"noise\n"), value][-1],
        "power": lambda value: value < 9**9**9,
        "sleep": time.sleep,
        "eat": lambda value: len(bytearray(value << 30)),
        "exit": sys.exit,
        "leave": os._exit,
        "close": lambda value: sys.stdin.close(),
        "die later": lambda value: threading.Timer(value, os._exit, [5]).start(),
        "raise": lambda value: [][value],
        "write": lambda value: Path(value).write_text("x"),
        "read": lambda value: Path(value).read_text(),
        "remove": os.remove,
        "run": lambda value: subprocess.run([value], check=True),
        "shell": os.system,
        "connect": lambda value: socket.create_connection(("127.0.0.1", value)),
        "pid": lambda value: os.getpid(),
    }
    return lambda deed, value: deeds[deed](value)


def load_nothing() -> Callable[[], None]:
    raise LookupError("there is no such library")


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    yield Child(load, deadline=0.2)
    gc.collect()


@pytest.mark.parametrize("value", [3, "a\n", "\x00", "\ud800", "x" * 200_000, [1, {"a": None}], "é\N{MINUS SIGN}"])
def test_values_come_back_as_they_went(child: Child, value: Any) -> None:
    wanted = value * 2
    assert child("double", value) == wanted


def test_what_a_library_prints_is_no_reply(child: Child) -> None:
    assert child("say", "answer") == "answer"


@pytest.mark.parametrize(
    ("deed", "value", "reason"),
    [
        ("power", 1, "no result within 0.2 s"),
        ("sleep", 1000, "no result within 0.2 s"),
        ("eat", 3, "out of memory"),
        ("exit", 0, "died with exit code 1"),
        ("leave", 0, "died with exit code 0"),
        ("leave", 9, "died with exit code 9"),
        ("raise", 5, "IndexError: list index out of range"),
        ("run", "true", "PermissionError: subprocess.Popen is forbidden here"),
        ("shell", "true", "PermissionError: os.system is forbidden here"),
        ("connect", 9, "PermissionError: socket.getaddrinfo is forbidden here"),
    ],
)
def test_a_call_that_fails_says_why_and_the_next_one_is_answered(
    child: Child, deed: str, value: Any, reason: str
) -> None:
    with pytest.raises(ChildError) as failed:
        child(deed, value)
    assert str(failed.value) == reason
    assert child("double", 4) == 8


def test_files_are_neither_written_nor_removed(child: Child, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("kept")
    assert child("read", str(there)) == "kept"
    for deed, path in (("write", there), ("write", tmp_path / "new"), ("remove", there)):
        with pytest.raises(ChildError, match="is forbidden here"):
            child(deed, str(path))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(("deed", "value"), [("close", None), ("die later", 0.05)])
def test_a_worker_that_breaks_after_its_answer_spoils_no_later_one(child: Child, deed: str, value: Any) -> None:
    assert child(deed, value) is None
    time.sleep(0.3)
    assert [child("double", number) for number in range(5)] == [0, 2, 4, 6, 8]


def test_threads_take_turns(child: Child) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda number: child("double", number), range(200))) == list(range(0, 400, 2))


def test_what_cannot_be_loaded_is_told() -> None:
    with pytest.raises(ChildError, match="LookupError: there is no such library"):
        Child(load_nothing, deadline=1)()


def test_a_child_that_is_killed_is_replaced() -> None:
    child = Child(load, deadline=5)
    worker = psutil.Process(child("pid", None))
    started = worker.parent()
    started.kill()
    gone(started.pid)
    # its threads may end a moment after it, and until then its worker answers
    assert any(child("pid", None) != worker.pid for _ in range(100))
    gone(worker.pid)


def test_nothing_is_left_when_the_caller_lets_go() -> None:
    child = Child(load, deadline=5)
    worker = psutil.Process(child("pid", None))
    started = worker.parent()
    del child
    gc.collect()
    assert not psutil.pid_exists(started.pid)  # not even as a zombie
    gone(worker.pid)


def test_nothing_is_left_when_the_caller_is_killed_in_the_middle_of_a_call() -> None:
    script = (
        "from tests.verifiers.test_child import *\n"
        "child = Child(load, deadline=1)\n"
        "print(child('pid', None), flush=True)\n"
        "child('power', 1)"
    )
    caller = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    worker = psutil.Process(int(caller.stdout.readline()))
    pids = worker.pid, worker.ppid()
    caller.kill()
    caller.communicate()
    for pid in pids:
        gone(pid)


def gone(pid: int) -> None:
    """Wait until there is no such process, or only what its new parent has not reaped."""
    for _ in range(600):
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return
        except psutil.NoSuchProcess:
            return
        time.sleep(0.1)
    raise AssertionError(f"process {pid} lives on")
