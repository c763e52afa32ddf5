"""The seam to torchtune, with real fine-tunes of models of 80,000 parameters."""

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

import pytest
import ray
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from factory.training.finetune import FinetuneResult, train
from factory.training.process import FinetuneError, TrainingLog
from tests.support.finetune import TEMPLATE, assert_same_logits, make_base, write_examples

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "torchtune_configs" / "llama_1m_full_single_device.yaml"
LORA = ROOT / "torchtune_configs" / "smollm2_135m_lora_single_device.yaml"
DISTRIBUTED = {"recipe": "full_finetune_distributed", "batch_size": 2}
"""On two processes the same rows a step as on one with a batch of 4."""
OVERRIDES = {
    "batch_size": 4,
    "gradient_accumulation_steps": 2,
    "lr_scheduler.num_warmup_steps": 0,
    "optimizer.lr": 1e-2,
}


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    started = not ray.is_initialized()
    if started:
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    yield
    if started:
        ray.shutdown()


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

        def start(
            name: str,
            model_type: str = "llama",
            tied: bool = True,
            config: Path = CONFIG,
            cpus: int = 1,
            **overrides: object,
        ) -> Finetune:
            folder = tmp_path_factory.mktemp(f"{name}=")  # a path that torchtune's command line would refuse
            base = make_base(folder / "base", model_type, tied=tied)
            progress: list[tuple[int, int, float]] = []
            done = pool.submit(
                train,
                base,
                examples,
                config,
                folder / "out",
                steps=40,
                seed=0,
                overrides=OVERRIDES | overrides,
                log=folder / "train.log",
                on_progress=lambda *step: progress.append(step),
                num_cpus=cpus,
            )
            return Finetune(folder, done, progress)

        broken = tmp_path_factory.mktemp("recipe") / "our_finetune_single_device.py"
        broken.write_text("raise RuntimeError('no such luck')")
        yield {
            "full": start("full"),
            "lora": start("lora", "qwen2", tied=False, config=LORA, **{"model.lora_rank": 4, "model.lora_alpha": 8}),
            "failing": start("failing", recipe=str(broken)),
            "distributed": start("distributed", cpus=2, **DISTRIBUTED),
        }


@pytest.fixture(params=["full", "lora", "distributed"])
def tuned(request: pytest.FixtureRequest, finetunes: dict[str, Finetune]) -> Finetune:
    return finetunes[request.param]


def test_the_loss_falls_over_the_steps_asked_for(tuned: Finetune) -> None:
    result = tuned.done.result()
    assert (result.steps, result.rows, result.examples, result.too_long) == (40, 320, 300, 0)
    assert result.loss_last < 0.9 * result.loss_first
    assert tuned.progress[-1][:2] == (40, 40)
    assert tuned.progress == sorted(tuned.progress, key=lambda step: step[0])


def test_the_result_is_a_plain_checkpoint(tuned: Finetune) -> None:
    tuned.done.result()
    base, out = tuned.folder / "base", tuned.folder / "out"
    assert {file.name for file in out.iterdir()} == {file.name for file in base.iterdir()}
    assert {stat.S_IMODE(file.stat().st_mode) for file in out.iterdir()} == {0o644}
    assert sorted(file.name for file in tuned.folder.iterdir()) == ["base", "out", "train.log"]
    assert AutoTokenizer.from_pretrained(out).chat_template == TEMPLATE


def weights(finetune: Finetune) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Each parameter's name and its values before and after."""
    finetune.done.result()
    before, after = (load_file(finetune.folder / name / "model.safetensors") for name in ("base", "out"))
    assert before.keys() == after.keys()
    return ((name, before[name], after[name]) for name in before)


@pytest.mark.parametrize("name", ["full", "distributed"])
def test_every_weight_is_trained(finetunes: dict[str, Finetune], name: str) -> None:
    assert not any(torch.equal(before, after) for _, before, after in weights(finetunes[name]))


def test_adapters_are_merged_into_what_they_adapt(finetunes: dict[str, Finetune]) -> None:
    for name, before, after in weights(finetunes["lora"]):
        adapted = re.search(r"(q|v|o|gate|up|down)_proj.weight", name)
        assert torch.linalg.matrix_rank(torch.atleast_2d(after - before), rtol=1e-4) == (4 if adapted else 0), name


def test_two_processes_train_as_one_does(finetunes: dict[str, Finetune]) -> None:
    one, two = (finetunes[name] for name in ("full", "distributed"))
    assert one.done.result().tokens == two.done.result().tokens
    losses, others = (TrainingLog(finetune.folder / "train.log", start=0).losses() for finetune in (one, two))
    assert len(losses) == 40
    assert others[:5] == pytest.approx(losses[:5], abs=1e-4)  # after that rounding grows


def test_base_and_result_mean_the_same_to_torchtune_and_transformers(tuned: Finetune) -> None:
    tuned.done.result()
    assert_same_logits(tuned.folder / "base")
    assert_same_logits(tuned.folder / "out")


def test_a_loss_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("Step 1 | loss:nan lr:0.1 \n")  # an earlier fine-tune's
    output = TrainingLog(log, start=log.stat().st_size)
    with log.open("a") as file:
        file.write("Step 1 | loss:2.5 lr:0.1 \nStep 2 | loss:na")
        file.flush()
        assert output.losses() == [2.5]
        file.write("n lr:0.1 \n")
    with pytest.raises(FinetuneError, match=r"the loss of step 2 is nan; the last lines of .*train.log"):
        output.losses()


def test_a_failing_recipe_names_its_log(finetunes: dict[str, Finetune]) -> None:
    failing = finetunes["failing"]
    assert f"exit code 1; the last lines of {failing.folder / 'train.log'}" in failing.message
    assert "RuntimeError: no such luck" in failing.message


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


def test_no_process_of_a_distributed_recipe_outlives_a_killed_driver(tmp_path: Path, examples: Path) -> None:
    base = make_base(tmp_path / "base")
    driver = textwrap.dedent(f"""
        import ray
        from pathlib import Path
        from factory.training.finetune import train
        ray.init(address="local", num_cpus=2, include_dashboard=False)
        train(Path({str(base)!r}), Path({str(examples)!r}), Path({str(CONFIG)!r}), Path({str(tmp_path / "out")!r}),
              steps=100_000, seed=0, overrides={OVERRIDES | DISTRIBUTED!r}, log=Path({str(tmp_path / "train.log")!r}),
              num_cpus=2)
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
        assert wait_for(lambda: len(recipes()) == 3, 120)  # torchrun and two of its own
    finally:
        process.kill()
        process.wait()
    assert wait_for(lambda: not recipes(), 60)
