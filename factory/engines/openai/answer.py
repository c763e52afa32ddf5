"""What a server answered, as one completion: its text, why it ended, and the reasoning that came apart from it."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from factory.engines import Completion, SamplingError

ENDED, CUT = ("stop", "eos_token"), ("length", "model_length")
"""Finish reasons of a text that the model ended itself, and of one that was cut off. Any other is an error."""

REASONING = re.compile("reasoning|think|thought")
"""In the names of fields and parts that hold a reasoning: ``reasoning_content``, ``reasoning_details``, ..."""

INLINE = re.compile(r"[<\[]/?think", re.IGNORECASE)
"""In a content that holds the reasoning itself."""


class Untold(Exception):
    """Raised where it cannot be told what the model wrote in full; says why, and what can be set."""


@dataclass(frozen=True)
class Form:
    """What stands before the content where the reasoning comes apart from it.

    Args:
        setting: a text with ``{reasoning}``, where the recipe has one; empty if the reasoning is to be left out.
        folder: HF folder of the model; None if its template is not known.
    """

    setting: str | None
    folder: Path | None

    @property
    def leaves_out(self) -> bool:
        return self.setting == ""

    @cached_property
    def text(self) -> str:
        """The setting, or what the model's chat template writes before the content of a message with a reasoning.

        Raises:
            Untold: there is no template, or it does not write the reasoning.
        """
        if self.setting is not None:
            return self.setting
        why = "its chat template is not here"
        if self.folder is not None and self.folder.is_dir():
            try:
                return _written_by(self.folder)
            except Exception as error:  # a template is a program of its own
                why = f"its chat template does not say how they are joined ({type(error).__name__}: {error})"
        raise Untold(
            f"the reasoning comes apart from the content, and {why}: say what stands before the content, such as "
            r'reasoning: "<think>\n{reasoning}\n</think>\n\n", or serve the model without a reasoning parser'
        )

    def joined(self, reasoning: str, content: str) -> str:
        """The text that the model wrote.

        Raises:
            SamplingError: the content holds the reasoning already.
            Untold: see :attr:`text`.
        """
        before, written, after = self.text.partition("{reasoning}")
        if not reasoning or not written:
            return content
        if reasoning in content:
            raise SamplingError("the server sends the reasoning twice, apart and in the content")
        # without content it was cut off in its midst, so the model has not ended it
        return before + reasoning + (after + content.lstrip("\n") if content else "")


def completion(body: dict[str, Any], form: Form, stops: bool) -> Completion:
    """The first choice of an answer as a completion; ``stops`` says whether the request had stop strings.

    Raises:
        SamplingError: the answer holds no text of the model's, or only part of it.
        Untold: its reasoning is withheld, or it is not known how it is joined.
    """
    choice = body["choices"][0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not message or not isinstance(message, dict):
        raise SamplingError(f"the server's choice is empty: {str(choice)[:200]}")
    if message.get("refusal"):
        raise SamplingError(f"the model refused: {str(message['refusal'])[:200]}")
    reason = choice.get("finish_reason")
    if reason not in (*ENDED, *CUT):
        raise SamplingError(f"the server ended the completion: {reason or 'it gives no finish_reason'}")
    if message.get("tool_calls") or message.get("function_call"):
        raise SamplingError("the model called a tool, and there is none")
    content = _content(message.get("content"))
    reasoning = "" if form.leaves_out else _reasoning(message, choice)
    tokens = _count(body, "completion_tokens")
    hidden = _hidden_tokens(body)
    if hidden and not (reasoning or form.leaves_out or INLINE.search(content or "")):
        raise Untold(f"{hidden} tokens of reasoning are withheld; {LEAVE_OUT}")
    # the model itself may end at once, with one token or those of a stop string
    at_once = content == "" and not reasoning and (tokens == 1 or (tokens > 1 and stops))
    if reason in ENDED and not content and not at_once:
        thought = f", only a reasoning of {len(reasoning)} characters" if reasoning else ""
        raise SamplingError(f"the server's answer has no content{thought}")
    return Completion(
        form.joined(reasoning, content or "") if reasoning else content or "",
        "length" if reason in CUT else "stop",
        _count(body, "prompt_tokens"),
        tokens,
        _mean_logprob(choice),
    )


LEAVE_OUT = 'reasoning: "" takes the content alone for what the model wrote'


def _written_by(folder: Path) -> str:
    from transformers import AutoTokenizer

    asked, reasoning, content = [{"role": "user", "content": "?"}], "{reasoning}", "{content}"
    answer = {"role": "assistant", "content": content, "reasoning_content": reasoning, "reasoning": reasoning}
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    begun = tokenizer.apply_chat_template(asked, add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template([*asked, answer], tokenize=False)
    before, found, _ = whole.removeprefix(begun).partition(content)
    if not whole.startswith(begun) or not found or before.count(reasoning) != 1:
        raise ValueError("it does not write a reasoning")
    return str(before)


def _content(content: Any) -> str | None:
    """The text of a content, which may be a list of parts; None where there is none."""
    if content is None or isinstance(content, str):
        return content
    return "".join(_text(part) for part in _parts(content) if not REASONING.search(_type(part)))


def _text(part: dict[str, Any]) -> str:
    if _type(part) == "refusal":
        raise SamplingError(f"the model refused: {str(part.get('refusal'))[:200]}")
    if _type(part) not in ("text", "output_text") or not isinstance(part.get("text"), str):
        raise SamplingError(f"the content has a part that is no text: {str(part)[:200]}")
    return str(part["text"])


def _reasoning(message: dict[str, Any], choice: dict[str, Any]) -> str:
    """The reasoning that stands in fields or parts of its own, empty if there is none.

    Raises:
        SamplingError: it comes in versions that differ, or in a form that is no text.
        Untold: it is withheld, or summed up.
    """
    fields = [value for holder in (message, choice) for name, value in holder.items() if REASONING.search(name)]
    content = message.get("content")
    if isinstance(content, list):
        fields.append([part for part in _parts(content) if REASONING.search(_type(part))])
    texts = ["".join(map(_thought, _parts(field))).strip() for field in fields if isinstance(field, str | list | dict)]
    texts = list(filter(None, texts))
    if len({"".join(text.split()) for text in texts}) > 1:
        raise SamplingError("the server sends several reasonings that differ")
    return texts[0] if texts else ""


def _thought(part: dict[str, Any]) -> str:
    value = next((part[name] for name in ("thinking", "reasoning", "text", "content") if name in part), None)
    if re.search("summary|encrypted|redacted", _type(part)) or (not value and part.keys() & {"signature", "data"}):
        raise Untold(f"the reasoning is withheld or summed up; {LEAVE_OUT}")
    if not isinstance(value, str | list):
        raise SamplingError(f"the reasoning has a part that is no text: {str(part)[:200]}")
    return value if isinstance(value, str) else "".join(map(_thought, _parts(value)))


def _parts(value: Any) -> list[dict[str, Any]]:
    """A value as the parts that it is made of; a text is one."""
    parts = value if isinstance(value, list) else [value]
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in parts]
    if not all(isinstance(part, dict) for part in parts):
        raise SamplingError(f"the answer holds what is no text: {str(value)[:200]}")
    return parts


def _type(part: dict[str, Any]) -> str:
    return str(part.get("type", "text"))


def _count(body: dict[str, Any], name: str) -> int:
    usage = body.get("usage")
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) else 0


def _hidden_tokens(body: dict[str, Any]) -> int:
    """The tokens of reasoning that a server counts."""
    usage = body.get("usage")
    details = usage.get("completion_tokens_details") if isinstance(usage, dict) else None
    return _count({"usage": details}, "reasoning_tokens") or _count(body, "reasoning_tokens")


def _mean_logprob(choice: dict[str, Any]) -> float | None:
    try:
        logprobs = [float(token["logprob"]) for token in choice["logprobs"]["content"]]
    except (KeyError, TypeError, ValueError):
        return None
    return sum(logprobs) / len(logprobs) if logprobs else None
