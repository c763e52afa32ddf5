"""The examples as a training stream: so many rows, in successive shuffled passes."""

import json
from array import array
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset
from torchtune.data import CROSS_ENTROPY_IGNORE_IDX

from factory.tuning.tokenizer import ChatTokenizer


class ExampleStream:
    """
    A map-style dataset. Reads the columns ``messages`` and ``weight`` of Parquet files with the examples schema,
    tokenizes each example once and serves a stream of exactly ``rows`` of them. An example longer than the tokenizer's
    ``max_seq_len`` is left out, because a cut rationale would teach the model to stop before the answer. An example
    of a file without weights weighs 1; torchtune's own recipes take no notice of weights, those of
    :mod:`factory.tuning.weighted` do.

    A recipe that takes this stream in order (``shuffle: False``) for one epoch makes exactly ``rows / (batch_size *
    gradient_accumulation_steps)`` steps. The order is drawn here since the recipe's own sampler ignores its seed.

    The texts are read batch by batch; what stays in memory is 4 bytes a token, 1 GB for a million examples of 250.

    Args:
        tokenizer (ChatTokenizer): turns messages into token ids and a mask.
        source (str | list[str]): a Parquet file, a folder of them, or a list of files.
        rows (int | None): length of the stream; by default every example once, in the order of the files.
        seed (int): seed of the passes. Default: 0
        summary (str | None): JSON file to write with what became of the examples: ``examples`` (in the stream's
            passes), ``too_long`` (left out), ``rows``, ``tokens`` (of all rows, prompts included, padding not).

    Raises:
        ValueError: If there is no example to train on.
    """

    def __init__(
        self,
        tokenizer: ChatTokenizer,
        source: str | list[str],
        rows: int | None = None,
        seed: int = 0,
        summary: str | None = None,
    ) -> None:
        tokens, starts, prompts, weights, too_long = array("i"), [0], [], array("f"), 0
        for batch in _with_weights(source).to_batches(columns=["messages", "weight"]):
            for messages, weight in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                ids, mask = tokenizer.tokenize_messages(messages)
                if len(ids) > tokenizer.max_seq_len:
                    too_long += 1
                    continue
                tokens.extend(ids)
                starts.append(len(tokens))
                prompts.append(sum(mask))
                weights.append(1.0 if weight is None else weight)
        if not prompts:
            raise ValueError(f"no example to train on ({too_long} of more than {tokenizer.max_seq_len} tokens)")
        self._tokens = np.frombuffer(tokens, dtype=np.int32)
        self._starts, self._prompts, self._weights = np.array(starts), np.array(prompts), weights
        self._order = np.arange(len(prompts)) if rows is None else shuffled_passes(len(prompts), rows, seed)
        if summary:
            counts = {
                "examples": len(prompts),
                "too_long": too_long,
                "rows": len(self),
                "tokens": int(np.diff(self._starts)[self._order].sum()),
            }
            Path(summary).write_text(json.dumps(counts))

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> dict[str, np.ndarray | float]:
        """
        Returns:
            dict[str, np.ndarray | float]: ``tokens`` and ``labels``, int64 of shape ``[s]`` each; a label is the token
            itself, or ``CROSS_ENTROPY_IGNORE_IDX`` in the prompt. The recipe shifts the labels and pads the batch.
            ``weight`` is the factor of the example's loss.
        """
        example = self._order[index]
        tokens = self._tokens[self._starts[example] : self._starts[example + 1]].astype(np.int64)
        labels = tokens.copy()
        labels[: self._prompts[example]] = CROSS_ENTROPY_IGNORE_IDX
        return {"tokens": tokens, "labels": labels, "weight": self._weights[example]}


def _with_weights(source: str | list[str]) -> pyarrow.dataset.Dataset:
    """The files; a weight is null where a file has none."""
    files = pyarrow.dataset.dataset(source, format="parquet")
    if "weight" in files.schema.names:
        return files
    # pyarrow takes the columns of the first file for those of all
    return files.replace_schema(files.schema.append(pa.field("weight", pa.float32())))


def shuffled_passes(examples: int, rows: int, seed: int) -> np.ndarray:
    """Example numbers of shape ``[rows]``: no example comes again before every other has come as often."""
    rng = np.random.default_rng(seed)
    passes = -(-rows // examples)
    return np.concatenate([rng.permutation(examples) for _ in range(passes)])[:rows]
