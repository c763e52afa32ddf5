"""Which models a fine-tune can be of: what their ``config.json`` may say, and the tensors that they are made of.

:mod:`factory.tuning.model` builds the decoders; what it does not build is known here, without torch, so that a base is
refused before anything is sampled with it.
"""

from collections.abc import Mapping
from typing import Any

from factory.errors import nearest

MODEL_TYPES = {"llama": "LLAMA3_2", "qwen2": "QWEN2"}
"""How torchtune's checkpointer converts the weights of a ``model_type``; the wrong way can garble them silently."""

SIZES = (
    *("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"),
    *("max_position_embeddings", "rms_norm_eps"),
)
"""Entries that every ``config.json`` must have."""

BIASED = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
"""The parts of a layer that have a bias in a Qwen2."""

PARTS = (
    *BIASED,
    *("self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"),
    *("input_layernorm", "post_attention_layernorm"),
)
"""The parts of a layer, each with a weight."""

HEAD = "lm_head.weight"


def unsupported(config: Mapping[str, Any]) -> list[str]:
    """What a ``config.json`` says that the decoder does not have; empty if it can be built."""
    model_type = config.get("model_type")
    if model_type not in MODEL_TYPES:
        told = f"model_type '{model_type}' cannot be fine-tuned here" if model_type else "names no model_type"
        return [told + nearest(str(model_type), MODEL_TYPES)]
    problems = [f"has no '{size}'" for size in SIZES if not isinstance(config.get(size), int | float)]
    if config.get("attention_bias") or config.get("mlp_bias"):
        problems.append("has biases that this decoder does not have")
    if (activation := config.get("hidden_act", "silu")) != "silu":
        problems.append(f"has the activation '{activation}'; this decoder has silu")
    if config.get("use_sliding_window"):
        problems.append("attends within a sliding window, which this decoder does not have")
    if config.get("quantization_config"):
        problems.append("has quantized weights; take the model as it was before it was quantized")
    kind, _ = rotary(config)
    if kind != "default" and (kind, model_type) != ("llama3", "llama"):
        problems.append(f"rotary scaling '{kind}' is not supported; default is, and llama3 for a llama")
    return problems


def rotary(config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind of a rotary embedding and its entries, ``rope_theta`` among them.

    transformers 5 keeps the base with the scaling, older checkpoints beside it.
    """
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = scaling.get("rope_theta") or config.get("rope_theta") or 10_000
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    return str(kind), {**scaling, "rope_theta": theta}


def tensors(config: Mapping[str, Any]) -> set[str]:
    """The names of the tensors that a checkpoint of this ``config.json`` has; with tied embeddings it has no head."""
    biased = BIASED if config["model_type"] == "qwen2" else ()
    names = {"model.embed_tokens.weight", "model.norm.weight"}
    for layer in range(config["num_hidden_layers"]):
        names |= {f"model.layers.{layer}.{name}.weight" for name in PARTS}
        names |= {f"model.layers.{layer}.{name}.bias" for name in biased}
    return names if config.get("tie_word_embeddings") else {*names, HEAD}
