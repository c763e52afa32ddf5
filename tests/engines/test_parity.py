"""A fine-tuned checkpoint in vLLM: the prompt ids that sampling and training use, the logits that transformers gives.

That training uses the same ids, and torchtune gives the same logits, is in test_finetune.py.
"""

import json
import subprocess
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from factory.prompts import Prompt, completion_ids, prompt_ids

SUMS = ("1+2", "12+34", "98765+43210")
COMPLETION = "2+4+0=06\n1+3+0=04\nThe answer is 46"

# vLLM in a process of its own: importing it changes how torch behaves in this one.
ASK_VLLM = """
import json, os, sys
from factory.engines.vllm import CPU_ENVIRONMENT
os.environ.update(CPU_ENVIRONMENT, VLLM_CPU_KVCACHE_SPACE="1", VLLM_NO_USAGE_STATS="1")
from vllm import LLM, SamplingParams

model, dialogues, texts = json.loads(sys.stdin.read())
llm = LLM(model=model, dtype="float32", max_model_len=256, enforce_eager=True, enable_chunked_prefill=False,
          max_num_batched_tokens=4096)
one = SamplingParams(max_tokens=1, temperature=0)
prompts = [output.prompt_token_ids for output in llm.chat(dialogues, one, use_tqdm=False)]
scored = llm.generate([{"prompt_token_ids": ids} for ids in texts],
                      SamplingParams(max_tokens=1, temperature=0, prompt_logprobs=0), use_tqdm=False)
logprobs = [[step[ids[i]].logprob for i, step in enumerate(output.prompt_logprobs) if step]
            for ids, output in zip(texts, scored)]
print("RESULT" + json.dumps([prompts, logprobs]))
"""


def test_prompt_ids_and_logits_agree_with_vllm(run: Path) -> None:
    model = run / "gen-0" / "checkpoint"
    tokenizer = AutoTokenizer.from_pretrained(model)
    prompt = Prompt()
    dialogues = [prompt.training_messages(text, None) for text in SUMS]
    dialogues += [prompt.sampling_messages(text, "46", None, 0, hinted=True) for text in SUMS]
    ours = [prompt_ids(tokenizer, messages) for messages in dialogues]
    texts = [[*ids, *completion_ids(tokenizer, COMPLETION)] for ids in ours]
    asked = json.dumps([str(model), dialogues, texts])
    done = subprocess.run([sys.executable, "-c", ASK_VLLM], input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    theirs, logprobs = json.loads(done.stdout.partition("RESULT")[2])
    assert theirs == ours

    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
    for ids, theirs_of_text in zip(texts, logprobs, strict=True):
        with torch.no_grad():
            scores = network(torch.tensor([ids])).logits[0].log_softmax(-1)
        expected = scores[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
        torch.testing.assert_close(torch.tensor(theirs_of_text), expected, atol=1e-4, rtol=1e-4)
