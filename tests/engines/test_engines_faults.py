"""The client of OpenAI-compatible servers against a small server on this machine that fails on demand."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from factory.engines import Completion, EngineMisconfigured, Sampling, SamplingError
from factory.engines.openai import OpenAI
from factory.engines.vllm import VLLM
from factory.recipe.component import parse
from tests.support.misbehaving import ASKED, HANG_UP, KEY, Misbehaving, Reply, failed, running, said, sums
from tests.support.served import RUNNER, Request, free_port, sample

DEFAULT = Sampling()


@pytest.fixture(scope="module", autouse=True)
def key() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        yield


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with running() as server:
        yield server


def sampled(server: Misbehaving, sampling: Sampling = DEFAULT, times: int = 1, **settings: Any) -> list[Completion]:
    return sample("good-model", server.address, [(ASKED, seed, sampling) for seed in range(times)], **settings)


def test_a_request_says_what_the_recipe_says(server: Misbehaving) -> None:
    sampling = Sampling(temperature=0.5, top_p=0.9, top_k=7, max_tokens=11, stop=("\n", "Q:"))
    assert sampled(server, sampling) == [Completion("The answer is 3", "stop", 5, 4)]
    expected = {"temperature": 0.5, "top_p": 0.9, "top_k": 7, "max_tokens": 11, "stop": ["\n", "Q:"], "seed": 0}
    assert server.asked == [{"model": "good-model", "messages": ASKED, **expected}]
    sampled(server)
    assert "top_k" not in server.asked[1]  # OpenAI's own servers refuse it
    assert "stop" not in server.asked[1]


def test_no_more_requests_at_a_time_than_allowed(server: Misbehaving) -> None:
    server.seconds = 0.1
    assert len(sampled(server, times=12, max_concurrency=3)) == 12
    assert server.most == 3


def outcomes(server: Misbehaving, asked: list[Request], **settings: Any) -> list[Completion | BaseException]:
    """What becomes of each of several requests at once."""

    async def all_at_once() -> list[Completion | BaseException]:
        engine = OpenAI("good-model", base_url=server.address, **settings)
        return await asyncio.gather(*(engine.sample(*request) for request in asked), return_exceptions=True)

    return RUNNER.run(all_at_once())


def asked(*texts: str) -> list[Request]:
    return [([{"role": "user", "content": text}], 0, DEFAULT) for text in texts]


def refusing(reply: Reply, marked: str) -> Callable[[dict[str, Any]], Reply]:
    """Answers of a server that has one reply to requests with a mark, and sums for the others."""
    return lambda request: reply if marked in json.dumps(request) else sums(request)


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_passing_fault_is_tried_again(server: Misbehaving, status: int) -> None:
    server.replies = [failed(status, "not now")] * 2
    assert sampled(server, retries=2) == [Completion("The answer is 3", "stop", 5, 4)]
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (failed(500, "out of memory"), "out of memory"),
        (failed(400, f"bad prompt, your key is {KEY}"), r"bad prompt, your key is \[key\]"),
        (failed(400, "half \ud83d of a word"), r"half \\ud83d of a word"),
        (failed(403, "flagged by moderation"), "flagged by moderation"),
        (failed(422, "no such field"), "no such field"),
        ((200, b"{'not': json"), "no JSON: {'not': json"),
        ((200, b"<html>Log in</html>"), "no JSON: <html>Log in"),
        ((200, {}), "no chat completion"),
        ((200, []), "no chat completion"),
        ((200, {"choices": []}), "no chat completion"),
        ((200, {"choices": None, "error": {"message": "upstream is ill", "code": 400}}), "upstream is ill"),
    ],
)
def test_one_request_fails_and_the_others_are_served(server: Misbehaving, reply: Reply, words: str) -> None:
    server.answer = refusing(reply, "7+8")
    first, failure, last = outcomes(server, asked("1+2", "7+8", "3+4"), retries=0)
    assert isinstance(first, Completion)
    assert isinstance(last, Completion)
    assert (first.text[-1], last.text[-1]) == ("3", "7")
    assert isinstance(failure, SamplingError)
    assert re.search(words, str(failure))
    assert KEY not in str(failure)


@pytest.mark.parametrize("status", [400, 403, 404, 405, 413, 422])
def test_a_server_that_refuses_everything_stops_the_run_with_its_own_words(server: Misbehaving, status: int) -> None:
    """Also in words as for a prompt that is too long: vLLM says so of a ``max_tokens`` beyond its context length."""
    server.answer = lambda request: failed(status, f"top_k is not for {KEY}, nor max_tokens for the context length")
    found = outcomes(server, asked("1+2", "7+8", "3+4"), max_concurrency=1)
    assert all(isinstance(one, EngineMisconfigured) for one in found)
    assert "top_k is not for [key]" in str(found[0])
    assert len(server.asked) == 2  # one of the questions, and a short one: nothing more is spent


@pytest.mark.parametrize(
    "reply",
    [
        failed(429, "You exceeded your current quota", type="insufficient_quota", code="insufficient_quota"),
        failed(402, "Insufficient Balance"),
        failed(401, "no such key"),
        (200, {"error": {"message": "Insufficient credits", "code": 402}}),
    ],
)
def test_a_quota_that_is_used_up_or_a_refused_key_stops_the_run_at_once(server: Misbehaving, reply: Reply) -> None:
    server.replies = [reply]
    with pytest.raises(EngineMisconfigured, match=r"current quota|Insufficient|no such key"):
        sampled(server)
    assert len(server.asked) == 1


def test_a_rate_limit_is_waited_for_however_often_it_comes(server: Misbehaving) -> None:
    server.replies = [failed(429, "Rate limit reached: 3 requests per min")] * 4
    assert sampled(server, retries=0)[0].text == "The answer is 3"
    assert len(server.asked) == 5


def test_a_server_that_asks_for_more_than_patience_is_not_waited_for(server: Misbehaving) -> None:
    server.retry_after, server.replies = "86400", [failed(429, "come back tomorrow")]
    with pytest.raises(EngineMisconfigured, match=r"asks to wait 86400 s, longer than patience.*come back tomorrow"):
        sampled(server)


@pytest.mark.parametrize("reply", [failed(503, "loading the model"), failed(429, "rate limit"), HANG_UP])
def test_no_answer_for_longer_than_patience_stops_the_run(server: Misbehaving, reply: Reply) -> None:
    server.answer = lambda request: reply
    found = outcomes(server, asked("1+2", "7+8"), retries=1, patience=2)
    words = "no server answers" if reply == HANG_UP else str(reply[1]["error"]["message"])
    for one in found:
        assert isinstance(one, EngineMisconfigured)
        assert re.search(rf"no answer .* for 2 s \(patience\).*{words}", str(one))


def test_a_server_that_hangs_stops_the_run_before_its_requests_time_out(server: Misbehaving) -> None:
    server.seconds = 20
    with pytest.raises(EngineMisconfigured, match=r"no answer .* for 1 s"):
        sampled(server, patience=1)


def test_a_server_that_is_away_for_a_while_is_waited_for(server: Misbehaving) -> None:
    server.replies = [HANG_UP] * 4
    assert sampled(server, retries=0)[0].text == "The answer is 3"


def test_one_request_without_an_answer_is_an_error_of_its_own(server: Misbehaving) -> None:
    """Also the last of a run, with which no other goes along: a short one tells that the server is well."""
    server.answer = refusing(failed(500, "CUDA error"), "7+8")
    [failure] = outcomes(server, asked("7+8"), retries=1, patience=20)
    assert isinstance(failure, SamplingError)
    assert "CUDA error" in str(failure)
    assert [request["messages"][0]["content"] for request in server.asked] == ["7+8", "7+8", "What is 1+1?"]


def test_what_all_requests_share_is_in_the_short_one(server: Misbehaving) -> None:
    server.answer = refusing(failed(400, "System role not supported"), "system")
    dialogue = [{"role": role, "content": "1+2"} for role in ("system", "user", "assistant", "user")]
    [failure] = outcomes(server, [(dialogue, 0, Sampling(top_k=3))])
    assert isinstance(failure, EngineMisconfigured)
    assert "System role not supported" in str(failure)
    short = server.asked[1]
    assert [message["role"] for message in short["messages"]] == ["system", "user", "assistant", "user"]
    assert short["top_k"] == 3


@pytest.mark.parametrize("drip", [0.0, 0.02])
def test_a_time_limit_is_for_the_whole_answer(server: Misbehaving, drip: float) -> None:
    """Not for each read of it: a server that sends a byte now and then is no faster for that."""
    server.answer = lambda request: sums(request) if "1+1?" in str(request) else said("slow" * 100)
    server.drip, server.seconds = drip, 0.0 if drip else 1.5
    with pytest.raises(EngineMisconfigured, match=r"no answer .* said last: no answer within 0.3 s"):
        sampled(server, retries=0, timeout=0.3, patience=1.5)


@pytest.mark.parametrize("usage", [{}, {"usage": None}, {"usage": {}}])
def test_a_server_may_leave_out_the_usage(server: Misbehaving, usage: dict[str, Any]) -> None:
    server.replies = [(200, {"choices": [{"message": {"content": "3"}, "finish_reason": "length"}], **usage})]
    assert sampled(server) == [Completion("3", "length", 0, 0)]


def test_a_wrong_server_is_told_before_anything_is_sampled(
    server: Misbehaving, monkeypatch: pytest.MonkeyPatch
) -> None:
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


@pytest.mark.parametrize("listed", [None, [], ["other"]])
def test_a_server_without_a_list_or_with_an_alias_works(server: Misbehaving, listed: list[str] | None) -> None:
    server.listed, server.served = listed, ["alias"]
    assert sampled(server, served_model="alias")[0].text == "The answer is 3"
    assert [request["max_tokens"] for request in server.asked] == [1, DEFAULT.max_tokens]
    with pytest.raises(EngineMisconfigured, match=r"does not serve 'alas'|`alas` does not exist"):
        sampled(server, served_model="alas")


def test_a_model_that_is_not_named_must_be_the_one_that_answers(server: Misbehaving) -> None:
    """A server that takes any name would have every generation sample the same model."""
    server.listed = None
    assert sampled(server)[0].text == "The answer is 3"
    server.answer = lambda request: (200, sums(request)[1] | {"model": "another"})
    with pytest.raises(EngineMisconfigured, match="does not serve 'good-model': it answers as 'another'"):
        sampled(server)
    server.listed = ["another"]
    with pytest.raises(EngineMisconfigured, match="does not serve 'good-model'"):
        sampled(server)


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
