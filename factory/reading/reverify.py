"""The attempts of a run judged again by its verifier as it is now, without sampling: ``python -m factory reverify``.

A run is not changed by it: its records hold digests of its rollouts, and what is published stays as it is. The
judged rollouts can be written to a folder of their own, laid out as in the run.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from factory.attempt import Question
from factory.errors import ConfigError, FactoryError
from factory.files import shards, write_table
from factory.recipe.load import load_recipe
from factory.record import readable
from factory.run import Run
from factory.verifiers import Verifier, judge
from schemas import ROLLOUTS

SPLITS = {"evaluation": "eval", "rollouts": "train"}
"""The tables of attempts that a generation has, and the questions that each is made of."""

SHOWN = 10
"""Changed attempts that are shown."""


def reverify(folder: Path, overrides: Sequence[str] = (), out: Path | None = None) -> dict[str, Any]:
    """Judge every attempt of a run, shard by shard, and say what changed; also where sampling has not ended.

    ``{"run", "verifier", "tables": [...], "changed": [...]}``. A table has ``generation``, ``table``, ``attempts``,
    ``changed``, ``solved`` (questions: before, now), ``verdicts`` (attempts by ``old -> new``) and ``verifiers`` (who
    judged before). The first changed attempts have ``attempt_id``, ``question_id``, ``answer``, ``predicted_answer``
    (before, now) and ``verdict`` (before, now). An attempt that could not be sampled keeps its verdict.

    Args:
        overrides: ``key=value`` settings to judge by instead of the run's own, such as ``verifier.marked_only=true``.
        out: a new folder for the judged rollouts, ``gen-N/<table>/*.parquet``. A strategy's reward is null there where
            the verdict that it was made from has changed.

    Raises:
        ConfigError: no run, a recipe that no longer loads, or an ``out`` that is not empty.
        FactoryError: the run's questions are not those of its rollouts, or shards are not what was recorded.
    """
    run = Run.existing(folder)
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"folder '{out}'", ["is not empty; name a new one"])
    verifier: Verifier = load_recipe(str(folder / "recipe.yaml"), overrides).verifier()
    tables: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for generation, table in _sampled(run):
        verdicts: Counter[str] = Counter()
        verifiers: Counter[str] = Counter()
        before = now = 0
        for shard in shards(run.generation(generation) / table):
            with readable(shard):
                rows = pq.read_table(shard, columns=ROLLOUTS.names).to_pylist()
            before += sum(row["solved"] for row in rows)
            questions = _questions(run.questions(SPLITS[table]) / shard.name)
            for row in rows:
                verifiers.update(attempt["verifier"] for attempt in row["attempts"])
                for old, new in _judge_again(row, questions, verifier):
                    verdicts[f"{old['verdict']} -> {new['verdict']}"] += 1
                    if old["verdict"] != new["verdict"] and len(changed) < SHOWN:
                        changed.append(_shown(row, old, new))
            now += sum(row["solved"] for row in rows)
            if out is not None:
                path = out / f"gen-{generation}" / table / shard.name
                write_table(path, pa.Table.from_pylist(rows, schema=ROLLOUTS))
        tables.append(
            {
                "generation": generation,
                "table": table,
                "attempts": verdicts.total(),
                "changed": sum(count for change, count in verdicts.items() if _differs(change)),
                "solved": [before, now],
                "verdicts": dict(verdicts.most_common()),
                "verifiers": sorted(verifiers),
            }
        )
    return {
        "run": str(folder),
        "verifier": f"{verifier.name}/{verifier.version}",
        "tables": tables,
        "changed": changed,
    }


def told(report: dict[str, Any]) -> Iterator[str]:
    """The report as lines of text."""
    for table in report["tables"]:
        before, now = table["solved"]
        yield (
            f"gen {table['generation']}  {table['table']:<10}  {table['attempts']:>9,} attempts  "
            f"{table['changed']:>7,} changed  {before:,} -> {now:,} solved  "
            f"{' and '.join(table['verifiers']) or 'nothing'} -> {report['verifier']}"
        )
        yield from (f"{count:>17,} {change}" for change, count in table["verdicts"].items() if _differs(change))
    for one in report["changed"]:
        (old, new), (read, now) = one["verdict"], one["predicted_answer"]
        yield f"  {one['attempt_id']}: {old} ({read!r}) -> {new} ({now!r}); the answer is {one['answer']!r}"


def _sampled(run: Run) -> Iterator[tuple[int, str]]:
    """The tables of attempts, those that are still being sampled as well; finished ones are as recorded."""
    for generation in run.generations():
        for table, split in SPLITS.items():
            folder = run.generation(generation) / table
            if run.record(table, generation):
                run.recorded(table, generation, folder)
            if shards(folder):
                run.recorded("questions", None, run.questions(split))
                yield generation, table


def _questions(shard: Path) -> dict[str, dict[str, Any]]:
    """The questions of a shard by their id, for what verification needs and a rollout does not hold."""
    with readable(shard):
        return {row["question_id"]: row for row in pq.read_table(shard).to_pylist()}


def _judge_again(
    row: dict[str, Any], questions: dict[str, dict[str, Any]], verifier: Verifier
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Judge the attempts of a rollout in place; yields each as it was and as it is now."""
    name = row["question_id"]
    if name not in questions:
        raise FactoryError(f"the snapshot of the questions lacks {name}")
    question = Question.of(questions[name] | {key: row[key] for key in ("split", "question", "answer")})
    for attempt in row["attempts"]:
        old = dict(attempt)
        if attempt["finish_reason"] != "error":
            judged = judge(verifier, attempt["completion"], question, attempt["finish_reason"])
            attempt["verdict"], attempt["predicted_answer"] = judged.verdict, judged.predicted_answer
            attempt["verifier"] = f"{verifier.name}/{verifier.version}"
            attempt["error"] = judged.reason if judged.verdict == "error" else None
            attempt["reward"] = old["reward"] if judged.verdict == old["verdict"] else None
        yield old, attempt
    counted = [one for one in row["attempts"] if not one["hinted"] and one["verdict"] != "error"]
    correct = sum(one["verdict"] == "correct" for one in counted)
    row["solved"], row["pass_rate"] = correct > 0, correct / len(counted) if counted else None


def _shown(row: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return {
        "attempt_id": old["attempt_id"],
        "question_id": row["question_id"],
        "answer": row["answer"],
        "predicted_answer": [old["predicted_answer"], new["predicted_answer"]],
        "verdict": [old["verdict"], new["verdict"]],
    }


def _differs(change: str) -> bool:
    old, _, new = change.partition(" -> ")
    return old != new
