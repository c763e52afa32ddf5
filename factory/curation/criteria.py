"""Which attempts of a dialogue are learnt from: RISE's criteria (arXiv 2407.18219, section 4.3, and the authors' code).

A turn's attempt is the sample that the strategy went on from: the first with the turn's highest reward. Of these

==========  ============================================================================
criterion   what is kept
==========  ============================================================================
all         every one
better      those with a higher reward than the one before
best        those with no higher reward before them
success     the right ones (reward 1)
==========  ============================================================================

and always the first, but for ``success``. Of a text that would be kept twice the second is dropped afterwards; the
authors' code, with ``--remove_duplication``, drops it before, and from the prompts after it.

What is kept becomes an example of the dialogue up to there, with loss on its last message. Criteria are views: the
rollouts hold every attempt, so another one needs no sampling.
"""

import polars as pl


def judged(attempts: pl.DataFrame, criterion: str) -> pl.DataFrame:
    """The attempts with a column ``unkept``: ``not_best`` of its turn, dropped by the ``criterion``, or null.

    ``attempts`` are in the order in which they were made and have the columns ``rollout``, ``turn`` and ``reward``. One
    without a reward was not gone on from, and is not judged.
    """
    reward = pl.col("reward")
    highest = reward.is_not_null() & (reward == reward.max().over("rollout", "turn"))
    attempts = attempts.with_columns(highest=highest)
    nth = pl.col("highest").cum_sum().over("rollout", "turn")
    attempts = attempts.with_columns(taken=pl.col("highest") & (nth == 1))
    path = pl.when("taken").then(reward)
    attempts = attempts.with_columns(
        before=path.forward_fill().shift(1).over("rollout"),
        best_before=path.fill_null(-float("inf")).cum_max().shift(1).over("rollout"),
    )
    first = pl.col("before").is_null()
    kept = {
        "all": pl.lit(True),
        "better": first | (reward > pl.col("before")),
        "best": first | (reward >= pl.col("best_before")),
        "success": reward == 1,
    }
    unkept = pl.when(~pl.col("taken")).then(pl.lit("not_best")).when(~kept[criterion]).then(pl.lit("criterion"))
    return attempts.with_columns(unkept=pl.when(reward.is_not_null()).then(unkept))


def weight(tau: float, centred: bool) -> pl.Expr:
    """``exp(reward / tau)``; if ``centred``, of the reward less the mean of all the question's rewards (section 4.3;
    the authors' code does not)."""
    reward = pl.col("reward")
    return ((reward - (reward.mean().over("rollout") if centred else 0.0)) / tau).exp()
