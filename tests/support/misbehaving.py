"""A small OpenAI-compatible server on this machine that fails on demand, and jobs that sample it."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow as pa

from factory.engines import Sampling
from factory.files import write_table
from factory.prompts import Prompt
from factory.recipe.component import Component, parse
from factory.sampling.worker import Job, Pass
from schemas import QUESTIONS

KEY = "sk-a-secret-of-the-test"
ASKED = [{"role": "user", "content": "1+2"}]
HANG_UP = (0, None)
USAGE = {"prompt_tokens": 5, "completion_tokens": 4}

Reply = tuple[int, Any]
"""Status and body; a body of bytes is sent as it is, any other as JSON."""


def said(content: Any, finish_reason: Any = "stop", usage: Any = USAGE, **message: Any) -> Reply:
    """A completion whose message has further fields."""
    message = {"role": "assistant", "content": content, **message}
    return 200, {"choices": [{"message": message, "finish_reason": finish_reason}], "usage": usage}


def failed(status: int, message: str, **error: Any) -> Reply:
    return status, {"error": {"message": message, **error}}


GOOD = said("The answer is 3")


def sums(request: dict[str, Any]) -> Reply:
    """The right answer to the sum that a request ends with; ``GOOD`` to any other text."""
    numbers = request["messages"][-1]["content"].split("+")
    if not all(number.isdigit() for number in numbers):
        return GOOD
    return said(f"I add {' and '.join(numbers)}. The answer is {sum(map(int, numbers))}")


class Misbehaving(ThreadingHTTPServer):
    """Serves the model ``good-model``.

    ``replies`` are the next answers to completions; then ``answer`` gives them. ``listed`` are the models under
    ``/models``, None if there is no such path; ``served`` are the names that completions take.
    """

    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/v1"
        self.key: str | None = None
        self.listed: list[str] | None = ["good-model"]
        self.served = ["good-model"]
        self.replies: list[Reply] = []
        self.answer: Callable[[dict[str, Any]], Reply] = lambda request: GOOD
        self.asked: list[dict[str, Any]] = []
        self.seconds = 0.0
        self.drip = 0.0
        self.retry_after = "0.01"
        self.at_once = self.most = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    server: Misbehaving

    def do_GET(self) -> None:
        listed = self.server.listed
        if listed is None:
            self._answer(404, {"detail": "Not Found"})
        else:
            self._answer(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in listed]})

    def do_POST(self) -> None:
        server = self.server
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with server.lock:
            server.at_once += 1
            server.most = max(server.most, server.at_once)
            server.asked.append(request)
            status, body = server.replies.pop(0) if server.replies else server.answer(request)
        if request["model"] not in server.served:
            status, body = failed(404, f"The model `{request['model']}` does not exist.")
        time.sleep(server.seconds)
        with server.lock:
            server.at_once -= 1
        if (status, body) != HANG_UP:
            self._answer(status, body)

    def _answer(self, status: int, body: Any) -> None:
        if self.server.key and self.headers["Authorization"] != f"Bearer {self.server.key}":
            status, body = failed(401, f"wrong key: {self.headers['Authorization']}")
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        with suppress(OSError):  # a client that timed out has hung up
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Retry-After", self.server.retry_after)
            self.end_headers()
            for byte in content if self.server.drip else ():
                self.wfile.write(bytes([byte]))
                time.sleep(self.server.drip)
            self.wfile.write(b"" if self.server.drip else content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence: the tests print nothing."""


@contextmanager
def running() -> Iterator[Misbehaving]:
    with Misbehaving() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def job(
    server: Misbehaving, folder: Path, asked: Sequence[str] = ("1+2",), shard_rows: int = 10, **settings: Any
) -> Job:
    """Sums, each sampled once; the server cuts at no stop string."""
    for number, start in enumerate(range(0, len(asked), shard_rows)):
        rows = [
            {"question_id": text, "corpus": "sums", "split": "train", "question": text}
            | {"answer": str(sum(map(int, text.split("+"))))}
            for text in asked[start : start + shard_rows]
        ]
        write_table(folder / "questions" / f"{number:05}.parquet", pa.Table.from_pylist(rows, schema=QUESTIONS))
    engine = {"_component_": "factory.engines.openai.OpenAI", "base_url": server.address, "retries": 0}
    alone = Component("factory.strategies.independent.independent", {})
    return Job(
        model=Path("good-model"),
        model_name="good-model",
        generation=0,
        seed=0,
        engine=parse(engine | settings),
        verifier=Component("factory.verifiers.exact.Exact", {}),
        prompt=Prompt(),
        passes=(Pass(folder / "questions", folder / "out", alone, Sampling(stop=("\nQ:",))),),
        log=folder / "log",
    )
