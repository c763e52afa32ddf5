"""The run folder: where every stage writes, what is finished, and how it came about.

::

    runs/<name>/
      recipe.yaml, run.json        the resolved recipe and its identity
      factory.log                  the noise of Ray, vLLM, torchtune and Great Expectations
      questions/<split>/*.parquet  the snapshot of the corpus, in shards
      eval_sets/, flags/           what the examples are held against, and the questions that are flagged
      base/                        model 0
      probe/                       a few questions sampled before the others
      gen-N/                       rollouts/ evaluation/ judge/ examples/ rejects/ validation/ checkpoint/ views/
      records/*.json, gen-N/records/*.json

A stage is finished once its record is there. A record is written last and atomically, and says what went in and
what came out: it is the completion mark and the lineage. :mod:`factory.files` reads and writes the files.
"""

import fcntl
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import yaml

from factory.errors import ConfigError, FactoryError, in_a_line, nearest
from factory.files import address, digest, read_json, write_json, write_text
from factory.recipe.recipe import Recipe
from factory.recipe.settings import ROOT
from factory.record import Files, Record, described, held_against

PACKAGES = ("ray", "torch", "torchtune", "transformers", "polars", "pyarrow", "great-expectations")

WAYS_OUT = {
    "questions": "put it back from a copy: a run stands on its questions; or begin another run (RUN=...)",
    "flags": "delete {record}; the same command of iterate flags the questions again",
    "evaluation": "delete what is changed or foreign; the same command of iterate samples what is missing again",
    "rollouts": "delete what is changed or foreign; the same command of iterate samples what is missing again",
    "judge": "delete what is changed or foreign, and {record}; the same command of iterate asks the judge again",
    "curate": "delete {record}; the same command of iterate curates again",
    "base": "put it back from a copy, or begin another run (RUN=...)",
    "finetune": "put it back from a copy, or delete {record}: the same command of iterate trains it again",
}
"""What can be done about files that are not what a stage has written."""


@dataclass(frozen=True)
class Run:
    """A run folder that belongs to one recipe."""

    folder: Path

    @classmethod
    def open(cls, folder: Path, recipe: Recipe) -> "Run":
        """Create the folder, or go on in it.

        Raises:
            ConfigError: the folder holds a run of another recipe, cannot be written to, or is an address (``s3://``).
        """
        _refuse_address(folder)
        run = cls(folder)
        identity, text = recipe.identity(), yaml.safe_dump(recipe.resolved(), sort_keys=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / "records").exists():
                run._refuse_changes(recipe)
                write_text(folder / "recipe.yaml", text)  # where it publishes, say, may have changed
            elif not (folder / "run.json").exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
                raise ConfigError(
                    f"run folder '{folder}'", ["is not empty and holds no run; choose another with --run"]
                )
            else:  # new, or nothing has been finished in it: a mended recipe may take its place
                write_json(folder / "run.json", {"fingerprint": recipe.fingerprint(), "identity": identity})
                write_text(folder / "recipe.yaml", text)
        except OSError as error:
            raise ConfigError(f"run folder '{folder}'", [f"cannot be written: {in_a_line(error)}"]) from error
        return run

    @classmethod
    def existing(cls, folder: Path) -> "Run":
        """The run in a folder.

        Raises:
            ConfigError: there is none.
        """
        _refuse_address(folder)
        if not (folder / "run.json").exists():
            near = [path.parent.name for path in folder.parent.glob("*/run.json")]
            raise ConfigError(f"run '{folder}'", [f"there is no run in this folder{nearest(folder.name, near)}"])
        return cls(folder)

    def changed(self, recipe: Recipe) -> list[str]:
        """The settings that the run was begun with and that the recipe has otherwise."""
        before, now = read_json(self.folder / "run.json")["identity"], json.loads(json.dumps(recipe.identity()))
        # what changes no row, and where a run publishes, were parts of its identity once
        counted = {key for key in before.keys() - recipe.neutral() if "publish." not in key}
        return sorted(key for key in counted if before[key] != now.get(key))

    def _refuse_changes(self, recipe: Recipe) -> None:
        before, now = read_json(self.folder / "run.json")["identity"], json.loads(json.dumps(recipe.identity()))
        # a setting that came with a later release, and stands at its default, changes nothing that is finished
        added = [key for key in now.keys() - before.keys() if not recipe.at_default(key)]
        changed = sorted([*self.changed(recipe), *added])
        if changed:
            problems = [f"{key}: {before.get(key)!r} in the run, now {now.get(key)!r}" for key in changed]
            way_out = "a run is one recipe: give another folder with --run (RUN=... in make), or undo the change"
            raise ConfigError(f"run folder '{self.folder}' was made by another recipe", [*problems, way_out])

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder: two processes must not work in one run.

        Raises:
            FactoryError: another process holds it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".lock", "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise FactoryError(f"another process is working in '{self.folder}'") from error
            yield

    @property
    def fingerprint(self) -> str:
        """Of the recipe that the run was begun with."""
        found: str = read_json(self.folder / "run.json")["fingerprint"]
        return found

    @property
    def base(self) -> Path:
        return self.folder / "base"

    @property
    def log(self) -> Path:
        return self.folder / "factory.log"

    def questions(self, split: str) -> Path:
        return self.folder / "questions" / split

    @property
    def probe(self) -> Path:
        return self.folder / "probe"

    def generations(self) -> range:
        """The numbers of those that have begun."""
        return range(len(list(self.folder.glob("gen-*"))))

    def generation(self, number: int) -> Path:
        return self.folder / f"gen-{number}"

    def model(self, number: int) -> Path:
        """Model n: the base for 0, else the checkpoint trained on generation n-1."""
        return self.base if number == 0 else self.generation(number - 1) / "checkpoint"

    def identity_of(self, model: int) -> Record:
        """Path and digest of model n.

        Raises:
            FactoryError: it is gone, or not what its record says; reading it takes a second for 1 or 2 GB.
        """
        path = self.model(model)
        stage, generation = ("finetune", model - 1) if model else ("base", None)
        name = str(path.relative_to(self.folder))
        found = {"path": name, "sha256": digest(path) if path.is_dir() else None}
        recorded = (self.record(stage, generation) or {}).get("model", found)
        if found["sha256"] is None or found["sha256"] != recorded["sha256"]:
            kind = "was changed since it was made" if found["sha256"] else "is gone"
            raise FactoryError(f"run '{self.folder}': model {name}/ {kind}\n  {self._way_out(stage, generation)}")
        return found

    def described(self, *folders: Path) -> Files:
        """Digest and row count of the shards of some folders, by path relative to the run."""
        return described(self.folder, *folders)

    def recorded(self, stage: str, generation: int | None, *folders: Path) -> Files:
        """Digest and row count of the shards of some folders, which are what a finished stage has written there.

        Raises:
            FactoryError: one is missing, truncated, changed or foreign, or the stage has not finished.
        """
        record = self.record(stage, generation)
        if record is None:
            raise FactoryError(f"run '{self.folder}': {self._record_path(stage, generation)} is missing")
        written = {path: file for path, file in record["outputs"].items() if (self.folder / path).parent in folders}
        return held_against(written, self.folder, *folders, way_out=self._way_out(stage, generation))

    def arrived(self, reports: Files, *folders: Path) -> Files:
        """Digest and row count of the shards of some folders, which are there as their writers report by path.

        Raises:
            FactoryError: one is not; a worker's machine may not write to this folder.
        """
        written = {str(Path(path).relative_to(self.folder)): report for path, report in reports.items()}
        way_out = "either that machine does not write to this folder, or the disk is slow: give the same command again"
        return held_against(written, self.folder, *folders, way_out=way_out)

    def _way_out(self, stage: str, generation: int | None) -> str:
        return WAYS_OUT[stage].format(record=self._record_path(stage, generation))

    def record(self, stage: str, generation: int | None = None) -> Record | None:
        """The record of a finished stage; None if it has not finished."""
        path = self._record_path(stage, generation)
        return read_json(path) if path.exists() else None

    def records(self, generation: int) -> dict[str, Record]:
        """The records of all finished stages of a generation, by stage."""
        folder = self.generation(generation) / "records"
        return {path.stem: read_json(path) for path in sorted(folder.glob("*.json"))}

    def stage(self, stage: str, work: Callable[[], Record], generation: int | None = None) -> Record:
        """Run a stage unless its record says that it is finished; write its record last.

        ``work`` returns the stage's own part of the record: inputs, outputs, counts.
        """
        record = self.record(stage, generation)
        if record is None:
            started = time.monotonic()
            record = work()
            record = self.finish(stage, record, time.monotonic() - started, generation)
        return record

    def finish(self, stage: str, record: Record, seconds: float, generation: int | None = None) -> Record:
        """Write the record that completes a stage."""
        record = record | {
            "stage": stage,
            "generation": generation,
            "fingerprint": self.fingerprint,
            "seconds": round(seconds, 2),
            "code": code_commit(),
            "packages": {name: version(name) for name in PACKAGES},
        }
        write_json(self._record_path(stage, generation), record)
        return record

    def _record_path(self, stage: str, generation: int | None) -> Path:
        folder = self.folder if generation is None else self.generation(generation)
        return folder / "records" / f"{stage}.json"


def _refuse_address(folder: Path) -> None:
    if found := address(folder):
        problem = "a run folder is a folder of this machine, or one that all nodes of the cluster see; give a path"
        raise ConfigError(f"run folder '{found}'", [problem])


def code_commit() -> str:
    """The commit of this project's checkout, ``-dirty`` if it has changes; of an installed package the version."""
    if not (ROOT / ".git").exists():  # git would go up to a repository that only happens to be around
        return version("rationale-factory")
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # no git
        return "unknown"
