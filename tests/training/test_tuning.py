"""The torchtune components: a decoder that agrees with transformers, prompts as sampling writes them, the stream."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX, padded_collate_sft
from transformers import AutoTokenizer

from factory.prompts import completion_ids, prompt_ids
from factory.tuning import ChatTokenizer, ExampleStream, decoder, lora_decoder
from factory.tuning.dataset import shuffled_passes
from tests.support.finetune import assert_same_logits, make_base, write_examples

LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_examples(tmp_path_factory.mktemp("examples") / "examples.parquet", 300)


def test_a_llama_is_read_with_its_rotary_scaling_and_head_dimension(tmp_path: Path) -> None:
    assert_same_logits(make_base(tmp_path, tied=False, head_dim=16, rope_parameters=LLAMA3_ROPE))


def test_a_qwen2_is_read_with_the_order_of_its_rotary_embedding(tmp_path: Path) -> None:
    assert_same_logits(make_base(tmp_path, "qwen2"))


def test_another_rotary_scaling_is_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path, rope_parameters={"rope_type": "linear", "rope_theta": 10_000.0, "factor": 2.0})
    with pytest.raises(ValueError, match="'linear' is not supported"):
        decoder(str(base))


def test_a_sliding_window_is_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path, "qwen2", use_sliding_window=True)
    with pytest.raises(ValueError, match="sliding window"):
        decoder(str(base))


def test_adapters_of_an_unknown_projection_are_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path)
    with pytest.raises(ValueError, match=r"o_proj\. Valid: q_proj, k_proj, v_proj, output_proj"):
        lora_decoder(str(base), ["q_proj", "o_proj"], apply_lora_to_mlp=False, lora_rank=4, lora_alpha=8)


def test_only_the_completion_is_trained_on(tmp_path: Path, examples: Path) -> None:
    base = make_base(tmp_path)
    messages = pq.read_table(examples).column("messages")[17].as_py()
    tokenizer = AutoTokenizer.from_pretrained(base)
    prompt, completion = prompt_ids(tokenizer, messages[:1]), completion_ids(tokenizer, messages[1]["content"])
    row = ExampleStream(ChatTokenizer(str(base)), str(examples))[17]
    assert row["tokens"].tolist() == prompt + completion
    assert row["labels"].tolist() == [CROSS_ENTROPY_IGNORE_IDX] * len(prompt) + completion
    assert completion[-1] == tokenizer.eos_token_id
    longer = {"tokens": np.arange(9), "labels": np.arange(9)}
    batch = padded_collate_sft([row, longer], padding_idx=0)
    assert batch["labels"][0, len(row["labels"]) :].eq(CROSS_ENTROPY_IGNORE_IDX).all()


def test_the_stream_is_made_of_shuffled_passes(tmp_path: Path, examples: Path) -> None:
    tokenizer = ChatTokenizer(str(make_base(tmp_path)))

    def rows(seed: int) -> list[tuple[int, ...]]:
        stream = ExampleStream(tokenizer, str(examples), rows=700, seed=seed)
        return [tuple(stream[index]["tokens"].tolist()) for index in range(len(stream))]

    first = rows(seed=1)
    assert len(first) == 700
    assert len(set(first[:300])) == len(set(first[300:600])) == 300
    assert first[:300] != first[300:600]
    assert first == rows(seed=1) != rows(seed=2)


def test_an_example_beyond_the_models_length_is_left_out(tmp_path: Path) -> None:
    tokenizer = ChatTokenizer(str(make_base(tmp_path)))
    long = write_examples(tmp_path / "long.parquet", 2, answer="1" * 60)
    short = write_examples(tmp_path / "short.parquet", 3)
    ExampleStream(tokenizer, [str(long), str(short)], rows=7, summary=str(tmp_path / "summary.json"))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary == {"examples": 3, "too_long": 2, "rows": 7, "tokens": 7 * len("Q1+1?=2.")}
    with pytest.raises(ValueError, match=r"no example to train on .2 of more than 64 tokens"):
        ExampleStream(tokenizer, str(long))


@pytest.mark.parametrize("names", [["weighted", "plain"], ["plain", "weighted"]])
def test_an_example_of_a_file_without_weights_weighs_one(tmp_path: Path, names: list[str]) -> None:
    files = {
        "weighted": write_examples(tmp_path / "weighted.parquet", 3, weights=[0.5, 2, 0]),
        "plain": write_examples(tmp_path / "plain.parquet", 2),
    }
    stream = ExampleStream(ChatTokenizer(str(make_base(tmp_path))), [str(files[name]) for name in names], rows=50)
    expected = {"weighted": [0.5, 2, 0], "plain": [1, 1]}
    order = shuffled_passes(5, 50, seed=0)
    weights = [weight for name in names for weight in expected[name]]
    assert [stream[index]["weight"] for index in range(50)] == [weights[example] for example in order]


def test_an_example_left_out_takes_its_weight_along(tmp_path: Path) -> None:
    tokenizer = ChatTokenizer(str(make_base(tmp_path)), max_seq_len=len("Q9+1?=10."))
    examples = write_examples(tmp_path / "examples.parquet", 12, weights=range(12))
    stream = ExampleStream(tokenizer, str(examples))  # 10+1 and 11+1 are too long
    assert [stream[index]["weight"] for index in range(len(stream))] == list(range(10))
