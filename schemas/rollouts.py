"""One row per question and generation: every attempt made at it, right and wrong.

A question's attempts lie in one row, so everything that is decided per question (caps, duplicates, pass rates)
needs no shuffle.
"""

import pyarrow as pa

from schemas.columns import MESSAGES, column, table

VERDICTS = ("correct", "wrong", "unparseable", "truncated", "error")
"""``error`` means that sampling or verification itself failed: it counts neither as right nor as wrong."""

OVERFLOW = "context overflow"
"""How the ``error`` of an attempt begins whose prompt left the model no room."""

FINISH_REASONS = ("stop", "length", "error")

ATTEMPT = pa.struct(
    [
        column("attempt_id", pa.string(), "unique within the run: question_id/generation/s<sample>t<turn>[h]"),
        column("sample", pa.int32(), "0-based number of the sample among those of its turn, hinted or not"),
        column("turn", pa.int32(), "0-based number of the assistant message in its dialogue"),
        column("hinted", pa.bool_(), "whether the prompt showed the gold answer"),
        column("context", MESSAGES, "the hint-free messages this attempt answers, earlier turns included"),
        column("completion", pa.string(), "the sampled text, cut at the stop strings"),
        column("predicted_answer", pa.string(), "what the verifier read as the final answer", nullable=True),
        column("verdict", pa.string(), "correct, wrong, unparseable, truncated or error"),
        column("verifier", pa.string(), "name and version of the verifier"),
        column(
            "reward", pa.float32(), "what the strategy makes of the verdict; null where it uses none", nullable=True
        ),
        column("finish_reason", pa.string(), "stop, length (token limit) or error"),
        column("prompt_tokens", pa.int32(), "length of the prompt as sampled", unit="tokens"),
        column("completion_tokens", pa.int32(), "length of the completion", unit="tokens"),
        column("mean_logprob", pa.float32(), "mean log-probability per completion token", unit="nats", nullable=True),
        column("seed", pa.int64(), "the seed of this request"),
        column("temperature", pa.float32(), "the sampling temperature; 0 is greedy"),
        column("error", pa.string(), "why the verdict is error", nullable=True),
        column("teacher", pa.string(), "the teacher that wrote it; null where the model did", nullable=True),
    ]
)

ROLLOUTS = table(
    "rollouts",
    "1.1",
    [
        column("question_id", pa.string(), "the question; a key of this table"),
        column("question", pa.string(), "the text that was asked"),
        column("answer", pa.string(), "the gold final answer"),
        column("split", pa.string(), "train or eval"),
        column("difficulty", pa.string(), "the question's difficulty group", nullable=True),
        column("generation", pa.int32(), "0-based generation that sampled this rollout"),
        column("strategy", pa.string(), "name of the strategy"),
        column("model", pa.string(), "name of the model that was sampled"),
        column("attempts", pa.list_(ATTEMPT), "in the order in which the strategy asked for them"),
        column("solved", pa.bool_(), "whether any unhinted attempt is correct"),
        column(
            "pass_rate",
            pa.float32(),
            "correct / (all unhinted attempts without verdict error); null if there are none",
            nullable=True,
        ),
    ],
)
