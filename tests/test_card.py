"""The dataset card says what is known of a generation, and nothing else."""

from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt

from factory.card_method import CITATIONS, KEPT, ORIGINS_OF_ANY_REWARD
from factory.card_method import ORIGINS as ORIGIN_MEANINGS
from factory.groups import Curation
from factory.publish import publish
from schemas import EXAMPLES
from schemas.examples import ORIGINS
from tests.publishing import FACTS, RATIONALE, Inputs, made_in, row


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return made_in(tmp_path)


def test_card_says_what_is_known(inputs: Inputs) -> None:
    assert set(ORIGIN_MEANINGS) == set(ORIGINS_OF_ANY_REWARD) == set(ORIGINS)
    assert set(KEPT) == set(get_args(Curation.model_fields["criterion"].annotation))
    card = DatasetCard.load(publish(**inputs) / "README.md")
    header = card.data.to_dict()
    assert (header["license"], header["language"], header["size_categories"]) == ("apache-2.0", ["en"], ["n<1K"])
    configs = [(config["config_name"], config.get("default")) for config in header["configs"]]
    assert configs == [("examples", True), ("rollouts", None), ("rejects", None)]
    assert "**12 examples**" in card.text
    assert set(card.text.splitlines()) >= {
        "- Base model: tiny_llama",
        "- Sampled model: gen-1/checkpoint sha256:abc",
        "- Validation: passed (22 expectations)",
        "- Packages: pyarrow 26.0.1",
        "| questions | 2,000 |",
        "| sampled | 8 | sampled without a hint, and right |",
        "| wrong | 2 |",
        "| 0 | 400 | 50.8% | 100.0% | 25.0% |",
        "| 1 |  | 60.0% |  |  |",
        "| `attempts[].completion_tokens` | int32 | length of the completion (unit: tokens) |",
        "factory iterate recipes/sums.yaml",
    }
    assert "kept where a verifier found the final answer right" in card.text
    assert not any(absent in card.text for absent in ("Weight", "m1@t1", "`corrected`", "qu2024", "reward 1"))


OVER_TURNS = {
    **{"m1@t1": 0.2, "m3@t1": 0.25, "m1@t2": 0.235, "p1@t2": 0.4},
    "per_turn": {"accuracy": [0.2, 0.3], "m1": [0.2, 0.235], "p1": [0.2, 0.4], "parallel": [0.2, 0.21, 0.25]},
}
RISE: dict[str, Any] = FACTS | {
    "method": "rise",
    "methods": ["star", "rise"],
    "teacher": "larger",
    "criterion": "better",
    "tau": 0.4,
    "centred": False,
    "accuracy": [{"generation": 0, "accuracy": 0.1}, {"generation": 1, "accuracy": 0.2} | OVER_TURNS],
}


def test_card_says_that_wrong_attempts_are_among_weighted_examples(inputs: Inputs) -> None:
    """One dialogue: a wrong attempt, and a right one after feedback."""
    said = ["4+9?", "It is 12.", "The answer is incorrect.", "It is 13."]
    messages = [{"role": ("user", "assistant")[turn % 2], "content": text} for turn, text in enumerate(said)]
    question = {"question": said[0], "answer": "13"}
    first = question | {"example_id": "first", "origin": "sampled", "messages": messages[:2], "rationale": said[1]}
    second = question | {"example_id": "second", "origin": "corrected", "messages": messages, "rationale": said[3]}
    rows = [
        row(EXAMPLES, turn=0, reward=0.0, weight=1.0, **first),
        row(EXAMPLES, turn=1, reward=1.0, weight=12.1825, **second),
    ]
    shard = inputs["tables"]["examples"][0]
    pq.write_table(pa.Table.from_pylist(rows, EXAMPLES), shard)
    text = (
        publish(**inputs | {"facts": RISE, "tables": inputs["tables"] | {"examples": [shard]}}) / "README.md"
    ).read_text()
    assert "**not all of them reach the right answer**: kept were the best attempts of the first turn" in text
    assert "kept where a verifier found" not in text
    assert "exp(reward / 0.4)" in text
    assert "| corrected | 1 | a later turn, after feedback, right or wrong |" in text
    assert "only the last message is to be trained on" in text
    assert "- Teacher: larger" in text
    assert "A training that does not read `weight` learns the wrong attempts" in text
    assert 'right = examples.filter(polars.col("reward").fill_null(1) == 1)' in text
    shown = [token.content.strip() for token in MarkdownIt().parse(text) if token.type == "fence"]
    assert [block for block in shown if block in said] == [*said, *said[:2]], (
        "the corrected one after the first attempt"
    )
    assert "second, gold answer 13, reward 1, weight 12.2:" in text


@pytest.mark.parametrize(
    ("facts", "formula"),
    [
        ({"tau": 0.25, "centred": True}, "exp((reward - mean reward of the question) / 0.25)"),
        ({"criterion": "success"}, "exp(reward / 0.4)"),
    ],
)
def test_card_says_what_an_example_weighs(inputs: Inputs, facts: dict[str, Any], formula: str) -> None:
    text = (publish(**inputs | {"facts": RISE | facts}) / "README.md").read_text()
    assert f"- Weight: {formula}" in text
    assert ("not all of them" in text) == ("criterion" not in facts)


def test_card_shows_figures_over_turns(inputs: Inputs) -> None:
    text = (publish(**inputs | {"facts": RISE}) / "README.md").read_text()
    assert set(text.splitlines()) >= {
        "| generation | m1@t1 | m3@t1 | m1@t2 | p1@t2 | m1@t2 - m3@t1 |",
        "| 1 | 20.0% | 25.0% | 23.5% | 40.0% | -1.5 |",
        "| 1 | 20.0% | 20.0% | 20.0% | 20.0% |",
        "| 2 | 30.0% | 23.5% | 40.0% | 21.0% |",
        "| 3 |  |  |  | 25.0% |",
    }
    assert "equal compute" not in text
    even = {"m2@t1": None, "per_turn": OVER_TURNS["per_turn"] | {"parallel": [0.2, None]}}
    facts = RISE | {"accuracy": [RISE["accuracy"][1] | even]}
    text = (publish(**inputs | {"facts": facts, "generation": 1}) / "README.md").read_text()
    assert "at equal compute" in text
    assert "| 1 | 20.0% |  | 23.5% | 40.0% |  |" in text


@pytest.mark.parametrize(
    ("facts", "cited"),
    [
        ({"method": "STaR"}, ["star"]),
        ({"method": "rise"}, ["rise"]),
        ({"method": "rise", "methods": ["star", "rise"]}, ["star", "rise"]),
        ({"method": "mine"}, []),
    ],
)
def test_card_cites_the_methods(inputs: Inputs, facts: dict[str, Any], cited: list[str]) -> None:
    text = (publish(**inputs | {"facts": facts}) / "README.md").read_text()
    for method, (name, paper) in CITATIONS.items():
        assert (name in text) == (paper in text) == (method in cited)
    assert ("## Citation" in text) == bool(cited)


def test_card_leaves_out_what_is_not_known(inputs: Inputs) -> None:
    no_rows: dict[str, list[Path]] = {table: [] for table in inputs["tables"]}
    text = (publish(**inputs | {"tables": no_rows, "facts": {}}) / "README.md").read_text()
    assert "**0 examples**" in text
    assert "No attempt was rejected." in text
    assert not any(absent in text for absent in ("None", "license", "Accuracy", "- Method", "## Examples"))


def test_text_does_not_break_the_card(inputs: Inputs) -> None:
    tokens = MarkdownIt().enable("table").parse(DatasetCard.load(publish(**inputs) / "README.md").text)
    texts = [token.content for token in tokens if token.type == "fence"]
    assert texts.count(RATIONALE + "\n") == 6, "three per origin"
    assert [token.tag for token in tokens if token.type == "heading_open"].count("h2") == 9
    assert "a|b" in [after.content for token, after in pairwise(tokens) if token.type == "th_open"]
