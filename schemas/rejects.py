"""One row per attempt that was not kept, with the reason."""

import pyarrow as pa

from schemas.columns import CHECKS, column, table

REASONS = ("wrong", "unparseable", "truncated", "error", "empty", "duplicate", "over_cap")
"""The verdict of an attempt that was not correct, or what curation had against a correct one. A correct attempt that
failed a process check has the reason ``check_<name>``."""

REJECTS = table(
    "rejects",
    "1.1",
    [
        column("attempt_id", pa.string(), "the attempt; a key of this table"),
        column("question_id", pa.string(), "the question it was made at"),
        column("generation", pa.int32(), "0-based generation that sampled it"),
        column("hinted", pa.bool_(), "whether the prompt showed the gold answer"),
        column(
            "reason", pa.string(), "wrong, unparseable, truncated, error, empty, duplicate, over_cap or check_<name>"
        ),
        column("checks", CHECKS, "the process checks it was put to; none unless it is correct", nullable=True),
        column("completion", pa.string(), "the text that was not kept"),
        column("predicted_answer", pa.string(), "what the verifier read as the final answer", nullable=True),
    ],
)
