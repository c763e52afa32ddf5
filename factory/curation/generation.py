"""The stage that curates a generation: what goes in, what is written, and what is counted."""

import shutil
from pathlib import Path

import polars as pl

from factory.curation import union
from factory.curation.checked import check_counts
from factory.curation.curate import curate
from factory.curation.flagging import Flagging
from factory.curation.seeds import answers_only, reference_examples
from factory.errors import FactoryError
from factory.files import shards, write_table
from factory.recipe.advisers import JUDGE
from factory.recipe.recipe import Recipe
from factory.record import Record
from factory.run import Run
from factory.terminal import line
from factory.verifiers.judgement import Judgement


def curated(recipe: Recipe, run: Run, flagging: Flagging, n: int, out: Path) -> Record:
    """Curate generation n into ``out``: shards of ``examples`` and ``rejects``, and the record of the stage.

    Returns:
        ``examples`` by origin, ``rejects`` by reason, ``checks`` (see :func:`factory.curation.checked.check_counts`),
        ``check_versions``, with ``curation.union`` ``taken_over``, and ``inputs`` and ``outputs`` with their digests.

    Raises:
        FactoryError: what it reads is not what was written, or what workers wrote did not arrive.
    """
    curation, rollouts = recipe.at(n).curation, run.generation(n) / "rollouts"
    rolled_out = run.recorded("rollouts", n, rollouts)
    inputs = rolled_out | flagging.inputs()
    inputs |= union.recorded(recipe, run, n)
    judgements = run.generation(n) / "judge" / "rollouts" if recipe.at(n).judge else None
    if judgements:
        judge = run.record("judge", n) or {}
        if judge.get("inputs") != rolled_out:
            raise FactoryError(
                f"run '{run.folder}': gen-{n}/judge was made of other rollouts than are there now; delete that folder "
                f"and gen-{n}/records/judge.json, and the same command of iterate asks the judge again"
            )
        inputs |= run.recorded("judge", n, judgements)
    examples, rejects = out / "examples", out / "rejects"
    for outdated in (examples, rejects):  # of a curation that was interrupted
        shutil.rmtree(outdated, ignore_errors=True)
    with line(f"gen {n}  curate") as shown:
        flags, tests = flagging.files(n, out)
        prompt = recipe.at(n).prompt
        written = curate(
            rollouts,
            examples,
            rejects,
            curation,
            answers_only=answers_only(run, prompt),
            hints=prompt.hints,
            flags=flags,
            eval_sets=tests,
            judgements=judgements,
            earlier=[run.generation(m) for m in union.earlier(recipe, n)],
        )
        if curation.keep_seeds:
            reference = reference_examples(run, recipe.at(n).prompt.prompt(), n, curation, recipe.warmup.dialogues)
            path = examples / "reference.parquet"
            written[str(path)] = write_table(path, reference)
        outputs = run.arrived(written, examples, rejects)
        kept, dropped = _count_by("origin", examples), _count_by("reason", rejects)
        taken = union.taken_over(examples, n) if curation.union else {}
        told = ", ".join(f"{count:,} {name}" for name, count in {**kept, **dropped}.items())
        shown.result(f"{told}; {sum(taken.values()):,} examples are taken over" if taken else told)
    return {
        "examples": kept,
        **({"taken_over": taken} if curation.union else {}),
        "rejects": dropped,
        "checks": check_counts(examples, rejects, n),
        "check_versions": curation.check_versions | ({JUDGE: Judgement.version} if judgements else {}),
        "inputs": inputs,
        "outputs": outputs,
    }


def _count_by(column: str, folder: Path) -> dict[str, int]:
    return dict(pl.scan_parquet(shards(folder)).group_by(column).len().sort(column).collect().iter_rows())
