"""A made-up Qwen2: architecture, kind of tokenizer and chat template of Qwen2.5, a size for a CPU, and one sentence.

It says the same whatever it is asked: a model that has learnt nothing reaches no answer, and to train one until it does
would take longer than all the rest of a test.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

CHATML = (
    "{%- if messages[0]['role'] == 'system' %}{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}"
    "{%- else %}{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{%- endif %}"
    "{%- for message in messages %}"
    "{%- if message.role != 'system' or not loop.first %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
)
"""The form of Qwen2.5's, without its tools."""

WITHOUT_THOUGHTS = (
    "{%- for message in messages %}{%- if message.role == 'assistant' %}"
    "{{- '<|Assistant|>' + message.content.split('</think>')[-1] + eos_token }}"
    "{%- else %}{{- '<|User|>' + message.content }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|Assistant|><think>\\n' }}{%- endif %}"
)
"""The form of DeepSeek-R1's for a distilled Qwen2.5: the assistant's thoughts are left out, and new ones are begun."""

WIDTH = 128

SMALL = {
    "hidden_size": WIDTH,
    "intermediate_size": 2 * WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": WIDTH // 32,  # vLLM's attention takes no smaller heads on a CPU
    "num_key_value_heads": 1,
}

TIED = {"tie_word_embeddings": True, "max_position_embeddings": 32_768}


def make_qwen2(
    folder: Path,
    says: str = "The answer is 7.",
    *,
    texts: Iterable[str] = (),
    after: str = "assistant\n",
    architecture: Mapping[str, Any] = TIED,
    instruct: bool = True,
) -> Path:
    """Write the HF folder of a model that says one sentence and stops.

    Args:
        says: the sentence; no token may come twice in it, as only the last token tells what comes next.
        texts: what the tokenizer learns its words from; it can write everything.
        after: what every prompt ends in.
        architecture: what its ``config.json`` is to say, sizes aside.
        instruct: whether it ends its turns as Qwen2.5-Instruct does, or its texts as Qwen2.5.
    """
    ends = {"eos_token": "<|im_end|>"} if instruct else {}
    untrained = Qwen2Tokenizer(additional_special_tokens=["<|im_start|>", "<|im_end|>"], **ends)
    tokenizer = untrained.train_new_from_iterator([*texts, says, after], vocab_size=1000, show_progress=False)
    tokenizer.chat_template = CHATML
    tokenizer.save_pretrained(folder)
    sizes = SMALL | {"vocab_size": len(tokenizer), "eos_token_id": tokenizer.eos_token_id, "bos_token_id": None}
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(Qwen2Config(**architecture | sizes))
    _teach(model, [tokenizer.encode(after)[-1], *tokenizer.encode(says), tokenizer.eos_token_id])
    model.save_pretrained(folder)
    return folder


@torch.no_grad()
def _teach(model: Qwen2ForCausalLM, chain: list[int]) -> None:
    """Have the first layer answer each token of the chain with the next; attention and the other layers add nothing."""
    if len(set(chain)) < len(chain):
        raise ValueError("a token comes twice")
    for layer in model.model.layers:
        for silent in (layer.self_attn.o_proj, layer.mlp.gate_proj, layer.mlp.up_proj, layer.mlp.down_proj):
            silent.weight.zero_()
    embeddings = model.model.embed_tokens.weight
    embeddings.copy_(torch.nn.functional.normalize(torch.randn_like(embeddings), dim=1))
    model.lm_head.weight.copy_(embeddings)
    memory = model.model.layers[0].mlp
    for number, (token, following) in enumerate(pairwise(chain)):
        memory.gate_proj.weight[number] = memory.up_proj.weight[number] = embeddings[token]
        memory.down_proj.weight[:, number] = embeddings[following]
