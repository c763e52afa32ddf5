"""The first recipe of somebody with questions of their own: STaR on a table, commented, to be changed."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from factory.recipe.settings import SHIPPED

INSTRUCTIONS = {
    "choice": 'Think step by step, then end with "The answer is (x).", where x is the letter of a choice.',
    "math": r"Think step by step, then give the final answer as \boxed{answer}.",
}
"""What a model is told by default, by verifier; the form is one that the verifier reads."""

TEMPLATE = """\
# STaR on questions of your own.
#
#   {command} preflight {name}.yaml      # files, model, disk, gold answers, 32 questions
#   {command} iterate {name}.yaml        # the same command again goes on where it stopped
#
# Every setting can be changed on the command line as well: strategy.samples=8

description: {description}
seed: 0
generations: 2

corpus:
  _component_: factory.corpora.table.table
  path: {path} # a file, a folder, or a pattern such as "data/*.jsonl"
  columns: {columns} # difficulty, id and reference_rationale may be named as well
  eval_share: 0.1 # kept apart to measure each model; or eval: <pattern of files>
base:
  _component_: factory.bases.pretrained.pretrained
  model: {model} # a folder, or a name on the Hub; one that follows instructions needs no exemplars
prompt:
  instruction: {instruction}
  # exemplars: exemplars.yaml  # a list of {{question, answer, rationale}}, for a model that follows no instructions
verifier:
  _component_: {verifier}
strategy:
  _component_: factory.strategies.star.star
  samples: 4 # at each question; a question that none of them solves is asked again under a hint
  hinted_samples: 1 # 0: STaR without rationalization
engine:
  _component_: factory.engines.vllm.VLLM
  max_model_len: 2048 # longest prompt and completion together, in tokens
sampling: {{temperature: 0.8, max_tokens: 512}}
rollout: {{{workers}}}
evaluation:
  strategy: {{_component_: factory.strategies.independent.independent}}
  sampling: {{temperature: 0, max_tokens: 512}}
curation: {{per_question: 1}} # most examples of one question
finetune:
  config: torchtune_configs/{config}.yaml # torchtune's settings; overrides change some of them
  steps: 40 # and a fifth more in each generation, as in the paper
  {device}
"""


def starter(
    name: str, path: str, columns: Mapping[str, str], verifier: str, model: str, on_gpu: bool, command: str
) -> str:
    """The text of a recipe.

    Args:
        name: what its file is called, without ``.yaml``.
        path: where the questions lie.
        columns: the table's column of the question, the answer and perhaps the choices.
        verifier: dotted path.
        model: a HF folder or a name on the Hub.
        on_gpu: whether to sample and train on a GPU.
        command: how the factory is called, for the comments.
    """
    kind = verifier.split(".")[-2] if "." in verifier else ""
    return TEMPLATE.format(
        name=name,
        command=command,
        description=_flow(f"STaR on {path}"),
        path=_flow(path),
        columns=_flow(dict(columns)),
        verifier=verifier,
        model=_flow(model),
        instruction=_flow(INSTRUCTIONS.get(kind, 'Think step by step, then end with "The answer is X."')),
        workers="gpus_per_engine: 1" if on_gpu else "cpus_per_engine: 1",
        config=_config(model),
        device="gpus: 1" if on_gpu else "overrides: {device: cpu, dtype: fp32}",
    )


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    return yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000).removesuffix("\n...\n").strip()


def _config(model: str) -> str:
    """The torchtune config of that name, or else of that kind of model: the sizes are read from the checkpoint."""
    try:
        kind = json.loads((Path(model).expanduser() / "config.json").read_text())["model_type"]
    except (OSError, ValueError, KeyError, TypeError):  # on the Hub, or no model: preflight says so
        kind = model
    names = sorted(path.stem for path in (SHIPPED / "torchtune_configs").glob("*_full_single_device.yaml"))
    plain = {re.sub(r"[^a-z0-9]", "", name.removesuffix("_full_single_device")): name for name in names}
    spelled = re.sub(r"[^a-z0-9]", "", model.lower())
    found = [key for key in plain if key in spelled]
    if found:
        return plain[max(found, key=len)]
    return "qwen2_5_0_5b_full_single_device" if "qwen" in kind.lower() else "smollm2_135m_full_single_device"
