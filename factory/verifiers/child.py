"""A function in a process of its own, with limits of time and memory, for text that nobody can trust.

What a model writes may keep sympy busy for ever (``9^{9^{9^9}}``), eat all memory, overflow the C stack, or reach an
``eval``. The child is a fresh interpreter that the first call starts and that imports what it needs once. It forks a
worker, which answers calls in lines of JSON; the kernel kills a worker that is late, and the child forks the next one
in milliseconds. The caller's thread only waits on a pipe, so any thread will do.

The fence in the worker (no files written, no processes, no network) stops accidents and idle tricks. It is no sandbox.
"""

import json
import mmap
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import IO, Any

START_SECONDS = 300.0
"""What a child may take to start and to import what it needs, on a very busy machine."""

PATIENCE = 10
"""Deadlines are processor time, so that a busy machine changes no verdict. A worker that only sleeps is killed after
this many times as long by the clock."""

GRACE_SECONDS = 30.0
"""After that and this the caller kills the child itself: something in it has stopped the timers."""

MEMORY_BYTES = 2 << 30
"""Address space of a worker."""

OUT_OF_MEMORY, CLOSED = 77, 78
"""Exit codes of a worker: it met the limit, and may be short of memory for good; the caller has closed the pipe."""

FORBIDDEN = ("subprocess.", "socket.", "shutil.", "ctypes.", "os.")
"""Audit events that end a call; ``os.`` has ``os.system``, ``os.remove``, ``os.kill`` and the like."""

HARMLESS = ("os.listdir", "os.scandir")
"""Those that a late import needs."""


class ChildError(Exception):
    """Raised when a call gave no result: the function raised, or its worker was killed."""


class ChildLost(ChildError):
    """Raised when the child itself went away: another call with the same arguments may fare better."""


class Child:
    """Calls a function in another process, one call at a time.

    Args:
        load: a function of a module, without arguments. The child calls it once: it imports what is heavy and returns
            the function to call, whose arguments and results are plain JSON types.
        deadline: processor time that a call may take, in seconds.
    """

    def __init__(self, load: Callable[[], Callable[..., Any]], deadline: float):
        self.load, self.deadline = f"{load.__module__}:{load.__qualname__}", deadline
        self._lock = threading.Lock()
        self._calls = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, *arguments: Any) -> Any:
        """The function's result.

        Raises:
            ChildError: there is none; ChildLost, if that is not the function's doing. The next call is not affected.
        """
        with self._lock:
            try:
                reply = self._call(arguments)
            except BaseException as error:  # Ctrl-C too: the late answer must not meet the next question
                self._end()
                if isinstance(error, TimeoutError | EOFError | BrokenPipeError):
                    raise ChildLost(str(error)) from None
                raise
        if "error" in reply:
            raise ChildError(reply["error"])
        return reply["result"]

    def _call(self, arguments: tuple[Any, ...]) -> dict[str, Any]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = self._start()
            started = _read(self._process, 0, START_SECONDS)
            if "error" in started:
                self._end()
                return started
        assert self._process.stdin is not None
        # ASCII, so that a lone surrogate is no trouble; the worker is waiting for it, so that the pipe cannot fill up
        self._calls += 1
        self._process.stdin.write(json.dumps([self._calls, *arguments]).encode() + b"\n")
        self._process.stdin.flush()
        return _read(self._process, self._calls, self.deadline * PATIENCE + GRACE_SECONDS)

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", __name__, self.load, str(self.deadline)],
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a group to kill, which Ctrl-C in the caller's terminal does not reach
        )
        self._finalizer = weakref.finalize(self, _kill, process)
        return process

    def _end(self) -> None:
        if self._process is not None:
            self._finalizer()
            self._process = None


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End a child and its worker, and leave no zombie."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdout.close()
    with suppress(BrokenPipeError):
        process.stdin.close()


def _read(process: "subprocess.Popen[bytes]", call: int, seconds: float) -> dict[str, Any]:
    """The child's reply to a call. Others are passed over: a worker may die of a call that it has answered.

    Raises:
        TimeoutError: it did not come in time.
        EOFError: the child is gone, or what came is no reply.
    """
    assert process.stdout is not None
    descriptor, end, rest = process.stdout.fileno(), time.monotonic() + seconds, b""
    ready = select.poll()  # select.select fails beyond 1024 open files, of which a Ray worker may have more
    ready.register(descriptor, select.POLLIN)
    while ready.poll(max(0.0, end - time.monotonic()) * 1000):
        part = os.read(descriptor, 1 << 16)
        if not part:
            raise EOFError("the child is gone")
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            try:
                reply: dict[str, Any] = json.loads(line)
            except ValueError:
                raise EOFError("what the child said is no reply") from None
            if reply["call"] == call:
                return reply
    raise TimeoutError(f"no reply within {seconds:g} s")


def _serve(load: str, deadline: float) -> None:
    """The child: keep one worker alive until the caller closes the pipe, and answer for those that die."""
    calls, replies = os.fdopen(os.dup(0), "rb"), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a library prints is no reply
    call = mmap.mmap(-1, 8)  # shared with the worker: the number of its call

    def reply(**said: Any) -> None:
        os.write(replies, json.dumps({"call": int.from_bytes(call[:]), **said}).encode() + b"\n")

    module, _, name = load.partition(":")
    try:
        function = getattr(import_module(module), name)()
    except Exception as error:
        return reply(error=f"{type(error).__name__}: {error}")
    reply()
    while True:
        worker = os.fork()
        if not worker:
            try:
                _work(function, deadline, calls, call, reply)
            finally:
                os._exit(1)
        code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
        if code == CLOSED:
            return None
        if code in (-signal.SIGPROF, -signal.SIGALRM):
            reply(error=f"no result within {deadline:g} s")
        elif code == OUT_OF_MEMORY:
            reply(error="out of memory")
        else:
            reply(error=f"died with {signal.Signals(-code).name if code < 0 else f'exit code {code}'}")


def _work(
    function: Callable[..., Any], deadline: float, calls: IO[bytes], call: mmap.mmap, reply: Callable[..., None]
) -> None:
    """The worker: answer calls, one line each."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.addaudithook(_fence)
    while line := calls.readline():
        number, *arguments = json.loads(line)
        call[:] = number.to_bytes(8)
        signal.setitimer(signal.ITIMER_PROF, deadline)  # nothing handles these signals: the kernel kills
        signal.setitimer(signal.ITIMER_REAL, deadline * PATIENCE)
        try:
            said = {"result": function(*arguments)}
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:
            said = {"error": f"{type(error).__name__}: {error}"[:500]}
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        reply(**said)
    os._exit(CLOSED)


def _fence(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    if writes or (event.startswith(FORBIDDEN) and event not in HARMLESS):
        raise PermissionError(f"{event} is forbidden here")


if __name__ == "__main__":
    _serve(sys.argv[1], float(sys.argv[2]))
