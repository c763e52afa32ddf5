"""How a question becomes messages, and messages become token ids.

A prompt is always a list of messages; the chat template of the model's tokenizer makes text of it. A plain
completion prompt ("Q: ... A:") is a chat template too (:class:`factory.bases.pretrained.Pretrained` installs one),
so sampling, training and the people downstream all render through the same template.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Message = dict[str, str]
"""``{"role": "system" | "user" | "assistant", "content": text}``"""

Choices = list[dict[str, str]]
"""``[{"label": "A", "text": ...}, ...]``; the gold answer of such a question is a label."""


@dataclass(frozen=True)
class Prompt:
    """The prompt settings of a recipe; :class:`factory.recipe.groups.PromptSettings` says what each means."""

    instruction: str | None = None
    hint: str = "{question} ({answer})"
    choice_hint: str = "{choice} (CORRECT)"
    feedback: str = "The answer is incorrect. Please try again."
    exemplars: Path | None = None
    exemplar_generations: int | None = None
    exemplars_in_training: bool = False

    def sampling_messages(
        self,
        question: str,
        answer: str,
        choices: Choices | None,
        generation: int,
        hinted: bool,
        tried: Sequence[str] = (),
        system: str | None = None,
    ) -> list[Message]:
        """What the model is shown: the question, then each attempt of ``tried`` with the feedback on it.

        Under a hint the exemplars show theirs too, as in the paper. A question's own ``system`` text stands in the
        system message, after the instruction if there is one.
        """
        shown = self.exemplar_generations is None or generation < self.exemplar_generations
        exemplars = self._exemplars() if shown else []
        asked = self._asked(question, choices, answer if hinted else None)
        return [*self._messages(asked, exemplars, hinted, system), *self._tried(question, tried)]

    def training_messages(
        self, question: str, choices: Choices | None, tried: Sequence[str] = (), system: str | None = None
    ) -> list[Message]:
        """The same dialogue as a training prompt. It does not take the answer, so it cannot hold a hint."""
        exemplars = self._exemplars() if self.exemplars_in_training else []
        asked = self._asked(question, choices, None)
        return [*self._messages(asked, exemplars, False, system), *self._tried(question, tried)]

    def _tried(self, question: str, tried: Sequence[str]) -> list[Message]:
        feedback = {"role": "user", "content": self.feedback.replace("{question}", question)}
        return [message for text in tried for message in ({"role": "assistant", "content": text}, feedback)]

    def _messages(self, asked: str, exemplars: list[dict[str, Any]], hinted: bool, system: str | None) -> list[Message]:
        said = "\n\n".join(filter(None, (self.instruction, system)))
        messages = [{"role": "system", "content": said}] if said else []
        for exemplar in exemplars:
            choices = [{"label": label, "text": text} for label, text in exemplar.get("choices", {}).items()]
            shown = self._asked(exemplar["question"], choices, str(exemplar["answer"]) if hinted else None)
            messages.append({"role": "user", "content": shown})
            messages.append({"role": "assistant", "content": exemplar["rationale"].strip()})
        return [*messages, {"role": "user", "content": asked}]

    def _asked(self, question: str, choices: Choices | None, hint: str | None) -> str:
        """The text of a question: its choices one a line, as ``(a) ...``; with its gold answer as a hint if given."""
        if not choices:
            return question if hint is None else self.hint.replace("{question}", question).replace("{answer}", hint)
        lines = []
        for choice in choices:
            line = f"({choice['label'].lower()}) {choice['text']}"
            gold = hint is not None and choice["label"].casefold() == hint.casefold()
            lines.append(self.choice_hint.replace("{choice}", line) if gold else line)
        return "\n".join([question, "Answer Choices:", *lines])

    def _exemplars(self) -> list[dict[str, Any]]:
        return read_exemplars(self.exemplars) if self.exemplars else []


@cache
def read_exemplars(path: Path) -> list[dict[str, Any]]:
    """The exemplars of a YAML file; read once, they are shown in every prompt."""
    exemplars: list[dict[str, Any]] = yaml.safe_load(path.read_text())
    return exemplars


def prompt_ids(tokenizer: Any, messages: list[Message]) -> list[int]:
    """The token ids that ask for the next assistant message, by the chat template of a HF tokenizer."""
    ids: list[int] = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    return ids


def completion_ids(tokenizer: Any, completion: str) -> list[int]:
    """The token ids that a training example puts loss on: the completion and the end-of-sequence token."""
    return [*tokenizer.encode(completion, add_special_tokens=False), tokenizer.eos_token_id]
