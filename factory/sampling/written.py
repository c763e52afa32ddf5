"""The shards of rollouts that workers say they have written, held against those that are there.

A report reaches the driver through Ray and not through the run folder, so a write that did not arrive cannot take its
report along. The driver keeps each beside its shard, as ``.<shard>.json``, until the record of the stage holds them
all. A shard without one (the driver was killed in between, or it is of an earlier release) is read and held against
its questions.

A shard whose errors are tried again is replaced. Its report says so before (``retry``: how many ``errors``, and null
for ``mended``) and after (how many are ``mended``): no shard is tried a second time, and one that was replaced while
the driver was killed is read and held against its questions, too.
"""

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from factory.errors import FactoryError
from factory.files import digest, read_json, shards, write_json
from factory.record import Files, Record, held_against, readable
from factory.run import WAYS_OUT, Run
from factory.sampling.again import errors_in
from factory.sampling.worker import Job, Pass
from factory.terminal import console


class Written:
    """The shards of one pass, which are all sampled alike: from one model, and judged by one verifier.

    Args:
        asked: the shards of questions, as recorded.
        by: ``model``, ``verifier`` and ``prompt_sha256`` of what samples now, as a record has them.
        record: of the stage, if it has finished and shards of it are missing.
    """

    def __init__(self, run: Run, one: Pass, asked: Files, by: Record, record: Record | None = None):
        self.run, self.one, self.by, self.record = run, one, by, record
        self.table = str(one.out.relative_to(run.folder))
        self.asked = asked
        self.names = {f"{self.table}/{Path(path).name}": path for path in asked}
        self.reports: Files = {}

    def begin(self, job: Job) -> None:
        """Look at what is there before the rest is sampled.

        Raises:
            FactoryError: a shard is foreign or changed, or was sampled otherwise than the rest would be; says which,
                and the way out.
        """
        if self.record and (never := sorted(self.names.keys() - self.record["outputs"].keys())):
            raise FactoryError(
                f"{', '.join(never)}: were never there, and what was made of {self.table} lacks them (an earlier "
                "release did not notice). Delete the records of this stage and of those after it in this generation, "
                "and all is made again; what is published already needs another name (publish.name=...)"
            )
        for shard in shards(self.one.out):
            name = f"{self.table}/{shard.name}"
            recorded = self.record["outputs"].get(name) if self.record else None
            if recorded:
                self.reports[name] = recorded | {"by": self.record}
            elif name in self.names:
                self.reports[name] = self._reported(shard, job)
        held_against(self.reports, self.run.folder, self.one.out, way_out=WAYS_OUT["rollouts"])
        for report in self.reports.values():
            self._refuse_otherwise(report["by"])

    def add(self, shard: Path, report: Record) -> None:
        """Keep what a worker reports of a shard: ``host``, ``sha256``, ``rows``, ``errors``."""
        name = f"{self.table}/{shard.name}"
        report = report | {"by": self.by} | _tried(self.reports.get(name, {}), report["errors"])
        write_json(_beside(shard), report)
        self.reports[name] = report

    def to_try_again(self) -> frozenset[str]:
        """The names of the shards that have errors and were not tried again; their reports say so from now on. A stage
        that has finished has had its try."""
        found = set()
        for name, report in self.reports.items():
            shard = self.run.folder / name
            tried = report.get("retry", {}).get("mended") is not None
            if tried or (self.record and name in self.record["outputs"] and report["by"] is self.record):
                continue
            if there := report["errors"] if "errors" in report else errors_in(shard):
                self.reports[name] = report | {"retry": {"errors": there, "mended": None}}
                write_json(_beside(shard), self.reports[name])
                found.add(shard.name)
        return frozenset(found)

    def retried(self) -> dict[str, int]:
        """``{"errors", "mended"}``: how many attempts were tried again, and by how many the errors are fewer now."""
        tried = [report["retry"] for report in self.reports.values() if "retry" in report]
        return {name: sum(one[name] or 0 for one in tried) for name in ("errors", "mended")}

    def outputs(self) -> Files:
        """Digest and row count of every shard, once all are sampled.

        Raises:
            FactoryError: a shard is not there as its worker reported it, or has not a rollout of every question.
        """
        for name, path in self.names.items():
            rows, asked = self.reports.get(name, {}).get("rows", 0), self.asked[path]["rows"]
            if rows != asked:
                raise FactoryError(f"{name} has {rows:,} rollouts of {asked:,} questions; {WAYS_OUT['rollouts']}")
        return self.run.arrived({str(self.run.folder / path): one for path, one in self.reports.items()}, self.one.out)

    def repeats(self, outputs: Files, used: Sequence[str]) -> bool:
        """Whether the stage had finished, and what was sampled again is what it was.

        Raises:
            FactoryError: it is not, as happens where an engine does not repeat itself to the letter, and the stages
                ``used`` have worked with what it was. The new shards are deleted.
        """
        if self.record is None:
            return False
        other = sorted(path for path in outputs if outputs[path] != self.record["outputs"].get(path))
        if other and used:
            for path in other:
                (self.run.folder / path).unlink()
            raise FactoryError(
                f"{', '.join(other)}: sampled again, and not what it was when {', '.join(used)} used it: "
                "put it back from a copy"
            )
        if other:
            console.print(
                f"  {', '.join(other)}: sampled again, and not what it was; nothing has used it", markup=False
            )
        return not other

    def forget(self) -> None:
        """Delete the reports: the record holds them now."""
        for name in self.reports:
            _beside(self.run.folder / name).unlink(missing_ok=True)

    def _reported(self, shard: Path, job: Job) -> Record:
        """The report of a shard that is there, and that of its questions' names."""
        beside = _beside(shard)
        if not beside.exists():
            return self._adopted(shard, job)
        report: Record = read_json(beside)
        being_tried = "retry" in report and report["retry"]["mended"] is None
        if not being_tried or digest(shard) == report["sha256"]:
            return report
        adopted = self._adopted(shard, job)
        adopted |= _tried(report, errors_in(shard))
        write_json(beside, adopted)
        return adopted

    def _adopted(self, shard: Path, job: Job) -> Record:
        """A report of a shard that has none, from the shard itself."""
        with readable(shard):
            rows = pl.read_parquet(shard)
            asked = pl.read_parquet(self.run.folder / self.names[f"{self.table}/{shard.name}"])
            attempts = rows.select("attempts").explode("attempts").unnest("attempts")
            verifiers = sorted(attempts["verifier"].drop_nulls().unique())
            by = set(rows.select("generation", "model").iter_rows())
        same = rows["question_id"].equals(asked["question_id"]) and rows["question"].equals(asked["question"])
        if not same or by != {(job.generation, job.model_name)}:
            raise FactoryError(
                f"{shard}: holds rollouts of other questions or of another model; {WAYS_OUT['rollouts']}"
            )
        verifier = job.verifier()
        others = [name for name in verifiers if name != f"{verifier.name}/{verifier.version}"]
        judged = [dict(zip(("name", "version"), name.rsplit("/", 1), strict=True)) for name in others]
        report = {"sha256": digest(shard), "rows": rows.height}
        return report | {"by": self.by | ({"verifier": judged[0]} if judged else {})}

    def _refuse_otherwise(self, by: Record) -> None:
        """Shards of two models, or judged by two verifiers, are not one table."""
        folder = self.run.folder
        known: Record = {key: value for key, value in by.items() if key in self.by}
        if known.get("verifier", self.by["verifier"]) != self.by["verifier"]:
            before, now = ("{name}/{version}".format(**one["verifier"]) for one in (known, self.by))
            raise FactoryError(
                f"{self.table} was begun with the verifier {before}, and this release has {now}: their verdicts are "
                "not mixed in a table. Go on with the release that began it, or judge what is there anew and go on:\n"
                f"  python -m factory reverify {folder} --out NEW\n"
                f"  rm -r {folder / self.table}; mv NEW/{self.table} {folder / self.table}"
            )
        if changed := [key for key, value in known.items() if value != self.by[key]]:
            told = f"{changed[0]} {known[changed[0]]}, now {self.by[changed[0]]}"
            raise FactoryError(
                f"{self.table} was begun otherwise ({told}): put back what it was begun with, or delete {self.table}/"
            )


def _tried(before: Record, errors: int) -> Record:
    """What the report of a shard that may have been tried again says of that."""
    if "retry" not in before:
        return {}
    return {"errors": errors, "retry": before["retry"] | {"mended": max(0, before["retry"]["errors"] - errors)}}


def _beside(shard: Path) -> Path:
    """The file that keeps the report of a shard."""
    return shard.with_name(f".{shard.name}.json")
