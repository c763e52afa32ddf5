"""Every recipe for GPUs runs to its end on a CPU, so that what nobody has run is only the size.

Its own are prompt, exemplars, verifier, strategy, curation, phases and torchtune config, of which only the device is
another; made up are the model, of the same architecture and kind of tokenizer, and 16 questions in the format of its
corpus. Its engine is vLLM, which takes a minute to start: one recipe is sampled by it, the others by a script.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from factory.cluster import connected
from factory.files import shards
from factory.publishing import tree
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.run import Run
from factory.stages import Stages
from factory.training.fitness import refuse_unfit
from tests.support.gpu_recipes import CORPORA, EVAL, QUESTIONS, SAID, for_gpus, teacher
from tests.support.qwen2 import make_qwen2

MODELS = yaml.safe_load((Path(__file__).parent / "training" / "model_configs.yaml").read_text())
SENTENCE = f" So she must own just that many, hence the answer is {SAID}."


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with connected():
        yield


@dataclass
class Small:
    """A recipe for GPUs with what it needs to run here."""

    recipe: Recipe
    book: dict[str, list[str]]
    settings: list[str]
    """Overrides."""


def small(name: str, folder: Path) -> Small:
    """Make the model and the corpus of a recipe, small, in a folder."""
    recipe = load_recipe(name)
    book = CORPORA[recipe.corpus.path](folder / "corpus")
    (model,) = (model for model in MODELS if recipe.finetune.config.name.startswith(f"{model}_"))
    template = recipe.base.settings["chat_template"]
    make_qwen2(
        folder / "model",
        SENTENCE,
        texts=[text for question, answers in book.items() for text in (question, *answers)],
        after="A:" if template else "assistant\n",
        architecture=MODELS[model],
        instruct=recipe.base.settings["model"].endswith("-Instruct"),
    )
    settings = [
        f"corpus.path={folder / 'corpus'}",
        f"base.model={folder / 'model'}",
        f"publish.registry={folder / 'registry'}",
        "rollout={engines: 1}",
        "finetune.gpus=0",
        "finetune.overrides.device=cpu",
        "finetune.steps=2",
        "generations=1",
        *(f"then.{number}.generations=1" for number in range(len(recipe.then))),
    ]
    return Small(recipe, book, settings)


def test_there_are_recipes_for_gpus() -> None:
    assert len(for_gpus()) >= 5


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("name", for_gpus())
def test_a_recipe_for_gpus_runs_on_a_cpu(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A generation of each phase, and one fine-tune, which a later phase then samples: of recipes that train in the
    same way, the first does."""
    monkeypatch.setattr(tree, "draw", lambda *_: None)  # figures have tests of their own
    made = small(name, tmp_path)
    with ExitStack() as stack:
        settings = [*made.settings, scripted(made, tmp_path / "book.json")]
        if teaching := made.recipe.teacher:
            settings.append(f"teacher.engine.base_url={stack.enter_context(teacher(teaching.name, made.book))}")
        recipe = load_recipe(name, settings)
        run = Run.open(tmp_path / "run", recipe)
        stages = Stages(recipe, run)
        stages.preflight()
        stages.snapshot()
        stages.make_base()
        stages.check_room(recipe.total)
        for n, phase in enumerate(recipe.phases):
            stages.sample(n, "evaluation", "rollouts")
            stages.curate(n)
            stages.validate(n)
            stages.publish(n)
            if n == 0 and (len(recipe.phases) > 1 or name in first_to_train()):
                stages.finetune(n)
                trained = run.records(0)["finetune"]["training"]
                assert (trained["steps"], trained["too_long"]) == (2, 0)
                assert refuse_unfit(run.model(1), recipe) is False
            check(run, phase, n)


def first_to_train() -> set[str]:
    """The first recipe of each torchtune config and torchtune recipe."""
    ways = {name: load_recipe(name).finetune for name in reversed(for_gpus())}
    return set({(way.config, way.recipe): name for name, way in ways.items()}.values())


def scripted(made: Small, book: Path) -> str:
    """An engine in the place of vLLM, which takes as long a prompt."""
    book.write_text(json.dumps(made.book))
    limit = made.recipe.engine.settings["max_model_len"]
    return f"engine={{_component_: tests.support.gpu_recipes.FromBook, book: {book}, max_model_len: {limit}}}"


def check(run: Run, recipe: Recipe, n: int) -> None:
    """Every table of a generation has rows of every kind that its phase makes."""
    records, folder = run.records(n), run.generation(n)
    attempts = pl.read_parquet(shards(folder / "rollouts")).explode("attempts").unnest("attempts")
    examples = pl.read_parquet(shards(folder / "examples")).group_by("origin").agg(pl.col("verdict").unique().sort())
    kept = dict(examples.iter_rows())
    assert records["rollouts"]["questions"] == QUESTIONS - EVAL
    assert records["evaluation"]["eval"]["questions"] == EVAL
    assert set(attempts["verdict"]) == {"correct", "wrong"}
    if recipe.curation.criterion == "correct":
        assert kept == {"sampled": ["correct"], "rationalized": ["correct"]}
    else:
        assert kept.keys() == {"sampled", "corrected"}
        assert "wrong" in kept["sampled"]
        assert attempts["turn"].max() == len(recipe.strategy.settings["turns"]) - 1
        assert "m1@t5" in records["evaluation"]["eval"]
    if recipe.teacher:
        taught = attempts.filter(pl.col("turn") == pl.col("turn").max())
        assert set(taught["teacher"]) == {recipe.teacher.name}
        assert set(taught["verdict"]) == {"correct"}
    assert (recipe.publish.registry / "run" / f"gen-{n}" / "README.md").is_file()


def test_a_recipe_for_gpus_is_sampled_by_vllm_on_a_cpu(tmp_path: Path) -> None:
    """Its own engine settings, prompt and stop strings, on a model that says the answer to every second question."""
    name = next(name for name in for_gpus() if "gsm8k" in name and name.startswith("star"))
    made = small(name, tmp_path)
    command = [sys.executable, "-m", "factory", "preflight", name, "--run", str(tmp_path / "run"), *made.settings]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    probe: dict[str, Any] = Run(tmp_path / "run").record("probe") or {}
    assert probe["questions"] == QUESTIONS - EVAL
    assert probe["solved"] == (QUESTIONS - EVAL) // 2
    rollouts = pl.read_parquet(shards(tmp_path / "run" / "probe" / "rollouts")).explode("attempts").unnest("attempts")
    assert set(rollouts["completion"]) == {SENTENCE}
    assert rollouts["prompt_tokens"].min() > 500  # the exemplars
