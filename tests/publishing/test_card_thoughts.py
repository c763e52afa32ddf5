"""Of a base whose chat template leaves thoughts out the card says so, and how to train on them all the same."""

from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import trl
import yaml

from factory.publishing.card.card import card
from factory.tuning import ChatTokenizer
from schemas import EXAMPLES
from tests.support.card_inputs import fences, manifest
from tests.support.publishing import FACTS, row
from tests.support.qwen2 import WITHOUT_THOUGHTS, make_qwen2

HEADING = "### Thoughts that the chat template leaves out"
RATIONALES = ["Two, and two more.\n</think>\n\nThe answer is 4", "Nine?\n</think>\n\nThe answer is 9"]


def test_the_card_of_another_base_says_nothing_of_it() -> None:
    assert HEADING not in card(manifest(FACTS), [])


def test_code_of_the_card_trains_on_thoughts_and_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as printed, but for the model's name; TRL trains on these tokens, as our own training does."""
    monkeypatch.chdir(tmp_path)
    base = make_qwen2(tmp_path / "base")
    (base / "chat_template.jinja").write_text(WITHOUT_THOUGHTS)
    asked = [{"role": "user", "content": "2+2?"}]
    dialogues = [[*asked, {"role": "assistant", "content": rationale}] for rationale in RATIONALES]
    rows = [row(EXAMPLES, messages=messages, rationale=messages[-1]["content"]) for messages in dialogues]
    examples = datasets.Dataset(pa.Table.from_pylist(rows, EXAMPLES))
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **more: examples)

    _, _, told = card(manifest(FACTS | {"strips_reasoning": True}), []).partition(HEADING)
    (code,) = fences(told.partition("\n## ")[0], "python")
    names: dict[str, Any] = {}
    exec(code.replace('"base-model"', repr(str(base))), names)
    tokenizer = ChatTokenizer(str(base))
    ours = [tokenizer.tokenize_messages(messages) for messages in dialogues]
    labels = [[-100 if masked else token for token, masked in zip(tokens, mask, strict=True)] for tokens, mask in ours]
    assert names["tokenizer"].decode([label for label in labels[0] if label != -100]) == f"{RATIONALES[0]}<|im_end|>"

    arguments = trl.SFTConfig(output_dir="trained", max_length=None, report_to="none", use_cpu=True)
    trainer = trl.SFTTrainer(str(base), args=arguments, train_dataset=names["examples"])
    assert list(trainer.train_dataset["input_ids"]) == [tokens for tokens, _ in ours]
    assert list(trainer.train_dataset["labels"]) == labels

    (settings,) = yaml.safe_load(fences(told.partition("\n## ")[0], "yaml")[0])["datasets"]
    assert settings == {"path": "whole.parquet", "ds_type": "parquet", "type": None}
    written = pq.read_table("whole.parquet").to_pylist()
    assert [one["labels"] for one in written] == labels
    assert all(one["attention_mask"] == [1] * len(one["input_ids"]) for one in written)
