"""The suites: what must hold of a generation before it is published, each with the reason.

A suite belongs to one table of :mod:`validation.facts`; two tables come from the rollouts, one row per question
and one per attempt. The description of an expectation is what a failure says; its notes say what it protects, and
both are shown in the Data Docs.

Importing this module imports Great Expectations, which takes seconds.
"""

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from schemas.examples import ORIGINS
from schemas.questions import SPLITS
from schemas.rollouts import FINISH_REASONS, VERDICTS
from validation.limits import Limits


def by_table(limits: Limits) -> dict[str, list[Expectation]]:
    return {"columns": columns(), "rollouts": rollouts(), "attempts": attempts(limits), "examples": examples(limits)}


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


def rollouts() -> list[Expectation]:
    return [
        _true(
            "complete",
            "no required column of a rollout is null",
            "The other expectations leave nulls out, so a missing value would pass them unseen.",
        ),
        _unique(
            "question_id",
            "question_id is unique among the rollouts",
            "A question in two rows (a shard written twice) counts twice, and its caps and pass rate are wrong.",
        ),
        _one_of("split", SPLITS, "The split keeps questions that measure a model out of its training."),
        _at_least(
            "attempts",
            1,
            "a rollout has at least one attempt",
            "A question without attempts was lost while sampling; even a failure is an attempt, with verdict error.",
        ),
        _true(
            "solved_agrees",
            "solved says whether any unhinted attempt is correct",
            "Curricula and reports rely on it; an attempt under the hint does not solve a question.",
        ),
        _true(
            "pass_rate_agrees",
            "pass_rate is correct / (unhinted attempts without verdict error)",
            "Difficulty is read from it; an error is neither right nor wrong, or a broken engine looks like a "
            "weak model.",
        ),
    ]


def attempts(limits: Limits) -> list[Expectation]:
    return [
        _true(
            "complete",
            "no required column of an attempt is null",
            "The other expectations leave nulls out, so a missing value would pass them unseen.",
        ),
        _unique(
            "attempt_id",
            "attempt_id is unique among the attempts",
            "Examples and rejects are traced to their attempt by this key.",
        ),
        _one_of("verdict", VERDICTS, "A verdict nobody knows is dropped by curation without a reason."),
        _one_of("finish_reason", FINISH_REASONS, "Truncated completions are told from finished ones by it."),
        _true(
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
        _true(
            "answer_present",
            "an attempt with verdict correct or wrong has a predicted answer",
            "Right and wrong are said of an answer; without one the verdict is unparseable.",
        ),
        _true(
            "hint_free",
            "the context of a hinted attempt equals that of the question's unhinted attempts at turn 0",
            "The context becomes the training prompt; a difference means that the hint has leaked into it.",
        ),
        _true(
            "temperature_valid",
            "temperature is finite and at least 0",
            "Sampling parameters are published and must be able to repeat the request.",
        ),
        *(
            _at_least(column, 0, f"{column} is at least 0", "Costs and throughput are summed from it.")
            for column in ("prompt_tokens", "completion_tokens")
        ),
    ]


def examples(limits: Limits) -> list[Expectation]:
    return [
        gxe.ExpectColumnSumToBeBetween(
            column="from_attempt",
            min_value=limits.min_examples,
            description=f"the number of examples that are not reference is at least {limits.min_examples}",
            notes="A fine-tune on nothing new is wasted, and on fewer rows than a batch it trains nothing and "
            "still succeeds.",
        ),
        _true(
            "complete",
            "no required column of an example is null",
            "The other expectations leave nulls out, so a missing value would pass them unseen.",
        ),
        _unique("example_id", "example_id is unique among the examples", "A repeated example weighs double."),
        _one_of("origin", ORIGINS, "Mixtures and reports are made by origin."),
        _at_least("messages", 1, "an example has messages", "They are what a fine-tune reads."),
        _true(
            "ends_in_rationale",
            "the last message is the assistant's and equals the rationale",
            "The last message is the one trained on; what was verified and what is learnt must be one text.",
        ),
        _true(
            "roles_alternate",
            "user and assistant alternate after an optional system message",
            "Chat templates render other dialogues wrongly or not at all.",
        ),
        _true("rationale_present", "the rationale is not blank", "An empty rationale teaches to stop thinking."),
        _true(
            "weight_valid",
            "weight is finite and above 0",
            "One NaN or infinite weight makes the loss, and with it the model, NaN.",
        ),
        _true(
            "attempt_exists",
            "the attempt of an example is among its question's rollout",
            "An example that nobody sampled in this generation has no verdict and no lineage.",
        ),
        *_worth(limits),
        _true(
            "verdict_agrees",
            "an example has the verdict of its attempt",
            "Whoever loads the examples tells right ones from wrong ones by it.",
        ),
        _true(
            "reward_agrees",
            "an example has the reward of its attempt",
            "The weight is made from it, and other weights can be.",
        ),
        _true(
            "prompt_agrees",
            "the messages before the last equal the context of the attempt",
            "The context is hint-free, so a hint cannot reach a training prompt.",
        ),
        _true(
            "completion_agrees",
            "the rationale is the completion of the attempt",
            "The verdict was given to the completion; another text would be learnt unverified.",
        ),
        _true(
            "hint_agrees",
            "the attempt was hinted exactly if the origin is rationalized",
            "The share of rationalization is watched and can be left out of a mixture by origin.",
        ),
        _true(
            "in_train",
            "no example answers a question of the eval split",
            "A model trained on a question of the eval split cannot be measured with it.",
        ),
        _true(
            "question_unseen",
            "no example has the question text of the eval split or of an exemplar, white space and letter case aside",
            "Corpora repeat themselves: the same question may stand in both splits under two ids, and among those that "
            "the prompts show.",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="nth",
            max_value=limits.per_question,
            description=f"a question has at most {limits.per_question} examples of one turn that are not reference",
            notes="Easy questions have many correct attempts and would crowd out the hard ones.",
        ),
    ]


def _worth(limits: Limits) -> list[Expectation]:
    """What an example must be worth: right, or weighed by its reward."""
    if limits.tau is None:
        return [
            _true(
                "attempt_correct",
                "the attempt of an example has the verdict correct",
                "Only rationales that reach the right answer are learnt: the filter of STaR.",
            ),
            _true("weight_agrees", "weight is 1", "The method does not weigh its examples."),
        ]
    less = " less the question's mean reward" if limits.centred else ""
    return [
        _true(
            "weight_agrees",
            f"weight is exp(reward{less} / {limits.tau:g})",
            "A wrong attempt is learnt from at the weight of its reward and no other.",
        )
    ]


def _true(fact: str, description: str, notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeInSet(column=fact, value_set=[True], description=description, notes=notes)


def _unique(column: str, description: str, notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeUnique(column=column, description=description, notes=notes)


def _one_of(column: str, values: tuple[str, ...], notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeInSet(
        column=column, value_set=list(values), description=f"{column} is {' or '.join(values)}", notes=notes
    )


def _at_least(column: str, least: int, description: str, notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=least, description=description, notes=notes)
