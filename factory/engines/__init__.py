"""What samples: one file each, a class whose parameters are settings of the recipe.

An engine is built by the worker that owns it, which gives the model (a HF folder) by position; its other parameters
are settings.

Before a run samples anything, an engine class may say what would fail: if it has a static method
``problems(settings, gpus)``, that is called with the engine's settings and the GPUs a worker gets, and returns one
line for each thing that the recipe or the machine must mend.

Settings that change no text, such as an address or a limit on what is in flight, may be named in a tuple ``NEUTRAL``:
a run goes on when they change.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from factory.prompts import Message
from schemas.rollouts import OVERFLOW

Temperature = Annotated[float, Field(ge=0, le=2)]
"""0 is greedy; beyond 2 vLLM and most servers refuse."""


class Sampling(BaseModel):
    """How completions are drawn.

    Args:
        temperature: 0 is greedy.
        top_p: only the likeliest tokens that together have this probability.
        top_k: only so many of the likeliest tokens; 0 is all.
        max_tokens: most tokens of a completion.
        stop: texts at which a completion ends; it does not hold them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    temperature: Temperature = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    top_k: Annotated[int, Field(ge=0)] = 0
    max_tokens: PositiveInt = 512
    stop: tuple[str, ...] = ()

    def at(self, temperature: float) -> "Sampling":
        """The same at another temperature."""
        return self.model_copy(update={"temperature": temperature})


@dataclass(frozen=True)
class Completion:
    """One sampled text, cut at the stop strings.

    ``finish_reason`` is ``stop`` (end-of-sequence or a stop string) or ``length`` (``max_tokens`` or the context);
    ``mean_logprob`` is in nats per token, None if the engine was not asked for it.
    """

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    mean_logprob: float | None = None


class SamplingError(Exception):
    """Raised by an engine when one request cannot be served (a prompt that is too long, say); others go on."""


class ContextOverflow(SamplingError):
    """Raised by an engine when the prompt leaves no room for a completion; its text begins with ``OVERFLOW``."""

    def __init__(self, detail: str):
        super().__init__(f"{OVERFLOW}: {detail}")


class EngineMisconfigured(Exception):
    """Raised by an engine none of whose requests can succeed (a refused key, a quota that is used up, a server that
    answers no more): the run stops at once, and no shard in flight is written.

    The text is one line, with the server's own words: it is what the user sees.
    """


class EngineDead(Exception):
    """Raised by an engine that can serve no request any more: its worker must be replaced."""


class Engine(Protocol):
    """Samples completions; any number of calls may be awaited at the same time."""

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        """One completion as the next assistant message. The same seed gives the same text.

        Raises:
            SamplingError: this request failed.
            EngineMisconfigured: every request will fail until the recipe or the server is mended.
            EngineDead: every further request will fail.
        """
        ...

    def close(self) -> None:
        """Release the device and end all processes of the engine."""
        ...


def cut(completion: Completion, stop: tuple[str, ...]) -> Completion:
    """The completion up to the first stop string in its text: what is verified and trained on, whatever the engine.

    The counts of tokens stay those of what was sampled.
    """
    end = min((completion.text.find(string) for string in stop if string in completion.text), default=None)
    return completion if end is None else replace(completion, text=completion.text[:end], finish_reason="stop")
