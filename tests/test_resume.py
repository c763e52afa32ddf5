"""kill -9 in every stage, then the same command: the same tables, nothing sampled twice. With a scripted engine."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.loop import SCRIPTED, TINY, Command, tables

SETTINGS = (SCRIPTED, "warmup.steps=0", "finetune.steps=2")


def _exists(*parts: str) -> Callable[[Path], bool]:
    return lambda run: run.joinpath(*parts).exists()


def _shards(folder: str, count: int) -> Callable[[Path], bool]:
    return lambda run: len(list(run.joinpath(folder).glob("*.parquet"))) >= count


# Each kill comes as soon as the sign is seen; the stage it hits is then under way.
KILLS = {
    "questions": _exists("run.json"),
    "base": _exists("records", "questions.json"),
    "rollouts": _shards("gen-0/rollouts", 2),
    "curate": _exists("gen-0", "records", "rollouts.json"),
    "health": _exists("gen-0", "records", "curate.json"),
    "validate": _exists("gen-0", "records", "health.json"),
    "publish": _exists("gen-0", "records", "validate.json"),
    "finetune": _exists("gen-0", ".checkpoint.tmp"),
    "final evaluation": _shards("gen-1/evaluation", 1),
}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    Command(run, *SETTINGS).finish()
    return run


def test_killed_in_every_stage(tmp_path: Path, uninterrupted: Path) -> None:
    run = tmp_path / "run"
    written: dict[Path, int] = {}
    for stage, sign in KILLS.items():
        command = Command(run, *SETTINGS)
        command.until(lambda sign=sign: sign(run))
        if stage == "final evaluation":
            _press_ctrl_c(command)
        else:
            command.stop(signal.SIGKILL)
        assert command.left_behind() == [], stage
        sampled = [*run.glob("gen-*/rollouts/*.parquet"), *run.glob("gen-*/evaluation/*.parquet")]
        assert {path: written.get(path, path.stat().st_mtime_ns) for path in sampled} == {
            path: path.stat().st_mtime_ns for path in sampled
        }, f"sampled again after the kill before {stage}"
        written |= {path: path.stat().st_mtime_ns for path in sampled}
    Command(run, *SETTINGS).finish()
    assert all(path.stat().st_mtime_ns == modified for path, modified in written.items())
    assert tables(run) == tables(uninterrupted)
    published = [path.parent / "registry" / "run" / "gen-0" for path in (run, uninterrupted)]
    ours, theirs = (json.loads((path / "manifest.json").read_text())["files"] for path in published)
    assert {path: file for path, file in ours.items() if path.endswith(".parquet")} == {
        path: file for path, file in theirs.items() if path.endswith(".parquet")
    }


def test_killed_while_errors_are_tried_again(tmp_path: Path) -> None:
    """A shard has been replaced, others have not: the same tables as without a fault and without a kill."""

    def settings(name: str, faults: float) -> tuple[str, str]:
        faulty = "_component_: tests.support.engines.Faulty"
        engine = f"{{{faulty}, notes: {tmp_path / name}, faults: {faults}, seconds: 0.3}}"
        return f"engine={engine}", "preflight.questions=0"  # the probe would ask all of so few questions first

    faulty, faultless = settings("asked", 0.5), settings("none", 0.0)
    run, other = tmp_path / "run", tmp_path / "other"
    command = Command(run, *faulty, small=TINY)

    def replaced() -> bool:
        return any(
            '"mended": ' in path.read_text() and '"mended": null' not in path.read_text()
            for path in run.glob("gen-0/*/.*.parquet.json")
        )

    command.until(replaced)
    command.stop(signal.SIGKILL)
    assert command.left_behind() == []
    Command(run, *faulty, small=TINY).end_after(run / "gen-0" / "records" / "rollouts.json")
    Command(other, *faultless, small=TINY).end_after(other / "gen-0" / "records" / "rollouts.json")
    sampled = ("gen-0/evaluation/*.parquet", "gen-0/rollouts/*.parquet")
    assert tables(run, *sampled) == tables(other, *sampled)
    retried = json.loads((run / "gen-0" / "records" / "rollouts.json").read_text())["retried"]
    assert retried["errors"] == retried["mended"] > 5


def _press_ctrl_c(command: Command) -> None:
    """The gentle kill: it ends within seconds, and says how to go on."""
    assert command.stop(signal.SIGINT) < 15
    assert command.process.returncode == 130
    assert "goes on from here" in command.printed()
    assert "Traceback" not in command.printed()


def test_a_finished_run_does_nothing_again(uninterrupted: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in uninterrupted.rglob("*.parquet")}
    Command(uninterrupted, *SETTINGS).finish()
    assert {path: path.stat().st_mtime_ns for path in uninterrupted.rglob("*.parquet")} == before


def test_a_changed_recipe_is_refused(uninterrupted: Path) -> None:
    command = Command(uninterrupted, *SETTINGS, "sampling.temperature=0.9", "strategy.samples=3")
    assert command.process.wait(60) == 2
    printed = command.printed()
    assert "sampling.temperature: 0.7 in the run, now 0.9" in printed
    assert "strategy.samples" in printed
    assert "--run" in printed


def test_status(uninterrupted: Path) -> None:
    command = [sys.executable, "-m", "factory", "status", str(uninterrupted), "--json"]
    status = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    first, last = status["generations"]
    assert status["recipe"] == "star_arithmetic"
    assert first["questions"] == 140
    assert first["attempts"] == 2 * first["questions"] + (first["questions"] - first["solved"])
    assert first["examples"]["sampled"] == first["solved"]
    assert sum(first["rejects"].values()) == first["attempts"] - sum(
        first["examples"][origin] for origin in ("sampled", "rationalized")
    )
    assert set(first["eval"]["by_difficulty"]) == {"1 digit", "2 digits", "3 digits"}
    assert set(first["seconds"]) == {"evaluation", "rollouts", "curate", "health", "validate", "publish", "finetune"}
    assert Path(first["dataset"]).is_dir()
    assert last["examples"] is None
    assert 0 < last["eval"]["pass@1"] < 1


def test_the_gate_stops_the_run_before_publishing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    faulty = "engine={_component_: factory.engines.scripted.Scripted, error_rate: 0.5}"
    command = Command(run, faulty, "warmup.steps=0")
    assert command.process.wait(200) == 1
    printed = command.printed()
    assert "generation 0 is not published" in printed
    assert "verdict error" in printed
    assert "sum-" in printed
    assert "Traceback" not in printed
    assert not (tmp_path / "registry" / "run" / "gen-0").exists()
    assert not (run / "gen-0" / "records" / "validate.json").exists()
    assert (run / "gen-0" / "validation" / "data_docs" / "index.html").exists()
