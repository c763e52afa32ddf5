"""What a server's answer is as a completion: all that the model wrote, or an error of that attempt, or a stop."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

from factory.engines import Completion, EngineMisconfigured, Sampling, SamplingError
from factory.engines.openai.answer import Form, Untold, completion
from tests.support.misbehaving import ASKED, USAGE, Misbehaving, Reply, running, said
from tests.support.served import sample

THINK = "<think>\n{reasoning}\n</think>\n\n"
JOINED = "<think>\nOne and two.\n</think>\n\nThe answer is 3"
DOUBTFUL = "The answer is 3"

KNOWS = (
    "{% for m in messages %}<|{{ m.role }}|>"
    "{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}"
    "{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""A chat template in Qwen3's manner."""

STRIPS = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content.split('</think>')[-1] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|><think>\n{% endif %}"
)
"""One in the manner of DeepSeek-R1's: nothing of a reasoning is left."""


def read(reply: Reply, reasoning: str | None = THINK, stops: bool = False) -> Completion:
    return completion(reply[1], Form(reasoning, None), stops)


def details(kind: str, **text: Any) -> dict[str, Any]:
    return {"reasoning_details": [{"type": kind, **text}]}


@pytest.mark.parametrize(
    "reply",
    [
        said(DOUBTFUL, reasoning_content="One and two."),
        said(DOUBTFUL, reasoning="One and two."),
        said(DOUBTFUL, reasoning="\nOne and two.\n", reasoning_content="One and two."),
        said("\n\nThe answer is 3", reasoning_content="\nOne and two.\n"),
        said(DOUBTFUL, thinking="One and two."),
        said(DOUBTFUL, **details("reasoning.text", text="One and two.", signature="c2ln")),
        said(DOUBTFUL, reasoning="One and two.", **details("reasoning.text", text="One and two.")),
        said(DOUBTFUL, thinking_blocks=[{"type": "thinking", "thinking": "One and two."}]),
        said([{"type": "thinking", "thinking": "One and two."}, {"type": "text", "text": DOUBTFUL}]),
        said([{"type": "thinking", "thinking": [{"type": "text", "text": "One and two."}]}, DOUBTFUL]),
        said([{"type": "reasoning", "text": "One "}, {"type": "reasoning", "text": "and two."}, DOUBTFUL]),
    ],
)
def test_a_reasoning_that_comes_apart_is_part_of_the_text(reply: Reply) -> None:
    assert read(reply).text == JOINED
    assert read(reply, reasoning="").text.strip() == DOUBTFUL  # as the recipe wants it
    with pytest.raises(Untold, match="its chat template is not here"):
        read(reply, reasoning=None)


def test_a_reasoning_that_is_cut_off_has_no_end() -> None:
    cut_off = read(said(None, "length", reasoning_content="One and"))
    assert (cut_off.text, cut_off.finish_reason) == ("<think>\nOne and", "length")
    assert read(said("", "length")).text == ""


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("3", "3"),
        ("<think>1, 2</think>3", "<think>1, 2</think>3"),
        ([{"type": "text", "text": "The answer"}, {"type": "output_text", "text": " is 3"}], "The answer is 3"),
        (["The answer is", " 3"], "The answer is 3"),
    ],
)
@pytest.mark.parametrize("empty", [{}, {"reasoning": None, "reasoning_content": "", "reasoning_details": []}])
def test_without_a_reasoning_the_content_is_the_text(content: Any, text: str, empty: dict[str, Any]) -> None:
    assert read(said(content, **empty), reasoning=None) == Completion(text, "stop", 5, 4)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (said(None), "has no content"),
        (said(""), "has no content"),
        (said("", usage=None), "has no content"),
        (said([]), "has no content"),
        (said(None, reasoning="One and two."), "no content, only a reasoning of 12 characters"),
        ((200, {"choices": [{}]}), "choice is empty"),
        ((200, {"choices": [None]}), "choice is empty"),
        ((200, {"choices": [{"message": {}, "finish_reason": "stop"}]}), "choice is empty"),
        (said(None, refusal="I cannot help with sums"), "the model refused: I cannot help"),
        (said([{"type": "refusal", "refusal": "No."}]), "the model refused: No"),
        (said("The", "content_filter"), "content_filter"),
        (said(None, "tool_calls", tool_calls=[{"type": "function"}]), "tool_calls"),
        (said("", "stop", tool_calls=[{"type": "function"}]), "called a tool"),
        (said("The", "insufficient_system_resource"), "insufficient_system_resource"),
        (said("The", None), "no finish_reason"),
        (said([{"type": "image_url", "image_url": {}}]), "a part that is no text"),
        (said({"answer": 3}), "a part that is no text"),
        (said(3), "what is no text"),
        (said("3", reasoning="One.", reasoning_content="Two."), "several reasonings that differ"),
        (said("One and two. 3", reasoning="One and two."), "the reasoning twice"),
        (said("3", reasoning={"steps": 2}), "a part that is no text"),
    ],
)
def test_what_is_no_whole_text_is_an_error_of_its_attempt(reply: Reply, words: str) -> None:
    with pytest.raises(SamplingError, match=words):
        read(reply)


def test_a_model_may_end_at_once() -> None:
    """With one token, or those of a stop string; where tokens went that are in no text, it did not."""
    nothing = said("", usage=USAGE | {"completion_tokens": 1})
    assert read(nothing) == Completion("", "stop", 5, 1)
    assert read(said(""), stops=True) == Completion("", "stop", 5, 4)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (said("3", **details("reasoning.encrypted", data="c2VjcmV0")), "withheld or summed up"),
        (said("3", reasoning="In short", **details("reasoning.summary", summary="In short")), "withheld or summed up"),
        (said([{"type": "redacted_thinking", "data": "c2VjcmV0"}, "3"]), "withheld or summed up"),
        (said([{"type": "thinking", "thinking": "", "signature": "c2ln"}, "3"]), "withheld or summed up"),
        (said("3", usage=USAGE | {"completion_tokens_details": {"reasoning_tokens": 40}}), "40 tokens of reasoning"),
        (said("3", usage=USAGE | {"reasoning_tokens": 40}), "40 tokens of reasoning"),
    ],
)
def test_a_reasoning_that_is_withheld_is_refused_unless_it_is_to_be_left_out(reply: Reply, words: str) -> None:
    for reasoning in (THINK, None):
        with pytest.raises(Untold, match=words):
            read(reply, reasoning)
    assert read(reply, reasoning="").text == "3"


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with running() as server:
        server.answer = lambda request: said(DOUBTFUL, reasoning_content="One and two.")
        yield server


def folder_of_a_model(folder: Path, template: str) -> str:
    words = Tokenizer(WordLevel({"?": 0}, unk_token="?"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="?")
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)
    return str(folder)


def sampled(server: Misbehaving, model: str, **settings: Any) -> str:
    server.listed = server.served = [model, "alias"]
    [found] = sample(model, server.address, [(ASKED, 0, Sampling())], **settings)
    return found.text


def test_the_chat_template_of_the_model_says_how_they_are_joined(server: Misbehaving, tmp_path: Path) -> None:
    assert sampled(server, folder_of_a_model(tmp_path, KNOWS)) == JOINED


def test_a_run_stops_where_that_cannot_be_told(server: Misbehaving, tmp_path: Path) -> None:
    strips, knows = (folder_of_a_model(tmp_path / name, text) for name, text in (("a", STRIPS), ("b", KNOWS)))
    way_out = r"say what stands before the content, such as reasoning: \"<think>"
    with pytest.raises(EngineMisconfigured, match=rf"it does not write a reasoning.*: {way_out}"):
        sampled(server, strips)
    with pytest.raises(EngineMisconfigured, match=rf"its chat template is not here: {way_out}"):
        sampled(server, knows, served_model="alias")  # the server's name says nothing of the folder
    assert sampled(server, knows, served_model="alias", reasoning=THINK) == JOINED
