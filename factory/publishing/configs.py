"""More datasets from the same tables, on request (``publish.configs``): made anew from rollouts and examples each time,
and the same each time.

A pair is an example that is right and an attempt that is wrong, at the same prompt to the letter. Neither is in two
pairs; the closest in length are paired first, so that length says little of what is right. What is rejected saw no
hint: its wrong answer is the model's own. Attempts whose answer was not found, was cut off or could not be judged are
in no pair.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa

from factory.files import to_schema, write_table
from schemas import PAIRS, PROMPT_COMPLETION


def config(name: str, tables: Mapping[str, Sequence[Path]], folder: Path) -> list[Path]:
    """Write the shards of one such dataset into a folder of its own.

    Args:
        name: ``pairs`` or ``prompt_completion``.
        tables: the shards of ``rollouts`` and ``examples``, in order.

    Returns:
        the shards, in the order of those they were made of.
    """
    make = {"pairs": pairs, "prompt_completion": prompt_completion}[name]
    paths = []
    for number, rows in enumerate(make(tables)):
        paths.append(folder / f"{number:05}.parquet")
        write_table(paths[-1], rows)
    return paths


def pairs(tables: Mapping[str, Sequence[Path]]) -> Iterator[pa.Table]:
    """A table of :data:`schemas.PAIRS` for every shard of rollouts."""
    if not tables["examples"]:
        return
    examples = pl.scan_parquet(list(tables["examples"]), glob=False).filter(pl.col("verdict") == "correct")
    right = examples.drop_nulls("attempt_id").select("attempt_id", "example_id", "origin").collect(engine="streaming")
    for shard in tables["rollouts"]:
        yield paired(pl.read_parquet(shard), right)


def paired(rollouts: pl.DataFrame, right: pl.DataFrame) -> pa.Table:
    """The pairs of some rollouts, in the order of the examples' attempts.

    Args:
        right: ``attempt_id``, ``example_id`` and ``origin`` of the examples that are right.
    """
    said = pl.col("context").list.eval(pl.element().struct.json_encode()).list.join("\n")
    attempts = (
        rollouts.select("question_id", "generation", "attempts")
        .explode("attempts", empty_as_null=False, keep_nulls=False)
        .unnest("attempts")
        .with_row_index("order")
        .with_columns(asked=said)
    )
    chosen = attempts.filter(pl.col("verdict") == "correct").join(right, on="attempt_id")
    own = ~pl.col("hinted") & (pl.col("verdict") == "wrong")
    rejected = attempts.filter(own & (pl.col("completion").str.strip_chars() != ""))
    distance = (pl.col("completion_tokens").cast(pl.Int64) - pl.col("completion_tokens_rejected")).abs()
    couples = chosen.join(rejected, on=["question_id", "asked"], suffix="_rejected").with_columns(distance=distance)
    couples = couples.sort("distance", "order", "order_rejected")
    taken, used = [], set[int]()
    for row, couple in enumerate(couples.select("order", "order_rejected").iter_rows()):
        if used.isdisjoint(couple):
            used.update(couple)
            taken.append(row)
    made = (
        couples[taken]
        .sort("order")
        .select(
            "question_id",
            "origin",
            "example_id",
            "generation",
            prompt="context",
            chosen=_answer("completion"),
            rejected=_answer("completion_rejected"),
            attempt_id="attempt_id_rejected",
            chosen_tokens="completion_tokens",
            rejected_tokens="completion_tokens_rejected",
        )
    )
    return to_schema(made, PAIRS)


def prompt_completion(tables: Mapping[str, Sequence[Path]]) -> Iterator[pa.Table]:
    """A table of :data:`schemas.PROMPT_COMPLETION` for every shard of examples; of a criterion that keeps wrong ones
    they are left out, for nobody would weigh them."""
    messages = pl.col("messages").list
    for shard in tables["examples"]:
        right = pl.col("verdict").is_null() | (pl.col("verdict") == "correct")  # null: given, not sampled
        rows = pl.read_parquet(shard).filter(right)
        split = rows.with_columns(prompt=messages.head(messages.len() - 1), completion=messages.tail(1))
        yield to_schema(split, PROMPT_COMPLETION)


def _answer(column: str) -> pl.Expr:
    """A dialogue of one message."""
    return pl.concat_list(pl.struct(role=pl.lit("assistant"), content=column))
