"""A base is looked at before anything is sampled with it: its config.json, its weights, its tokenizer."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from factory.bases.pretrained import pretrained
from factory.bases.tiny_llama import tiny_llama
from factory.errors import ConfigError
from factory.recipe.load import load_recipe
from factory.training.fitness import refuse_unfit
from factory.tuning import ChatTokenizer
from tests.support.qwen2 import make_qwen2

STAR = ("star_gsm8k_qwen2_5_1_5b", "base.chat_template=null")
RISE = ("rise_gsm8k",)


@pytest.fixture(scope="module")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_qwen2(tmp_path_factory.mktemp("fit"))


@pytest.fixture
def base(fit: Path, tmp_path: Path) -> Path:
    """A copy of a base that is fit, for a test to spoil."""
    return Path(shutil.copytree(fit, tmp_path / "base"))


def edit(file: Path, **entries: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


def problems(base: Path, recipe: tuple[str, ...] = STAR) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        refuse_unfit(base, load_recipe(recipe[0], recipe[1:]))
    return refused.value.problems


def problem(base: Path, recipe: tuple[str, ...] = STAR) -> str:
    (only,) = problems(base, recipe)
    return only


@pytest.mark.parametrize("recipe", [STAR, RISE])
def test_a_chat_model_is_fit(base: Path, recipe: tuple[str, ...]) -> None:
    assert refuse_unfit(base, load_recipe(recipe[0], recipe[1:])) is False


def test_the_base_from_scratch_is_fit_for_the_recipes_that_make_it(tmp_path: Path) -> None:
    tiny_llama(tmp_path)
    for recipe in ("star_arithmetic", "rise_arithmetic", "star_then_rise_arithmetic"):
        assert refuse_unfit(tmp_path, load_recipe(recipe)) is False


def test_shards_are_fit_if_the_index_has_them_all(base: Path) -> None:
    shard(base)
    refuse_unfit(base, load_recipe("rise_gsm8k"))
    (base / "model-2.safetensors").unlink()
    assert problem(base) == "model.safetensors.index.json names shards that are missing: model-2.safetensors"


def shard(base: Path) -> None:
    """Split the weights into three files and an index."""
    weights = load_file(base / "model.safetensors")
    names = sorted(weights)
    where = {name: f"model-{number % 3}.safetensors" for number, name in enumerate(names)}
    for file in set(where.values()):
        save_file({name: weights[name] for name in names if where[name] == file}, base / file, {"format": "pt"})
    (base / "model.safetensors").unlink()
    (base / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))


def rewrite(base: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change the tensors of a base."""
    weights = load_file(base / "model.safetensors")
    change(weights)
    save_file(weights, base / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda base: edit(base / "config.json", model_type="mistral"), "config.json: model_type 'mistral' cannot be"),
        (lambda base: edit(base / "config.json", model_type="qwen3"), "did you mean 'qwen2'?"),
        (lambda base: edit(base / "config.json", model_type=None), "config.json: names no model_type"),
        (lambda base: edit(base / "config.json", hidden_size=None), "config.json: has no 'hidden_size'"),
        (
            lambda base: edit(base / "config.json", quantization_config={"bits": 4}),
            "config.json: has quantized weights",
        ),
        (lambda base: edit(base / "config.json", use_sliding_window=True), "config.json: attends within a sliding"),
        (
            lambda base: edit(base / "config.json", rope_parameters={"rope_type": "yarn"}),
            "rotary scaling 'yarn' is not",
        ),
        (lambda base: (base / "config.json").unlink(), "config.json: no such file or directory"),
        (lambda base: (base / "config.json").write_text("{"), "config.json: JSONDecodeError"),
        (lambda base: (base / "config.json").write_text("[]"), "config.json: AttributeError"),
        (lambda base: edit(base / "config.json", max_position_embeddings=2048), "engine.max_model_len=4096: the model"),
        (lambda base: edit(base / "config.json", vocab_size=99), "has the number"),
    ],
)
def test_a_config_that_cannot_be_trained_or_sampled_is_refused(
    base: Path, spoil: Callable[[Path], Any], told: str
) -> None:
    spoil(base)
    assert told in problems(base)[0]  # transformers, too, may be unable to read it, to find the kind of the tokenizer


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda base: (base / "model.safetensors").unlink(), "there are no weights: neither model.safetensors nor"),
        (lambda base: cut(base / "model.safetensors", 0.5), "model.safetensors: SafetensorError: "),
        (lambda base: cut(base / "model.safetensors", 0), "model.safetensors: SafetensorError: "),
        (
            lambda base: (base / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha"),
            "is it a part of a download, or a pointer of Git LFS?",
        ),
        (lambda base: (base / "model.safetensors.index.json").write_text("{}"), "index.json: KeyError: 'weight_map'"),
        (lambda base: rewrite(base, lambda weights: weights.pop("model.norm.weight")), "the weights lack model.norm"),
        (
            lambda base: rewrite(base, lambda weights: weights.update({"score.weight": weights["model.norm.weight"]})),
            "the weights hold what a qwen2 of this config.json has not: score.weight",
        ),
        (lambda base: edit(base / "config.json", tie_word_embeddings=False), "the weights lack lm_head.weight"),
        (
            lambda base: edit(base / "config.json", num_hidden_layers=1, layer_types=None),
            "model.layers.1.input_layernorm.weight, ",
        ),
        *(
            (
                lambda base, name=name: (base / "model.safetensors").rename(base / name),
                f"the weights are in {name}, and",
            )
            for name in ("pytorch_model.bin", "model.gguf", "consolidated.00.pth", "model.pt", "weights.safetensors")
        ),
    ],
)
def test_weights_that_cannot_be_loaded_are_refused(base: Path, spoil: Callable[[Path], Any], told: str) -> None:
    spoil(base)
    assert told in problem(base)


def cut(file: Path, share: float) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])


def test_a_tied_head_that_was_saved_with_it_is_none_too_many(base: Path) -> None:
    """Of a Qwen2, as its conversion leaves it out."""
    rewrite(base, lambda weights: weights.update({"lm_head.weight": weights["model.embed_tokens.weight"]}))
    refuse_unfit(base, load_recipe("rise_gsm8k"))


def test_other_formats_are_told_with_their_way_out(base: Path, tmp_path: Path) -> None:
    """As the recipe's base names the folder; nothing of their size is copied."""
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    made = tmp_path / "made"
    made.mkdir()
    pretrained(made, model=str(base))
    assert (made / "pytorch_model.bin").is_symlink()
    assert problem(made).endswith("from_pretrained(FOLDER).save_pretrained(OUT) of transformers writes it")
    (base / "pytorch_model.bin").rename(base / "model.gguf")
    assert problem(base).endswith("python -m factory.bases.gguf FOLDER OUT makes a folder of it")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (
            lambda base: (base / "tokenizer.json").unlink(),
            "the tokenizer has no vocabulary: is tokenizer.json missing?",
        ),
        (lambda base: cut(base / "tokenizer.json", 0.5), "the tokenizer cannot be loaded: JSONDecodeError"),
        (lambda base: (base / "tokenizer.json").write_text("{}"), "the tokenizer cannot be loaded: KeyError"),
        (lambda base: edit(base / "tokenizer_config.json", eos_token=None), "the tokenizer names no end-of-sequence"),
        (lambda base: edit(base / "tokenizer_config.json", pad_token="<new>"), "the tokenizer's token '<new>' has the"),
        (lambda base: (base / "chat_template.jinja").unlink(), "the tokenizer has no chat template; give one, such as"),
    ],
)
def test_a_tokenizer_that_does_not_do_is_refused(base: Path, spoil: Callable[[Path], Any], told: str) -> None:
    spoil(base)
    assert problem(base).startswith(told)


def test_without_a_pad_token_the_end_of_sequence_pads(base: Path) -> None:
    edit(base / "tokenizer_config.json", pad_token=None)
    refuse_unfit(base, load_recipe("rise_gsm8k"))
    tokenizer = ChatTokenizer(str(base))
    assert tokenizer.pad_id == tokenizer.tokenize_messages([{"role": "user", "content": ""}] * 2)[0][-1]


def test_everything_is_told_at_once(base: Path) -> None:
    edit(base / "config.json", model_type="gemma")
    edit(base / "tokenizer_config.json", eos_token=None)
    (base / "model.safetensors").rename(base / "pytorch_model.bin")
    (base / "chat_template.jinja").unlink()
    assert len(problems(base)) == 4
