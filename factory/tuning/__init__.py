"""Our torchtune components, which a YAML under ``torchtune_configs/`` names as ``_component_``, and our recipes.

A recipe is one of the files ``weighted_*.py``, named by its path.

Only this package and :mod:`factory.training.launch` import torchtune, in the processes that
:mod:`factory.training.process` starts.
"""

from factory.tuning.dataset import ExampleStream
from factory.tuning.model import decoder, lora_decoder
from factory.tuning.tokenizer import ChatTokenizer

__all__ = ["ChatTokenizer", "ExampleStream", "decoder", "lora_decoder"]
