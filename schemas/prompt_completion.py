"""One row per right example, split into what is asked and what is trained on."""

import pyarrow as pa

from schemas.columns import MESSAGES, column, table

PROMPT_COMPLETION = table(
    "prompt_completion",
    "1.0",
    [
        column("prompt", MESSAGES, "the hint-free dialogue up to the rationale, oldest message first"),
        column("completion", MESSAGES, "the rationale, as the one message to be trained on"),
        column("question_id", pa.string(), "the question this example answers"),
        column("example_id", pa.string(), "the example; a key of this table"),
        column("origin", pa.string(), "sampled, rationalized, corrected or reference"),
        column("generation", pa.int32(), "0-based generation that sampled it"),
    ],
)
