"""A starter recipe for questions of one's own, from ``new`` to what ``preflight`` says of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from factory.bases.tiny_llama import tiny_llama
from factory.recipe.load import load_recipe
from factory.recipe.starter import starter
from tests.cli.test_cli import factory, refused


def test_preflight_accepts_it(tmp_path: Path) -> None:
    """With a real model, and an engine that does sums."""
    rows = [{"prompt": f"{a}+{a}", "gold": str(2 * a)} for a in range(60)]
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tiny_llama(tmp_path / "model")
    options = ["--path", "sums.jsonl", "--question", "prompt", "--answer", "gold"]
    done = factory(tmp_path, "new", "mine", *options, "--verifier", "numeric", "--model", "model")
    assert done.returncode == 0, done.stderr
    assert "python -m factory preflight mine.yaml" in done.stdout
    settings = ["engine={_component_: factory.engines.scripted.Scripted, accuracy: 1}"]
    command = [sys.executable, "-m", "factory", "preflight", "mine.yaml", *settings]
    tried = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, env=os.environ)
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "32/32 questions solved" in tried.stdout
    assert "python -m factory iterate mine.yaml --run runs/mine" in tried.stdout


def test_what_is_missing_is_told_where_nobody_can_be_asked(tmp_path: Path) -> None:
    title, *problems = refused(tmp_path, "new", "mine", "--path", "sums.jsonl", "--verifier", "numeric")
    assert title == "recipe 'mine': 3 problems"
    assert problems == [f"  - --{key}: is missing" for key in ("question", "answer", "model")]


GIVEN = ("--path", "a.csv", "--question", "q", "--answer", "a", "--model", "m")


def test_a_mistake_leaves_no_file(tmp_path: Path) -> None:
    _, problem = refused(tmp_path, "new", "mine", *GIVEN, "--verifier", "numerical")
    assert "there is no such verifier; did you mean 'numeric'?" in problem
    for name in ("..", "../mine", "a/b", str(tmp_path / "mine"), "mein Rezept", "ü", "a\nb", "", "-a"):
        _, problem = refused(tmp_path, "new", *GIVEN, "--verifier", "numeric", "--", name)
        assert "a name begins with a letter from a to z or a digit" in problem
    assert not list(tmp_path.rglob("*.yaml"))
    (tmp_path / "mine.yaml").touch()
    for name in ("mine", "mine.yaml"):
        _, problem = refused(tmp_path, "new", name, *GIVEN, "--verifier", "numeric")
    assert "'mine.yaml' is there already" in problem


@pytest.mark.parametrize(
    ("model", "config"),
    [
        ("Qwen/Qwen2.5-1.5B-Instruct", "qwen2_5_1_5b_full_single_device"),
        ("meta-llama/Llama-3.2-3B", "llama3_2_3b_full_single_device"),
        ("HuggingFaceTB/SmolLM2-360M", "smollm2_360m_full_single_device"),
        ("my/qwen-of-mine", "qwen2_5_0_5b_full_single_device"),
        ("my/model", "smollm2_135m_full_single_device"),
    ],
)
@pytest.mark.parametrize("on_gpu", [True, False])
@pytest.mark.parametrize("verifier", ["choice.Choice", "math.Math"])
def test_it_fits_the_model(tmp_path: Path, model: str, config: str, on_gpu: bool, verifier: str) -> None:
    columns = {"question": "a: b", "answer": "the # answer", "choices": "c"}
    text = starter("mine", "some folder/*.csv", columns, f"factory.verifiers.{verifier}", model, on_gpu, "factory")
    (tmp_path / "mine.yaml").write_text(text)
    recipe = load_recipe(str(tmp_path / "mine.yaml"))
    assert recipe.finetune.config == Path(f"torchtune_configs/{config}.yaml")
    assert recipe.corpus.settings["columns"] == columns
    assert recipe.rollout.gpus_per_engine == recipe.finetune.gpus == on_gpu
    assert ("boxed" if "math" in verifier else "(x)") in (recipe.prompt.instruction or "")


@pytest.mark.parametrize(
    "path", ["a: b.csv", "a #b.csv", 'it\'s "1".csv', "Prüfung/*.csv", "{a}.csv", "a\nb.csv", "- a", "!x"]
)
def test_a_path_and_columns_of_any_kind(tmp_path: Path, path: str) -> None:
    text = starter("mine", path, {"question": path, "answer": path}, "factory.verifiers.exact.Exact", path, False, "f")
    (tmp_path / "mine.yaml").write_text(text)
    recipe = load_recipe(str(tmp_path / "mine.yaml"))
    assert recipe.description == f"STaR on {path}"
    assert recipe.corpus.settings["path"] == recipe.base.settings["model"] == path
    assert recipe.corpus.settings["columns"] == {"question": path, "answer": path}
