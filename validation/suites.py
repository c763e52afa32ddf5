"""The suites: what must hold of a generation before it is published, each with the reason.

A suite belongs to one table of facts (:mod:`validation.facts`, :mod:`validation.curated`); two tables come from the
rollouts, one row per question and one per attempt. The description of an expectation is what a failure says; its notes
say what it protects, and both are shown in the Data Docs.

Importing this module imports Great Expectations, which takes seconds.
"""

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from schemas.questions import SPLITS
from schemas.rollouts import FINISH_REASONS, VERDICTS
from validation.expect import at_least, one_of, true, unique
from validation.limits import Limits
from validation.suites_curated import examples, rejects


def by_table(limits: Limits) -> dict[str, list[Expectation]]:
    return {
        "columns": columns(),
        "questions": questions(),
        "rollouts": rollouts(),
        "attempts": attempts(limits),
        "examples": examples(limits),
        "rejects": rejects(),
    }


def columns() -> list[Expectation]:
    return [
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="expected",
            column_B="found",
            description="every file has exactly the columns and types of its schema",
            notes="A missing, extra or retyped column breaks readers of the published files, and every other "
            "expectation: the other suites are judged only when this one holds.",
        )
    ]


def questions() -> list[Expectation]:
    return [
        true(
            "sampled",
            "every question of the train split has its rollout",
            "A shard that was lost, or deleted by hand, leaves a dataset that looks whole and is not.",
        ),
        true(
            "answer_written",
            "a gold answer is a text and not a Python value such as ['5'], {'value': 5}, b'5' or nan",
            "A corpus whose answers were no texts has been turned into some: no model gives such an answer, and every "
            "verdict of it is worthless.",
        ),
    ]


def rollouts() -> list[Expectation]:
    return [
        true(
            "complete",
            "no required column of a rollout is null",
            "The other expectations leave nulls out, so a missing value would pass them unseen.",
        ),
        unique(
            "question_id",
            "question_id is unique among the rollouts",
            "A question in two rows (a shard written twice) counts twice, and its caps and pass rate are wrong.",
        ),
        true(
            "as_asked",
            "question, answer, difficulty and split of a rollout are those of its question in the snapshot",
            "A rollout of another question (a foreign shard) has verdicts about another answer.",
        ),
        one_of("split", SPLITS, "The split keeps questions that measure a model out of its training."),
        at_least(
            "attempts",
            1,
            "a rollout has at least one attempt",
            "A question without attempts was lost while sampling; even a failure is an attempt, with verdict error.",
        ),
        true(
            "solved_agrees",
            "solved says whether any unhinted attempt is correct",
            "Curricula and reports rely on it; an attempt under the hint does not solve a question.",
        ),
        true(
            "pass_rate_agrees",
            "pass_rate is correct / (unhinted attempts without verdict error)",
            "Difficulty is read from it; an error is neither right nor wrong, or a broken engine looks like a "
            "weak model.",
        ),
    ]


def attempts(limits: Limits) -> list[Expectation]:
    return [
        true(
            "complete",
            "no required column of an attempt is null",
            "The other expectations leave nulls out, so a missing value would pass them unseen.",
        ),
        unique(
            "attempt_id",
            "attempt_id is unique among the attempts",
            "Examples and rejects are traced to their attempt by this key.",
        ),
        one_of("verdict", VERDICTS, "A verdict nobody knows is dropped by curation without a reason."),
        one_of("finish_reason", FINISH_REASONS, "Truncated completions are told from finished ones by it."),
        true(
            "error_explained",
            "an attempt has an error text exactly if its verdict is error",
            "A failing row is data, but only with its reason; a reason without the verdict would count as wrong.",
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="broken",
            value_set=[False],
            mostly=1 - limits.max_error_share,
            description=f"at most {limits.max_error_share:.3g} of the attempts have the verdict error",
            notes="Beyond that the engine or the verifier is broken, and what it left is not a fair sample. A dialogue "
            "that outgrew the context says nothing of the kind, and does not count.",
        ),
        true(
            "answer_present",
            "an attempt with verdict correct or wrong has a predicted answer",
            "Right and wrong are said of an answer; without one the verdict is unparseable.",
        ),
        true(
            "hint_free",
            "the context of a hinted attempt equals that of the question's unhinted attempts at turn 0",
            "The context becomes the training prompt; a difference means that the hint has leaked into it.",
        ),
        true(
            "temperature_valid",
            "temperature is finite and at least 0",
            "Sampling parameters are published and must be able to repeat the request.",
        ),
        true(
            "settled",
            "an attempt is either an example or a reject",
            "What is neither has been lost since it was sampled, and no count of the card is true.",
        ),
        *_clean(limits),
        *(
            at_least(column, 0, f"{column} is at least 0", "Costs and throughput are summed from it.")
            for column in ("prompt_tokens", "completion_tokens")
        ),
    ]


def _clean(limits: Limits) -> list[Expectation]:
    """What is expected of the attempts of a recipe that holds them against eval sets."""
    if limits.max_contaminated is None:
        return []
    return [
        gxe.ExpectColumnValuesToBeInSet(
            column="contaminated",
            value_set=[False],
            mostly=1 - limits.max_contaminated,
            description=f"at most {limits.max_contaminated:.3g} of what could be kept is dropped as contaminated",
            notes="Templated corpora overlap with an eval set harmlessly; one that has taken it in does not.",
        )
    ]
