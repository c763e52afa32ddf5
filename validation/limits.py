"""The limits of a recipe that the gate holds, and how much of a failure it shows."""

from dataclasses import dataclass

SHOWN = 5
"""How many failing rows a failure shows."""


@dataclass(frozen=True)
class Limits:
    """The limits of a recipe that the gate holds.

    Args:
        per_question: most examples of one question and turn, those of origin reference not counted.
        min_examples: fewest examples of the generation, those of origin reference or taken over not counted.
        max_error_share: largest share of attempts with the verdict error.
        tau: examples weigh exp(reward / tau), and wrong ones may be among them; None: all are right, and weigh 1.
        centred: the mean of a question's rewards is taken off its rewards before they are weighed.
        exemplars: questions that the prompts show with their answers; like those of the eval split not to be learnt.
        max_contaminated: largest share of what could be kept that may be dropped for being in an eval set; None: there
            are no eval sets.
        answers_only: the rationales that the recipe shows are answers alone, so that the examples may be.
    """

    per_question: int
    min_examples: int = 1
    max_error_share: float = 0.05
    tau: float | None = None
    centred: bool = False
    exemplars: tuple[str, ...] = ()
    answers_only: bool = False
    max_contaminated: float | None = None
