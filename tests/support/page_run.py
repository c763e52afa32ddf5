"""Run folders for the tests of the page, written by hand: records and small shards, nothing sampled."""

from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import yaml

from factory.files import shards, write_table
from factory.recipe.load import load_recipe
from factory.run import Run
from schemas import EXAMPLES, QUESTIONS, REJECTS, ROLLOUTS
from tests.support.records import HEALTH

Row = dict[str, Any]

NASTY = (
    "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "<!-- {{data}} \u2028 \\u003c & 'quoted' ${document.title='owned'} "
)
AGAIN = "The answer is incorrect. Please try again."
MEASURED = {
    "pass@1": 0.5,
    "interval": [0.4, 0.6],
    "questions": 90,
    "by_difficulty": {"1 digit": 0.75, "2 digits": 0.25},
}
OVER_TURNS = {
    **{"m1@t1": 0.2, "m5@t1": 0.25, "m1@t5": 0.3, "p1@t5": 0.4},
    "per_turn": {"accuracy": [0.2, 0.3], "m1": [0.2, 0.235], "p1": [0.2, 0.4], "parallel": [0.2, 0.21]},
}


def attempt(question: str, generation: int, sample: int, verdict: str, **columns: Any) -> Row:
    """An attempt at a question of the same name; its id is made as the factory makes it."""
    turn, hinted = columns.get("turn", 0), columns.get("hinted", False)
    return dict.fromkeys(("reward", "mean_logprob", "error", "teacher")) | {
        "attempt_id": f"{question}/{generation}/s{sample}t{turn}{'h' * hinted}",
        "sample": sample,
        "turn": 0,
        "hinted": False,
        "context": [{"role": "user", "content": question}],
        "completion": f"It is {sample}.",
        "predicted_answer": str(sample),
        "verdict": verdict,
        "verifier": "exact/1",
        "finish_reason": "stop",
        "prompt_tokens": 9,
        "completion_tokens": 1234,
        "seed": 2**31 - 1 - sample,
        "temperature": 0.7,
        **columns,
    }


def rollout(
    question: str, generation: int, attempts: list[Row], split: str = "train", difficulty: str = "1 digit"
) -> Row:
    right = [one["verdict"] == "correct" for one in attempts if not one["hinted"]]
    return {
        "question_id": question,
        "question": question,
        "answer": "7",
        "split": split,
        "difficulty": difficulty,
        "generation": generation,
        "strategy": "star",
        "model": "base",
        "attempts": attempts,
        "solved": any(right),
        "pass_rate": sum(right) / len(right),
    }


def opened(folder: Path, **changes: Any) -> Run:
    """A run of ``star_arithmetic``, two generations and some settings changed, in which nothing is finished."""
    config = yaml.safe_load((Path(__file__).parents[2] / "recipes" / "star_arithmetic.yaml").read_text())
    recipe = folder / "mine.yaml"
    recipe.write_text(yaml.safe_dump(config | {"generations": 2} | changes))
    return Run.open(folder / "run", load_recipe(str(recipe)))


def finish(run: Run, number: int, stage: str, rows: list[Row], measured: Row | None = None) -> None:
    """Write the rollouts of a stage, ``evaluation`` or ``rollouts``, in two shards, and its record."""
    attempts = [one for row in rows for one in row["attempts"]]
    for shard, some in enumerate((rows[: len(rows) // 2], rows[len(rows) // 2 :])):
        write_table(run.generation(number) / stage / f"{shard:05}.parquet", pa.Table.from_pylist(some, ROLLOUTS))
    counts = {
        "questions": len(rows),
        "attempts": len(attempts),
        "solved": sum(row["solved"] for row in rows),
        "completion_tokens": sum(one["completion_tokens"] for one in attempts),
    }
    told = {"model": {"path": run.model(number).name}, **({"eval": measured} if measured else {})}
    outputs = run.described(run.generation(number) / stage)
    run.finish(stage, counts | told | {"outputs": outputs}, 1.5, number)


def curated(run: Run, number: int, rows: list[Row], kept: set[str], reasons: dict[str, str]) -> None:
    """Write examples and rejects: an attempt that is not kept is rejected for ``reasons``, or for its verdict."""
    examples, rejects = [], []
    for row in rows:
        for one in row["attempts"]:
            failed = reasons.get(one["attempt_id"]) == "check_columns"
            result = (False, "no <b>column</b>") if failed else (None, "no sum") if one["hinted"] else (True, None)
            checks = [{"name": "columns/1", "passed": result[0], "reason": result[1]}]
            both = {
                **{key: row[key] for key in ("question_id", "question", "answer", "difficulty", "generation", "model")},
                **{key: one[key] for key in ("attempt_id", "turn", "hinted", "completion", "predicted_answer", "seed")},
                "checks": checks if one["verdict"] == "correct" else [],
            }
            if one["attempt_id"] in kept:
                origin = "rationalized" if one["hinted"] else "corrected" if one["turn"] else "sampled"
                messages = [*one["context"], {"role": "assistant", "content": one["completion"]}]
                own = {"example_id": one["attempt_id"], "rationale": one["completion"], "messages": messages}
                examples.append(both | own | {"origin": origin, "weight": 1.5})
            else:
                rejects.append(both | {"reason": reasons.get(one["attempt_id"], one["verdict"])})
    reference = examples[0] | {"example_id": "r", "attempt_id": None, "origin": "reference"}
    folder = run.generation(number)
    write_table(folder / "examples" / "00000.parquet", pa.Table.from_pylist([*examples, reference], EXAMPLES))
    write_table(folder / "rejects" / "00000.parquet", pa.Table.from_pylist(rejects, REJECTS))
    by_origin = {"reference": 1} | dict(pl.DataFrame(examples)["origin"].value_counts().iter_rows())
    by_reason = dict(pl.DataFrame(rejects)["reason"].value_counts().iter_rows())
    checks = {"columns": {"sampled": {"passed": 2, "failed": 1, "not_applicable": 0}}}
    checks["columns"]["rationalized"] = {"passed": 0, "failed": 0, "not_applicable": 1}
    outputs = run.described(folder / "examples", folder / "rejects")
    told = {"examples": by_origin, "rejects": by_reason, "checks": checks, "outputs": outputs}
    run.finish("curate", told, 0.2, number)


def small(folder: Path) -> Run:
    """Generation 0 is curated, with a hint, a failed check and a dialogue; generation 1 sampled; model 2 not made."""
    run = opened(folder)
    questions = {"2+5": None, NASTY: None, "which": [{"label": "7", "text": "seven"}, {"label": "8", "text": "eight"}]}
    rows = [
        {"question_id": key, "corpus": "c", "split": "train", "question": key, "answer": "7", "choices": choices}
        for key, choices in questions.items()
    ]
    write_table(run.questions("train") / "00000.parquet", pa.Table.from_pylist(rows, QUESTIONS))
    turns = [("user", "2+5"), ("assistant", "It is 9, I think."), ("user", AGAIN)]
    dialogue = [{"role": role, "content": content} for role, content in turns]
    first = [
        rollout(
            "2+5",
            0,
            [
                attempt("2+5", 0, 0, "wrong", completion="It is 9, I think.", predicted_answer="9"),
                attempt("2+5", 0, 1, "correct"),
                attempt("2+5", 0, 2, "correct"),
                attempt("2+5", 0, 0, "correct", turn=1, context=dialogue, completion="No, 7.", reward=1.0),
            ],
        ),
        rollout(
            NASTY,
            0,
            [
                attempt(NASTY, 0, 0, "error", completion=NASTY, error=NASTY, predicted_answer=None),
                attempt(NASTY, 0, 1, "correct", completion=NASTY, predicted_answer=NASTY, mean_logprob=float("nan")),
            ],
            difficulty="2 digits",
        ),
        rollout(
            "which",
            0,
            [attempt("which", 0, 0, "truncated"), attempt("which", 0, 0, "correct", hinted=True, teacher="big")],
            difficulty="10 digits",
        ),
    ]
    finish(run, 0, "rollouts", first)
    finish(run, 0, "evaluation", [rollout("eval 1", 0, [attempt("eval 1", 0, 0, "unparseable")], "eval")], MEASURED)
    kept = {"2+5/0/s1t0", "2+5/0/s0t1", "which/0/s0t0h"}
    curated(run, 0, first, kept, {"2+5/0/s2t0": "duplicate", f"{NASTY}/0/s1t0": "check_columns"})
    for stage in ("validate", "publish", "finetune"):
        run.finish(stage, {"dataset": "registry/run/gen-0"}, 1.0, 0)
    run.finish("health", HEALTH, 1.0, 0)
    finish(run, 1, "rollouts", [rollout("2+5", 1, [attempt("2+5", 1, 0, "correct")])])
    right = [rollout("eval 1", 1, [attempt("eval 1", 1, 0, "correct")], "eval")]
    finish(run, 1, "evaluation", right, MEASURED | OVER_TURNS)
    return run


def large(folder: Path, attempts: int) -> Run:
    """One sampled generation of so many attempts, four a question."""
    run = opened(folder)
    verdicts = ("correct", "wrong", "wrong", "unparseable")
    rows = []
    for question in range(attempts // 4):
        said = [
            attempt(f"{question}+1", 0, sample, verdict, completion=f"{question} and {sample} steps, " * 12)
            for sample, verdict in enumerate(verdicts)
        ]
        rows.append(rollout(f"{question}+1", 0, said, difficulty=f"{len(str(question))} digits"))
    finish(run, 0, "rollouts", rows)
    return run


def attempts_of(run: Run) -> pl.DataFrame:
    """What polars finds in the run: a row an attempt, with generation, split, difficulty, verdict and reason."""
    files = [
        path
        for folder in run.folder.glob("gen-*/*")
        if folder.name in ("rollouts", "evaluation")
        for path in shards(folder)
    ]
    rows = pl.read_parquet(files).select("question_id", "generation", "split", "difficulty", "attempts")
    rejects = list(run.folder.glob("gen-*/rejects/*.parquet"))
    found = rows.explode("attempts").unnest("attempts")
    return found.join(pl.read_parquet(rejects).select("attempt_id", "reason"), on="attempt_id", how="left")
