"""Weighted LoRA fine-tuning on several devices: torchtune's lora_finetune_distributed, each example weighted.

See :mod:`factory.tuning.weighted`.
"""

from omegaconf import DictConfig
from torch.distributed import init_process_group
from torchtune import training

from factory.tuning.weighted import main


def prepare(cfg: DictConfig) -> None:
    init_process_group("cuda:nccl,cpu:gloo")
    if cfg.get("fsdp_cpu_offload", False):
        training.set_torch_num_threads()


if __name__ == "__main__":
    main("lora_finetune_distributed", "LoRAFinetuneRecipeDistributed", prepare)
