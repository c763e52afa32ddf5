"""One row per attempt that was not kept, with the reason."""

import pyarrow as pa

from schemas.columns import CHECKS, column, table

REASONS = (
    *("wrong", "unparseable", "truncated", "error", "context_overflow"),
    *("empty", "duplicate", "over_cap", "degenerate", "not_best", "criterion"),
    *("same_equations", "near_duplicate", "near_duplicate_question", "contaminated"),
    *("over_rationalized_share", "over_difficulty_share"),
)
"""The verdict of an attempt that was not correct, or what curation had against it. ``context_overflow`` is an error
whose dialogue no longer fitted the model; ``degenerate`` a text that repeats itself; ``not_best`` a sample of a turn
that has a better one; ``criterion`` one that the criterion does not keep. A correct attempt that failed a process check
has the reason ``check_<name>``. ``same_equations`` and ``near_duplicate`` say what another attempt at the question says
already, a ``near_duplicate_question`` asks what another question asks, ``contaminated`` is most of a test question; of
what is beyond a share of the recipe there is too much."""

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
        column("repeats", pa.string(), "the attempt, question or test question that it is like", nullable=True),
        column("similarity", pa.float32(), "how like: the share of word grams in common", nullable=True),
        column("shared", pa.string(), "the longest text that it has of a test question", nullable=True),
    ],
)
