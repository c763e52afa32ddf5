"""One row per pair of a right and a wrong answer to the same prompt: what preference training reads."""

import pyarrow as pa

from schemas.columns import MESSAGES, column, table

PAIRS = table(
    "pairs",
    "1.0",
    [
        column("question_id", pa.string(), "the question that both answer"),
        column("prompt", MESSAGES, "the hint-free dialogue that both answer, oldest message first"),
        column("chosen", MESSAGES, "the right answer: the last message of an example"),
        column("rejected", MESSAGES, "the wrong answer: an attempt that saw no hint"),
        column("origin", pa.string(), "that of the example: sampled, rationalized or corrected"),
        column("example_id", pa.string(), "the example; a key of this table"),
        column("attempt_id", pa.string(), "the attempt that is rejected; no other pair has it"),
        column("chosen_tokens", pa.int32(), "length of the right answer", unit="tokens"),
        column("rejected_tokens", pa.int32(), "length of the wrong answer", unit="tokens"),
        column("generation", pa.int32(), "0-based generation that sampled both"),
    ],
)
