"""Our torchtune components: what a YAML under ``torchtune_configs/`` names as ``_component_``.

Only this package imports torchtune, and only :mod:`factory.finetune` starts a process that imports this package.
"""

from factory.tuning.dataset import ExampleStream
from factory.tuning.model import llama
from factory.tuning.tokenizer import ChatTokenizer

__all__ = ["ChatTokenizer", "ExampleStream", "llama"]
