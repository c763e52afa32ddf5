"""One row per question of a corpus: what is asked and what the answer is."""

import pyarrow as pa

from schemas.columns import CHOICES, column, table

SPLITS = ("train", "eval", "seed")
"""train: sampled and trained on; eval: only measures a model; seed: comes with a reference rationale, never sampled."""

QUESTIONS = table(
    "questions",
    "1.1",
    [
        column("question_id", pa.string(), "stable and unique within the run: the same question, the same id"),
        column("corpus", pa.string(), "where the question comes from"),
        column(
            "split",
            pa.string(),
            "train (sampled and trained on), eval (only measured) or seed (given with its rationale)",
        ),
        column("question", pa.string(), "the text that is asked, without choices"),
        column("answer", pa.string(), "the gold final answer, in the form its verifier reads"),
        column("choices", CHOICES, "the choices of a multiple-choice question", nullable=True),
        column("reference_rationale", pa.string(), "the corpus's own solution; never shown as a hint", nullable=True),
        column("difficulty", pa.string(), "the group by which accuracy is reported, such as '3 digits'", nullable=True),
        column("metadata", pa.string(), "further facts of the corpus, as a JSON object", nullable=True),
        column("system", pa.string(), "what the system says before the question, of its own", nullable=True),
        column(
            "accepted_answers",
            pa.list_(pa.string()),
            "every answer that is accepted, the gold one first; null: only that one",
            nullable=True,
        ),
    ],
)
