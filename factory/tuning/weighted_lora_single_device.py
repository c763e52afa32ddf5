"""Weighted LoRA fine-tuning on one device: torchtune's lora_finetune_single_device, each example weighted.

See :mod:`factory.tuning.weighted`.
"""

from factory.tuning.weighted import main

if __name__ == "__main__":
    main("lora_finetune_single_device", "LoRAFinetuneRecipeSingleDevice")
