"""The card of a published model: what it was trained on, how, and how to load it."""

import re
from typing import Any

from huggingface_hub import ModelCardData

from factory.publishing.card.header import license
from factory.publishing.card.markdown import block, fact_list, text, warning
from factory.publishing.card.method import named, short
from factory.publishing.card.use import HUB
from factory.recipe.settings import HUB_NAME

TRANSFORMERS = """\
from transformers import AutoModelForCausalLM, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained({where})
model = AutoModelForCausalLM.from_pretrained({where})
messages = [{{"role": "user", "content": "..."}}]
prompt = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_tensors="pt", return_dict=True)
completion = model.generate(**prompt, max_new_tokens=512)[0, prompt["input_ids"].shape[1] :]
print(tokenizer.decode(completion, skip_special_tokens=True))"""

VLLM = """\
from vllm import LLM, SamplingParams

model = LLM({where})
[answer] = model.chat([{{"role": "user", "content": "..."}}], SamplingParams(temperature=0, max_tokens=512))
print(answer.outputs[0].text)"""


def model_card(facts: dict[str, Any]) -> str:
    """The text of the README.md of a model; what is missing in the facts has no line.

    Args:
        facts: all optional::

            name, generation         "owner/name", 2: on the Hub the model's revision is gen-2
            dataset                  "owner/name@gen-2" or a folder: what it was trained on
            dataset_manifest_sha256  digest of that generation's manifest.json
            base_model               {"name", "sha256"}
            start                    "base", or the model of an earlier generation: where training began
            sha256                   digest of the model
            method                   "star"
            training                 {"config", "recipe", "steps", "examples", "rows", "tokens", "loss_first",
                                     "loss_last"}
            license                  "apache-2.0"; of one that the Hub has no identifier of, the name
            recipe_fingerprint, code_commit      texts
            unsafe                   True: the dataset failed validation
    """
    sections = [_unsafe(facts), _introduction(facts), _training(facts), _load(facts)]
    return f"---\n{_header(facts)}\n---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def _header(facts: dict[str, Any]) -> str:
    base = (facts.get("base_model") or {}).get("name", "")
    dataset = _dataset_on_hub(facts)
    method = [facts["method"]] if "method" in facts else []
    return ModelCardData(
        base_model=base if re.fullmatch(HUB_NAME, base) else None,  # the Hub refuses what is not a name of its own
        datasets=[dataset[0]] if dataset else None,
        **license(facts),
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["rationales", "reasoning", *method],
    ).to_yaml()


def _dataset_on_hub(facts: dict[str, Any]) -> tuple[str, str] | None:
    """The dataset's repository and tag, if it is on the Hub."""
    found = re.fullmatch(f"({HUB_NAME})@(gen-[0-9]+)", facts.get("dataset", ""))
    return (found[1], found[2]) if found else None


def _unsafe(facts: dict[str, Any]) -> str:
    if not facts.get("unsafe"):
        return ""
    return warning("**The dataset that this model was trained on failed validation.** Its card says what failed.")


def _introduction(facts: dict[str, Any]) -> str:
    name, generation = text(facts.get("name", "A model")), facts.get("generation")
    title = f"# {name}" if generation is None else f"# {name}, trained on generation {generation}"
    told = ["A language model, fine-tuned on rationales that models before it wrote."]
    if dataset := _dataset_on_hub(facts):
        repository, tag = dataset
        told.append(f"The dataset is [`{facts['dataset']}`]({HUB}/datasets/{repository}/tree/{tag}).")
    elif "dataset" in facts:
        told.append(f"The dataset is `{facts['dataset']}`.")
    told.append("Its accuracy is in the card of the dataset's next generation, if there is one.")
    return f"{title}\n\n{' '.join(told)}"


def _training(facts: dict[str, Any]) -> str:
    training = facts.get("training", {})
    losses = [training.get("loss_first"), training.get("loss_last")]
    shown = {
        "Base model": named(facts.get("base_model")),
        "Trained from": facts.get("start"),
        "Method": facts.get("method"),
        "torchtune recipe": training.get("recipe"),
        "torchtune config": training.get("config"),
        **{name.capitalize(): _number(training.get(name)) for name in ("steps", "examples", "rows", "tokens")},
        "Loss": " -> ".join(f"{loss:.3f}" for loss in losses if loss is not None),
        "Digest": short(facts.get("sha256")),
        "Manifest of the dataset": short(facts.get("dataset_manifest_sha256")),
        "Recipe fingerprint": facts.get("recipe_fingerprint"),
        "Code commit": facts.get("code_commit"),
    }
    listed = fact_list(shown)
    return f"## How it was trained\n\n{listed}" if listed else ""


def _number(count: int | None) -> str | None:
    return None if count is None else f"{count:,}"


def _load(facts: dict[str, Any]) -> str:
    name, generation = facts.get("name", ""), facts.get("generation")
    on_hub = re.fullmatch(HUB_NAME, name)
    revision = "" if generation is None else f', revision="gen-{generation}"'
    where = f'"{name}"{revision}' if on_hub else '"."'
    tokenizer = revision.replace("revision", "tokenizer_revision")
    told = "" if on_hub else "`.` is the folder in which this README lies.\n\n"
    return (
        f"## How to load it\n\n{told}{block(TRANSFORMERS.format(where=where), 'python')}\n\n"
        f"{block(VLLM.format(where=f'{where}{tokenizer}' if on_hub else where), 'python')}"
    )
