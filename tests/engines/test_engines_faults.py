"""The client of OpenAI-compatible servers against a small server on this machine that fails on demand."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from factory.cluster import connected
from factory.engines import Completion, EngineMisconfigured, Sampling, SamplingError
from factory.engines.openai import OpenAI
from factory.engines.vllm import VLLM
from factory.errors import FactoryError
from factory.files import write_table
from factory.prompts import Prompt
from factory.recipe.component import Component, parse
from factory.recipe.groups import Rollout
from factory.sampling.rollout import roll_out
from factory.sampling.worker import Job, Pass
from schemas import QUESTIONS
from tests.support.served import free_port, sample

KEY = "sk-a-secret-of-the-test"
ASKED = [{"role": "user", "content": "1+2"}]
HANG_UP = (0, None)
DEFAULT = Sampling()
GOOD = {
    "choices": [{"message": {"role": "assistant", "content": "The answer is 3"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 4},
}


class Server(ThreadingHTTPServer):
    """Serves the model ``good-model``; ``replies`` are the next answers to completions, then all are good ones."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server_port}/v1"
        self.key: str | None = None
        self.replies: list[tuple[int, Any]] = []
        self.asked: list[dict[str, Any]] = []
        self.seconds = 0.0
        self.at_once = self.most = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer(200, {"object": "list", "data": [{"id": "good-model", "object": "model"}]})

    def do_POST(self) -> None:
        server = self.server
        with server.lock:
            server.at_once += 1
            server.most = max(server.most, server.at_once)
            server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            status, body = server.replies.pop(0) if server.replies else (200, GOOD)
        time.sleep(server.seconds)
        with server.lock:
            server.at_once -= 1
        if (status, body) != HANG_UP:
            self._answer(status, body)

    def _answer(self, status: int, body: Any) -> None:
        if self.server.key and self.headers["Authorization"] != f"Bearer {self.server.key}":
            status, body = 401, {"error": {"message": f"wrong key: {self.headers['Authorization']}"}}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", "0.01")
        with suppress(BrokenPipeError):  # a client that timed out has hung up
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence: the tests print nothing."""


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        yield


@pytest.fixture(scope="module")
def ray_cluster(key: None) -> Iterator[None]:
    """Its workers have the key in their environment, as they were started with it."""
    with connected():
        yield


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def sampled(server: Server, sampling: Sampling = DEFAULT, times: int = 1, **settings: Any) -> list[Completion]:
    return sample("good-model", server.address, [(ASKED, seed, sampling) for seed in range(times)], **settings)


def test_a_request_says_what_the_recipe_says(server: Server) -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=7, max_tokens=11, stop=("\n", "Q:"))
    assert sampled(server, sampling) == [Completion("The answer is 3", "stop", 5, 4)]
    expected = {"temperature": 0.5, "top_p": 0.9, "top_k": 7, "max_tokens": 11, "stop": ["\n", "Q:"], "seed": 0}
    assert server.asked == [{"model": "good-model", "messages": ASKED, **expected}]
    sampled(server)
    assert "top_k" not in server.asked[1]  # OpenAI's own servers refuse it
    assert "stop" not in server.asked[1]


def test_no_more_requests_at_a_time_than_allowed(server: Server) -> None:
    server.seconds = 0.1
    assert len(sampled(server, times=12, max_concurrency=3)) == 12
    assert server.most == 3


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_passing_fault_is_tried_again(server: Server, status: int) -> None:
    server.replies = [(status, {"error": {"message": "not now"}})] * 2
    assert sampled(server, retries=2) == [Completion("The answer is 3", "stop", 5, 4)]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((500, {"error": {"message": "out of memory"}}), "out of memory"),
        ((400, {"error": {"message": f"prompt too long, your key is {KEY}"}}), r"prompt too long, your key is \[key\]"),
        ((200, b"{'not': json"), "JSONDecodeError"),
        ((200, {}), "no chat completion"),
        ((200, {"choices": []}), "no chat completion"),
        ((200, {"choices": [{"message": {"content": "The"}, "finish_reason": "content_filter"}]}), "content_filter"),
    ],
)
def test_one_request_fails_and_the_next_is_served(server: Server, reply: tuple[int, Any], said: str) -> None:
    server.replies = [reply]
    with pytest.raises(SamplingError, match=said) as caught:
        sampled(server, retries=0)
    assert KEY not in str(caught.value)
    assert sampled(server, retries=0)[0].text == "The answer is 3"


def test_a_time_out_is_an_error_of_the_request(server: Server) -> None:
    server.seconds = 0.5
    with pytest.raises(SamplingError, match=r"no answer within 0.1 s"):
        sampled(server, retries=0, timeout=0.1)


def test_a_server_that_goes_away_stops_the_run(server: Server) -> None:
    server.replies = [HANG_UP] * 2
    with pytest.raises(EngineMisconfigured, match=r"no server answers at .* any more"):
        sampled(server, retries=1)
    assert len(server.asked) == 2


@pytest.mark.parametrize("usage", [{}, {"usage": None}, {"usage": {}}])
def test_a_server_may_leave_out_the_usage(server: Server, usage: dict[str, Any]) -> None:
    server.replies = [(200, {"choices": [{"message": {"content": "3"}, "finish_reason": "length"}], **usage})]
    assert sampled(server) == [Completion("3", "length", 0, 0)]


def test_a_wrong_server_is_told_before_anything_is_sampled(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def problems(**settings: Any) -> list[str]:
        component = parse({"_component_": "factory.engines.openai.OpenAI", "base_url": server.address, **settings})
        return OpenAI.problems(component.settings, gpus=0)

    assert problems() == problems(served_model="good-model") == []
    [wrong_model] = problems(served_model="god-model")
    assert "does not serve 'god-model'; did you mean 'good-model'?" in wrong_model
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    [refused] = problems(base_url=nowhere)
    assert f"no server answers at {nowhere}; start one with: vllm serve" in refused
    server.key = "another"
    [wrong_key] = problems()
    assert "OPENAI_API_KEY, which is set (401)" in wrong_key
    assert KEY not in wrong_key
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "OPENAI_API_KEY, which is not set (401)" in problems()[0]
    monkeypatch.setenv("MINE", "another")
    assert problems(api_key_env="MINE") == []
    assert not server.asked


def test_an_adapter_and_gpus_are_checked_before_the_engine_starts(tmp_path: Path) -> None:
    def problems(gpus: float, **settings: Any) -> list[str]:
        return VLLM.problems(parse({"_component_": "factory.engines.vllm.VLLM", **settings}).settings, gpus)

    assert problems(0) == problems(2, tensor_parallel_size=2) == []
    assert problems(1, tensor_parallel_size=2) == [
        "tensor_parallel_size=2: rollout.gpus_per_engine is 1, and must be 2"
    ]
    assert "has no adapter_model.safetensors" in problems(0, adapter=tmp_path)[0]
    (tmp_path / "adapter_model.safetensors").touch()
    assert "has no adapter_config.json" in problems(0, adapter=tmp_path)[0]
    (tmp_path / "adapter_config.json").write_text('{"r": 1000}')
    assert "rank 1000" in problems(0, adapter=tmp_path)[0]
    (tmp_path / "adapter_config.json").write_text('{"r": 4}')
    assert problems(0, adapter=tmp_path) == []


@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize("at", ["start", "request"])
def test_a_refused_key_stops_the_run_at_once(server: Server, tmp_path: Path, at: str) -> None:
    """Ray must not try it over and over, and nothing may be written that a resumed run would take for done."""
    if at == "start":
        server.key = "another"
    server.replies = [(401, {"error": {"message": f"wrong key: {KEY}"}})] * 4
    with pytest.raises(FactoryError, match="OPENAI_API_KEY") as caught:
        roll_out(job(server, tmp_path), Rollout(), lambda tally, pace: None)
    assert KEY not in str(caught.value) + (tmp_path / "log").read_text()
    assert not list((tmp_path / "out").glob("*.parquet"))


@pytest.mark.usefixtures("ray_cluster")
def test_the_loop_s_rollout_samples_a_server_and_cuts_what_it_did_not(server: Server, tmp_path: Path) -> None:
    runaway = {"choices": [{"message": {"content": "The answer is 3\nQ: 7+8"}, "finish_reason": "length"}]}
    server.replies = [(200, runaway)]
    tally = roll_out(job(server, tmp_path), Rollout(), lambda tally, pace: None)
    assert tally["correct"] == tally["questions"] == 1
    [attempt] = pl.read_parquet(tmp_path / "out")["attempts"][0]
    shown = [attempt[name] for name in ("completion", "verdict", "finish_reason")]
    assert shown == ["The answer is 3", "correct", "stop"]


def job(server: Server, folder: Path) -> Job:
    """One question, sampled once; the server cuts at no stop string."""
    row = {"question_id": "1+2", "corpus": "sums", "split": "train", "question": "1+2", "answer": "3"}
    write_table(folder / "questions" / "00000.parquet", pa.Table.from_pylist([row], schema=QUESTIONS))
    alone = Component("factory.strategies.independent.independent", {})
    return Job(
        model=Path("good-model"),
        model_name="good-model",
        generation=0,
        seed=0,
        engine=parse({"_component_": "factory.engines.openai.OpenAI", "base_url": server.address, "retries": 0}),
        verifier=Component("factory.verifiers.exact.Exact", {}),
        prompt=Prompt(),
        passes=(Pass(folder / "questions", folder / "out", alone, Sampling(stop=("\nQ:",))),),
        log=folder / "log",
    )
