"""What is published serves the tools of other people: they read the same rows, and train what is to be trained."""

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import duckdb
import numpy as np
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import yaml
from omegaconf import OmegaConf
from tokenizers import ByteLevelBPETokenizer
from torchtune import config
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX
from torchtune.models.qwen2_5 import qwen2_5_tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks.reupload import NEW, ROWS, made_up, sent_again, written
from factory import parquet
from factory.bases.tiny_llama import tiny_llama
from factory.publish import publish_dataset
from factory.targets.registry import Registry
from factory.tuning import ChatTokenizer, ExampleStream
from schemas import EXAMPLES, REJECTS, ROLLOUTS
from tests.publishing import row

Rows = list[dict[str, Any]]


@dataclass
class Dataset:
    """A published generation, and the shards of examples that it was made of."""

    folder: Path
    shards: list[Path]

    def rows(self) -> Rows:
        return pa.concat_tables([pq.read_table(shard, schema=EXAMPLES) for shard in self.shards]).to_pylist()

    def card_says(self, tool: str, language: str) -> str | None:
        """The code in that language below the card's heading for a tool."""
        _, _, below = (self.folder / "README.md").read_text().partition(f"### {tool}\n")
        code = re.search(rf"```{language}\n(.*?)```", re.split(r"\n##+ ", below)[0], re.DOTALL)
        return code and code[1]


@pytest.fixture(scope="module", params=["every kind of example", "a real run"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    if request.param == "a real run":
        run = request.getfixturevalue("run")
        return Dataset(run.parent / "registry/run/gen-0", sorted((run / "gen-0/examples").glob("*.parquet")))
    folder = tmp_path_factory.mktemp("downstream")
    shards = []
    for first in range(0, 60, 20):
        shards.append(folder / f"{first:05}.parquet")
        pq.write_table(pa.Table.from_pylist([example(first + n) for n in range(20)], EXAMPLES), shards[-1])
    with pytest.MonkeyPatch.context() as patch:  # several files, with several row groups each
        for limit, value in {"BATCH_ROWS": 5, "ROW_GROUP_BYTES": 2000, "FILE_BYTES": 4000}.items():
            patch.setattr(parquet, limit, value)
        published = publish(folder / "registry/sums", shards)
    assert len(list((published / "data").iterdir())) > 2
    return Dataset(published, shards)


@pytest.fixture
def dataset(made: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The dataset where its card says that it is: below the folder that the test is in."""
    (tmp_path / "registry").symlink_to(made.folder.parents[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return made


def publish(home: Path, shards: list[Path]) -> Path:
    tables: dict[str, list[Path]] = {"examples": shards, "rollouts": [], "rejects": []}
    published = publish_dataset(
        Registry(home), 0, tables=tables, recipe="seed: 7\n", facts={"seed": 7}, on_progress=lambda *_: None
    )
    return published.folder("*")


def example(number: int) -> dict[str, Any]:
    """Of every four one sampled, rationalized, corrected and reference."""
    origin = ("sampled", "rationalized", "corrected", "reference")[number % 4]
    question, rationale = f"Ä|{number}\n+9 = ?", f'"{number}+9" is\n\n{number + 9}, not π.'
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": f"It is {number}."},
        {"role": "user", "content": "The answer is incorrect."},
        {"role": "assistant", "content": rationale},
    ]
    if origin != "corrected":
        messages = [messages[0], messages[-1]]
    if origin == "rationalized":
        messages.insert(0, {"role": "system", "content": "Think."})
    return row(
        EXAMPLES,
        example_id=f"q{number}/0/s0t0",
        question_id=f"q{number}",
        question=question,
        answer=str(number + 9),
        rationale=rationale,
        messages=messages,
        origin=origin,
        turn=int(origin == "corrected"),
        weight=0.1 * number,
        checks=[{"name": "derived/1", "passed": True}] * (number % 3),
        **({} if origin == "reference" else {"model": "base", "attempt_id": "a", "temperature": 0.7, "seed": number}),
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tiny_llama(folder, max_length=512)
    return folder


def with_pandas(data: Path) -> Rows:
    frame = pandas.read_parquet(data)
    plain = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return [{key: list(v) if isinstance(v, np.ndarray) else v for key, v in found.items()} for found in plain]


def with_duckdb(data: Path) -> Rows:
    found = duckdb.connect().sql(f"select * from read_parquet('{data}/*.parquet')")
    return [dict(zip(found.columns, values, strict=True)) for values in found.fetchall()]


READERS: dict[str, Callable[[Path], Rows]] = {
    "pandas": with_pandas,
    "polars": lambda data: polars.scan_parquet(data / "*.parquet").collect().to_dicts(),
    "duckdb": with_duckdb,
    "pyarrow": lambda data: pyarrow.dataset.dataset(data, format="parquet").to_table().to_pylist(),
}


@pytest.mark.parametrize("reader", READERS)
def test_tables_are_read_row_for_row(dataset: Dataset, reader: str) -> None:
    assert READERS[reader](dataset.folder / "data") == dataset.rows()


def test_duckdb_asks_into_the_dialogues(dataset: Dataset) -> None:
    asked = f"select origin, messages[-1].content from read_parquet('{dataset.folder}/data/*.parquet')"
    assert duckdb.connect().sql(asked).fetchall() == [(found["origin"], found["rationale"]) for found in dataset.rows()]


def test_torchtune_trains_the_last_answer(dataset: Dataset) -> None:
    """As the card configures it, with the tokenizer of a Qwen2.5 of few words."""
    rows = dataset.rows()
    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator([message["content"] for found in rows for message in found["messages"]], vocab_size=400)
    bpe.save_model(".")
    tokenizer = qwen2_5_tokenizer("vocab.json", "merges.txt")
    if code := dataset.card_says("torchtune", "python"):
        Path("last_message.py").write_text(code)
    examples = config.instantiate(OmegaConf.create(dataset.card_says("torchtune", "yaml")).dataset, tokenizer)
    trained = [[label for label in one["labels"] if label != CROSS_ENTROPY_IGNORE_IDX] for one in examples]
    assert [tokenizer.decode(labels) for labels in trained] == [
        f"<|im_start|>assistant\n{found['rationale']}<|im_end|>" for found in rows
    ]


def test_our_stream_trains_the_last_answer(dataset: Dataset, model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model)
    stream = ExampleStream(ChatTokenizer(str(model)), str(dataset.folder / "data"))
    rows = dataset.rows()
    assert len(stream) == len(rows)
    for number, found in enumerate(rows):
        made = stream[number]
        trained = made["labels"][made["labels"] != CROSS_ENTROPY_IGNORE_IDX].tolist()
        assert trained == [*tokenizer.encode(found["rationale"]), tokenizer.eos_token_id]
        assert made["weight"] == pytest.approx(found["weight"])


def test_trl_trains_the_last_answer(dataset: Dataset, model: Path) -> None:
    """As the card prepares it. The untouched table it reads as well, but it trains the questions too."""
    from trl import SFTConfig, SFTTrainer

    tokenizer = AutoTokenizer.from_pretrained(model)

    def trainer(examples: datasets.Dataset) -> Any:
        settings = {"max_steps": 2, "logging_steps": 1, "max_length": None, "save_strategy": "no"}
        arguments = SFTConfig("out", **settings, report_to="none", disable_tqdm=True, use_cpu=True)
        untrained = AutoModelForCausalLM.from_pretrained(model)
        return SFTTrainer(untrained, arguments, train_dataset=examples, processing_class=tokenizer)

    ours = [ChatTokenizer(str(model)).tokenize_messages(found["messages"]) for found in dataset.rows()]
    prepared, _, _ = str(dataset.card_says("TRL", "python")).partition("SFTTrainer(")
    names: dict[str, Any] = {}
    exec(prepared, names)
    training = trainer(names["examples"])
    labels = training.train_dataset["labels"]
    assert list(training.train_dataset["input_ids"]) == [tokens for tokens, _ in ours]
    assert [[label == -100 for label in one] for one in labels] == [mask for _, mask in ours]
    training.train()
    losses = [logged["loss"] for logged in training.state.log_history if "loss" in logged]
    assert len(losses) == 2
    assert np.isfinite(losses).all()

    alone = trainer(datasets.load_dataset(str(dataset.folder), split="train")).train_dataset
    assert list(alone["input_ids"]) == list(alone["labels"]) == [tokens for tokens, _ in ours]


DOCUMENTED = {"path", "name", "split", "ds_type", "type", "field_messages", "message_property_mappings"} | {
    *("roles_to_train", "train_on_eos", "message_field_training")
}
"""Settings of an Axolotl dataset, https://docs.axolotl.ai/docs/config-reference.html, that the card may use."""


def test_axolotl_trains_the_last_answer(dataset: Dataset) -> None:
    """As the card configures it. Axolotl needs a newer Python than ours, so this is its contract and not its code.

    https://docs.axolotl.ai/docs/dataset-formats/conversation.html: a row of ``chat_template`` is a list of messages
    with a role and a content. The messages in the roles to train are trained on, unless ``message_field_training``
    names a boolean of each message that says so. Columns ``system``, ``tools`` and ``images`` would be read as well.
    """
    if code := dataset.card_says("Axolotl", "python"):
        exec(code, {})
    (settings,) = yaml.safe_load(str(dataset.card_says("Axolotl", "yaml")))["datasets"]
    assert settings.keys() <= DOCUMENTED
    assert settings["type"] == "chat_template"
    if settings.get("ds_type") == "parquet":
        examples = datasets.load_dataset("parquet", data_files=settings["path"], split="train")
    else:
        examples = datasets.load_dataset(settings["path"], settings["name"], split=settings["split"])
    assert not {"system", "tools", "images"} & set(examples.column_names)

    role, content = (settings["message_property_mappings"][key] for key in ("role", "content"))
    trained = []
    for messages in examples[settings["field_messages"]]:
        roles = [message[role] for message in messages]
        assert roles[roles[0] == "system" :] == ["user", "assistant"] * (len(roles) // 2)
        if mark := settings.get("message_field_training"):
            trained.append([message[content] for message in messages if message[mark]])
        else:
            trained.append([message[content] for message in messages if message[role] in settings["roles_to_train"]])
    assert trained == [[found["rationale"]] for found in dataset.rows()]


def test_parquet_says_what_it_holds(dataset: Dataset) -> None:
    schemas = {"data": EXAMPLES, "rollouts": ROLLOUTS, "rejects": REJECTS}
    for folder, schema in schemas.items():
        for path in (dataset.folder / folder).iterdir():
            with pq.ParquetFile(path) as file:
                metadata, written_as = file.metadata, file.schema_arrow
            features = json.loads(metadata.metadata[b"huggingface"])["info"]["features"]
            assert datasets.Features.from_dict(features) == datasets.Features.from_arrow_schema(schema)
            assert json.loads(metadata.metadata[b"content_defined_chunking"])["min_chunk_size"] == 256 * 1024
            assert written_as.metadata[b"schema_version"] == schema.metadata[b"schema_version"]
            groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
            columns = [group.column(number) for group in groups for number in range(group.num_columns)]
            assert {column.compression for column in columns} <= {"ZSTD"}  # a table without rows has no row group
            assert all(column.has_column_index and column.has_offset_index for column in columns)


def test_published_again_elsewhere_the_files_are_the_same(dataset: Dataset, tmp_path: Path) -> None:
    once, twice = (publish(tmp_path / home / "sums", dataset.shards) for home in ("once", "twice"))
    assert files(once) == files(twice)
    assert "data/train-00000-of-00001.parquet" in files(once)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def rows_of_both() -> pa.Table:
    return made_up(range(ROWS + NEW))


SCATTERED = random.Random(0).sample(range(ROWS + NEW), NEW)


@pytest.mark.parametrize(
    "places",
    [range(ROWS, ROWS + NEW), range(ROWS // 2, ROWS // 2 + NEW), SCATTERED],
    ids=["after the others", "together in the middle", "at random places"],
)
def test_of_a_generation_with_new_rows_little_is_sent(
    tmp_path: Path, rows_of_both: pa.Table, places: Sequence[int]
) -> None:
    """The real client counts. What else may change, and what that costs, is in ``benchmarks/reupload.py``."""
    before, new = iter(range(ROWS)), iter(range(ROWS, ROWS + NEW))
    found = set(places)
    after = rows_of_both.take([next(new if row in found else before) for row in range(ROWS + NEW)])
    assert NEW == ROWS / 20
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old = written(tmp_path / "old", rows_of_both.slice(0, ROWS))
    sent = written(tmp_path / "new", after, before=old)
    assert pq.read_metadata(sent).num_rows == ROWS + NEW
    assert sent_again(old, sent) < 0.3
