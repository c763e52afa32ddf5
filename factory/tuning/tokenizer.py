"""The model's own tokenizer and chat template, so that training reads a prompt exactly as sampling wrote it."""

import json
from pathlib import Path

from transformers import AutoTokenizer

from factory.prompts import Message, completion_ids, prompt_ids


class ChatTokenizer:
    """
    Tokenizes a dialogue with the Hugging Face tokenizer of a checkpoint folder. Has what a recipe asks of a torchtune
    ``ModelTokenizer``, except that messages are role and content mappings, as the Parquet files hold them.

    Args:
        path (str): the checkpoint folder: ``config.json``, tokenizer files, chat template.
        max_seq_len (int | None): longest dialogue to train on, in tokens; the model's own limit by default.

    Raises:
        ValueError: If the tokenizer names no end-of-sequence token, without which sampling would never stop.
    """

    def __init__(self, path: str, max_seq_len: int | None = None) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(path)
        if self._tokenizer.eos_token_id is None:
            raise ValueError(f"the tokenizer in {path} names no end-of-sequence token")
        limit: int = json.loads((Path(path) / "config.json").read_text())["max_position_embeddings"]
        self.max_seq_len = min(limit, max_seq_len or limit)
        self.special_tokens = dict(
            zip(self._tokenizer.all_special_tokens, self._tokenizer.all_special_ids, strict=True)
        )
        # Padding carries no label and nothing attends to it, so any id does where the model has none of its own.
        pad_id = self._tokenizer.pad_token_id
        self.pad_id: int = self._tokenizer.eos_token_id if pad_id is None else pad_id

    def tokenize_messages(self, messages: list[Message]) -> tuple[list[int], list[bool]]:
        """
        Tokenize a dialogue, oldest message first; only its last message is trained on. Nothing is cut.

        Args:
            messages (list[Message]): the dialogue, ending with the message to train on.

        Returns:
            tuple[list[int], list[bool]]: the token ids, and a mask of the same length that is ``True`` where a token
            is not trained on (torchtune's convention). Trained on are the last message and the end of sequence.
        """
        prompt = prompt_ids(self._tokenizer, messages[:-1])
        completion = completion_ids(self._tokenizer, messages[-1]["content"])
        return prompt + completion, [True] * len(prompt) + [False] * len(completion)
