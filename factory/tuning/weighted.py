"""Weighted supervised fine-tuning: torchtune's own recipes, with a loss that counts each example by its weight.

Each recipe ``weighted_*.py`` takes the YAML of torchtune's recipe of the same kind: in a recipe of the factory,
``finetune.overrides`` names it as the ``recipe``; by hand,

    python -m torchtune._cli.tune run factory/tuning/weighted_full_single_device.py --config X.yaml ...

The loss of a step is

    sum over its trained tokens of (weight of the token's example * cross-entropy of the token) / its trained tokens

over all micro-batches and processes of the step, so weights of 1 give torchtune's loss and gradients. Weights do not
enter the denominator: twice the weights are twice the loss.

RISE (Qu et al. 2024, https://arxiv.org/abs/2407.18219, section 4) weighs by exp(reward / tau). Its reference code takes
the mean over each example's trained tokens, times its weight, and the mean of that over the examples. There an example
counts by its weight alone, so that a token of a short completion counts for more than one of a long completion; here
tokens of the same weight count the same, as they do in torchtune, and an example counts by its weight times its length.
"""

import runpy
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from omegaconf import DictConfig
from torch import nn
from torchtune import config
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX, padded_collate_sft

from factory.training.launch import of_torchtune

LOSSES = ("torch.nn.CrossEntropyLoss", "torchtune.modules.loss.CEWithChunkedOutputLoss")
"""The losses of a YAML that have a weighted form."""


def weighted_collate(
    batch: list[dict[str, Any]], padding_idx: int = 0, ignore_idx: int = CROSS_ENTROPY_IGNORE_IDX
) -> dict[str, torch.Tensor]:
    """
    Pad a batch as torchtune does, and keep its weights.

    Args:
        batch (list[dict[str, Any]]): ``tokens``, ``labels`` and ``weight`` of each example, as
            :class:`~factory.tuning.ExampleStream` gives them.
        padding_idx (int): token id to pad with. Default: 0
        ignore_idx (int): label to pad with. Default: -100

    Returns:
        dict[str, torch.Tensor]: ``tokens`` and ``labels`` of shape ``[b, s]``, ``weights`` of shape ``[b]`` in fp32.
    """
    weights = torch.tensor([row["weight"] for row in batch], dtype=torch.float32)
    return {**padded_collate_sft(batch, padding_idx=padding_idx, ignore_idx=ignore_idx), "weights": weights}


class WeightedCrossEntropy:
    """
    Sum of the trained tokens' cross-entropies, each times its example's weight, over the number of trained tokens.

    The logits come in chunks, of which only one at a time is held in fp32, as in torchtune's
    ``CEWithChunkedOutputLoss``; one chunk is the plain loss. The weights come with the batch: a recipe passes it to the
    model as keyword arguments, and :meth:`take_weights` is a hook that takes them out there.

    Args:
        ignore_index (int): label of a token that is not trained on. Default: -100
        num_output_chunks (int): number of chunks. Default: 1
        compiled (bool): whether to compile the loss of a chunk. Default: False

    Notation used for tensor shapes:
        - b: batch size
        - s: sequence length
        - v: vocabulary size
        - n: number of chunks
    """

    def __init__(
        self, ignore_index: int = CROSS_ENTROPY_IGNORE_IDX, num_output_chunks: int = 1, compiled: bool = False
    ) -> None:
        self.ignore_index = ignore_index
        self.num_output_chunks = num_output_chunks
        self._chunk_loss = torch.compile(weighted_sum) if compiled else weighted_sum
        self._weights: torch.Tensor

    def take_weights(self, _model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        """Forward pre-hook: keeps ``weights``, of shape ``[b]``, for the next loss and hides them from the model."""
        self._weights = kwargs.pop("weights")
        return args, kwargs

    def __call__(self, logits: list[torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        """
        Args:
            logits (list[torch.Tensor]): n tensors of shape ``[b, s / n, v]``.
            labels (torch.Tensor): shifted labels of shape ``[b, s]``.

        Returns:
            torch.Tensor: the loss, a scalar in fp32.
        """
        chunks = zip(logits, labels.chunk(self.num_output_chunks, dim=1), strict=True)
        total = sum(self._chunk_loss(*chunk, self._weights, self.ignore_index) for chunk in chunks)
        return total / (labels != self.ignore_index).sum()


def weighted_sum(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor, ignore_index: int) -> torch.Tensor:
    """Sum of the weighted cross-entropies of logits ``[b, s, v]``, labels ``[b, s]`` and weights ``[b]``: a scalar."""
    losses = F.cross_entropy(
        logits.flatten(0, 1).float(), labels.flatten(), ignore_index=ignore_index, reduction="none"
    )
    return (losses.view_as(labels).sum(dim=1) * weights).sum()


def main(recipe: str, name: str, prepare: Callable[[DictConfig], None] = lambda cfg: None) -> None:
    """
    Run one of torchtune's recipes, weighted, with the config that the command line names.

    Args:
        recipe (str): file of the recipe, such as ``full_finetune_single_device``; torchtune forbids to import it.
        name (str): its class, such as ``FullFinetuneRecipeSingleDevice``.
        prepare (Callable[[DictConfig], None]): what torchtune's file does before it makes the class. Default: nothing
    """

    def recipe_main(cfg: DictConfig) -> None:
        prepare(cfg)
        config.log_config(recipe_name=f"Weighted{name}", cfg=cfg)
        weighted = runpy.run_path(of_torchtune(recipe))[name](cfg=cfg)
        set_up(weighted, cfg)
        weighted.train()
        weighted.cleanup()

    config.parse(recipe_main)()


def set_up(recipe: Any, cfg: DictConfig) -> None:
    """
    Set up one of torchtune's recipes so that its examples are weighted, whatever the number of devices.

    With ``compile: True`` the loss is compiled chunk by chunk.

    Args:
        recipe (Any): the recipe, made but not yet set up.
        cfg (DictConfig): its config.

    Raises:
        ValueError: If the config's ``loss`` is not one of :data:`LOSSES`, **or** if it has an argument other than
            ``ignore_index`` and ``num_output_chunks``.
    """
    component = cfg.loss._component_
    unknown = cfg.loss.keys() - {"_component_", "ignore_index", "num_output_chunks"}
    if component not in LOSSES or unknown:
        given = ", ".join([component, *sorted(unknown)])
        raise ValueError(f"loss: {given} has no weighted form. Valid: {', '.join(LOSSES)}")
    cfg.collate_fn = f"{__name__}.{weighted_collate.__name__}"
    recipe.setup(cfg=cfg)
    stock: nn.Module = recipe._loss_fn
    loss = WeightedCrossEntropy(stock.ignore_index, getattr(stock, "num_output_chunks", 1), cfg.get("compile", False))
    recipe._loss_fn = loss
    recipe._model.set_num_output_chunks(loss.num_output_chunks)
    recipe._model.register_forward_pre_hook(loss.take_weights, with_kwargs=True)
