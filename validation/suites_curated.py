"""The suites of what curation made of the attempts; see :mod:`validation.suites`."""

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation

from schemas.examples import ORIGINS
from validation.expect import at_least, one_of, true, unique
from validation.limits import Limits


def examples(limits: Limits) -> list[Expectation]:
    return [
        gxe.ExpectColumnSumToBeBetween(
            column="new",
            min_value=limits.min_examples,
            description=f"the number of new examples that are not reference is at least {limits.min_examples}",
            notes="A fine-tune on nothing new is wasted, and on fewer rows than a batch it trains nothing and "
            "still succeeds.",
        ),
        true(
            "complete",
            "no required column of an example is null",
            "The other expectations leave nulls out, so a missing value would pass them unseen.",
        ),
        unique("example_id", "example_id is unique among the examples", "A repeated example weighs double."),
        one_of("origin", ORIGINS, "Mixtures and reports are made by origin."),
        at_least("messages", 1, "an example has messages", "They are what a fine-tune reads."),
        true(
            "ends_in_rationale",
            "the last message is the assistant's and equals the rationale",
            "The last message is the one trained on; what was verified and what is learnt must be one text.",
        ),
        true(
            "roles_alternate",
            "user and assistant alternate after an optional system message",
            "Chat templates render other dialogues wrongly or not at all.",
        ),
        true("rationale_present", "the rationale is not blank", "An empty rationale teaches to stop thinking."),
        true(
            "reasons",
            "a rationale says more than its final answer",
            "An answer alone teaches to guess. A server that keeps the reasoning apart leaves such texts.",
        ),
        true(
            "as_asked",
            "question and answer of an example are those of its question in the snapshot",
            "The published text of a question must be the one that was asked and answered.",
        ),
        true(
            "weight_valid",
            "weight is finite and above 0",
            "One NaN or infinite weight makes the loss, and with it the model, NaN.",
        ),
        true(
            "attempt_exists",
            "the attempt of an example is among its question's rollout, in the generation that it names",
            "An example that nobody sampled there has no verdict and no lineage.",
        ),
        *_worth(limits),
        true(
            "verdict_agrees",
            "an example has the verdict of its attempt",
            "Whoever loads the examples tells right ones from wrong ones by it.",
        ),
        true(
            "reward_agrees",
            "an example has the reward of its attempt",
            "The weight is made from it, and other weights can be.",
        ),
        true(
            "prompt_agrees",
            "the messages before the last equal the context of the attempt",
            "The context is hint-free, so a hint cannot reach a training prompt.",
        ),
        true(
            "completion_agrees",
            "the rationale is the completion of the attempt",
            "The verdict was given to the completion; another text would be learnt unverified.",
        ),
        true(
            "hint_agrees",
            "the attempt was hinted exactly if the origin is rationalized",
            "The share of rationalization is watched and can be left out of a mixture by origin.",
        ),
        true(
            "in_train",
            "no example answers a question of the eval split",
            "A model trained on a question of the eval split cannot be measured with it.",
        ),
        true(
            "question_unseen",
            "no example has the question text of the eval split or of an exemplar, white space and letter case aside",
            "Corpora repeat themselves: the same question may stand in both splits under two ids, and among those that "
            "the prompts show.",
        ),
        *_unseen(limits),
        gxe.ExpectColumnValuesToBeBetween(
            column="nth",
            max_value=limits.per_question,
            description=f"a question has at most {limits.per_question} examples of one turn that are not reference",
            notes="Easy questions have many correct attempts and would crowd out the hard ones.",
        ),
    ]


def rejects() -> list[Expectation]:
    return [
        true(
            "complete",
            "no required column of a reject is null",
            "The other expectations leave nulls out, so a missing value would pass them unseen.",
        ),
        unique("attempt_id", "attempt_id is unique among the rejects", "A reject told twice counts twice."),
        true(
            "reason_known",
            "reason is one of schemas/rejects.py or check_<name>",
            "A reject is worth keeping for its reason.",
        ),
        true(
            "attempt_exists",
            "the attempt of a reject is among its question's rollout",
            "A reject that nobody sampled in this generation comes from another one.",
        ),
        true(
            "completion_agrees",
            "the text of a reject is the completion of its attempt",
            "The verdict was given to the completion.",
        ),
    ]


def _unseen(limits: Limits) -> list[Expectation]:
    """What is expected of the examples of a recipe that holds them against eval sets."""
    if limits.max_contaminated is None:
        return []
    return [
        true(
            "uncontaminated",
            "neither question nor rationale of an example is the text of a test question, white space and case aside",
            "Whoever measures a model of this data with that eval set measures what it has seen.",
        )
    ]


def _worth(limits: Limits) -> list[Expectation]:
    """What an example must be worth: right, or weighed by its reward."""
    if limits.tau is None:
        return [
            true(
                "attempt_correct",
                "the attempt of an example has the verdict correct",
                "Only rationales that reach the right answer are learnt: the filter of STaR.",
            ),
            true("weight_agrees", "weight is 1", "The method does not weigh its examples."),
        ]
    less = " less the question's mean reward" if limits.centred else ""
    return [
        true(
            "weight_agrees",
            f"weight is exp(reward{less} / {limits.tau:g})",
            "A wrong attempt is learnt from at the weight of its reward and no other.",
        )
    ]
