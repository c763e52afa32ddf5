"""What the dataset card tells its readers to do works: load, train."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from factory.publishing import tree
from factory.publishing.card.card import card
from factory.publishing.parquet import TABLES
from schemas import EXAMPLES
from tests.support.card_inputs import DIALOGUE, MESSAGES, RISE, SHOWN, fences, manifest
from tests.support.publishing import FACTS, made_in, tree_in


def test_card_of_a_dataset_on_the_hub_names_its_tag_and_links() -> None:
    model = FACTS["model"] | {"published": "acme/sums@gen-1"}
    facts = FACTS | {
        "model": model,
        "trained_model": "acme/sums@gen-2",
        "parent": FACTS["parent"] | {"commit": "9f" * 20},
    }
    text = card(manifest(facts, name="acme/sums"), SHOWN)
    assert 'load_dataset("acme/sums", "rollouts", revision="gen-2", split="train")' in text
    assert 'polars.scan_parquet("hf://datasets/acme/sums@gen-2/data/*.parquet")' in text
    assert "python -m factory lineage acme/sums@gen-2" in text
    assert f"[`gen-1`](https://huggingface.co/datasets/acme/sums/tree/gen-1), commit `{'9f' * 20}`" in text
    assert "[`acme/sums@gen-1`](https://huggingface.co/acme/sums/tree/gen-1)" in text
    assert "[`acme/sums@gen-2`](https://huggingface.co/acme/sums/tree/gen-2)" in text
    assert "registry" not in text
    torchtune, axolotl = map(yaml.safe_load, fences(text, "yaml"))
    where = {"name": "examples", "revision": "gen-2", "split": "train"}
    assert torchtune["dataset"].items() >= ({"source": "acme/sums"} | where).items()
    assert axolotl["datasets"][0].items() >= ({"path": "acme/sums"} | where).items()


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    caches = (str(tmp_path / f"cache-{number}") for number in count())
    return lambda *args, **more: datasets.load_dataset(*args, split="train", cache_dir=next(caches), **more)


def test_datasets_loads_by_the_header(tmp_path: Path, load: Callable[..., Any]) -> None:
    """Every config, one without rows as well; and not a file that has lost rows."""
    inputs = made_in(tmp_path / "shards")
    tree = tree_in(tmp_path / "sums", inputs | {"tables": inputs["tables"] | {"rejects": []}})
    for config, (schema, _) in list(TABLES.items())[:2]:
        loaded = load(str(tree), config)
        assert loaded.num_rows == 12
        assert loaded.features == datasets.Features.from_arrow_schema(schema)
    empty = load(str(tree), "rejects", streaming=True)
    assert list(empty) == []
    assert list(empty.features) == TABLES["rejects"][0].names
    data = tree / "data/train-00000-of-00001.parquet"
    pq.write_table(pq.read_table(data).slice(1), data)
    with pytest.raises(datasets.exceptions.NonMatchingSplitsSizesError):
        load(str(tree), "examples")


def test_one_dialogue_that_is_not_shown_changes_how_to_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "draw", lambda *_: None)
    inputs = made_in(tmp_path / "shards")
    assert "last_message" not in (tree_in(tmp_path / "without", inputs) / "README.md").read_text()
    shard = tmp_path / "dialogue.parquet"
    dialogue = SHOWN[-1] | {"example_id": "e20", "messages": MESSAGES}
    pq.write_table(pa.Table.from_pylist([dialogue], EXAMPLES), shard)
    inputs["tables"]["examples"].append(shard)
    made = tree_in(tmp_path / "with", inputs)
    text = (made / "README.md").read_text()
    assert json.loads((made / "manifest.json").read_text())["tables"]["examples"]["dialogues"] == 1
    assert "e11, gold" in text
    assert "e20, gold" not in text
    assert "_component_: last_message.examples" in text


@pytest.mark.parametrize(("facts", "dialogues"), [(RISE, 1), (RISE, 0), (FACTS, 1)])
def test_code_of_the_card_trains_on_the_last_right_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], dialogues: int
) -> None:
    """Run as printed, on a wrong attempt and on a corrected one; Axolotl's settings are those of its documentation."""
    monkeypatch.chdir(tmp_path)
    examples = datasets.Dataset(pa.Table.from_pylist(DIALOGUE, EXAMPLES))
    monkeypatch.setattr(datasets, "load_dataset", lambda *args, **more: examples)
    kept = [MESSAGES] if facts is RISE else [MESSAGES[:2], MESSAGES]
    text = card(manifest(facts, dialogues=dialogues), SHOWN)
    _, trl, torchtune, axolotl = fences(text, "python")

    trainer: dict[str, Any] = {}
    before, _, after = trl.partition("from trl import SFTConfig, SFTTrainer\n")
    exec(before + after.partition("arguments = ")[0], trainer)
    assert trainer["examples"].to_list() == [{"prompt": one[:-1], "completion": one[-1:]} for one in kept]

    tuning: dict[str, Any] = {}
    exec(torchtune, tuning)
    monkeypatch.setattr("torchtune.datasets._sft.load_dataset", lambda *args, **more: examples)
    dataset = tuning["examples"](lambda sample, inference=False: _tokens(sample["messages"]), source="sums")
    assert [[label for label in row["labels"] if label != -100] for row in dataset] == [
        [ord(letter) for letter in one[-1]["content"]] for one in kept
    ]

    exec(axolotl, {})
    marked = pq.read_table("last_message.parquet").to_pylist()
    assert [[message.pop("train") for message in one["messages"]] for one in marked] == [
        [False] * (len(one) - 1) + [True] for one in kept
    ]
    assert [one["messages"] for one in marked] == kept
    settings = yaml.safe_load(fences(text, "yaml")[1])["datasets"][0]
    how = {"message_field_training": "train", "roles_to_train": [], "train_on_eos": "turn"}
    assert settings.items() >= ({"path": "last_message.parquet", "field_messages": "messages"} | how).items()


def _tokens(messages: list[Any]) -> dict[str, Any]:
    """A token a letter."""
    letters = [(ord(letter), message.masked) for message in messages for letter in message.text_content]
    return {"tokens": [letter for letter, _ in letters], "mask": [masked for _, masked in letters]}
