"""A published generation loads as a dataset, tells the truth about itself, and never changes."""

import hashlib
import json
import stat
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import datasets
import pandas
import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard
from markdown_it import MarkdownIt

from factory import publish as publishing
from factory.card_method import CITATIONS, KEPT, ORIGINS_OF_ANY_REWARD
from factory.card_method import ORIGINS as ORIGIN_MEANINGS
from factory.groups import Curation
from factory.publish import PublishError, publish
from schemas import ATTEMPT, EXAMPLES, REJECTS, ROLLOUTS
from schemas.examples import ORIGINS

Inputs = dict[str, Any]
Load = Callable[..., datasets.Dataset]
FOLDERS = {"data": EXAMPLES, "rollouts": ROLLOUTS, "rejects": REJECTS}
ONLY_FILE = "train-00000-of-00001.parquet"
RATIONALE = "One | two\n```python\n4+9=13\n```\n---\nThe answer is 13."
FACTS: dict[str, Any] = {
    "method": "STaR",
    "base_model": "tiny_llama",
    "model": {"name": "gen-1/checkpoint", "digest": "sha256:abc"},
    "corpus": "addition",
    "license": "apache-2.0",
    "parent_generation": 1,
    "funnel": [{"what": "questions", "count": 2000}],
    "checks": {"derived": {"rationalized": {"passed": 50, "failed": 248}}},
    "accuracy": [
        {"generation": 0, "accuracy": 0.508, "questions": 400, "by_difficulty": {"1 digit": 1.0, "a|b": 0.25}},
        {"generation": 1, "accuracy": 0.6},
    ],
    "validation": {"passed": True, "expectations": 22},
    "seed": 7,
    "command": "factory iterate recipes/sums.yaml",
    "packages": {"pyarrow": "26.0.1"},
}


def row(fields: Iterable[pa.Field], **values: Any) -> dict[str, Any]:
    """The values given; elsewhere null where the column may be, else something empty of its type."""

    def empty(type: pa.DataType) -> Any:
        return [] if pa.types.is_list(type) else "" if pa.types.is_string(type) else pa.scalar(0).cast(type).as_py()

    return {field.name: None if field.nullable else empty(field.type) for field in fields} | values


def example(number: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"{number}+9?"}, {"role": "assistant", "content": RATIONALE}]
    origin = "rationalized" if number % 3 == 0 else "sampled"
    return row(EXAMPLES, example_id=f"e{number}", rationale=RATIONALE, messages=messages, origin=origin)


def rollout(number: int) -> dict[str, Any]:
    context = [{"role": "user", "content": f"{number}+9?"}]
    return row(ROLLOUTS, question_id=f"q{number}", attempts=[row(ATTEMPT, context=context, completion=RATIONALE)])


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """What publish() takes: 12 examples and rollouts in three shards, 3 rejects in one."""

    def shards(rows: list[dict[str, Any]], schema: pa.Schema) -> list[Path]:
        paths = [tmp_path / f"{schema.names[0]}-{first}.parquet" for first in range(0, len(rows), 5)]
        for number, path in enumerate(paths):
            pq.write_table(pa.Table.from_pylist(rows[5 * number : 5 * number + 5], schema), path)
        return paths

    tables = {
        "examples": shards([example(number) for number in range(12)], EXAMPLES),
        "rollouts": shards([rollout(number) for number in range(12)], ROLLOUTS),
        "rejects": shards([row(REJECTS, reason=reason) for reason in ("wrong", "truncated", "wrong")], REJECTS),
    }
    where = {"registry": tmp_path / "registry", "name": "sums", "generation": 2}
    return where | {"tables": tables, "recipe": "seed: 7\nstrategy: star\n", "facts": FACTS}


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    cache = str(tmp_path / "cache")
    return lambda *args, **more: datasets.load_dataset(*map(str, args), split="train", cache_dir=cache, **more)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_tree_and_manifest_tell_the_truth(inputs: Inputs) -> None:
    folder = publish(**inputs)
    assert folder == inputs["registry"] / "sums" / "gen-2"
    tree = files(folder)
    manifest = json.loads(tree.pop("manifest.json"))
    assert set(tree) == {"README.md", "recipe.yaml", *(f"{subfolder}/{ONLY_FILE}" for subfolder in FOLDERS)}
    assert tree["recipe.yaml"].decode() == inputs["recipe"]
    assert {path: (entry["sha256"], entry["bytes"]) for path, entry in manifest["files"].items()} == {
        path: (hashlib.sha256(content).hexdigest(), len(content)) for path, content in tree.items()
    }
    assert manifest["files"][f"rejects/{ONLY_FILE}"]["rows"] == 3
    assert (manifest["name"], manifest["generation"], manifest["facts"]) == ("sums", 2, FACTS)
    assert manifest["tables"] == {
        "examples": {"rows": 12, "schema_version": "1.1", "by_origin": {"sampled": 8, "rationalized": 4}},
        "rollouts": {"rows": 12, "schema_version": "1.1"},
        "rejects": {"rows": 3, "schema_version": "1.2", "by_reason": {"wrong": 2, "truncated": 1}},
    }
    assert all(path.stat().st_mode & stat.S_IRGRP for path in folder.rglob("*")), "a dataset is for others to read"


def test_loads_with_datasets_polars_and_pandas(inputs: Inputs, load: Load) -> None:
    folder = publish(**inputs)
    for config, schema in zip(("examples", "rollouts", "rejects"), FOLDERS.values(), strict=True):
        assert load(folder, config).features == datasets.Features.from_arrow_schema(schema)
    examples = load(folder)
    assert examples.to_list() == [example(number) for number in range(12)]
    assert load(folder, "rollouts")[3]["attempts"][0]["completion"] == RATIONALE
    assert polars.scan_parquet(folder / "data/*.parquet").collect().to_dicts() == examples.to_list()
    assert list(pandas.read_parquet(folder / "data")["example_id"]) == list(examples["example_id"])


def test_parquet_is_what_the_hub_expects(inputs: Inputs) -> None:
    folder = publish(**inputs)
    for subfolder, schema in FOLDERS.items():
        with pq.ParquetFile(folder / subfolder / ONLY_FILE) as file:
            metadata, written = file.metadata, file.schema_arrow
        info = json.loads(metadata.metadata[b"huggingface"])["info"]
        assert datasets.Features.from_dict(info["features"]) == datasets.Features.from_arrow_schema(schema)
        assert json.loads(metadata.metadata[b"content_defined_chunking"])["min_chunk_size"] == 256 * 1024
        assert written.metadata[b"schema_version"] == schema.metadata[b"schema_version"]
        assert written.equals(schema)
        assert all(field.metadata.items() <= written.field(field.name).metadata.items() for field in schema)
        columns = [metadata.row_group(0).column(number) for number in range(metadata.num_columns)]
        assert all(column.compression == "ZSTD" and column.has_column_index for column in columns)


def test_publishing_the_same_rows_again_changes_nothing(inputs: Inputs) -> None:
    folder = publish(**inputs)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert publish(**inputs) == folder
    for path in [path for paths in inputs["tables"].values() for path in paths]:
        polars.read_parquet(path).write_parquet(path)  # large strings, everything nullable, no metadata
    assert publish(**inputs) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
    assert list(folder.parent.iterdir()) == [folder]


def test_large_tables_are_split(inputs: Inputs, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, value in {"BATCH_ROWS": 1, "ROW_GROUP_BYTES": 700, "FILE_BYTES": 1700}.items():
        monkeypatch.setattr(publishing, limit, value)
    folder = publish(**inputs)
    parts = sorted((folder / "data").iterdir())
    assert len(parts) > 1
    assert [part.name for part in parts] == [f"train-{n:05}-of-{len(parts):05}.parquet" for n in range(len(parts))]
    assert pq.read_metadata(parts[0]).num_row_groups > 1
    assert list(load(folder)["example_id"]) == [f"e{number}" for number in range(12)]
    entries = json.loads((folder / "manifest.json").read_text())["files"]
    assert [entries[f"data/{part.name}"]["rows"] for part in parts] == [pq.read_metadata(p).num_rows for p in parts]


def test_other_content_is_refused(inputs: Inputs) -> None:
    folder = publish(**inputs)
    before = files(folder)
    changes: dict[str, dict[str, Any]] = {
        "recipe.yaml": {"recipe": "seed: 8\n"},
        "the fact seed": {"facts": FACTS | {"seed": 8}},
        f"data/{ONLY_FILE}": {"tables": inputs["tables"] | {"examples": inputs["tables"]["examples"][:-1]}},
    }
    for difference, change in changes.items():
        with pytest.raises(PublishError, match=rf"\({difference} differs\).*publish under another name"):
            publish(**inputs | change)
    assert files(folder) == before
    assert list(folder.parent.iterdir()) == [folder]
    (folder / "rejects" / ONLY_FILE).write_bytes(b"")  # not published with other content, but changed since
    with pytest.raises(PublishError, match=rf"\(rejects/{ONLY_FILE} differs\)"):
        publish(**inputs)


def test_a_failure_leaves_nothing_and_is_made_good(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> None:
    home = inputs["registry"] / "sums"
    monkeypatch.setattr(publishing, "card", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        publish(**inputs)
    assert not list(home.iterdir())
    monkeypatch.undo()
    (home / ".gen-1.tmp" / "data").mkdir(parents=True)  # as killed processes leave them
    (home / ".gen-2.tmp" / "data").mkdir(parents=True)
    assert [publish(**inputs)] == list(home.iterdir())


def test_a_new_generation_leaves_the_old_one_alone(inputs: Inputs) -> None:
    old = publish(**inputs | {"generation": 1})
    before = files(old)
    assert {old, publish(**inputs)} == set(old.parent.iterdir())
    assert files(old) == before


@pytest.mark.parametrize("rejects", ["no shards", "an empty shard"])
def test_empty_tables_load(inputs: Inputs, load: Load, rejects: str) -> None:
    shard = inputs["tables"]["rejects"][0]
    pq.write_table(REJECTS.empty_table(), shard)
    inputs["tables"]["rejects"] = [shard] if rejects == "an empty shard" else []
    folder = publish(**inputs)
    # datasets 5.2 opens a split without rows only when it streams
    loaded = load(folder, "rejects", streaming=True)
    assert (list(loaded), loaded.features) == ([], datasets.Features.from_arrow_schema(REJECTS))
    assert polars.read_parquet(folder / "rejects/*.parquet").columns == REJECTS.names
    assert len(load(folder)) == 12, "the other tables are not disturbed"
    assert "rejects = load_dataset" not in (folder / "README.md").read_text()
    assert "| derived | rationalized | 50 | 248 |" in (folder / "README.md").read_text()


@pytest.mark.parametrize("broken", ["missing", "null"])
def test_a_shard_that_does_not_fit_is_refused(inputs: Inputs, broken: str) -> None:
    shard = inputs["tables"]["rejects"][0]
    rejects = polars.read_parquet(shard)
    (rejects.drop("reason") if broken == "missing" else rejects.with_columns(reason=None)).write_parquet(shard)
    with pytest.raises(PublishError, match=r"does not hold rejects.*reason"):
        publish(**inputs)


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
