"""What a chat template does to the messages of a recipe: it must show them all, and give an answer back as it was."""

from dataclasses import replace
from typing import Any

from factory.prompts import Message
from factory.recipe.recipe import Recipe

QUESTION = 'What is 2 + 3, if "2 < 3" & 3 > 2?'
THOUGHTS, CONCLUSION = 'Two & three, <b> and "so":\n\n2 + 3 = 5', "Five, 5 < 6.\nThe answer is 5"
"""Made of what templates are known to alter: quotes, <, &, blank lines."""

THINKING = (f"<think>\n{THOUGHTS}\n</think>\n\n{CONCLUSION}", f"{THOUGHTS}\n</think>\n\n{CONCLUSION}")
"""How a reasoning model answers, and how one does whose prompts end in ``<think>``."""

WAY_OUT = "give another, such as base.chat_template=recipes/templates/question_answer.jinja"


def faults(tokenizer: Any, recipe: Recipe, system: str | None = None) -> list[str]:
    """What is lost of the prompts of the recipe's phases, or of an answer, by the chat template; empty if nothing is.

    Args:
        tokenizer: a HF tokenizer.
        system: what the system says before a question of the corpus; None if it says nothing before any.
    """
    if not tokenizer.chat_template:
        return [f"the tokenizer has no chat template; {WAY_OUT.replace('another', 'one')}"]
    found = [fault for phase in recipe.phases for fault in _of_prompts(tokenizer, phase, system)]
    answer = _fault(tokenizer, _answered(f"{THOUGHTS}\n\n{CONCLUSION}"), asks=False)
    if answer and not found:
        found = [f"the chat template {answer}, so that rationales would be lost on who trains by it; {WAY_OUT}"]
    return list(dict.fromkeys(found))  # what two phases share is said once


def strips_reasoning(tokenizer: Any) -> bool:
    """Whether the chat template leaves out what an answer says before ``</think>``.

    Templates for chats do, to save the tokens of thoughts long past. Nothing is lost in our training, which renders
    only the prompt (:class:`factory.tuning.ChatTokenizer`); whoever renders a whole example loses its rationale.
    """
    return any(_fault(tokenizer, _answered(answer), asks=False) is not None for answer in THINKING)


def _of_prompts(tokenizer: Any, phase: Recipe, system: str | None) -> list[str]:
    """What is lost of a question alone, of each thing that the phase adds to it, and of all of them together."""
    prompt = phase.prompt.prompt()
    bare = replace(prompt, instruction=None, exemplars=None)
    dialogues = any("turns" in asked.settings for asked in (phase.strategy, phase.evaluation.strategy))
    tried = [CONCLUSION] if dialogues else []
    kinds = {
        "a question": (bare, [], None),
        "prompt.instruction": (replace(prompt, exemplars=None), [], None),
        "a question's system text": (bare, [], system),
        "prompt.exemplars": (replace(prompt, instruction=None), [], None),
        "a dialogue": (bare, tried, None),
        "a prompt": (prompt, tried, system),
    }
    found: dict[str, str] = {}
    for what, (shown, after, before) in kinds.items():
        fault = _fault(tokenizer, shown.sampling_messages(QUESTION, "5", None, 0, True, after, before))
        # what a question loses the others lose too, and what one of these loses the whole prompt does
        if fault and "a question" not in found and (what != "a prompt" or not found):
            found[what] = f"{what}: the chat template {fault}; {WAY_OUT}"
    return list(found.values())


def _answered(answer: str) -> list[Message]:
    return [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": answer}]


def _fault(tokenizer: Any, messages: list[Message], asks: bool = True) -> str | None:
    """What is wrong with the rendering of some messages; None if all of them are in it as they were, in their order.

    Blank space around a message is the template's.
    """
    try:
        text: str = tokenizer.apply_chat_template(messages, add_generation_prompt=asks, tokenize=False)
    except Exception as error:  # a template may raise what it likes
        return f"refuses it ({type(error).__name__}: {error})"
    end = 0
    for message in messages:
        content = message["content"].strip()
        begin = text.find(content, end)
        if begin < 0:
            return f"leaves out or alters a message of the role '{message['role']}'"
        end = begin + len(content)
    return None
