"""What is published serves the tools of other people: they read the same rows, and train what is to be trained."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
from torchtune import config as torchtune_config
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX
from torchtune.models.qwen2_5 import qwen2_5_tokenizer
from transformers import AutoTokenizer

from factory.bases.tiny_llama import tiny_llama
from factory.publishing import parquet, tree
from factory.publishing.configs import config
from factory.publishing.parquet import TABLES
from factory.targets.registry import Registry
from factory.tuning import ChatTokenizer, ExampleStream
from schemas import ATTEMPT, EXAMPLES, PROMPT_COMPLETION, ROLLOUTS
from tests.support.publishing import FACTS, publish, row

Row = dict[str, Any]
Rows = list[Row]


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
        tables: dict[str, list[Path]] = {"examples": shards, "rollouts": [], "rejects": []}
        published = publish(Registry(folder / "registry/sums"), {"tables": tables, "recipe": "", "facts": FACTS})
    assert len(list(published.folder("*").glob("data/*"))) > 2
    return Dataset(published.folder("*"), shards)


@pytest.fixture
def dataset(made: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The dataset where its card says that it is: below the folder that the test is in."""
    (tmp_path / "registry").symlink_to(made.folder.parents[1])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return made


def example(number: int) -> dict[str, Any]:
    """Of every four one sampled, rationalized, corrected and reference; the first is longer than TRL's default."""
    origin = ("sampled", "rationalized", "corrected", "reference")[number % 4]
    question, rationale = (
        f"Ä|{number}\n+9 = ?",
        f'"{number}+9" is\n\n{number + 9}, not π.' + " Yes." * (300 if number == 0 else 0),
    )
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
    tiny_llama(folder, max_length=2048)
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
    examples = torchtune_config.instantiate(OmegaConf.create(dataset.card_says("torchtune", "yaml")).dataset, tokenizer)
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


def watched(kind: str, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The trainers of a kind, ``SFT`` or ``DPO``, that are made from now on: they take two steps, without a GPU."""
    import trl

    made: list[Any] = []
    trainer, settings = getattr(trl, f"{kind}Trainer"), getattr(trl, f"{kind}Config")

    class Watched(trainer):
        def __init__(self, *args: Any, **settings: Any):
            super().__init__(*args, **settings)
            made.append(self)

    small = {"max_steps": 2, "logging_steps": 1, "save_strategy": "no", "disable_tqdm": True, "use_cpu": True}
    monkeypatch.setattr(trl, trainer.__name__, Watched)
    monkeypatch.setattr(trl, settings.__name__, partial(settings, report_to="none", **small))
    return made


def two_finite_losses(trainer: Any) -> None:
    losses = [logged["loss"] for logged in trainer.state.log_history if "loss" in logged]
    assert len(losses) == 2
    assert np.isfinite(losses).all()


def test_trl_trains_the_last_answer(dataset: Dataset, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the card has it, but for the model's name, and for how long. The untouched table it reads as well, but it
    trains the questions too."""
    made = watched("SFT", monkeypatch)
    names: dict[str, Any] = {}
    exec(str(dataset.card_says("TRL", "python")).replace('"base-model"', repr(str(model))), names)
    ours = [ChatTokenizer(str(model)).tokenize_messages(found["messages"]) for found in dataset.rows()]
    labels = made[0].train_dataset["labels"]
    assert list(made[0].train_dataset["input_ids"]) == [tokens for tokens, _ in ours]
    assert [[label == -100 for label in one] for one in labels] == [mask for _, mask in ours]
    two_finite_losses(made[0])

    untouched = datasets.load_dataset(str(dataset.folder), split="train")
    alone = type(made[0])(str(model), args=names["arguments"], train_dataset=untouched).train_dataset
    assert list(alone["input_ids"]) == list(alone["labels"]) == [tokens for tokens, _ in ours]


@pytest.fixture
def pairs(dataset: Dataset, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """The real run's rollouts and examples, or dialogues of one's own, published with the config ``pairs``."""
    tables: dict[str, list[Path]]
    if "a real run" in request.node.name:
        tables = {name: sorted(dataset.shards[0].parents[1].glob(f"{name}/*.parquet")) for name in TABLES}
    else:
        rows, kept = zip(*map(tried, range(20)), strict=True)
        tables = {"rollouts": [Path("r.parquet")], "examples": [Path("e.parquet")], "rejects": []}
        pq.write_table(pa.Table.from_pylist(rows, ROLLOUTS), tables["rollouts"][0])
        pq.write_table(pa.Table.from_pylist(kept, EXAMPLES), tables["examples"][0])
    tables["pairs"] = config("pairs", tables, Path("pairs").absolute())
    monkeypatch.setattr(tree, "draw", lambda *_: None)
    inputs = {"tables": tables, "recipe": "", "facts": FACTS}
    return Dataset(publish(Registry(Path("paired/sums").absolute()), inputs).folder("*"), tables["pairs"])


def tried(number: int) -> tuple[Row, Row]:
    """A rollout with a wrong and a right attempt, every other in a second turn, and the example of the right one."""
    context = [{"role": "user", "content": f"Ä|{number}\n+9 = ?"}]
    if number % 2:
        context += [{"role": "assistant", "content": "12."}, {"role": "user", "content": "The answer is incorrect."}]
    long = " Yes." * (300 if number == 0 else 0)
    texts = {"wrong": f"{number} and 9 is {number + 8}.", "correct": f"{number}+9 is\n\n{number + 9}, not π.{long}"}
    attempts = [
        row(ATTEMPT, attempt_id=f"{number}/{verdict}", context=context, completion=text, verdict=verdict)
        for verdict, text in texts.items()
    ]
    messages = [*context, {"role": "assistant", "content": texts["correct"]}]
    known = {"origin": ("sampled", "corrected")[number % 2], "messages": messages, "verdict": "correct"}
    kept = row(EXAMPLES, example_id=f"e{number}", attempt_id=f"{number}/correct", **known)
    return row(ROLLOUTS, question_id=f"q{number}", attempts=attempts), kept


def test_trl_prefers_what_is_chosen(pairs: Dataset, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the card has it, but for the model's name, and for how long: TRL's own preparation has the prompts and both
    answers as our own tokenizer renders them, and its loss is finite."""
    made = watched("DPO", monkeypatch)
    code = str(pairs.card_says("TRL, on pairs", "python"))
    code = code.replace("registry/sums/gen-0", str(pairs.folder)).replace('"base-model"', repr(str(model)))
    exec(code, {})
    rows = pq.ParquetDataset(pairs.shards).read().to_pylist()
    assert len(rows) > 5
    tokenizer, prepared = ChatTokenizer(str(model)), made[0].train_dataset
    for answer in ("chosen", "rejected"):
        ours = [tokenizer.tokenize_messages(found["prompt"] + found[answer]) for found in rows]
        both = zip(prepared["prompt_ids"], prepared[f"{answer}_ids"], strict=True)
        assert [prompt + said for prompt, said in both] == [tokens for tokens, _ in ours]
        assert [len(prompt) for prompt in prepared["prompt_ids"]] == [sum(mask) for _, mask in ours]
    two_finite_losses(made[0])


def test_trl_trains_prompts_and_completions(dataset: Dataset, model: Path) -> None:
    """The config ``prompt_completion`` needs no code: the same tokens are trained as those of the card's."""
    import trl

    shards = config("prompt_completion", {"examples": dataset.shards}, Path("completions").absolute())
    files = parquet.write_table(Path("published"), PROMPT_COMPLETION, shards)
    loaded = datasets.load_dataset("parquet", data_files=[str(path) for path in files], split="train")
    arguments = trl.SFTConfig(output_dir="trained", max_length=None, report_to="none", use_cpu=True, disable_tqdm=True)
    prepared = trl.SFTTrainer(str(model), args=arguments, train_dataset=loaded).train_dataset
    right = [found for found in dataset.rows() if found["verdict"] in (None, "correct")]
    ours = [ChatTokenizer(str(model)).tokenize_messages(found["messages"]) for found in right]
    assert list(prepared["input_ids"]) == [tokens for tokens, _ in ours]
    assert [[label == -100 for label in one] for one in prepared["labels"]] == [mask for _, mask in ours]


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
