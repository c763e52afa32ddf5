"""Weighted full fine-tuning on several devices: torchtune's full_finetune_distributed, each example weighted.

See :mod:`factory.tuning.weighted`.
"""

from factory.tuning.weighted import main

if __name__ == "__main__":
    main("full_finetune_distributed", "FullFinetuneRecipeDistributed")
