"""Weighted fine-tuning: the loss by hand, and real fine-tunes beside those of torchtune's own recipes."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
import torch
import torch.nn.functional as F
from omegaconf import OmegaConf
from safetensors.torch import load_file
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX as IGNORED
from torchtune.modules.loss import CEWithChunkedOutputLoss
from transformers import AutoModelForCausalLM, AutoTokenizer

from factory.prompts import completion_ids, prompt_ids
from factory.training.finetune import FinetuneResult, train
from factory.training.process import TrainingLog, is_distributed
from factory.tuning.weighted import WeightedCrossEntropy, set_up, weighted_collate
from tests.support.finetune import make_base, write_examples

CONFIGS = Path(__file__).parents[2] / "torchtune_configs"
FULL = CONFIGS / "llama_1m_full_single_device.yaml"
LORA = CONFIGS / "smollm2_135m_lora_single_device.yaml"
WEIGHTS = (12.18, 1.0, 0.082)
"""exp(reward / 0.4) of a right, a wrong and an unparseable answer."""
STEPS = 6
OURS = "factory/tuning/weighted_{}.py"
FINETUNES = {
    "full stock": (FULL, "full_finetune_single_device", "ones"),
    "full ones": (FULL, OURS.format("full_single_device"), "ones"),
    "full three": (FULL, OURS.format("full_single_device"), "three"),
    "full distributed": (FULL, OURS.format("full_distributed"), "three"),
    "lora stock": (LORA, "lora_finetune_single_device", "ones"),
    "lora ones": (LORA, OURS.format("lora_single_device"), "ones"),
    "lora distributed": (LORA, OURS.format("lora_distributed"), "three"),
}
"""Config, recipe and examples of each. A step takes six rows: two batches of three, or one in each of two processes."""
OVERRIDES = {"batch_size": 3, "lr_scheduler.num_warmup_steps": 0}
LORA_OVERRIDES = {
    "model.lora_rank": 4,
    "model.lora_alpha": 8,
    "optimizer.lr": 1e-2,
    "loss._component_": "torchtune.modules.loss.CEWithChunkedOutputLoss",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base; 40 examples that weigh 1; three of different weights, with answers of one, two and three digits."""
    folder = tmp_path_factory.mktemp("weighted")
    make_base(folder / "base")
    write_examples(folder / "ones.parquet", 40, weights=[1] * 40)
    sums = pq.read_table(write_examples(folder / "sums.parquet", 121)).take([5, 50, 120])
    pq.write_table(sums.append_column("weight", pa.array(WEIGHTS, pa.float32())), folder / "three.parquet")
    return folder


@pytest.fixture(scope="module")
def finetunes(folder: Path) -> Iterator[dict[str, Future[FinetuneResult]]]:
    """The fine-tunes of this file, two at a time, since nearly all of their time is the start of a process."""
    started = not ray.is_initialized()
    if started:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    with ThreadPoolExecutor(max_workers=2) as pool:

        def start(name: str, config: Path, recipe: str, examples: str) -> Future[FinetuneResult]:
            ranks = 2 if is_distributed(recipe) else 1
            settings = OVERRIDES | {"recipe": recipe, "gradient_accumulation_steps": 2 // ranks}
            return pool.submit(
                train,
                folder / "base",
                folder / f"{examples}.parquet",
                config,
                folder / name,
                steps=STEPS,
                seed=0,
                overrides=settings | LORA_OVERRIDES if config == LORA else settings,
                log=folder / f"{name}.log",
                num_cpus=ranks,
            )

        yield {name: start(name, *finetune) for name, finetune in FINETUNES.items()}
    if started:
        ray.shutdown()


@pytest.fixture
def losses(folder: Path, finetunes: dict[str, Future[FinetuneResult]]) -> Callable[[str], list[float]]:
    """The losses of a fine-tune's steps, by its name."""

    def of(name: str) -> list[float]:
        assert finetunes[name].result().steps == STEPS
        return TrainingLog(folder / f"{name}.log", start=0).losses()

    return of


def largest_difference(folder: Path, name: str, other: str) -> float:
    ours, theirs = (load_file(folder / one / "model.safetensors") for one in (name, other))
    assert ours.keys() == theirs.keys()
    return max((ours[key] - theirs[key]).abs().max().item() for key in ours)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_weights_of_one_train_as_torchtunes_recipe_does(
    losses: Callable[[str], list[float]], folder: Path, method: str
) -> None:
    # the losses are added up in another order, the gradients are the same to the last bit
    assert losses(f"{method} ones") == pytest.approx(losses(f"{method} stock"), rel=1e-6)
    assert largest_difference(folder, f"{method} ones", f"{method} stock") < 1e-6
    assert largest_difference(folder, f"{method} ones", "base") > 1e-3


def test_two_processes_train_as_one_does(losses: Callable[[str], list[float]], folder: Path) -> None:
    assert losses("full distributed") == pytest.approx(losses("full three"), rel=1e-5)
    assert largest_difference(folder, "full distributed", "full three") < 1e-5
    assert largest_difference(folder, "full distributed", "base") > 1e-3


@pytest.mark.parametrize("name", ["full three", "full distributed", "lora distributed"])
def test_three_records_with_three_weights(losses: Callable[[str], list[float]], folder: Path, name: str) -> None:
    """By hand, with transformers. A step takes two passes over the three; adapters begin without effect."""
    tokenizer = AutoTokenizer.from_pretrained(folder / "base")
    model = AutoModelForCausalLM.from_pretrained(folder / "base")
    total, trained, lengths = 0.0, 0, set()
    for row in pq.read_table(folder / "three.parquet").to_pylist():
        prompt, rationale = row["messages"]
        before, after = prompt_ids(tokenizer, [prompt]), completion_ids(tokenizer, rationale["content"])
        with torch.no_grad():
            log_probabilities = model(torch.tensor([before + after])).logits[0].log_softmax(dim=-1)
        for place, token in enumerate(after, start=len(before)):
            total -= row["weight"] * log_probabilities[place - 1, token].item()
        trained += len(after)
        lengths.add(len(after))
    assert len(lengths) == 3  # so that a mean over the records would differ
    first, *_, last = losses(name)
    assert first == pytest.approx(total / trained, rel=1e-6)
    assert last < 0.9 * first


def loss_of(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, chunks: int = 1) -> torch.Tensor:
    loss = WeightedCrossEntropy(num_output_chunks=chunks)
    assert loss.take_weights(None, (1,), {"tokens": 2, "weights": weights}) == ((1,), {"tokens": 2})
    return loss(list(logits.chunk(chunks, dim=1)), labels)


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of shape [3, 8, 11] and shifted labels of shape [3, 8], with prompts and padding of different lengths."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(11, (3, 8), generator=generator)
    for row, (prompt, padding) in enumerate([(2, 1), (5, 2), (1, 4)]):
        labels[row, :prompt] = labels[row, -padding:] = IGNORED
    return torch.randn(3, 8, 11, generator=generator).requires_grad_(), labels


@pytest.mark.parametrize("chunks", [1, 3, 8, 20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_weights_of_one_give_torchs_loss_and_gradient(
    batch: tuple[torch.Tensor, torch.Tensor], dtype: torch.dtype, chunks: int
) -> None:
    logits, labels = batch[0].detach().to(dtype).requires_grad_(), batch[1]
    ours = loss_of(logits, labels, torch.ones(3), chunks)
    gradient = torch.autograd.grad(ours, logits)[0]
    plain = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED)
    chunked = CEWithChunkedOutputLoss(chunks, IGNORED)(list(logits.chunk(chunks, dim=1)), labels)
    for theirs in (plain, chunked):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)
        torch.testing.assert_close(gradient, torch.autograd.grad(theirs, logits)[0], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("chunks", [1, 3])
def test_every_trained_token_counts_by_the_weight_of_its_example(
    batch: tuple[torch.Tensor, torch.Tensor], chunks: int
) -> None:
    logits, labels = batch
    terms = [
        -weight * (logits[row, place, label] - logits[row, place].exp().sum().log()).item()
        for row, weight in enumerate(WEIGHTS)
        for place, label in enumerate(labels[row].tolist())
        if label != IGNORED
    ]
    assert len(terms) == 5 + 1 + 3
    ours = loss_of(logits, labels, torch.tensor(WEIGHTS), chunks)
    assert ours.item() == pytest.approx(sum(terms) / 9, rel=1e-6)
    assert loss_of(logits, labels, 2 * torch.tensor(WEIGHTS), chunks).item() == pytest.approx(2 * ours.item())


def test_what_is_not_trained_on_counts_nowhere(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    logits, labels = batch
    ours = loss_of(logits, labels, torch.tensor(WEIGHTS))
    moved = torch.autograd.grad(ours, logits)[0].ne(0).any(dim=2)
    assert moved.equal(labels != IGNORED)
    cut = loss_of(logits[:, 1:], labels[:, 1:], torch.tensor(WEIGHTS))  # a place where no label was
    torch.testing.assert_close(cut, ours)


def test_a_batch_is_padded_and_keeps_its_weights_in_order() -> None:
    rows = [
        {"tokens": np.arange(size), "labels": np.arange(size), "weight": weight}
        for size, weight in zip([2, 4, 3], WEIGHTS, strict=True)
    ]
    batch = weighted_collate(rows, padding_idx=9, ignore_idx=-7)
    assert batch["tokens"].tolist() == [[0, 1, 9, 9], [0, 1, 2, 3], [0, 1, 2, 9]]
    assert batch["labels"].tolist() == [[0, 1, -7, -7], [0, 1, 2, 3], [0, 1, 2, -7]]
    torch.testing.assert_close(batch["weights"], torch.tensor(WEIGHTS))


@pytest.mark.parametrize(
    ("loss", "named"),
    [
        ({"_component_": "torch.nn.NLLLoss"}, "torch.nn.NLLLoss"),
        ({"_component_": "torch.nn.CrossEntropyLoss", "label_smoothing": 0.1}, "CrossEntropyLoss, label_smoothing"),
    ],
)
def test_a_loss_without_a_weighted_form_is_refused(loss: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=f"{named} has no weighted form. Valid: torch.nn.CrossEntropyLoss"):
        set_up(None, OmegaConf.create({"loss": loss}))
