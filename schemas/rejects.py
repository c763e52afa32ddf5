"""One row per attempt that was not kept, with the reason."""

import pyarrow as pa

from schemas.columns import CHECKS, column, table

REASONS = (
    *("wrong", "unparseable", "truncated", "error", "context_overflow"),
    *("empty", "duplicate", "over_cap", "degenerate", "not_best", "criterion"),
    *("same_equations", "near_duplicate"),
)
"""The verdict of an attempt that was not correct, or what curation had against it. ``context_overflow`` is an error
whose dialogue no longer fitted the model; ``degenerate`` a text that repeats itself; ``not_best`` a sample of a turn
that has a better one; ``criterion`` one that the criterion does not keep. A correct attempt that failed a process check
has the reason ``check_<name>``. ``same_equations`` and ``near_duplicate`` say what another attempt at the question says
already."""

REJECTS = table(
    "rejects",
    "1.3",
    [
        column("attempt_id", pa.string(), "the attempt; a key of this table"),
        column("question_id", pa.string(), "the question it was made at"),
        column("generation", pa.int32(), "0-based generation that sampled it"),
        column("turn", pa.int32(), "0-based turn of the attempt", nullable=True),
        column("hinted", pa.bool_(), "whether the prompt showed the gold answer"),
        column("reason", pa.string(), f"{', '.join(REASONS)} or check_<name>"),
        column("checks", CHECKS, "the process checks it was put to; none unless it is correct", nullable=True),
        column("completion", pa.string(), "the text that was not kept"),
        column("predicted_answer", pa.string(), "what the verifier read as the final answer", nullable=True),
        column("repeats", pa.string(), "what it was dropped for: the attempt that says the same", nullable=True),
        column("similarity", pa.float32(), "how near it is to that; 1 where they are equal", nullable=True),
        column("shared", pa.string(), "the text that both have", nullable=True),
    ],
)
