"""Weighted full fine-tuning on one device: torchtune's full_finetune_single_device, each example weighted.

See :mod:`factory.tuning.weighted`.
"""

import sys

from omegaconf import DictConfig
from torchtune import config

from factory.tuning.weighted import of_stock, set_up


def recipe_main(cfg: DictConfig) -> None:
    """
    Entry point for the recipe.

    Parameters are read from the config, then overwritten by key=value arguments from the command line.
    """
    config.log_config(recipe_name="WeightedFullFinetuneRecipeSingleDevice", cfg=cfg)
    recipe = of_stock("full_finetune_single_device", "FullFinetuneRecipeSingleDevice")(cfg=cfg)
    set_up(recipe, cfg)
    recipe.train()
    recipe.cleanup()


if __name__ == "__main__":
    sys.exit(config.parse(recipe_main)())
