"""An OpenAI-compatible server: a served vLLM, on this machine or another, or an API.

A vLLM server gives what vLLM in the worker gives, if it is started without defaults of its own::

    vllm serve MODEL --generation-config vllm

The server applies the model's chat template. The key is read from the environment of the worker, and is never part of
a recipe, an error or a record.
"""

import asyncio
import os
from typing import Annotated, Any

from pydantic import Field, NonNegativeInt, PositiveFloat

from factory.engines import Completion, ContextOverflow, EngineMisconfigured, Sampling, SamplingError
from factory.errors import nearest
from factory.prompts import Message

GREETING_SECONDS = 20.0
"""Time in which a server must list its models."""

FAILED = ("content_filter", "abort", "error")
"""Finish reasons of texts that the model did not end itself."""


class OpenAI:
    """A model behind ``POST /chat/completions``; every sample is a request of its own.

    A server may ignore the seed: vLLM does not, most APIs promise no more than their best. One that reports no
    ``usage`` counts as 0 tokens.

    Args:
        model: HF folder or Hub name of the model; given by the worker, not by the recipe.
        base_url: address of the server, mostly ending in ``/v1``; it holds no key and no password.
        served_model: the server's name for the model; without one it must serve the worker's model under its path,
            as ``vllm serve PATH`` does. One name is one model: a run of several generations would sample model 0 again.
        api_key_env: the environment variable that holds the key; servers that need none take it unset.
        max_concurrency: most requests at a time, of one worker.
        retries: further tries of a request after a time-out, a lost connection, status 408, 409, 429 or 5xx, with
            growing pauses of up to 8 s, or as long as the server asks for. A request is given up when they are used
            up or the server asks for more than 2 minutes; without any connection the run stops, to be resumed.
        timeout: seconds to wait for an answer, in each try.
        logprobs: record the mean log-probability of each completion.
    """

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
        logprobs: bool = False,
    ):
        import openai

        self._model = served_model or model
        self._base_url, self._api_key_env, self._timeout, self._logprobs = base_url, api_key_env, timeout, logprobs
        _check(base_url, api_key_env, self._model)
        self._openai: Any = openai
        self._client: Any = openai.AsyncOpenAI(
            base_url=base_url, api_key=_key(api_key_env), max_retries=retries, timeout=timeout
        )
        self._free = asyncio.Semaphore(max_concurrency)

    @staticmethod
    def problems(settings: dict[str, Any], gpus: float) -> list[str]:
        """What the driver can see of the server: see :mod:`factory.engines`."""
        try:
            _check(settings["base_url"], settings["api_key_env"], settings["served_model"])
        except EngineMisconfigured as error:
            return [str(error)]
        return []

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        openai = self._openai
        try:
            async with self._free:
                answer = await self._client.chat.completions.create(
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
        except (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError) as error:
            raise EngineMisconfigured(_refused(error, self._base_url, self._api_key_env)) from None
        except openai.APITimeoutError:
            raise SamplingError(f"no answer within {self._timeout:g} s") from None
        except openai.APIConnectionError:
            # an error for each of the questions that are left would be written, and never sampled again
            raise EngineMisconfigured(f"base_url: no server answers at {self._base_url} any more") from None
        except openai.BadRequestError as error:
            said = _said(error, self._api_key_env)
            # OpenAI has a code for it; vLLM says it in words
            overflow = error.code == "context_length_exceeded" or "context length" in said
            raise (ContextOverflow if overflow else SamplingError)(said) from None
        except (openai.OpenAIError, ValueError) as error:  # a body that is no JSON is a ValueError
            raise SamplingError(_said(error, self._api_key_env)) from None
        return _completion(answer)

    def close(self) -> None:
        """Nothing to release: the connections end with the worker."""


def _completion(answer: Any) -> Completion:
    try:
        choice, usage = answer.choices[0], answer.usage
        reason = choice.finish_reason
        if reason in FAILED:
            raise SamplingError(f"the server ended the completion: {reason}")
        logprobs = [token.logprob for token in (choice.logprobs and choice.logprobs.content) or []]
        return Completion(
            choice.message.content or "",
            "length" if reason == "length" else "stop",
            (usage and usage.prompt_tokens) or 0,
            (usage and usage.completion_tokens) or 0,
            sum(logprobs) / len(logprobs) if logprobs else None,
        )
    except (AttributeError, IndexError, TypeError):
        raise SamplingError(f"the server's answer is no chat completion: {str(answer)[:200]}") from None


def _check(base_url: str, api_key_env: str, model: str | None) -> None:
    """Ask the server for its models: is it there, does it take the key, does it serve the model (if that is known)?

    Raises:
        EngineMisconfigured: the answer is no.
    """
    import openai

    try:
        with openai.OpenAI(base_url=base_url, api_key=_key(api_key_env), timeout=GREETING_SECONDS) as client:
            served = [served.id for served in client.models.list().data]
    except openai.APIConnectionError:
        way_out = f"start one with: vllm serve {model or 'MODEL'} --generation-config vllm --port PORT"
        raise EngineMisconfigured(f"base_url: no server answers at {base_url}; {way_out}") from None
    except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
        raise EngineMisconfigured(_refused(error, base_url, api_key_env)) from None
    if model is not None and model not in served:
        raise EngineMisconfigured(f"served_model: {base_url} does not serve '{model}'{nearest(model, served)}")


def _refused(error: Exception, base_url: str, api_key_env: str) -> str:
    """One line on an answer that settings must mend."""
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        state = "which is set" if os.environ.get(api_key_env) else "which is not set"
        return f"api_key_env: {base_url} refuses the key of the environment variable {api_key_env}, {state} ({status})"
    where = "is its path right? Most end in /v1" if status == 404 else "is it an OpenAI-compatible server?"
    return f"base_url: {base_url}: {_said(error, api_key_env)}; {where}"


def _said(error: Exception, api_key_env: str) -> str:
    """What a server said, in a line; some repeat the key they were given."""
    return " ".join(f"{type(error).__name__}: {error}".replace(_key(api_key_env), "[key]").split())[:500]


def _key(api_key_env: str) -> str:
    """The key; servers that want none get a word, as the client does not go without."""
    return os.environ.get(api_key_env, "").strip() or "no-key"
