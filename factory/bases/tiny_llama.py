r"""A Llama of about a million parameters, made from scratch: random weights and a tokenizer of characters.

It knows nothing; ``warmup`` in the recipe trains it on the corpus's seed questions. Small enough to bootstrap on a
laptop, and a real model to everything downstream (transformers, vLLM, torchtune).
"""

import re
from pathlib import Path
from typing import Any

from pydantic import NonNegativeInt, PositiveFloat, PositiveInt

HEAD_DIM = 32
"""The smallest that vLLM's attention takes on a CPU."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if message.role == 'assistant' %}{{ message.content + eos_token }}"
    "{% else %}{{ 'Q: ' + message.content + '\nA: ' }}{% endif %}"
    "{% endfor %}"
)

# The end of a line of a sum, such as "+1=09": the carry and what the column adds up to, as one token. With it a
# five-digit sum is 30 tokens instead of 62.
COLUMN_SUMS = [f"+{carry}={total:02}\n" for carry in (0, 1) for total in range(carry, 19 + carry)]
WORDS = ["Q: ", "\nA: ", " (", "The answer is ", *COLUMN_SUMS]


def tiny_llama(
    out: Path,
    /,
    hidden_size: PositiveInt = 128,
    layers: PositiveInt = 3,
    intermediate_size: PositiveInt = 512,
    max_length: PositiveInt = 256,
    rope_theta: PositiveFloat = 100.0,
    initializer_range: PositiveFloat = 0.06,
    seed: NonNegativeInt = 0,
) -> None:
    """Write the model's HF folder to ``out``.

    The defaults are for short texts and few steps: rotary embeddings of so small a ``rope_theta`` and so wide an
    ``initializer_range`` learn to find the digits of a column several times sooner than the usual 10,000 and 0.02.

    Args:
        hidden_size: a multiple of 32.
        layers: blocks of the decoder.
        intermediate_size: width of their feed-forward layers.
        max_length: longest text, in tokens.
        rope_theta: base of the rotary embeddings.
        initializer_range: standard deviation of the random weights.
        seed: which random weights these are.

    Raises:
        ValueError: ``hidden_size`` does not divide into heads of 32.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    if hidden_size % HEAD_DIM:
        raise ValueError(f"hidden_size={hidden_size} is not a multiple of {HEAD_DIM}")
    tokenizer = _tokenizer(max_length)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=intermediate_size,
        num_hidden_layers=layers,
        num_attention_heads=hidden_size // HEAD_DIM,
        head_dim=HEAD_DIM,
        max_position_embeddings=max_length,
        rope_parameters={"rope_type": "default", "rope_theta": rope_theta},
        initializer_range=initializer_range,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(seed)
    LlamaForCausalLM(config).save_pretrained(out)
    tokenizer.save_pretrained(out)


def _tokenizer(max_length: int) -> Any:
    """Printable ASCII, a character a token, and the words above; decoding gives back exactly what was encoded."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    pieces = ["<eos>", "<pad>", "<unk>", *WORDS, "\n", *map(chr, range(32, 127))]
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="<unk>"))
    alternatives = "|".join(re.escape(word) for word in WORDS)
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(rf"{alternatives}|[\s\S]"), "isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<eos>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=max_length,
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
    )
