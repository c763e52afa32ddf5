"""The seam to torchtune, with real fine-tunes of a Llama of 80,000 parameters."""

import json
import os
import re
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
import torch
from safetensors.torch import load_file
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX, padded_collate_sft
from torchtune.models.convert_weights import hf_to_tune
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from factory.errors import ConfigError
from factory.finetune import FinetuneError, FinetuneResult, configure, train
from factory.prompts import completion_ids, prompt_ids
from factory.tuning import ChatTokenizer, ExampleStream, llama

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "torchtune_configs" / "llama_1m_full_single_device.yaml"
OVERRIDES = {
    "batch_size": 4,
    "gradient_accumulation_steps": 2,
    "lr_scheduler.num_warmup_steps": 0,
    "optimizer.lr": 1e-2,
}
TEMPLATE = (
    "{% for m in messages %}{{ 'Q' + m.content + '?' if m.role == 'user' else m.content + eos_token }}{% endfor %}"
)
LLAMA3_ROPE = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
}


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    started = not ray.is_initialized()
    if started:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    if started:
        ray.shutdown()


def make_base(folder: Path, *, tied: bool = True, **settings: Any) -> Path:
    """A Llama with random weights and a tokenizer of one character a token, as a Hugging Face folder."""
    vocabulary = {token: number for number, token in enumerate(["<pad>", "<eos>", *"0123456789+=?Q"])}
    characters = Tokenizer(models.WordLevel(vocabulary, unk_token="<pad>"))
    characters.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=characters, eos_token="<eos>", pad_token="<pad>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=32,
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
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def write_examples(path: Path, count: int, answer: str = "{sum}") -> Path:
    dialogues = [
        [
            {"role": "user", "content": f"{number}+1"},
            {"role": "assistant", "content": f"={answer.format(sum=number + 1)}"},
        ]
        for number in range(count)
    ]
    schema = pa.schema({"messages": pa.list_(pa.struct({"role": pa.string(), "content": pa.string()}))})
    pq.write_table(pa.table({"messages": dialogues}, schema=schema), path)
    return path


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_examples(tmp_path_factory.mktemp("examples") / "examples.parquet", 300)


@dataclass
class Finetune:
    """A fine-tune in a folder of its own, running or done."""

    folder: Path
    done: Future[FinetuneResult]
    progress: list[tuple[int, int, float]]

    @property
    def message(self) -> str:
        """Of a fine-tune that must fail and leave nothing."""
        error = self.done.exception()
        assert isinstance(error, FinetuneError)
        assert not (self.folder / "out").exists()
        return str(error)


@pytest.fixture(scope="module")
def finetunes(tmp_path_factory: pytest.TempPathFactory, examples: Path) -> Iterator[dict[str, Finetune]]:
    """The fine-tunes of this file, two at a time, since nearly all of their time is the start of a process."""
    with ThreadPoolExecutor(max_workers=2) as pool:

        def start(name: str, *, tied: bool = True, steps: int = 3, **overrides: object) -> Finetune:
            folder = tmp_path_factory.mktemp(f"{name}=")  # a path that torchtune's command line would refuse
            base = make_base(folder / "base", tied=tied)
            progress: list[tuple[int, int, float]] = []
            done = pool.submit(
                train,
                base,
                examples,
                CONFIG,
                folder / "out",
                steps=steps,
                seed=0,
                overrides=OVERRIDES | {key.replace("__", "."): value for key, value in overrides.items()},
                log=folder / "train.log",
                on_progress=lambda *step: progress.append(step),
            )
            return Finetune(folder, done, progress)

        yield {
            "tied": start("tied", steps=40),
            "untied": start("untied", tied=False, steps=40),
            "not finite": start("not_finite", optimizer__lr="1e30", clip_grad_norm=None),
            "failing": start("failing", optimizer__foreach=True, optimizer__fused=True),
        }


@pytest.fixture(params=["tied", "untied"])
def tuned(request: pytest.FixtureRequest, finetunes: dict[str, Finetune]) -> Finetune:
    return finetunes[request.param]


def test_the_loss_falls_over_the_steps_asked_for(tuned: Finetune) -> None:
    result = tuned.done.result()
    assert (result.steps, result.rows, result.examples, result.too_long) == (40, 320, 300, 0)
    assert result.loss_last < 0.7 * result.loss_first
    assert tuned.progress[-1][:2] == (40, 40)
    assert tuned.progress == sorted(tuned.progress, key=lambda step: step[0])


def test_the_result_is_a_plain_checkpoint(tuned: Finetune) -> None:
    tuned.done.result()
    base, out = tuned.folder / "base", tuned.folder / "out"
    assert {file.name for file in out.iterdir()} == {file.name for file in base.iterdir()}
    assert {stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()} == {0o644}
    assert sorted(file.name for file in tuned.folder.iterdir()) == ["base", "out", "train.log"]
    assert AutoTokenizer.from_pretrained(out).chat_template == TEMPLATE
    trained, untrained = (load_file(folder / "model.safetensors") for folder in (out, base))
    assert not any(torch.equal(trained[name], untrained[name]) for name in untrained)


def assert_same_logits(folder: Path) -> None:
    """torchtune's decoder and transformers make the same logits of the same checkpoint."""
    config = json.loads((folder / "config.json").read_text())
    decoder = llama(str(folder))
    weights = load_file(folder / "model.safetensors")
    decoder.load_state_dict(
        hf_to_tune(
            weights,
            num_heads=config["num_attention_heads"],
            num_kv_heads=config["num_key_value_heads"],
            dim=config["hidden_size"],
            head_dim=config["head_dim"],
        )
    )
    tokens = torch.randint(config["vocab_size"], (3, 50), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = AutoModelForCausalLM.from_pretrained(folder)(tokens).logits
        assert expected.dtype == torch.float32
        torch.testing.assert_close(decoder(tokens), expected, atol=1e-4, rtol=1e-4)


def test_base_and_result_mean_the_same_to_torchtune_and_transformers(tuned: Finetune) -> None:
    tuned.done.result()
    assert_same_logits(tuned.folder / "base")
    assert_same_logits(tuned.folder / "out")


def test_llama3_rotary_scaling_is_read(tmp_path: Path) -> None:
    assert_same_logits(make_base(tmp_path, rope_parameters=LLAMA3_ROPE))


def test_another_rotary_scaling_is_refused(tmp_path: Path) -> None:
    base = make_base(tmp_path, rope_parameters={"rope_type": "linear", "rope_theta": 10_000.0, "factor": 2.0})
    with pytest.raises(ValueError, match="'linear' is not supported"):
        llama(str(base))


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


def test_a_loss_that_is_not_finite_is_an_error(finetunes: dict[str, Finetune]) -> None:
    assert re.search(r"the loss of step [23] is nan; the last lines of .*train.log", finetunes["not finite"].message)


def test_a_failing_recipe_names_its_log(finetunes: dict[str, Finetune]) -> None:
    failing = finetunes["failing"]
    assert f"exit code 1; the last lines of {failing.folder / 'train.log'}" in failing.message
    assert "`fused` and `foreach` cannot be `True` together" in failing.message


@pytest.mark.parametrize(("steps", "rows"), [(0, 5), (2, 0)])
def test_nothing_to_train_is_an_error(tmp_path: Path, steps: int, rows: int) -> None:
    examples = write_examples(tmp_path / "examples.parquet", rows)
    with pytest.raises(FinetuneError, match=f"nothing to train: {steps} steps"):
        train(
            tmp_path / "base",
            examples,
            CONFIG,
            tmp_path / "out",
            steps=steps,
            seed=0,
            overrides={},
            log=tmp_path / "train.log",
        )


def test_overrides_are_read_as_on_the_command_line() -> None:
    settings = configure(CONFIG, {"optimizer.lr": "1e-4", "clip_grad_norm": None, "optimizer.betas": [0.9, 0.95]})
    assert (settings.optimizer.lr, settings.clip_grad_norm, settings.optimizer.betas) == (1e-4, None, [0.9, 0.95])


def test_every_override_that_does_not_fit_is_listed() -> None:
    with pytest.raises(ConfigError) as error:
        configure(CONFIG, {"optimiser.lr": 1, "epochs": 3, "dataset.seed": 1})
    first, *others = error.value.problems
    assert first.startswith("no entry 'optimiser'; did you mean 'optimizer'?")
    assert others == ["'epochs' is set by the factory", "'dataset.seed' is set by the factory"]


def test_no_process_outlives_a_killed_driver(tmp_path: Path, examples: Path) -> None:
    base = make_base(tmp_path / "base")
    driver = textwrap.dedent(f"""
        import ray
        from pathlib import Path
        from factory.finetune import train
        ray.init(address="local", num_cpus=1, include_dashboard=False)
        train(Path({str(base)!r}), Path({str(examples)!r}), Path({str(CONFIG)!r}), Path({str(tmp_path / "out")!r}),
              steps=100_000, seed=0, overrides={OVERRIDES!r}, log=Path({str(tmp_path / "train.log")!r}))
    """)
    process = subprocess.Popen([sys.executable, "-c", driver], cwd=ROOT, start_new_session=True)

    def recipes() -> list[str]:
        command_lines = [path for path in Path("/proc").glob("[0-9]*/cmdline") if path.parent.name != str(os.getpid())]
        return [path.parent.name for path in command_lines if str(tmp_path / ".out.tmp").encode() in read(path)]

    def read(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:  # it ended between the listing and the reading
            return b""

    def wait_for(condition: Callable[[], object], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.1)
        return bool(condition())

    try:
        assert wait_for(recipes, 60)
    finally:
        process.kill()
        process.wait()
    assert wait_for(lambda: not recipes(), 20)
