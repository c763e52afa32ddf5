"""An OpenAI-compatible server: a served vLLM, on this machine or another, or an API.

A vLLM server gives what vLLM in the worker gives, if it is started without defaults of its own::

    vllm serve MODEL --generation-config vllm

The server applies the model's chat template. The key is read from the environment of the worker, and is never part of
a recipe, an error or a record.
"""

import asyncio
import random
import time
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, NonNegativeInt, PositiveFloat

from factory.engines import Completion, ContextOverflow, EngineMisconfigured, Sampling, SamplingError
from factory.engines.openai.answer import Form, Untold, completion
from factory.engines.openai.server import Failed, Server, greet
from factory.prompts import Message

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 8.0
"""Seconds before the first further try; each pause is twice the one before, up to the longest."""


class OpenAI:
    """A model behind ``POST /chat/completions``; every sample is a request of its own.

    A server may ignore the seed: vLLM does not, most APIs promise no more than their best. One that reports no
    ``usage`` counts as 0 tokens.

    A request that fails is told from a server that fails by others: where none has been served since, a short one of
    the same form is sent. If that is served, the failure is this request's own. If not, the run stops with what the
    server said, at once where it refuses and after ``patience`` where it is not well; nothing is written then that
    was not judged, and the same command goes on when the server is well.

    Args:
        model: HF folder or Hub name of the model; given by the worker, not by the recipe.
        base_url: address of the server, mostly ending in ``/v1``; it holds no key and no password.
        served_model: the server's name for the model, or any name that it takes; without one it must serve the
            worker's model under its path, as ``vllm serve PATH`` does. One name is one model: a run of several
            generations would sample model 0 again.
        api_key_env: the environment variable that holds the key; servers that need none take it unset.
        max_concurrency: most requests at a time, of one worker.
        retries: further tries of a request after a time-out, a lost connection, status 408, 409 or 5xx, with growing
            pauses of up to 8 s, or as long as the server asks for. A rate limit (429) is waited for and uses up none.
        timeout: seconds for a whole answer, in each try.
        patience: seconds without an answer to any request after which the run stops.
        reasoning: the text that stands before the content where a server sends the reasoning apart from it, such as
            ``"<think>\\n{reasoning}\\n</think>\\n\\n"``; empty: the reasoning is left out. By default it is what the
            chat template of the worker's model writes, and the run stops where that cannot be told.
        logprobs: record the mean log-probability of each completion.
    """

    NEUTRAL: ClassVar = ("base_url", "api_key_env", "max_concurrency", "retries", "timeout", "patience")

    def __init__(
        self,
        model: str,
        /,
        *,
        base_url: Annotated[str, Field(pattern=r"^https?://[^\s@]+$")],
        served_model: str | None = None,
        api_key_env: str = "OPENAI_API_KEY",
        max_concurrency: Annotated[int, Field(gt=0, le=1000)] = 64,  # as many connections as the client holds
        retries: NonNegativeInt = 5,
        timeout: PositiveFloat = 600.0,
        patience: PositiveFloat = 600.0,
        reasoning: Annotated[str, Field(pattern=r"^$|\{reasoning\}")] | None = None,
        logprobs: bool = False,
    ):
        self._server = Server(base_url, api_key_env)
        greet(self._server, served_model or model, named=served_model is not None)
        self._model, self._logprobs = served_model or model, logprobs
        # a server's own name says nothing of the folder
        self._form = Form(reasoning, None if served_model else Path(model))
        self._retries, self._timeout, self._patience = retries, timeout, patience
        self._client: Any = self._server.client(timeout)
        self._free = asyncio.Semaphore(max_concurrency)
        self._trying = asyncio.Lock()
        self._served: dict[Sampling, float] = {}  # when the latest request was sent that was served
        self._answered = 0.0
        self._said = "nothing"
        self._stopped: EngineMisconfigured | None = None

    @staticmethod
    def problems(settings: dict[str, Any], gpus: float) -> list[str]:
        """What the driver can see of the server: see :mod:`factory.engines`."""
        server, model = Server(settings["base_url"], settings["api_key_env"]), settings["served_model"]
        try:
            greet(server, model, named=True)
        except EngineMisconfigured as error:
            return [str(error)]
        return []

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        async with self._free:
            if self._stopped:
                raise self._stopped
            try:
                body = await self._patiently(messages, seed, sampling)
                return completion(body, self._form, stops=bool(sampling.stop))
            except Untold as why:
                self._stopped = EngineMisconfigured(f"reasoning: '{self._model}' of {self._server.base_url}: {why}")
            except EngineMisconfigured as error:
                self._stopped = error
            raise self._stopped  # what waits for its turn need not ask

    async def _patiently(self, messages: list[Message], seed: int, sampling: Sampling) -> Any:
        """The answer, as long as any request gets one."""
        began = time.monotonic()
        trying = asyncio.ensure_future(self._tried(messages, seed, sampling))
        try:
            while not trying.done():
                left = max(began, self._answered) + self._patience - time.monotonic()
                if left <= 0:
                    raise EngineMisconfigured(
                        f"base_url: no answer from {self._server.base_url} for {self._patience:g} s (patience); "
                        f"what it said last: {self._said}"
                    )
                await asyncio.wait({trying}, timeout=left)
            return trying.result()
        finally:
            trying.cancel()

    async def _tried(self, messages: list[Message], seed: int, sampling: Sampling) -> Any:
        """The answer, after as many tries as it takes to know whose fault a failure is.

        Raises:
            SamplingError: the server is well, and does not serve this request.
            EngineMisconfigured: it refuses every request.
        """
        failing_since, tries, pauses = 0.0, 0, 0
        while True:
            try:
                return await self._once(messages, seed, sampling)
            except Failed as failure:
                self._said = failure.said
                failing_since = failing_since or time.monotonic()
                tries += not failure.busy
                spent = failure.refused or (tries > self._retries and not failure.busy)
                if spent and await self._serves_another(messages, sampling, failing_since):
                    raise (ContextOverflow if failure.overflow else SamplingError)(failure.said) from None
                pause = max(failure.pause, min(FIRST_PAUSE * 2**pauses, LONGEST_PAUSE) * random.uniform(0.75, 1))
                if pause > self._patience:
                    said = f"asks to wait {pause:.0f} s, longer than patience ({self._patience:g} s)"
                    raise EngineMisconfigured(f"base_url: {self._server.base_url} {said}: {failure.said}") from None
                pauses += 1
                await asyncio.sleep(pause)

    async def _serves_another(self, messages: list[Message], sampling: Sampling, since: float) -> bool:
        """Whether a request of this form that was sent after ``since`` has been served; if none has, one is sent.

        Raises:
            EngineMisconfigured: it is refused, too.
        """
        async with self._trying:
            if self._served.get(sampling, 0.0) < since:
                texts = {"user": "What is 1+1?", "assistant": "2"}
                # the roles and the system message are of all requests
                small = [message | {"content": texts.get(message["role"], message["content"])} for message in messages]
                try:
                    await self._once(small, 0, sampling)
                except Failed as failure:
                    self._said = failure.said
                    if failure.refused:
                        raise EngineMisconfigured(self._server.refusal(failure)) from None
                    return False
            return True

    async def _once(self, messages: list[Message], seed: int, sampling: Sampling) -> Any:
        """The body of one try's answer; raises :class:`Failed`, or EngineMisconfigured for a key or a quota."""
        import openai

        sent = time.monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._client.chat.completions.with_raw_response.create(
                    model=self._model,
                    messages=messages,
                    temperature=sampling.temperature,
                    top_p=sampling.top_p,
                    max_tokens=sampling.max_tokens,
                    stop=list(sampling.stop) or openai.omit,
                    seed=seed,
                    logprobs=self._logprobs or openai.omit,
                    # not one of OpenAI's own parameters, which refuses those it does not know
                    extra_body={"top_k": sampling.top_k} if sampling.top_k else None,
                )
        except TimeoutError:
            raise Failed(f"no answer within {self._timeout:g} s") from None
        except (openai.OpenAIError, ValueError) as error:  # a text that no JSON holds is a ValueError
            raise self._server.failure(error) from None
        body = self._server.body(response.http_response)
        self._answered = time.monotonic()
        self._served[sampling] = max(sent, self._served.get(sampling, 0.0))
        return body

    def close(self) -> None:
        """Nothing to release: the connections end with the worker."""
