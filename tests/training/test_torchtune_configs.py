"""Every torchtune config against the model it is for: parameters and rotary embeddings are those of transformers.

The models are built without memory for their weights (torch's meta device). That every component can be imported is in
test_recipe.py; that a fine-tune works, in test_finetune.py.
"""

import inspect
import json
from functools import cache
from pathlib import Path

import pytest
import torch
import yaml
from omegaconf import DictConfig
from torchtune import config as torchtune_config
from torchtune.models.convert_weights import tune_to_hf
from torchtune.models.qwen2._convert_weights import qwen2_tune_to_hf
from torchtune.modules import TransformerDecoder
from torchtune.modules.peft import get_adapter_params, get_merged_lora_ckpt
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from factory.errors import ConfigError
from factory.recipe.component import find
from factory.training.finetune import configure
from factory.training.process import processes

CONFIGS = {path.stem: path for path in (Path(__file__).parents[2] / "torchtune_configs").glob("*.yaml")}
MODELS = yaml.safe_load((Path(__file__).parent / "model_configs.yaml").read_text())
METHODS = ("full", "lora")
DEVICES = ("single_device", "distributed")


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each model, with a config.json and nothing else."""
    folder = tmp_path_factory.mktemp("checkpoints")
    for model, values in MODELS.items():
        (folder / model).mkdir()
        (folder / model / "config.json").write_text(json.dumps(values))
    return folder


def built(config: str, checkpoint: Path) -> tuple[DictConfig, TransformerDecoder]:
    settings = configure(CONFIGS[config], {})
    settings.checkpointer.checkpoint_dir = str(checkpoint)
    with torch.device("meta"):
        return settings, torchtune_config.instantiate(settings.model)


@cache
def of_transformers(checkpoint: Path) -> PreTrainedModel:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(checkpoint))


def test_every_model_has_every_config() -> None:
    expected = {f"{model}_{method}_{device}" for model in MODELS for method in METHODS for device in DEVICES}
    assert CONFIGS.keys() == expected | {"llama_1m_full_single_device"}


@pytest.mark.parametrize("config", sorted(CONFIGS))
def test_a_config_says_how_to_launch_it(config: str) -> None:
    settings = configure(CONFIGS[config], {})
    method, device = next((m, d) for m in METHODS for d in DEVICES if config.endswith(f"_{m}_{d}"))
    assert settings.recipe == f"{method}_finetune_{device}"
    header = CONFIGS[config].read_text().partition("\n\n")[0]
    assert f" {settings.recipe} \\\n#     --config torchtune_configs/{config}.yaml \\\n" in header
    assert ("--nproc_per_node 2" in header) == (device == "distributed")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", METHODS)
def test_one_device_or_several_is_all_that_two_configs_differ_in(model: str, method: str) -> None:
    single, distributed = (yaml.safe_load(CONFIGS[f"{model}_{method}_{device}"].read_text()) for device in DEVICES)
    assert {key for key in single | distributed if single.get(key) != distributed.get(key)} == {"recipe", "output_dir"}


@pytest.mark.parametrize("config", sorted(CONFIGS))
def test_every_component_takes_what_the_config_gives_it(config: str) -> None:
    components = [value for value in configure(CONFIGS[config], {}).values() if isinstance(value, DictConfig)]
    assert len(components) == 8
    for component in components:
        given = {str(key): value for key, value in component.items() if key != "_component_"}
        inspect.signature(find(component["_component_"])).bind_partial(**given)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("method", METHODS)
def test_parameters_are_those_of_transformers(model: str, method: str, checkpoints: Path) -> None:
    settings, decoder = built(f"{model}_{method}_single_device", checkpoints / model)
    state = decoder.state_dict()
    if method == "lora":
        adapters = {name: adapter.shape for name, adapter in get_adapter_params(decoder).items()}
        assert adapters == expected_adapters(settings.model, state)
        state = get_merged_lora_ckpt(state, rank=settings.model.lora_rank, alpha=settings.model.lora_alpha)
    theirs = of_transformers(checkpoints / model)
    convert = {"QWEN2": qwen2_tune_to_hf, "LLAMA3_2": tune_to_hf}[settings.checkpointer.model_type]
    weights = convert(
        state,
        num_heads=theirs.config.num_attention_heads,
        num_kv_heads=theirs.config.num_key_value_heads,
        dim=theirs.config.hidden_size,
    )
    shapes = {name: weight.shape for name, weight in weights.items()}
    assert shapes == {name: parameter.shape for name, parameter in theirs.named_parameters()}


def expected_adapters(settings: DictConfig, state: dict[str, torch.Tensor]) -> dict[str, tuple[int, int]]:
    """Two for each projection that the config names, of its rank."""
    names = [*settings.lora_attn_modules, *(("w1", "w2", "w3") if settings.apply_lora_to_mlp else ())]
    expected = {}
    for module, _, kind in (key.rpartition(".") for key in state):
        if kind == "weight" and module.rpartition(".")[2] in names:
            rows, columns = state[f"{module}.weight"].shape
            expected[f"{module}.lora_a.weight"] = (settings.lora_rank, columns)
            expected[f"{module}.lora_b.weight"] = (rows, settings.lora_rank)
    return expected


@pytest.mark.parametrize("model", MODELS)
def test_rotary_embeddings_are_those_of_transformers(model: str, checkpoints: Path) -> None:
    _, decoder = built(f"{model}_full_single_device", checkpoints / model)
    ours = decoder.layers[0].attn.pos_embeddings
    ours.rope_init()  # off the meta device, as the recipes do
    network = of_transformers(checkpoints / model)
    theirs = type(network.model.rotary_emb)(network.config)
    torch.testing.assert_close(ours.theta, theirs.inv_freq, rtol=1e-6, atol=0)


@pytest.mark.parametrize(
    ("config", "overrides", "cpus", "gpus", "expected"),
    [
        ("smollm2_135m_full_single_device", {}, 4, 0, 1),
        ("smollm2_135m_lora_distributed", {}, 4, 0, 4),
        ("smollm2_135m_full_distributed", {"device": "cuda"}, 4, 2, 2),
        ("qwen2_5_7b_full_distributed", {}, 4, 8, 8),
        ("qwen2_5_7b_lora_single_device", {}, 4, 8, 1),
        ("qwen2_5_0_5b_full_single_device", {}, 1, 0.5, 1),
    ],
)
def test_a_distributed_recipe_has_a_process_for_each_device(
    config: str, overrides: dict[str, str], cpus: float, gpus: float, expected: int
) -> None:
    assert processes(configure(CONFIGS[config], overrides), cpus, gpus) == expected


@pytest.mark.parametrize("config", ["qwen2_5_7b_full_distributed", "llama3_2_1b_lora_single_device"])
def test_a_config_for_gpus_wants_one(config: str) -> None:
    with pytest.raises(
        ConfigError, match=r"device 'cuda' needs a GPU .* set finetune.gpus, or the override device=cpu"
    ):
        processes(configure(CONFIGS[config], {}), num_cpus=4, num_gpus=0)


def test_overrides_are_read_as_on_the_command_line() -> None:
    settings = configure(
        CONFIGS["llama_1m_full_single_device"],
        {"optimizer.lr": "1e-4", "clip_grad_norm": None, "optimizer.betas": [0.9, 0.95]},
    )
    assert (settings.optimizer.lr, settings.clip_grad_norm, settings.optimizer.betas) == (1e-4, None, [0.9, 0.95])


def test_every_override_that_does_not_fit_is_listed() -> None:
    with pytest.raises(ConfigError) as error:
        configure(CONFIGS["llama_1m_full_single_device"], {"optimiser.lr": 1, "epochs": 3, "dataset.seed": 1})
    first, *others = error.value.problems
    assert first.startswith("no entry 'optimiser'; did you mean 'optimizer'?")
    assert others == ["'epochs' is set by the factory", "'dataset.seed' is set by the factory"]


@pytest.mark.parametrize("recipe", ["lora_finetune_single_devise", "no/such/lora_finetune_single_device.py"])
def test_a_recipe_that_is_not_there_is_an_error(recipe: str) -> None:
    with pytest.raises(ConfigError, match=f"'{recipe}' .* did you mean 'lora_finetune_single_device'"):
        configure(CONFIGS["llama_1m_full_single_device"], {"recipe": recipe})


def test_a_config_without_a_recipe_is_an_error(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("device: cpu\n")
    with pytest.raises(ConfigError, match=r"recipe '' is neither one of torchtune's nor a .py file. Valid: full_"):
        configure(config, {})
