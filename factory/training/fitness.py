"""Whether a base can be sampled and trained as a recipe says: seen on its files, before anything is sampled."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from factory.errors import ConfigError
from factory.recipe.recipe import Recipe
from factory.training import chat_template
from factory.training.architecture import HEAD, tensors, unsupported

INDEX = "model.safetensors.index.json"
WEIGHTS = "model.safetensors"

OTHERS = (".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx", ".safetensors")
"""Ends of the names under which people keep weights."""

SHOWN = 3
"""Names that a message lists."""


def refuse_unfit(base: Path, recipe: Recipe, system: str | None = None) -> bool:
    """Refuse a base that sampling or training would fail at.

    Looked at are ``config.json``, the weights (all shards there and readable, the tensors those that torchtune loads),
    the tokenizer (a vocabulary that the model has, an end of sequence) and the chat template
    (:mod:`factory.training.chat_template`). A tokenizer without a pad token is fit: padding carries no label.

    Args:
        base: HF folder.
        system: what the system says before a question of the corpus; None if it says nothing before any.

    Returns:
        whether the chat template strips reasoning, see :func:`factory.training.chat_template.strips_reasoning`.

    Raises:
        ConfigError: lists everything that does not fit.
    """
    config, problems = _config(base)
    problems += _weights(base, config)
    tokenizer, unreadable = _tokenizer(base, config)
    problems += unreadable
    if config:
        problems += _too_long(recipe, config["max_position_embeddings"])
    if tokenizer is not None:
        problems += chat_template.faults(tokenizer, recipe, system)
    if problems:
        raise ConfigError(f"base {recipe.base.name}", problems)
    return chat_template.strips_reasoning(tokenizer)


def _config(base: Path) -> tuple[dict[str, Any], list[str]]:
    """The ``config.json``, empty if it is not one that can be trained, and why not."""
    try:
        config = json.loads((base / "config.json").read_text())
        problems = [f"config.json: {problem}" for problem in unsupported(config)]
    except (OSError, ValueError, AttributeError) as error:
        return {}, [f"config.json: {_said(error)}"]
    return ({} if problems else config), problems


def _weights(base: Path, config: dict[str, Any]) -> list[str]:
    """What is wrong with the shards, and with the tensors in them if it is known which there should be."""
    index = base / INDEX
    try:
        named = json.loads(index.read_text())["weight_map"].values() if index.exists() else [WEIGHTS]
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        return [f"{INDEX}: {_said(error)}"]
    shards = sorted(set(map(str, named)))
    missing = [name for name in shards if not (base / name).is_file()]
    if missing and not index.exists():
        return [_no_weights(sorted(file.name for file in base.iterdir() if file.suffix in OTHERS))]
    problems = [f"{INDEX} names shards that are missing: {_few(missing)}"] if missing else []
    found = set[str]()
    for name in (name for name in shards if name not in missing):
        try:
            with safe_open(base / name, framework="np") as shard:
                found |= set(shard.keys())
        except (OSError, SafetensorError) as error:
            problems.append(f"{name}: {_said(error)}; is it a part of a download, or a pointer of Git LFS?")
    return problems or (list(_tensors(found, config)) if config else [])


def _tensors(found: set[str], config: dict[str, Any]) -> Iterator[str]:
    """How the tensors differ from those that torchtune's checkpointer converts: it would stop at each of them."""
    expected = tensors(config)
    # these it leaves out itself, the head only of a Qwen2
    found = {name for name in found if "rotary_emb.inv_freq" not in name}
    found -= {HEAD} - expected if config["model_type"] == "qwen2" else set()
    if lacking := sorted(expected - found):
        yield f"the weights lack {_few(lacking)}"
    if unknown := sorted(found - expected):
        yield f"the weights hold what a {config['model_type']} of this config.json has not: {_few(unknown)}"


def _no_weights(others: list[str]) -> str:
    """Said in words, as nothing here unpickles a file."""
    if not others:
        return f"there are no weights: neither {WEIGHTS} nor {INDEX}; other formats are not fetched from the Hub"
    ways = {
        ".gguf": "python -m factory.bases.gguf FOLDER OUT makes a folder of it",
        ".safetensors": f"a single file has to be named {WEIGHTS}, several need the index",
    }
    save = "AutoModelForCausalLM.from_pretrained(FOLDER).save_pretrained(OUT) of transformers writes it"
    return f"the weights are in {_few(others)}, and read is {WEIGHTS}, or {INDEX} with its shards; " + ways.get(
        Path(others[0]).suffix, save
    )


def _tokenizer(base: Path, config: dict[str, Any]) -> tuple[Any, list[str]]:
    """The tokenizer, None if there is none to be used, and what is wrong with it."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base)
        writes = bool(tokenizer.encode("5", add_special_tokens=False))
    except Exception as error:  # transformers and tokenizers raise all kinds, a plain Exception among them
        return None, [f"the tokenizer cannot be loaded: {_said(error)}"]
    if not writes:  # transformers makes an empty one where the file is missing
        return None, ["the tokenizer has no vocabulary: is tokenizer.json missing?"]
    problems = []
    vocabulary: dict[str, int] = tokenizer.get_vocab()
    last = max(vocabulary, key=lambda token: vocabulary[token])
    if config and vocabulary[last] >= config["vocab_size"]:
        size = config["vocab_size"]
        problems.append(f"the tokenizer's token '{last}' has the number {vocabulary[last]}, the model {size} tokens")
    if tokenizer.eos_token_id is None:
        problems.append("the tokenizer names no end-of-sequence token (eos_token); sampling would never stop")
    return tokenizer, problems


def _too_long(recipe: Recipe, takes: int) -> list[str]:
    limits = {phase.engine.settings.get("max_model_len") or 0 for phase in recipe.phases}
    return [
        f"engine.max_model_len={limit}: the model takes {takes} tokens (max_position_embeddings)"
        for limit in sorted(limits)
        if limit > takes
    ]


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _said(error: Exception) -> str:
    """What an error says, in a line."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
