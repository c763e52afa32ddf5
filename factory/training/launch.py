"""One process of a torchtune recipe: ``python -m factory.training.launch RECIPE --config FILE [key=value ...]``.

Does what ``tune run`` does, with three differences: RECIPE may be the path of any file, the process ends with the one
that started it, and a distributed recipe, which torchtune has for GPUs alone, runs on CPUs as well.
"""

import gc
import runpy
import sys
from pathlib import Path

from omegaconf import OmegaConf

from factory.training.process import die_with_parent, is_distributed


def main() -> None:
    die_with_parent()  # before the imports that take seconds
    from torch.distributed.elastic.multiprocessing.errors import record

    record(run)()  # torchrun then ends its report with the error that came first


def run() -> None:
    recipe, _, config, *_ = sys.argv = sys.argv[1:]  # as the recipe expects it
    if is_distributed(recipe) and OmegaConf.load(config).device == "cpu":
        do_without_gpu()
    runpy.run_path(recipe if recipe.endswith(".py") else of_torchtune(recipe), run_name="__main__")


def of_torchtune(recipe: str) -> str:
    import torchtune

    return f"{Path(torchtune.__file__).parents[1]}/recipes/{recipe}.py"


def do_without_gpu() -> None:
    """Replace what torchtune 0.6.1's distributed recipes take for granted: memory figures, a cache to empty, NCCL."""
    import torch.distributed
    from torchtune import training

    training.get_memory_stats = lambda device: {}
    training.log_memory_stats = lambda stats: None
    training.cleanup_before_training = gc.collect
    # the LoRA recipe names a backend that a CPU build lacks
    connect = torch.distributed.init_process_group
    torch.distributed.init_process_group = lambda backend: connect("gloo")


if __name__ == "__main__":
    main()
