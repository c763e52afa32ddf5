"""The card of a model names what it was trained on, and nothing that is not known."""

from typing import Any

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from factory.publishing.card.model import model_card

FACTS: dict[str, Any] = {
    "name": "acme/sums",
    "generation": 2,
    "dataset": "acme/sums@gen-2",
    "dataset_manifest_sha256": "0d" * 32,
    "base_model": {"name": "acme/base_model", "sha256": "ba5e" * 16},
    "start": "base",
    "sha256": "c0" * 32,
    "method": "star",
    "training": {"recipe": "full", "config": "tune.yaml", "steps": 1200, "loss_first": 0.9, "loss_last": 0.25},
    "license": "apache-2.0",
    "recipe_fingerprint": "24dce29a2780f205",
    "code_commit": "3a77cc78074c",
}


def test_card_names_the_dataset_and_its_generation() -> None:
    card = ModelCard(model_card(FACTS))
    header = card.data.to_dict()
    assert {name: header[name] for name in ("base_model", "datasets", "license", "library_name", "pipeline_tag")} == {
        "base_model": "acme/base_model",
        "datasets": ["acme/sums"],
        "license": "apache-2.0",
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
    }
    assert "[`acme/sums@gen-2`](https://huggingface.co/datasets/acme/sums/tree/gen-2)" in card.text
    assert set(card.text.splitlines()) >= {
        "# acme/sums, trained on generation 2",
        "- Base model: acme/base_model sha256:ba5eba5eba5eba5e",
        "- Trained from: base",
        "- torchtune recipe: full",
        "- Steps: 1,200",
        "- Loss: 0.900 -\\> 0.250",
        "- Manifest of the dataset: sha256:0d0d0d0d0d0d0d0d",
        'model = AutoModelForCausalLM.from_pretrained("acme/sums", revision="gen-2")',
        'model = LLM("acme/sums", revision="gen-2", tokenizer_revision="gen-2")',
    }
    assert "Its accuracy is in the card of the dataset's next generation, if there is one." in card.text
    assert "WARNING" not in card.text


def test_card_in_a_folder_and_of_an_unsafe_dataset() -> None:
    base = {"name": "tiny_llama", "sha256": None}
    local = {"name": "sums", "dataset": "registry/sums/gen-2", "base_model": base, "unsafe": True}
    card = ModelCard(model_card(FACTS | local))
    assert not card.data.to_dict().keys() & {"datasets", "base_model"}, "the Hub knows neither"
    assert card.text.lstrip().startswith(
        "> [!WARNING]\n> **The dataset that this model was trained on failed validation.**"
    )
    assert "The dataset is `registry/sums/gen-2`." in card.text
    assert 'model = LLM(".")' in card.text
    assert "- Base model: tiny_llama\n" in card.text


@pytest.mark.parametrize("facts", [{}, {"training": {}, "base_model": None}])
def test_card_leaves_out_what_is_not_known(facts: dict[str, Any]) -> None:
    text = model_card(facts)
    assert not [
        absent for absent in ("None", "license", "datasets", "## How it was trained", "revision") if absent in text
    ]


def test_code_of_the_card_is_python() -> None:
    blocks = [token for token in MarkdownIt().parse(model_card(FACTS)) if token.type == "fence"]
    assert len(blocks) == 2
    for block in blocks:
        compile(block.content, "card", "exec")
