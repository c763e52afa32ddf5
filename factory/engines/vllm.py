"""vLLM in the worker's process: an ``AsyncLLM`` that batches all requests of a worker continuously."""

import itertools
import json
import os
import subprocess
from pathlib import Path
from typing import Annotated, Any, ClassVar

import psutil
from pydantic import Field, PositiveInt

from factory.engines import Completion, ContextOverflow, EngineDead, EngineMisconfigured, Sampling, SamplingError
from factory.prompts import Message, prompt_ids

# Without a GPU. AsyncLLM runs its engine in a process of its own in any case; switching "multiprocessing" off keeps
# the engine from starting one more for its single CPU worker, which costs an import of vLLM (10-20 s). One thread
# a core with passive waiting is what stays fast on shared cores.
CPU_ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "OMP_WAIT_POLICY": "passive",
}

LORA_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM makes room for."""


class VLLM:
    """A vLLM engine for one model.

    Args:
        model: HF folder or Hub name of the model; given by the worker, not by the recipe.
        dtype: dtype of weights and activations. In bfloat16 a text may depend on what else is in the batch, so a
            repeated shard may differ here and there; in float32 it does not.
        max_model_len: longest prompt and completion together, in tokens.
        max_num_seqs: most requests in one batch.
        tensor_parallel_size: GPUs that share the model; ``rollout.gpus_per_engine`` must be as many.
        adapter: local folder of a LoRA adapter in PEFT's layout, which all requests use.
        logprobs: record the mean log-probability of each completion (costs about a quarter of the speed on a CPU).
        kv_cache_gib: size of the KV cache in GiB without a GPU; on a GPU vLLM takes ``gpu_memory_utilization``.
        engine_args: further arguments of vLLM's ``AsyncEngineArgs``, by their names.
    """

    NEUTRAL: ClassVar = ("max_num_seqs", "kv_cache_gib")

    def __init__(
        self,
        model: str,
        /,
        *,
        dtype: str = "auto",
        max_model_len: PositiveInt | None = None,
        max_num_seqs: PositiveInt = 256,
        tensor_parallel_size: PositiveInt = 1,
        adapter: Path | None = None,
        logprobs: bool = False,
        kv_cache_gib: Annotated[int, Field(gt=0)] = 1,
        engine_args: dict[str, Any] | None = None,
    ):
        on_gpu = Path("/dev/nvidiactl").exists()
        os.environ["VLLM_NO_USAGE_STATS"] = "1"
        if not on_gpu:
            os.environ.update(CPU_ENVIRONMENT, VLLM_CPU_KVCACHE_SPACE=str(kv_cache_gib))
        from vllm import SamplingParams
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.lora.request import LoRARequest
        from vllm.sampling_params import RequestOutputKind
        from vllm.v1.engine.async_llm import AsyncLLM
        from vllm.v1.engine.exceptions import EngineDeadError

        arguments: dict[str, Any] = {
            "model": model,
            "dtype": dtype,
            "max_model_len": max_model_len,
            "max_num_seqs": max_num_seqs,
            "tensor_parallel_size": tensor_parallel_size,
            "disable_log_stats": True,
        }
        if adapter is not None:
            arguments |= {"enable_lora": True, "max_lora_rank": _room_for(adapter)}
        self._adapter = LoRARequest("adapter", 1, str(adapter)) if adapter is not None else None
        if not on_gpu:
            # Seeded requests kill the CPU engine when a prompt is prefilled in chunks ("CPU Generator does not use
            # offset"); without chunks one step must hold a whole prompt.
            arguments |= {"enforce_eager": True, "enable_chunked_prefill": False}
            arguments["max_num_batched_tokens"] = max(4096, max_model_len or 0)
        self._llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**arguments | (engine_args or {})))
        _end_children_with_this_process()
        self._tokenizer = self._llm.get_tokenizer()
        self._numbers = itertools.count()
        self._logprobs = 0 if logprobs else None
        self._params = SamplingParams
        self._final_only = RequestOutputKind.FINAL_ONLY
        self._dead = EngineDeadError

    @staticmethod
    def problems(settings: dict[str, Any], gpus: float) -> list[str]:
        """What would fail at the start of the engine: see :mod:`factory.engines`."""
        problems = []
        wanted = settings["tensor_parallel_size"]
        if wanted > max(gpus, 1):
            problems.append(f"tensor_parallel_size={wanted}: rollout.gpus_per_engine is {gpus:g}, and must be {wanted}")
        if settings["adapter"] is not None:
            try:
                _room_for(settings["adapter"])
            except EngineMisconfigured as error:
                problems.append(str(error))
        return problems

    async def sample(self, messages: list[Message], seed: int, sampling: Sampling) -> Completion:
        params = self._params(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k,
            max_tokens=sampling.max_tokens,
            stop=list(sampling.stop),
            seed=seed,
            logprobs=self._logprobs,
            output_kind=self._final_only,
        )
        prompt = {"prompt_token_ids": prompt_ids(self._tokenizer, messages)}
        tokens, limit = len(prompt["prompt_token_ids"]), self._llm.model_config.max_model_len
        if tokens >= limit:
            raise ContextOverflow(f"a prompt of {tokens} tokens, and the model takes {limit} with its completion")
        try:
            number = str(next(self._numbers))
            async for output in self._llm.generate(prompt, params, number, lora_request=self._adapter):
                final = output
        except self._dead as error:
            raise EngineDead(str(error)) from error
        except ValueError as error:
            raise SamplingError(str(error)) from error
        completion = final.outputs[0]
        tokens = len(completion.token_ids)
        mean = completion.cumulative_logprob / tokens if self._logprobs is not None and tokens else None
        return Completion(completion.text, completion.finish_reason, len(final.prompt_token_ids), tokens, mean)

    def close(self) -> None:
        self._llm.shutdown()


def _room_for(adapter: Path) -> int:
    """The smallest ``max_lora_rank`` of vLLM's that holds the adapter.

    Raises:
        EngineMisconfigured: the folder holds no adapter, or one that is too large.
    """
    if not (adapter / "adapter_model.safetensors").is_file():  # without it vLLM would unpickle an adapter_model.bin
        raise EngineMisconfigured(f"adapter: '{adapter}' has no adapter_model.safetensors")
    try:
        rank = json.loads((adapter / "adapter_config.json").read_text())["r"]
        return next(room for room in LORA_RANKS if room >= rank)
    except (OSError, ValueError, KeyError, TypeError):
        raise EngineMisconfigured(f"adapter: '{adapter}' has no adapter_config.json with the rank 'r'") from None
    except StopIteration:
        raise EngineMisconfigured(f"adapter: rank {rank} of '{adapter}' is above {LORA_RANKS[-1]}") from None


def _end_children_with_this_process() -> None:
    """See that vLLM's processes do not outlive a worker that is killed: they do not watch their parent.

    A shell waits for the end of a pipe whose other end only this process holds, and then kills them.
    """
    children = " ".join(str(child.pid) for child in psutil.Process().children(recursive=True))
    if children:
        subprocess.Popen(["sh", "-c", f"read _; kill -9 {children}"], stdin=subprocess.PIPE, start_new_session=True)
