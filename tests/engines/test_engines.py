"""Engines that sample a real model: a served vLLM against vLLM in the worker, and a LoRA adapter.

The model is the base of the run that the other tests share; its evaluation was sampled greedily by vLLM in the worker.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from factory.cluster import connected
from factory.curation.judgements import said
from factory.engines import Completion, ContextOverflow, EngineMisconfigured, Sampling, cut
from factory.files import shards
from factory.prompts import Prompt, prompt_ids
from factory.recipe.component import parse
from factory.recipe.load import load_recipe
from factory.run import Run
from factory.sampling.rollout import roll_out
from factory.sampling.worker import Job, Pass
from factory.stages import Stages
from tests.support.served import sample, served

GREEDY = Sampling(temperature=0, max_tokens=24)
TOO_LONG = [{"role": "user", "content": "1+" * 200}]
SUMS = [[{"role": "user", "content": text}] for text in ("12+34", "7+5", "98+76", "3+9")]

# The engine in a process of its own: importing vLLM changes how torch behaves in this one.
ASK_ENGINE = """
import asyncio, json, sys
from pathlib import Path
from factory.engines import ContextOverflow, Sampling
from factory.engines.vllm import VLLM

async def main(model, adapter, dialogues, tokens, too_long):
    engine = VLLM(model, dtype="float32", max_model_len=256, adapter=Path(adapter))
    sampled = [engine.sample(messages, 0, Sampling(temperature=0, max_tokens=tokens)) for messages in dialogues]
    texts = [completion.text for completion in await asyncio.gather(*sampled)]
    nearly = [{"role": "user", "content": "1+" * 125}]
    texts.append((await engine.sample(nearly, 0, Sampling(temperature=0, max_tokens=400))).finish_reason)
    try:
        await engine.sample(too_long, 0, Sampling())
    except ContextOverflow as error:
        texts.append(str(error))
    print("RESULT" + json.dumps(texts))
    engine.close()

if __name__ == "__main__":
    asyncio.run(main(*json.loads(sys.argv[1])))
"""


@pytest.fixture(scope="session")
def base(run: Path) -> Path:
    return (run / "base").resolve()


@pytest.fixture(scope="session")
def address(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(base, tmp_path_factory.mktemp("served") / "log") as address:
        yield address


def test_a_completion_is_cut_at_the_first_stop_string() -> None:
    sampled = Completion("3\nQ: 4+5\n\nA: 9", "length", 5, 9, -0.5)
    assert cut(sampled, ("\n\n", "\nQ:")) == Completion("3", "stop", 5, 9, -0.5)
    assert cut(sampled, ("###",)) == cut(sampled, ()) == sampled


def test_a_recipe_gives_the_same_rows_with_a_served_model(run: Path, base: Path, address: str, tmp_path: Path) -> None:
    recipe = load_recipe(str(run / "recipe.yaml"))
    evaluation = Pass(
        run / "questions" / "eval", tmp_path / "out", recipe.evaluation.strategy, recipe.evaluation.sampling
    )
    job = Job(
        model=base,
        model_name="base",
        generation=0,
        seed=recipe.seed,
        engine=parse({"_component_": "factory.engines.openai.OpenAI", "base_url": address}),
        verifier=recipe.verifier,
        prompt=Prompt(),
        passes=(evaluation,),
        log=tmp_path / "log",
    )
    with connected():
        roll_out(job, recipe.rollout, lambda tally, pace: None)
    in_worker = pl.read_parquet(run / "gen-0" / "evaluation").sort("question_id")
    on_server = pl.read_parquet(tmp_path / "out").sort("question_id")
    assert on_server.drop("model").equals(in_worker.drop("model"))
    assert on_server["solved"].sum() > 0


def test_a_served_teacher_improves_a_served_students_answers(
    run: Path, base: Path, address: str, tmp_path: Path
) -> None:
    recipe = load_recipe(str(run / "recipe.yaml"))
    engine = {"_component_": "factory.engines.openai.OpenAI", "base_url": address}
    turns = [{"samples": 1}, {"by": "teacher", "temperature": 0.0}]
    strategy = parse({"_component_": "factory.strategies.rise.rise", "turns": turns})
    job = Job(
        model=(run / "gen-0" / "checkpoint").resolve(),
        model_name="student",
        generation=0,
        seed=0,
        engine=parse(engine | {"served_model": str(base)}),
        verifier=recipe.verifier,
        prompt=Prompt(feedback="The answer is incorrect."),
        passes=(Pass(run / "questions" / "eval", tmp_path / "out", strategy, Sampling(max_tokens=48)),),
        log=tmp_path / "log",
        teacher=parse(engine),
        teacher_name=str(base),
    )
    with connected():
        roll_out(job, recipe.rollout, lambda tally, pace: None)
    attempts = pl.read_parquet(tmp_path / "out").select("attempts").explode("attempts").unnest("attempts")
    improved = attempts.filter(pl.col("turn") == 1)
    assert len(improved) == attempts.filter((pl.col("turn") == 0) & (pl.col("reward") < 1)).height > 0
    assert improved["teacher"].unique().to_list() == [str(base)]
    assert improved["context"].list.len().unique().to_list() == [3]
    assert attempts.filter(pl.col("turn") == 0)["teacher"].is_null().all()


def test_a_served_judge_that_cannot_judge_fails_nothing(mine: Path, base: Path, address: str) -> None:
    """The tiny model does sums, so nothing that it says can be read as a judgement."""
    engine = f"{{_component_: factory.engines.openai.OpenAI, base_url: '{address}', served_model: {base}}}"
    judge = f"judge={{engine: {engine}, rubric: '{{question}} {{answer}} {{rationale}}', sampling: {{max_tokens: 8}}}}"
    stages = Stages(load_recipe(str(mine / "recipe.yaml"), [judge]), Run(mine))
    with connected():
        stages.judge(0)
    record = stages.run.records(0)["judge"]
    told = pl.concat(said(shard) for shard in shards(mine / "gen-0" / "judge" / "rollouts"))
    assert (record["judge"], record["errors"], record["passed"]) == (str(base), 0, 0)
    assert record["rationales"] == told.height > 0
    assert record["completion_tokens"] > 0
    assert told["judge passed"].is_null().all()
    assert all("the judge" in reason for reason in told["judge reason"])


def test_the_same_seed_gives_the_same_text(base: Path, address: str) -> None:
    asked = [(SUMS[0], seed, Sampling(temperature=1.5, max_tokens=24)) for seed in range(6)]
    first = sample(str(base), address, asked)
    assert sample(str(base), address, asked[::-1])[::-1] == first
    assert len({completion.text for completion in first}) > 1


def test_sampling_settings_reach_a_served_model(base: Path, address: str) -> None:
    samplings = [GREEDY, Sampling(temperature=2, top_k=1, max_tokens=24), Sampling(temperature=0, max_tokens=1)]
    greedy, of_one_token, short = sample(str(base), address, [(SUMS[0], 7, each) for each in samplings])
    assert of_one_token == greedy
    assert (short.finish_reason, short.completion_tokens) == ("length", 1)
    stop = (greedy.text[3:5],)
    [stopped] = sample(str(base), address, [(SUMS[0], 7, Sampling(temperature=0, max_tokens=24, stop=stop))])
    assert (stopped.text, stopped.finish_reason) == (cut(greedy, stop).text, "stop")
    [scored] = sample(str(base), address, [(SUMS[0], 7, GREEDY)], logprobs=True)
    assert scored.mean_logprob is not None
    assert -5 < scored.mean_logprob < 0
    assert replace(scored, mean_logprob=None) == greedy


def test_a_prompt_that_is_too_long_fails_alone(base: Path, address: str) -> None:
    with pytest.raises(ContextOverflow, match=r"^context overflow: .*256"):
        sample(str(base), address, [(TOO_LONG, 0, GREEDY)])
    assert sample(str(base), address, [(SUMS[0], 0, GREEDY)])[0].text


def test_a_model_that_is_not_served_is_told_with_those_that_are(base: Path, address: str) -> None:
    other = str(base.parent / "untrained")
    with pytest.raises(EngineMisconfigured, match=r"does not serve '.*/untrained'; did you mean '.*/base'"):
        sample(other, address, [])
    assert sample(other, address, [(SUMS[0], 0, GREEDY)], served_model=str(base))[0].text


def test_an_adapter_gives_the_texts_of_the_merged_model(base: Path, tmp_path: Path) -> None:
    network = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(base)
    plain = greedy_texts(network, tokenizer)
    write_and_merge_adapter(network, tmp_path)
    merged = greedy_texts(network, tokenizer)
    asked = json.dumps([str(base), str(tmp_path), SUMS, GREEDY.max_tokens, TOO_LONG])
    done = subprocess.run([sys.executable, "-c", ASK_ENGINE, asked], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    *texts, cut_off, overflow = json.loads(done.stdout.partition("RESULT")[2].splitlines()[0])
    assert texts == merged
    assert cut_off == "length"  # by the model's own, where max_tokens is beyond
    assert overflow == "context overflow: a prompt of 402 tokens, and the model takes 256 with its completion"
    assert merged != plain


def write_and_merge_adapter(network: Any, folder: Path, rank: int = 4, alpha: int = 8) -> None:
    """Write random LoRA weights on two kinds of layers, and add what they amount to to the model's own."""
    draw = torch.Generator().manual_seed(0)
    tensors: dict[str, torch.Tensor] = {}
    targets = ("q_proj", "down_proj")
    for name, layer in network.named_modules():
        if name.endswith(targets):
            a = torch.randn(rank, layer.in_features, generator=draw) * 0.1
            b = torch.randn(layer.out_features, rank, generator=draw) * 0.1
            layer.weight.data += alpha / rank * (b @ a)
            tensors |= {f"base_model.model.{name}.lora_A.weight": a, f"base_model.model.{name}.lora_B.weight": b}
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": alpha, "target_modules": targets}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    save_file(tensors, folder / "adapter_model.safetensors")


def greedy_texts(network: Any, tokenizer: Any) -> list[str]:
    texts = []
    for messages in SUMS:
        ids = torch.tensor([prompt_ids(tokenizer, messages)])
        made = network.generate(
            ids, max_new_tokens=GREEDY.max_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id
        )
        texts.append(tokenizer.decode(made[0, ids.shape[1] :], skip_special_tokens=True))
    return texts
