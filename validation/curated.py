"""Row facts of examples and rejects: what curation made of the attempts."""

import polars as pl

from schemas import EXAMPLES, QUESTIONS, REJECTS, ROLLOUTS
from schemas.rejects import REASONS
from validation.facts import Paths, complete, key, present, scan
from validation.limits import Limits
from validation.texts import reasons

LEARNT = ("question", "rationale")
"""The texts of an example that must not be those of a test question."""


def example_facts(
    examples: Paths,
    attempts: pl.DataFrame,
    questions: Paths,
    limits: Limits,
    eval_sets: Paths = (),
    earlier: Paths = (),
) -> pl.DataFrame:
    """One row per example: ``example_id``, ``question_id``, ``attempt_id``, ``origin``, ``generation``, ``weight``,
    number of ``messages``, ``complete``, ``from_attempt`` (its origin is not reference), ``new`` (that, and it is not
    taken over from an earlier generation), ``nth`` (its number among those of its question and turn that are from an
    attempt), ``ends_in_rationale``, ``roles_alternate``, ``rationale_present``,
    ``weight_valid``, ``weight_agrees``, ``attempt_exists``, ``attempt_correct``, ``verdict_agrees``,
    ``reward_agrees``, ``prompt_agrees``, ``completion_agrees``, ``hint_agrees``, ``in_train``, ``question_unseen``,
    ``as_asked`` (question and answer are the snapshot's), ``reasons`` (it says more than its answer), and if there are
    eval sets ``uncontaminated`` (neither its question nor its rationale is the text of one of their questions).

    Args:
        examples: Parquet files of the EXAMPLES schema.
        attempts: what :func:`attempt_facts` returned for the rollouts behind the examples.
        questions: Parquet files of the QUESTIONS schema; those of the eval split must not be learnt.
        limits: how examples are weighed, what else must not be learnt, and whether rationales are wanted.
        eval_sets: Parquet files with test questions in a column ``question``.
        earlier: Parquet files of the ROLLOUTS schema: those of the generations whose examples may be taken over. An
            example is held against the attempt of its id in the generation that it names.
    """
    tests = (
        pl.scan_parquet([*map(str, eval_sets)]).select(text_key("question")).unique().collect() if eval_sets else None
    )
    in_tests = [] if tests is None else [text_key(name).is_in(tests.to_series().implode()) for name in LEARNT]
    eval_questions = (
        scan(questions, QUESTIONS)
        .filter(pl.col("split") == "eval")
        .select("question_id", text=text_key("question"))
        .collect(engine="streaming")
    )
    eval_ids = pl.concat([eval_questions["question_id"], attempts.filter(split="eval")["question_id"]]).unique()
    shown = pl.DataFrame({"question": limits.exemplars}, {"question": pl.String}).select(text=text_key("question"))
    unseen = pl.concat([eval_questions["text"], shown["text"]]).unique()
    tau, centred = limits.tau, limits.centred
    asked = key(pl.struct("question", "answer"))
    snapshot = scan(questions, QUESTIONS).select("question_id", known=asked).unique("question_id")
    last = pl.col("messages").list.last().struct.field
    roles = pl.col("messages").list.eval(pl.element().struct.field("role") + " ").list.join("", ignore_nulls=False)
    spoken = pl.col("messages").list.len() > 0
    rows = (
        scan(examples, EXAMPLES)
        .select(
            "example_id",
            "question_id",
            "attempt_id",
            "origin",
            "generation",
            "turn",
            "weight",
            "verdict",
            "reward",
            pl.col("messages").list.len().fill_null(0),
            prompt=key(pl.col("messages").list.head(pl.col("messages").list.len() - 1)),
            rationale=key(pl.col("rationale")),
            complete=complete(EXAMPLES),
            from_attempt=(pl.col("origin") != "reference").fill_null(True),
            ends_in_rationale=pl.when(spoken).then(
                ((last("role") == "assistant") & (last("content") == pl.col("rationale"))).fill_null(False)
            ),
            roles_alternate=pl.when(spoken).then(
                roles.str.contains(r"^(system )?(user assistant )*(user )?$").fill_null(False)
            ),
            rationale_present=present("rationale"),
            weight_valid=(pl.col("weight").is_finite() & (pl.col("weight") > 0)).fill_null(False),
            in_train=~pl.col("question_id").is_in(eval_ids.implode()).fill_null(True),
            asked=asked,
            reasons=reasons(pl.col("rationale"), pl.col("answer")),
            question_unseen=~text_key("question").is_in(unseen.implode()),
            **({"uncontaminated": ~pl.any_horizontal(in_tests)} if in_tests else {}),
        )
        .join(snapshot, on="question_id", how="left", maintain_order="left")
        .collect(engine="streaming")
    )
    known = attempts.select(
        "attempt_id",
        "question_id",
        "generation",
        "hinted",
        "context",
        "completion",
        judged="verdict",
        rewarded="reward",
        mean_reward=pl.col("reward").mean().over("question_id"),
    )
    taken = _attempts_of(earlier, rows["attempt_id"])
    known = pl.concat([known, taken.select(known.columns)])
    others = scan(earlier, ROLLOUTS).select(pl.col("generation").unique()).collect(engine="streaming")["generation"]
    exists = pl.col("judged").is_not_null()
    found = pl.col("from_attempt") & exists
    # the question of a reference example has no attempts: its mean reward is the example's own
    baseline = pl.when("from_attempt").then("mean_reward").otherwise("reward") if centred else 0.0
    weight = pl.lit(1.0) if tau is None else ((pl.col("reward") - baseline) / tau).exp()
    return (
        rows.join(
            known.unique("attempt_id", keep="first"),
            on=["attempt_id", "question_id", "generation"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            new=pl.col("from_attempt") & ~pl.col("generation").is_in(others.implode()).fill_null(False),
            nth=pl.when("from_attempt").then(pl.col("from_attempt").cum_sum().over("question_id", "turn")),
            attempt_exists=pl.when("from_attempt").then(exists),
            attempt_correct=pl.when(found).then(pl.col("judged") == "correct"),
            verdict_agrees=pl.when(found).then(pl.col("verdict").eq_missing(pl.col("judged"))),
            reward_agrees=pl.when(found).then(pl.col("reward").eq_missing(pl.col("rewarded"))),
            # the stored weight is a float32
            weight_agrees=pl.when("weight_valid").then(((pl.col("weight") / weight - 1).abs() < 1e-5).fill_null(False)),
            prompt_agrees=pl.when(found & (pl.col("messages") > 0)).then(pl.col("prompt") == pl.col("context")),
            completion_agrees=pl.when(found).then(pl.col("rationale") == pl.col("completion")),
            hint_agrees=pl.when(found).then(pl.col("hinted") == (pl.col("origin") == "rationalized")),
        )
        .with_columns(
            as_asked=pl.when(pl.col("in_train") & (exists | ~pl.col("from_attempt"))).then(
                (pl.col("asked") == pl.col("known")).fill_null(False)
            ),
            # what is blank is told apart, and what nobody sampled is as it was given
            reasons=pl.when(pl.lit(not limits.answers_only) & found & pl.col("rationale_present")).then("reasons"),
        )
        .drop("asked", "known", "prompt", "rationale", "verdict", "judged", "reward", "rewarded", "mean_reward", "turn")
        .drop("hinted", "context", "completion")
    )


def _attempts_of(rollouts: Paths, attempt_ids: pl.Series) -> pl.DataFrame:
    """What is known of some attempts of earlier generations, in the columns that an example is held against."""
    attempt = pl.element().struct.field
    return (
        scan(rollouts, ROLLOUTS)
        .select(
            "question_id",
            "generation",
            "attempts",
            mean_reward=pl.col("attempts").list.eval(attempt("reward")).list.mean(),
        )
        .explode("attempts", empty_as_null=False, keep_nulls=False)
        .unnest("attempts")
        .filter(pl.col("attempt_id").is_in(attempt_ids.implode()))
        .select(
            "attempt_id",
            "question_id",
            "generation",
            "hinted",
            "mean_reward",
            context=key(pl.col("context")),
            completion=key(pl.col("completion")),
            judged="verdict",
            rewarded="reward",
        )
        .collect(engine="streaming")
    )


def reject_facts(rejects: Paths, attempts: pl.DataFrame) -> pl.DataFrame:
    """One row per reject: ``attempt_id``, ``question_id``, ``reason``, ``complete``, ``reason_known``,
    ``attempt_exists``, ``completion_agrees``; ``attempts`` are what :func:`validation.facts.attempt_facts` returned."""
    reason = pl.col("reason")
    rows = scan(rejects, REJECTS).select(
        "attempt_id",
        "question_id",
        "reason",
        rejected=key(pl.col("completion")),
        complete=complete(REJECTS),
        reason_known=(reason.is_in(REASONS) | reason.str.starts_with("check_")).fill_null(False),
    )
    known = attempts.lazy().select("attempt_id", "question_id", "completion").unique("attempt_id", keep="first")
    facts = rows.join(known, on=["attempt_id", "question_id"], how="left", maintain_order="left").with_columns(
        attempt_exists=pl.col("completion").is_not_null(),
        completion_agrees=pl.when(pl.col("completion").is_not_null()).then(pl.col("completion") == pl.col("rejected")),
    )
    return facts.drop("rejected", "completion").collect(engine="streaming")


def text_key(column: str) -> pl.Expr:
    """The key of a text, the same for any letter case and any white space."""
    return key(pl.col(column).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars())
