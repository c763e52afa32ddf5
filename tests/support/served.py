"""``vllm serve`` on this machine, and asking a server for samples. Used by the tests of engines."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from factory.engines import Completion, Sampling
from factory.engines.openai import OpenAI
from factory.engines.vllm import CPU_ENVIRONMENT
from factory.prompts import Message

Request = tuple[list[Message], int, Sampling]
"""Messages, seed, and how to sample."""

RUNNER = asyncio.Runner()
"""One event loop for all tests: a client's connections belong to the loop in which they were opened."""

ARGUMENTS = [
    "--dtype=float32",
    "--max-model-len=256",
    "--max-num-batched-tokens=4096",
    "--enforce-eager",
    "--no-enable-chunked-prefill",
    "--generation-config=vllm",
    "--disable-log-stats",
]
"""What the engine in the worker is given by the recipe star_arithmetic, and on a CPU."""


@contextmanager
def served(model: Path, log: Path, seconds: float = 600) -> Iterator[str]:
    """Serve a model under its path; yields the server's address once it answers, and ends it afterwards."""
    port = free_port()
    # the whole session is killed when the pipe to it closes, even if that is because the tests were killed
    watched = ["sh", "-c", 'exec 3<&0; { read -r _ <&3; kill -9 0; } & exec "$@" 3<&-', "sh"]
    command = [*watched, sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(model)]
    environment = os.environ | CPU_ENVIRONMENT
    environment |= {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, *ARGUMENTS, "--host=127.0.0.1", f"--port={port}"],
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + seconds
        while not _answers(f"http://127.0.0.1:{port}/health"):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def sample(model: str, address: str, requests: list[Request], **settings: Any) -> list[Completion]:
    """Send all requests at once to a server with an engine of these settings."""

    async def all_at_once() -> list[Completion]:
        engine = OpenAI(model, base_url=address, **settings)
        return list(await asyncio.gather(*(engine.sample(*request) for request in requests)))

    return RUNNER.run(all_at_once())


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
