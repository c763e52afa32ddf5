"""A torchtune decoder of the shape that a Hugging Face checkpoint says it has."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torchtune.models.llama3_1 import Llama3ScaledRoPE
from torchtune.models.qwen2 import Qwen2RotaryPositionalEmbeddings
from torchtune.modules import (
    FeedForward,
    MultiHeadAttention,
    RMSNorm,
    RotaryPositionalEmbeddings,
    TiedLinear,
    TransformerDecoder,
    TransformerSelfAttentionLayer,
)
from torchtune.modules.peft import LoRALinear

from factory.training.architecture import rotary, unsupported

ATTENTION = ("q_proj", "k_proj", "v_proj", "output_proj")
MLP = ("gate_proj", "down_proj", "up_proj")


def decoder(path: str) -> TransformerDecoder:
    """
    Build the decoder for a Llama or Qwen2 checkpoint (Qwen2.5 included), with weights yet to be loaded.

    torchtune's own builders want every size in the YAML, derive the head dimension from the hidden size and scale the
    rotary embedding unless told otherwise; here all of that is read from the checkpoint's ``config.json``.

    Args:
        path (str): folder with the ``config.json``.

    Returns:
        TransformerDecoder: maps token ids of shape ``[b, s]`` to logits of shape ``[b, s, vocab_size]``.

    Raises:
        ValueError: If :func:`factory.training.architecture.unsupported` finds anything in the ``config.json``.

    Notation used for tensor shapes:
        - b: batch size
        - s: sequence length
    """
    return _build(path, frozenset(), {})


def lora_decoder(
    path: str,
    lora_attn_modules: Sequence[str],
    apply_lora_to_mlp: bool,
    lora_rank: int,
    lora_alpha: float,
    lora_dropout: float = 0.0,
) -> TransformerDecoder:
    """
    Build the decoder of :func:`decoder` with low-rank adapters (LoRA, https://arxiv.org/abs/2106.09685) beside some of
    its projections: ``W x + (lora_alpha / lora_rank) B A x``, where only A and B are trained and B begins at zero.

    Args:
        path (str): folder with the ``config.json``.
        lora_attn_modules (Sequence[str]): which of ``q_proj``, ``k_proj``, ``v_proj``, ``output_proj`` get one.
        apply_lora_to_mlp (bool): whether the three projections of each MLP get one.
        lora_rank (int): rows of A and columns of B.
        lora_alpha (float): numerator of the adapter's weight.
        lora_dropout (float): share of an adapter's inputs that is dropped in training. Default: 0.0

    Returns:
        TransformerDecoder: maps token ids of shape ``[b, s]`` to logits of shape ``[b, s, vocab_size]``.

    Raises:
        ValueError: If :func:`decoder` raises it, **or** if a name in ``lora_attn_modules`` is not one of the four.
    """
    if unknown := set(lora_attn_modules) - set(ATTENTION):
        raise ValueError(f"lora_attn_modules: {', '.join(sorted(unknown))}. Valid: {', '.join(ATTENTION)}")
    adapted = frozenset(lora_attn_modules) | frozenset(MLP if apply_lora_to_mlp else ())
    return _build(path, adapted, {"rank": lora_rank, "alpha": lora_alpha, "dropout": lora_dropout})


def _build(path: str, adapted: frozenset[str], lora: dict[str, Any]) -> TransformerDecoder:
    """The decoder, with adapters of the kind ``lora`` beside the projections named in ``adapted``."""
    config = json.loads((Path(path) / "config.json").read_text())
    if problems := unsupported(config):
        raise ValueError(f"{path}: {'; '.join(problems)}")
    embed_dim, hidden_dim, num_heads = (
        config[key] for key in ("hidden_size", "intermediate_size", "num_attention_heads")
    )
    num_kv_heads = config.get("num_key_value_heads") or num_heads
    head_dim = config.get("head_dim") or embed_dim // num_heads
    max_seq_len, norm_eps = config["max_position_embeddings"], config["rms_norm_eps"]
    rope = _rope(config, head_dim, max_seq_len)
    qkv_bias = config["model_type"] == "qwen2"

    def projection(name: str, in_dim: int, out_dim: int, bias: bool = False) -> nn.Module:
        if name in adapted:
            return LoRALinear(in_dim, out_dim, use_bias=bias, **lora)
        return nn.Linear(in_dim, out_dim, bias=bias)

    def layer() -> TransformerSelfAttentionLayer:
        return TransformerSelfAttentionLayer(
            attn=MultiHeadAttention(
                embed_dim=embed_dim,
                num_heads=num_heads,
                num_kv_heads=num_kv_heads,
                head_dim=head_dim,
                q_proj=projection("q_proj", embed_dim, num_heads * head_dim, qkv_bias),
                k_proj=projection("k_proj", embed_dim, num_kv_heads * head_dim, qkv_bias),
                v_proj=projection("v_proj", embed_dim, num_kv_heads * head_dim, qkv_bias),
                output_proj=projection("output_proj", num_heads * head_dim, embed_dim),
                pos_embeddings=rope,
                max_seq_len=max_seq_len,
            ),
            mlp=FeedForward(
                gate_proj=projection("gate_proj", embed_dim, hidden_dim),
                down_proj=projection("down_proj", hidden_dim, embed_dim),
                up_proj=projection("up_proj", embed_dim, hidden_dim),
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


def _rope(config: dict[str, Any], head_dim: int, max_seq_len: int) -> nn.Module:
    """The rotary embedding.

    torchtune rotates the dimensions of a Llama in another order than transformers and permutes its weights to match;
    it leaves those of a Qwen2 as they are.
    """
    kind, scaling = rotary(config)
    base = scaling["rope_theta"]
    if kind == "default":
        rope = Qwen2RotaryPositionalEmbeddings if config["model_type"] == "qwen2" else RotaryPositionalEmbeddings
        return rope(dim=head_dim, max_seq_len=max_seq_len, base=base)
    return Llama3ScaledRoPE(
        dim=head_dim,
        max_seq_len=max_seq_len,
        base=base,
        scale_factor=scaling["factor"],
        low_freq_factor=scaling["low_freq_factor"],
        high_freq_factor=scaling["high_freq_factor"],
        old_context_len=scaling["original_max_position_embeddings"],
    )
