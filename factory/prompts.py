"""How a question becomes messages, and messages become token ids.

A prompt is always a list of messages; the chat template of the model's tokenizer makes text of it. A plain
completion prompt ("Q: ... A:") is a chat template too (:class:`factory.bases.pretrained.Pretrained` installs one),
so sampling, training and the people downstream all render through the same template.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": text}``"""


@dataclass(frozen=True)
class Prompt:
    """The prompt settings of a recipe.

    Args:
        instruction: text of a system message; none by default.
        hint: how a question is shown with its answer (STaR section 3.2: the answer in brackets after the
            question). ``{question}`` and ``{answer}`` are filled in; the solution is never shown.
        exemplars: YAML file with a list of ``{question, answer, rationale}``, shown before the question.
        exemplar_generations: exemplars are shown while the generation is below this number; none: always.
        exemplars_in_training: whether training prompts show the exemplars as well.
    """

    instruction: str | None = None
    hint: str = "{question} ({answer})"
    exemplars: Path | None = None
    exemplar_generations: int | None = None
    exemplars_in_training: bool = False

    def sampling_messages(self, question: str, answer: str, generation: int, hinted: bool) -> list[Message]:
        """What the model is shown. Under a hint the exemplars show theirs too, as in the paper."""
        shown = self.exemplar_generations is None or generation < self.exemplar_generations
        return self._messages(question, answer, self._exemplars() if shown else [], hinted)

    def training_messages(self, question: str) -> list[Message]:
        """The same question as a training prompt. It does not take the answer, so it cannot hold a hint."""
        exemplars = self._exemplars() if self.exemplars_in_training else []
        return self._messages(question, "", exemplars, hinted=False)

    def _messages(self, question: str, answer: str, exemplars: list[dict[str, str]], hinted: bool) -> list[Message]:
        def asked(text: str, gold: str) -> str:
            return self.hint.replace("{question}", text).replace("{answer}", gold) if hinted else text

        messages = [{"role": "system", "content": self.instruction}] if self.instruction else []
        for exemplar in exemplars:
            messages.append({"role": "user", "content": asked(exemplar["question"], str(exemplar["answer"]))})
            messages.append({"role": "assistant", "content": exemplar["rationale"].strip()})
        return [*messages, {"role": "user", "content": asked(question, answer)}]

    def _exemplars(self) -> list[dict[str, str]]:
        return read_exemplars(self.exemplars) if self.exemplars else []


@cache
def read_exemplars(path: Path) -> list[dict[str, str]]:
    """The exemplars of a YAML file; read once, they are shown in every prompt."""
    exemplars: list[dict[str, str]] = yaml.safe_load(path.read_text())
    return exemplars


def prompt_ids(tokenizer: Any, messages: list[Message]) -> list[int]:
    """The token ids that ask for the next assistant message, by the chat template of a HF tokenizer."""
    ids: list[int] = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    return ids


def completion_ids(tokenizer: Any, completion: str) -> list[int]:
    """The token ids that a training example puts loss on: the completion and the end-of-sequence token."""
    return [*tokenizer.encode(completion, add_special_tokens=False), tokenizer.eos_token_id]
