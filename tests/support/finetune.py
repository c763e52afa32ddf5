"""Tiny bases, and examples to fine-tune them on. Used by the tests of the seam to torchtune."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.torch import load_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from torchtune.models.convert_weights import hf_to_tune
from torchtune.models.qwen2._convert_weights import qwen2_hf_to_tune
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

from factory.tuning import decoder

TEMPLATE = (
    "{% for m in messages %}{{ 'Q' + m.content + '?' if m.role == 'user' else m.content + eos_token }}{% endfor %}"
)


def make_base(folder: Path, model_type: str = "llama", *, tied: bool = True, **settings: Any) -> Path:
    """A Llama or Qwen2 with random weights and a tokenizer of one character a token, as a Hugging Face folder."""
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<eos>", *"0123456789+=?Q"])}
    characters = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    characters.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=characters, eos_token="<eos>", pad_token="<pad>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    config = AutoConfig.for_model(
        model_type,
        vocab_size=len(vocabulary),
        hidden_size=64,
        num_attention_heads=2,
        num_key_value_heads=1,
        num_hidden_layers=2,
        intermediate_size=96,
        max_position_embeddings=64,
        tie_word_embeddings=tied,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        **settings,
    )
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folder


def write_examples(path: Path, count: int, answer: str = "{sum}", weights: Sequence[float] | None = None) -> Path:
    """A Parquet file of so many sums, the answer as given, with a column of weights or without one."""
    dialogues = [
        [
            {"role": "user", "content": f"{number}+1"},
            {"role": "assistant", "content": f"={answer.format(sum=number + 1)}"},
        ]
        for number in range(count)
    ]
    schema = pa.schema({"messages": pa.list_(pa.struct({"role": pa.string(), "content": pa.string()}))})
    table = pa.table({"messages": dialogues}, schema=schema)
    pq.write_table(table if weights is None else table.append_column("weight", pa.array(weights, pa.float32())), path)
    return path


def assert_same_logits(folder: Path) -> None:
    """torchtune's decoder and transformers make the same logits of the same checkpoint."""
    config = json.loads((folder / "config.json").read_text())
    network = decoder(str(folder))
    convert = {"llama": hf_to_tune, "qwen2": qwen2_hf_to_tune}[config["model_type"]]
    network.load_state_dict(
        convert(
            load_file(folder / "model.safetensors"),
            num_heads=config["num_attention_heads"],
            num_kv_heads=config["num_key_value_heads"],
            dim=config["hidden_size"],
            head_dim=config.get("head_dim"),
        )
    )
    tokens = torch.randint(config["vocab_size"], (3, 50), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = AutoModelForCausalLM.from_pretrained(folder)(tokens).logits
        assert expected.dtype == torch.float32
        torch.testing.assert_close(network(tokens), expected, atol=1e-4, rtol=1e-4)
