"""A server as its client sees it: whether it is there and serves the model, and what its refusals mean."""

import os
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from factory.engines import EngineMisconfigured
from factory.errors import nearest

GREETING_SECONDS = 20.0
"""Time in which a server must say that it serves a model."""

NO_MONEY = ("insufficient_quota", "billing_not_active", "billing_hard_limit_reached")
"""Codes and types of errors that no waiting mends; all that is left of a quota may also be status 402."""


class Failed(Exception):
    """One try of a request that came to nothing.

    Args:
        said: the server's own words, in a line.
        refused: it was read and not served; the same again will not be. Else another try may be served.
        busy: there was no room for it (429), which is never its own fault.
        overflow: its prompt leaves no room for a completion.
        status: of the answer; None where there was none.
        pause: seconds that the server asks to wait.
    """

    def __init__(
        self,
        said: str,
        *,
        refused: bool = False,
        busy: bool = False,
        overflow: bool = False,
        status: int | None = None,
        pause: float = 0.0,
    ):
        super().__init__(said)
        self.said, self.refused, self.busy, self.overflow = said, refused, busy, overflow
        self.status, self.pause = status, pause


@dataclass(frozen=True)
class Server:
    """The address of a server, and where its key lies."""

    base_url: str
    api_key_env: str

    @property
    def key(self) -> str:
        """The key; servers that want none get a word, as the client does not go without."""
        return os.environ.get(self.api_key_env, "").strip() or "no-key"

    def client(self, timeout: float) -> Any:
        """It tries nothing twice: what a failure means is for the engine to tell."""
        import openai

        return openai.AsyncOpenAI(base_url=self.base_url, api_key=self.key, max_retries=0, timeout=timeout)

    def body(self, response: Any) -> dict[str, Any]:
        """The answer to a request for a completion; raises :class:`Failed` where it is none, or an error in one."""
        try:
            body = response.json()
        except ValueError:
            raise Failed(f"the answer is no JSON: {self.line(response.text)}", refused=True) from None
        error = body.get("error") if isinstance(body, dict) else None
        if error and not body.get("choices"):  # some send an error with the status 200
            code = error.get("code") if isinstance(error, dict) else None
            raise self._failed(code if isinstance(code, int) else 400, error, self.line(str(error)), response.headers)
        if not isinstance(body, dict) or not isinstance(body.get("choices"), list) or not body["choices"]:
            raise Failed(f"the server's answer is no chat completion: {self.line(str(body))}", refused=True)
        return body

    def failure(self, error: Exception) -> Exception:
        """What an error of the client means: Failed, or EngineMisconfigured where settings or money must mend it."""
        import openai

        if isinstance(error, openai.APITimeoutError):
            return Failed("the connection was not made in time")
        if isinstance(error, openai.APIConnectionError):
            return Failed(f"no server answers at {self.base_url} any more")
        if isinstance(error, openai.APIStatusError):
            said = self.line(f"{type(error).__name__}: {error}")
            return self._failed(error.status_code, error.body, said, error.response.headers)
        return Failed(self.line(f"{type(error).__name__}: {error}"), refused=True)

    def _failed(self, status: int, error: Any, said: str, headers: Any) -> Exception:
        about = error if isinstance(error, dict) else {}
        if status == 402 or {about.get("code"), about.get("type")} & set(NO_MONEY):
            return EngineMisconfigured(f"base_url: {self.base_url} serves no more, the quota is used up: {said}")
        refused = 400 <= status < 500 and status not in (408, 409, 425, 429)
        failed = Failed(
            said,
            refused=refused,
            busy=status == 429,
            # OpenAI has a code for it; vLLM says it in words
            overflow=refused and (about.get("code") == "context_length_exceeded" or "context length" in said),
            status=status,
            pause=_asked(headers),
        )
        return EngineMisconfigured(self.refusal(failed)) if status == 401 else failed

    def refusal(self, failed: Failed) -> str:
        """One line on an answer that settings must mend."""
        if failed.status in (401, 403):
            state = "which is set" if os.environ.get(self.api_key_env) else "which is not set"
            key = f"refuses the key of the environment variable {self.api_key_env}, {state} ({failed.status})"
            return f"api_key_env: {self.base_url} {key}: {failed.said}"
        where = "; is its path right? Most end in /v1" if failed.status == 404 else ""
        return f"base_url: {self.base_url} refuses every request: {failed.said}{where}"

    def line(self, text: str) -> str:
        """What a server said, in a line that can be written down; some repeat the key they were given."""
        words = " ".join(text.replace(self.key, "[key]").split())[:500]
        return words.encode("utf-8", "backslashreplace").decode()


def _asked(headers: Any) -> float:
    """The seconds that a server asks to wait (``Retry-After``, a number or a date); 0 if it does not."""
    asked = headers.get("retry-after") or ""
    try:
        return max(0.0, float(asked))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(asked).timestamp() - time.time())
    except ValueError:
        return 0.0


def greet(server: Server, model: str | None, named: bool) -> None:
    """Is the server there, does it take the key, does it serve the model (if that is known)?

    It does if it lists the model. Where it does not, or lists nothing, it is asked for one token: a model that the
    recipe has ``named`` may be an alias; the answer for another must not say that it comes from a third.

    Raises:
        EngineMisconfigured: the answer is no.
    """
    import openai

    with openai.OpenAI(base_url=server.base_url, api_key=server.key, timeout=GREETING_SECONDS) as client:
        listed: list[str] | None = None
        try:
            listed = [served.id for served in client.models.list().data]
        except openai.APIConnectionError:
            way_out = f"start one with: vllm serve {model or 'MODEL'} --generation-config vllm --port PORT"
            raise EngineMisconfigured(f"base_url: no server answers at {server.base_url}; {way_out}") from None
        except openai.AuthenticationError as error:
            raise EngineMisconfigured(str(server.failure(error))) from None
        except (openai.OpenAIError, ValueError, AttributeError, TypeError):
            pass  # many servers list nothing
        if model is None or model in (listed or []):
            return
        absent = f"served_model: {server.base_url} does not serve '{model}'"
        if listed and not named:
            raise EngineMisconfigured(absent + nearest(model, listed))
        try:
            small = [{"role": "user", "content": "1+1"}]
            raw: Any = client.chat.completions.with_raw_response
            answer = server.body(raw.create(model=model, messages=small, max_tokens=1).http_response)
        except Failed as failed:
            raise EngineMisconfigured(server.refusal(failed)) from None
        except (openai.OpenAIError, ValueError) as error:
            failure = server.failure(error)
            if not isinstance(failure, Failed):
                raise failure from None
            if listed and failure.refused:
                raise EngineMisconfigured(absent + nearest(model, listed)) from None
            raise EngineMisconfigured(server.refusal(failure)) from None
        if not named and answer.get("model") not in (None, "", model):
            raise EngineMisconfigured(f"{absent}: it answers as '{answer['model']}'")
