"""What a dataset card says to those who train on the dataset, with torchtune, TRL and Axolotl.

Only the last message of an example is to be trained on. What the tools do of themselves (torchtune 0.6.1, TRL 1.16,
Axolotl 0.19): torchtune and Axolotl train on all messages of the assistant, TRL on the whole dialogue. Axolotl's
documented way to train on the last message alone, empty settings, is lost when it validates its configuration.
"""

from typing import Any

from factory.publishing.card.markdown import block, text
from factory.publishing.card.method import holds_wrong
from factory.publishing.card.use import loaded, where

RIGHT = 'lambda row: row["reward"] in (1, None)'
"""Examples whose answer is right; those that were given and not sampled have no reward."""

TRL = """\
from datasets import load_dataset
from trl import SFTConfig, SFTTrainer

examples = {loaded}
{filtered}examples = examples.map(
    lambda row: {{"prompt": row["messages"][:-1], "completion": row["messages"][-1:]}},
    remove_columns=examples.column_names,
)
arguments = SFTConfig(output_dir="trained", max_length=None)
SFTTrainer("base-model", args=arguments, train_dataset=examples).train()"""

DPO = """\
from datasets import load_dataset
from trl import DPOConfig, DPOTrainer

pairs = {loaded}
arguments = DPOConfig(output_dir="trained", max_length=None)
DPOTrainer("base-model", args=arguments, train_dataset=pairs).train()"""

LAST_MESSAGE = """\
from torchtune.data import Message
from torchtune.datasets import SFTDataset


class LastMessage:
    def __call__(self, row):
        *before, last = row["messages"]
        return {{"messages": [Message(**message, masked=True) for message in before] + [Message(**last)]}}


def examples(tokenizer, **where):
    return SFTDataset(
        message_transform=LastMessage(),
        model_transform=tokenizer,
        {filter_fn}**where,
    )"""

MARKED = """\
from datasets import load_dataset


def mark(row):
    *before, last = row["messages"]
    return {{"messages": [message | {{"train": False}} for message in before] + [last | {{"train": True}}]}}


examples = {loaded}
{filtered}examples.select_columns("messages").map(mark).to_parquet("last_message.parquet")"""

WHOLE = """\
from datasets import load_dataset
from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained("base-model")


def whole(row):
    *before, last = row["messages"]
    prompt = tokenizer.apply_chat_template(before, add_generation_prompt=True, return_dict=False)
    answer = [*tokenizer.encode(last["content"], add_special_tokens=False), tokenizer.eos_token_id]
    tokens = prompt + answer
    return {{"input_ids": tokens, "attention_mask": [1] * len(tokens), "labels": [-100] * len(prompt) + answer}}


examples = {loaded}
{filtered}examples = examples.map(whole, remove_columns=examples.column_names)
examples.to_parquet("whole.parquet")"""

CHAT_DATASET = ["conversation_column: messages", "conversation_style: openai", "train_on_input: false"]

CHAT_TEMPLATE = [
    "type: chat_template",
    "field_messages: messages",
    "message_property_mappings: {role: role, content: content}",
]


def train(manifest: dict[str, Any]) -> str:
    """The settings of each tool that train on the last message only, and on right answers only."""
    several = manifest["tables"]["examples"]["dialogues"] > 0
    wrong = holds_wrong(manifest["facts"])
    code = {
        "loaded": loaded(manifest, "examples"),
        "filtered": f"examples = examples.filter({RIGHT})\n" if wrong else "",
        "filter_fn": f"filter_fn={RIGHT},\n        " if wrong else "",
    }
    told = "The rationale is the last message of `messages`, and only that is to be trained on."
    if several:
        told += " Messages of the assistant before it (failed attempts, exemplars) are there to be read."
    if wrong:
        told += (
            " None of these tools reads `weight`, so here they are given the right examples only. The project that "
            "made it has recipes of torchtune, in `factory/tuning`, that train on all of them by their weights."
        )
    as_it_is = not (several or wrong)
    return "\n\n".join(
        [
            "## How to train on it",
            told,
            "### TRL",
            "Given `messages`, `SFTTrainer` trains on all of them; given a prompt and a completion, on the completion. "
            "Without `max_length=None` it cuts examples at 1,024 tokens:",
            block(TRL.format(**code), "python"),
            *_preferred(manifest),
            "### torchtune",
            *(_torchtune(manifest) if as_it_is else _torchtune_by_message(manifest, code)),
            "### Axolotl",
            *(_axolotl(manifest) if as_it_is else _axolotl_by_message(code)),
            *(_whole(manifest, code) if manifest["facts"].get("strips_reasoning") else ()),
        ]
    )


def _preferred(manifest: dict[str, Any]) -> list[str]:
    """How to train on pairs, where there are any."""
    if not manifest["tables"].get("pairs", {}).get("rows"):
        return []
    return [
        "### TRL, on pairs",
        "Of the config `pairs`, `chosen` is an example and `rejected` a wrong attempt at the same prompt, made without "
        "a hint. Neither is in two pairs, and those of nearly equal length were paired first:",
        block(DPO.format(loaded=loaded(manifest, "pairs")), "python"),
    ]


def _torchtune(manifest: dict[str, Any]) -> list[str]:
    component = "_component_: torchtune.datasets.chat_dataset"
    return ["In the config of any recipe:", _yaml("dataset:", component, *_source("source", manifest), *CHAT_DATASET)]


def _torchtune_by_message(manifest: dict[str, Any], code: dict[str, str]) -> list[str]:
    return [
        "`chat_dataset` trains on every message of the assistant. With a file of your own, `last_message.py`, in the "
        "folder where `tune run` is started",
        block(LAST_MESSAGE.format(**code), "python"),
        "this goes into the config of any recipe:",
        _yaml("dataset:", "_component_: last_message.examples", *_source("source", manifest)),
    ]


def _axolotl(manifest: dict[str, Any]) -> list[str]:
    return [_yaml("datasets:", *_item(*_source("path", manifest), *CHAT_TEMPLATE, "roles_to_train: [assistant]"))]


def _axolotl_by_message(code: dict[str, str]) -> list[str]:
    how = ["message_field_training: train", "roles_to_train: []", "train_on_eos: turn"]
    return [
        "It has to be told of every message whether to train on it:",
        block(MARKED.format(**code), "python"),
        _yaml("datasets:", *_item("path: last_message.parquet", "ds_type: parquet", *CHAT_TEMPLATE, *how)),
    ]


def _whole(manifest: dict[str, Any], code: dict[str, str]) -> list[str]:
    """For a base whose chat template would leave a part of the rationale out, as the tools above apply it."""
    return [
        "### Thoughts that the chat template leaves out",
        f"The chat template of {text(manifest['facts']['base_model']['name'])} leaves out what a message of the "
        "assistant says before `</think>`. TRL and Axolotl render examples by it, so on this model, set up as above, "
        "**they train on no thoughts**. (torchtune's tokenizers have formats of their own.) The project that made the "
        "dataset renders only the prompt by the template, and trains on all of the last message:",
        block(WHOLE.format(**code), "python"),
        "`SFTTrainer` takes these examples as they are. For Axolotl:",
        _yaml("datasets:", *_item("path: whole.parquet", "ds_type: parquet", "type:")),
    ]


def _source(key: str, manifest: dict[str, Any]) -> list[str]:
    """What ``load_dataset`` is given, as lines of YAML."""
    path, *revision = where(manifest).split("@")
    return [f"{key}: {path}", "name: examples", *(f"revision: {tag}" for tag in revision), "split: train"]


def _item(first: str, *more: str) -> list[str]:
    return [f"- {first}", *(f"  {line}" for line in more)]


def _yaml(key: str, *lines: str) -> str:
    return block("\n".join([key, *(f"  {line}" for line in lines)]), "yaml")
