"""One row per training example: what a fine-tune reads and what a generation publishes."""

import pyarrow as pa

from schemas.columns import CHECKS, MESSAGES, column, table

ORIGINS = ("sampled", "rationalized", "corrected", "reference")
"""sampled: without a hint, at once; rationalized: under the hint; corrected: in a later turn, after feedback;
reference: given, not sampled (a seed rationale; at turn 1 the failed attempt is another seed's rationale)."""

EXAMPLES = table(
    "examples",
    "1.2",
    [
        column("example_id", pa.string(), "unique within the generation"),
        column("question_id", pa.string(), "the question this example answers"),
        column("question", pa.string(), "the text of the question"),
        column("answer", pa.string(), "the gold final answer"),
        column("rationale", pa.string(), "the reasoning with the final answer, as sampled"),
        column("messages", MESSAGES, "the hint-free dialogue; the last message is the rationale, the one trained on"),
        column("origin", pa.string(), "sampled, rationalized, corrected or reference"),
        column("difficulty", pa.string(), "the question's difficulty group", nullable=True),
        column("turn", pa.int32(), "0-based turn of the trained message"),
        column("weight", pa.float32(), "factor of this example's loss; 1 unless the strategy weighs examples"),
        column("reward", pa.float32(), "the reward behind the weight", nullable=True),
        column("verifier", pa.string(), "name and version of the verifier that judged it", nullable=True),
        column("verdict", pa.string(), "what the verifier said; correct unless a strategy weighs", nullable=True),
        column("checks", CHECKS, "the process checks it was put to"),
        column("generation", pa.int32(), "0-based generation that sampled it"),
        column("model", pa.string(), "the model that wrote it; null for reference", nullable=True),
        column("attempt_id", pa.string(), "the attempt it was; null for reference", nullable=True),
        column("temperature", pa.float32(), "the sampling temperature; null for reference", nullable=True),
        column("seed", pa.int64(), "the seed of the request; null for reference", nullable=True),
    ],
)
