"""Weighted full fine-tuning on one device: torchtune's full_finetune_single_device, each example weighted.

See :mod:`factory.tuning.weighted`.
"""

from factory.tuning.weighted import main

if __name__ == "__main__":
    main("full_finetune_single_device", "FullFinetuneRecipeSingleDevice")
