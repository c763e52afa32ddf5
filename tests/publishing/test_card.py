"""The dataset card says what is known of a generation, and nothing else."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt

from factory.publishing.card.card import card
from factory.publishing.card.figures import FIGURES
from factory.publishing.card.method import CITATIONS, KEPT, ORIGINS_OF_ANY_REWARD
from factory.publishing.card.method import ORIGINS as ORIGIN_MEANINGS
from factory.publishing.card.model import model_card
from factory.recipe.curation import Curation
from schemas.examples import ORIGINS
from tests.support.card_inputs import DIALOGUE, OVER_TURNS, RISE, SAID, SHOWN, fences, manifest
from tests.support.publishing import FACTS, RATIONALE, made_in, tree_in
from tests.support.records import HEALTH


def test_card_says_what_is_known() -> None:
    assert set(ORIGIN_MEANINGS) == set(ORIGINS_OF_ANY_REWARD) == set(ORIGINS)
    assert set(KEPT) == set(get_args(Curation.model_fields["criterion"].annotation))
    text = card(manifest(), SHOWN)
    header = DatasetCard(text).data.to_dict()
    assert (header["license"], header["language"], header["size_categories"]) == ("apache-2.0", ["en"], ["n<1K"])
    configs = [(config["config_name"], config.get("default")) for config in header["configs"]]
    assert configs == [("examples", True), ("rollouts", None), ("rejects", None)]
    assert "**12 examples**" in text
    assert set(text.splitlines()) >= {
        "- Base model: tiny_llama sha256:ba5eba5eba5eba5e",
        "- Sampled model: gen-1/checkpoint sha256:abc0abc0abc0abc0",
        "- Corpus: addition sha256:c0c0c0c0c0c0c0c0",
        "- Verifier: exact 1",
        "- Process checks: derived 2",
        "- Validation: passed (22 expectations)",
        "- Packages: pyarrow 26.0.1",
        "| questions | 2,000 |",
        "| sampled | 8 | sampled without a hint, and right |",
        "| wrong | 2 |",
        "| 0 | base | 50.8% | 2,000 | 4,800 | 600 (30%) | 600 | 40 | 4,160 |",
        "| 0 | 400 | 50.8% | 100.0% | 25.0% |",
        "| 1 |  | 60.0% |  |  |",
        "| derived | rationalized | 298 | 248 | 83.2% | 0 |",
        "- It is in one language, `en`.",
        "- Its licence is `apache-2.0`. The terms of what it was made from hold as well: addition, tiny_llama.",
        "- The generation before: `gen-1`, manifest `sha256:0d0d0d0d0d0d0d0d`.",
        "- The sampled model was trained on the examples of `gen-1`.",
        "| `attempts[].completion_tokens` | int32 | length of the completion (unit: tokens) |",
        "factory iterate recipes/sums.yaml",
        "python -m factory lineage registry/sums/gen-2",
        'examples = load_dataset("registry/sums/gen-2", "examples", split="train")',
    }
    assert "kept where a verifier found the final answer right" in text
    assert "`messages` of `rationalized` examples ask the question without it" in text
    assert not any(
        absent in text for absent in ("Weight", "m1@t1", "`corrected`", "qu2024", "reward 1", "WARNING", "hf://")
    )


@pytest.mark.parametrize(
    ("given", "header"),
    [
        ("apache-2.0", {"license": "apache-2.0"}),
        ("proprietary", {"license": "other", "license_name": "proprietary"}),
        ("Llama: see there", {"license": "other", "license_name": "Llama: see there"}),
        (None, {}),
    ],
)
def test_a_licence_that_the_hub_does_not_know_has_a_name(given: str | None, header: dict[str, str]) -> None:
    """The Hub refuses a card whose ``license`` is none of its identifiers."""
    facts = FACTS | {"license": given}
    for text in (card(manifest(facts), SHOWN), model_card(facts)):
        data = DatasetCard(text).data.to_dict()
        assert {name: value for name, value in data.items() if name.startswith("license")} == header


def test_card_warns_at_its_top_of_what_failed_validation() -> None:
    validation = {
        "passed": False,
        "expectations": 22,
        "failures": ["3 rows <b>fail</b>", "a question\nof the eval split"],
    }
    text = DatasetCard(card(manifest(FACTS | {"validation": validation}), SHOWN)).text
    assert text.lstrip().splitlines()[:6] == [
        "> [!WARNING]",
        "> **This generation failed validation.** It was published all the same, with `--unsafe`. What failed:",
        ">",
        "> - 3 rows \\<b\\>fail\\</b\\>",
        "> - a question of the eval split",
        "",
    ]
    assert "- Validation: failed (22 expectations)" in text


def test_card_shows_the_figures_that_there_are() -> None:
    known = manifest()
    known["files"]["figures/funnel.png"] = {"bytes": 1}
    text = card(known, SHOWN)
    assert f"![{FIGURES['funnel.png']}](figures/funnel.png)" in text
    assert text.count("](figures/") == 1
    assert "## Figures" not in card(manifest(), SHOWN)


def test_a_tree_has_the_figures_of_its_card(tmp_path: Path) -> None:
    tree = tree_in(tmp_path / "sums", made_in(tmp_path / "shards"))
    shown = {f"figures/{name}" for name in FIGURES if f"(figures/{name})" in (tree / "README.md").read_text()}
    assert shown == {path.relative_to(tree).as_posix() for path in tree.glob("figures/*")} != set()
    assert shown <= json.loads((tree / "manifest.json").read_text())["files"].keys()


def test_card_says_that_wrong_attempts_are_among_weighted_examples() -> None:
    text = card(manifest(RISE, examples={"sampled": 1, "corrected": 1, "reference": 1}, dialogues=2), DIALOGUE)
    assert "**not all of them reach the right answer**: kept were the best attempts of the first turn" in text
    assert "kept where a verifier found" not in text
    assert "exp(reward / 0.4)" in text
    assert "- Method: rise (after generations of star)" in text
    assert "| corrected | 1 | a later turn, after feedback, right or wrong |" in text
    assert "| reference | 1 | given, not sampled; at turn 1 after another question's rationale" in text
    assert "only the last message is to be trained on" in text
    assert "`messages` of `rationalized`" not in text
    assert "- Teacher: larger" in text
    assert "A training that does not read `weight` learns the wrong attempts" in text
    assert 'right = examples.filter(polars.col("reward").fill_null(1) == 1)' in text
    shown = [block.strip() for block in fences(text, "text")]
    assert shown == [*SAID[:2], *SAID], "the corrected one after the first attempt"
    assert "second, gold answer 13, reward 1, weight 12.2:" in text


@pytest.mark.parametrize(
    ("facts", "formula"),
    [
        ({"tau": 0.25, "centred": True}, "exp((reward - mean reward of the question) / 0.25)"),
        ({"criterion": "success"}, "exp(reward / 0.4)"),
    ],
)
def test_card_says_what_an_example_weighs(facts: dict[str, Any], formula: str) -> None:
    text = card(manifest(RISE | facts), SHOWN)
    assert f"- Weight: {formula}" in text
    assert ("not all of them" in text) == ("criterion" not in facts)


def test_card_shows_figures_over_turns() -> None:
    text = card(manifest(RISE), SHOWN)
    assert set(text.splitlines()) >= {
        "| generation | m1@t1 | m3@t1 | m1@t2 | p1@t2 | m1@t2 - m3@t1 |",
        "| 1 | 20.0% | 25.0% | 23.5% | 40.0% | -1.5 |",
        "| 1 | 20.0% | 20.0% | 20.0% | 20.0% |",
        "| 2 | 30.0% | 23.5% | 40.0% | 21.0% |",
        "| 3 |  |  |  | 25.0% |",
    }
    assert "equal compute" not in text
    even = {"m2@t1": None, "per_turn": OVER_TURNS["per_turn"] | {"parallel": [0.2, None]}}
    text = card(manifest(RISE | {"accuracy": [RISE["accuracy"][1] | even]}), SHOWN)
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
def test_card_cites_the_methods(facts: dict[str, Any], cited: list[str]) -> None:
    text = card(manifest(facts), SHOWN)
    for method, (name, paper) in CITATIONS.items():
        assert (name in text) == (paper in text) == (method in cited)
    assert ("## Citation" in text) == bool(cited)


def test_card_leaves_out_what_is_not_known() -> None:
    empty = manifest({}, examples={})
    empty["tables"]["rejects"]["by_reason"] = {}
    text = card(empty, [])
    assert "**0 examples**" in text
    assert "No attempt was rejected." in text
    absent = (
        "(None",
        ": None",
        "license:",
        "Accuracy",
        "- Method",
        "## Examples",
        "## Generations",
        "- The generation",
        "- The sampled",
        "one language",
    )
    assert not [one for one in absent if one in text]
    assert 'load_dataset("registry/sums/gen-2", "examples"' not in text.partition("## How to train")[0]


def test_text_does_not_break_the_card() -> None:
    text = card(manifest(), SHOWN)
    tokens = MarkdownIt().enable("table").parse(DatasetCard(text).text)
    assert [token.content for token in tokens if token.type == "fence"].count(RATIONALE + "\n") == len(SHOWN)
    headings = [
        after.content for token, after in pairwise(tokens) if token.type == "heading_open" and token.tag == "h2"
    ]
    assert headings == [
        *("How it was made", "Counts", "Generations", "Accuracy by generation", "Examples", "Known limits"),
        *("How to load it", "How to train on it", "How to reproduce it", "Lineage", "Columns", "Citation"),
    ]
    assert "a|b" in [after.content for token, after in pairwise(tokens) if token.type == "th_open"]


def test_health_of_each_generation_and_the_advice() -> None:
    def told(generation: int, **figures: Any) -> dict[str, Any]:
        return {"generation": generation, **HEALTH["figures"], "advice": HEALTH["advice"], **figures}

    nothing = dict.fromkeys(HEALTH["figures"]) | {"pass@k": {}, "flawed": {}}  # of a generation that sampled nothing
    text = card(manifest(FACTS | {"health": [told(0, **nothing), told(1)]}), [])
    _, _, section = text.partition("## Health\n")
    section = section.partition("\n## ")[0]
    lines = [line[2:-2].split(" | ") for line in section.splitlines() if line.startswith("| ")]
    cells = {name: rest for name, *rest in lines}
    assert cells["pass@1"][-1] == "40.0% (30.0% to 50.0%)"
    assert cells["pass@k"] == ["", "60.0% (k = 3)"]
    assert cells["newly solved"][-1] == "7"
    assert cells["flawed by columns"][-1] == "30.0%"
    assert cells["tokens of an example"][-1] == "1,234.5"
    assert section.strip().endswith(r"Advice after generation 1: stop: it is \<enough\>.")
    assert "## Health" not in card(manifest(), [])


def test_the_card_says_what_the_examples_were_held_against() -> None:
    sets = [
        {"name": "eval split", "questions": 400, "sha256": "ab" * 32},
        {"name": "gsm8k/test.jsonl", "questions": 1319, "sha256": "cd" * 32},
    ]
    known = manifest()
    known["facts"] = known["facts"] | {"decontamination": {"sets": sets, "dropped": 1200}}
    text = card(known, SHOWN)
    held = "eval split (400 questions, sha256:abababababababab); gsm8k/test.jsonl (1,319 questions, "
    assert f"- Held against: {held}sha256:cdcdcdcdcdcdcdcd). 1,200 attempts were dropped for it" in text.splitlines()
    assert "Held against" not in card(manifest(), SHOWN)
