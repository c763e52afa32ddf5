"""A torchtune decoder of the shape that a Hugging Face checkpoint says it has."""

import json
from pathlib import Path
from typing import Any

from torch import nn
from torchtune.models.llama3_1 import Llama3ScaledRoPE
from torchtune.modules import (
    FeedForward,
    MultiHeadAttention,
    RMSNorm,
    RotaryPositionalEmbeddings,
    TiedLinear,
    TransformerDecoder,
    TransformerSelfAttentionLayer,
)


def llama(path: str) -> TransformerDecoder:
    """
    Build the decoder for a ``LlamaForCausalLM`` checkpoint, with weights yet to be loaded.

    torchtune's own builders want every size in the YAML, derive the head dimension from the hidden size and scale the
    rotary embedding unless told otherwise; here all of that is read from the checkpoint's ``config.json``.

    Args:
        path (str): folder with the ``config.json``.

    Returns:
        TransformerDecoder: maps token ids of shape ``[b, s]`` to logits of shape ``[b, s, vocab_size]``.

    Raises:
        ValueError: If the checkpoint is not a Llama, **or**
            if it has biases, an activation or a rotary scaling that this decoder does not have.

    Notation used for tensor shapes:
        - b: batch size
        - s: sequence length
    """
    config = json.loads((Path(path) / "config.json").read_text())
    _refuse_what_is_not_llama(config, path)
    embed_dim, num_heads = config["hidden_size"], config["num_attention_heads"]
    num_kv_heads = config.get("num_key_value_heads") or num_heads
    head_dim = config.get("head_dim") or embed_dim // num_heads
    max_seq_len, norm_eps = config["max_position_embeddings"], config["rms_norm_eps"]
    rope = _rope(config, head_dim, max_seq_len)

    def layer() -> TransformerSelfAttentionLayer:
        return TransformerSelfAttentionLayer(
            attn=MultiHeadAttention(
                embed_dim=embed_dim,
                num_heads=num_heads,
                num_kv_heads=num_kv_heads,
                head_dim=head_dim,
                q_proj=nn.Linear(embed_dim, num_heads * head_dim, bias=False),
                k_proj=nn.Linear(embed_dim, num_kv_heads * head_dim, bias=False),
                v_proj=nn.Linear(embed_dim, num_kv_heads * head_dim, bias=False),
                output_proj=nn.Linear(num_heads * head_dim, embed_dim, bias=False),
                pos_embeddings=rope,
                max_seq_len=max_seq_len,
            ),
            mlp=FeedForward(
                gate_proj=nn.Linear(embed_dim, config["intermediate_size"], bias=False),
                down_proj=nn.Linear(config["intermediate_size"], embed_dim, bias=False),
                up_proj=nn.Linear(embed_dim, config["intermediate_size"], bias=False),
            ),
            sa_norm=RMSNorm(embed_dim, eps=norm_eps),
            mlp_norm=RMSNorm(embed_dim, eps=norm_eps),
        )

    tok_embeddings = nn.Embedding(config["vocab_size"], embed_dim)
    tied = config.get("tie_word_embeddings", False)
    return TransformerDecoder(
        tok_embeddings=tok_embeddings,
        layers=nn.ModuleList([layer() for _ in range(config["num_hidden_layers"])]),
        max_seq_len=max_seq_len,
        num_heads=num_heads,
        head_dim=head_dim,
        norm=RMSNorm(embed_dim, eps=norm_eps),
        output=TiedLinear(tok_embeddings) if tied else nn.Linear(embed_dim, config["vocab_size"], bias=False),
    )


def _refuse_what_is_not_llama(config: dict[str, Any], path: str) -> None:
    if config["model_type"] != "llama":
        raise ValueError(f"{path} holds a {config['model_type']} model; factory.tuning.llama builds llama only")
    if config.get("attention_bias") or config.get("mlp_bias") or config.get("hidden_act", "silu") != "silu":
        raise ValueError(f"{path} has biases or an activation other than silu, which this decoder does not have")


def _rope(config: dict[str, Any], head_dim: int, max_seq_len: int) -> nn.Module:
    """The rotary embedding; transformers 5 keeps its base with the scaling, older checkpoints beside it."""
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    base = scaling.get("rope_theta") or config.get("rope_theta") or 10_000
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    if kind == "default":
        return RotaryPositionalEmbeddings(dim=head_dim, max_seq_len=max_seq_len, base=base)
    if kind != "llama3":
        raise ValueError(f"rotary scaling {kind!r} is not supported; default and llama3 are")
    return Llama3ScaledRoPE(
        dim=head_dim,
        max_seq_len=max_seq_len,
        base=base,
        scale_factor=scaling["factor"],
        low_freq_factor=scaling["low_freq_factor"],
        high_freq_factor=scaling["high_freq_factor"],
        old_context_len=scaling["original_max_position_embeddings"],
    )
