"""Weighted LoRA fine-tuning on several devices: torchtune's lora_finetune_distributed, each example weighted.

See :mod:`factory.tuning.weighted`.
"""

import sys

from omegaconf import DictConfig
from torch.distributed import init_process_group
from torchtune import config, training

from factory.tuning.weighted import of_stock, set_up


def recipe_main(cfg: DictConfig) -> None:
    """
    Entry point for the recipe.

    Parameters are read from the config, then overwritten by key=value arguments from the command line.
    """
    init_process_group("cuda:nccl,cpu:gloo")
    if cfg.get("fsdp_cpu_offload", False):
        training.set_torch_num_threads()
    config.log_config(recipe_name="WeightedLoRAFinetuneRecipeDistributed", cfg=cfg)
    recipe = of_stock("lora_finetune_distributed", "LoRAFinetuneRecipeDistributed")(cfg=cfg)
    set_up(recipe, cfg)
    recipe.train()
    recipe.cleanup()


if __name__ == "__main__":
    sys.exit(config.parse(recipe_main)())
