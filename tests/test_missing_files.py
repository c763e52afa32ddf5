"""Files of a run that are missing, truncated, changed or foreign stop the stage that reads them; none is published
around. With scripted engines, stage by stage, and by the command."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from factory.cluster import connected
from factory.errors import FactoryError
from factory.files import digest, write_table
from factory.reading.reverify import reverify
from factory.recipe.load import load_recipe
from factory.record import described
from factory.run import Run
from factory.sampling.probe import ColdStart
from factory.stages import Stages
from factory.verifiers.exact import Exact
from schemas import ROLLOUTS
from tests.support.loop import SMALL, Command

SETTINGS = [
    *SMALL,
    "engine={_component_: factory.engines.scripted.Scripted, accuracy: 0.5, hinted_accuracy: 0.8}",
    *("warmup.steps=0", "finetune.steps=2", "publish_model=true"),
]
FINISHED = ("evaluation", "rollouts")


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    with connected():
        yield


def stages_of(folder: Path, *settings: str) -> Stages:
    recipe = load_recipe("star_arithmetic", [*SETTINGS, f"publish.registry={folder.parent / 'registry'}", *settings])
    return Stages(recipe, Run.open(folder, recipe))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose first generation may be published."""
    folder = tmp_path_factory.mktemp("judged") / "run"
    stages = stages_of(folder)
    stages.snapshot()
    stages.make_base()
    stages.sample(0, *FINISHED)
    stages.curate(0)
    stages.validate(0)
    return folder


@pytest.fixture
def stages(judged: Path, tmp_path: Path) -> Stages:
    """A copy of it, for a test to damage."""
    return stages_of(Path(shutil.copytree(judged, tmp_path / "run")))


def unlink(path: Path) -> None:
    path.unlink()


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def change(path: Path) -> None:
    pl.read_parquet(path).reverse().write_parquet(path)


def foreign(path: Path) -> None:
    shutil.copy(path, path.with_name("77777.parquet"))


FAULTS: list[tuple[Callable[[Path], None], str]] = [
    (unlink, "{0} is missing"),
    (truncate, "{0} is truncated, or no Parquet file"),
    (change, "{0} was changed"),
    (foreign, "77777.parquet is foreign"),
]


def refused(work: Callable[[], Any], *words: str) -> None:
    with pytest.raises(FactoryError) as error:
        work()
    for text in words:
        assert text in str(error.value)


def unfinished(run: Run, *stages: str) -> None:
    for stage in stages:
        (run.generation(0) / "records" / f"{stage}.json").unlink()


@pytest.mark.parametrize(("fault", "told"), FAULTS)
def test_rollouts_are_held_against_their_record(stages: Stages, fault: Callable[[Path], None], told: str) -> None:
    shard = stages.run.generation(0) / "rollouts" / "00002.parquet"
    fault(shard)
    told = told.format("gen-0/rollouts/00002.parquet")
    refused(lambda: stages.publish(0), told, "the same command of iterate samples what is missing again")
    unfinished(stages.run, "validate")
    refused(lambda: stages.validate(0), told)
    unfinished(stages.run, "curate")
    refused(lambda: stages.curate(0), told)
    refused(lambda: stages.view(0, "all"), told)
    assert not (stages.run.folder.parent / "registry").exists()


@pytest.mark.parametrize("table", ["examples", "rejects"])
@pytest.mark.parametrize(("fault", "told"), FAULTS)
def test_what_was_curated_is_held_against_its_record(
    stages: Stages, table: str, fault: Callable[[Path], None], told: str
) -> None:
    fault(stages.run.generation(0) / table / "00001.parquet")
    told = told.format(f"gen-0/{table}/00001.parquet")
    refused(lambda: stages.publish(0), told, "curate.json; the same command of iterate curates again")
    unfinished(stages.run, "validate")
    refused(lambda: stages.validate(0), told)
    if table == "examples":
        refused(lambda: stages.finetune(0), told)
    unfinished(stages.run, "curate")
    stages.curate(0)
    assert stages.run.record("curate", 0)


def test_a_curation_that_was_interrupted_leaves_nothing_behind(stages: Stages) -> None:
    before = described(stages.run.folder, stages.run.generation(0) / "examples")
    foreign(stages.run.generation(0) / "examples" / "00001.parquet")
    unfinished(stages.run, "curate")
    stages.curate(0)
    assert described(stages.run.folder, stages.run.generation(0) / "examples") == before


@pytest.mark.parametrize(("fault", "told"), FAULTS)
def test_questions_are_held_against_their_record(stages: Stages, fault: Callable[[Path], None], told: str) -> None:
    fault(stages.run.questions("train") / "00001.parquet")
    told = told.format("questions/train/00001.parquet")
    unfinished(stages.run, "validate", "rollouts")
    refused(lambda: stages.sample(0, *FINISHED), told, "a run stands on its questions")
    (stages.run.generation(0) / "records" / "rollouts.json").write_text("{}")
    refused(lambda: stages.validate(0), told)


@pytest.mark.parametrize("gone", [False, True])
def test_a_base_that_is_another_or_gone_is_not_trained_nor_sampled(stages: Stages, gone: bool) -> None:
    weights = stages.run.base / "model.safetensors"
    if gone:
        shutil.rmtree(stages.run.base)
    else:
        weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    told = "model base/ is gone" if gone else "model base/ was changed since it was made"
    refused(lambda: stages.finetune(0), told, "put it back from a copy")
    unfinished(stages.run, "rollouts")
    refused(lambda: stages.sample(0, *FINISHED), told)


@pytest.mark.parametrize("table", FINISHED)
def test_a_shard_that_was_deleted_is_sampled_again_and_is_what_it_was(stages: Stages, table: str) -> None:
    folder = stages.run.generation(0) / table
    before = {path: (digest(path), path.stat().st_mtime_ns) for path in folder.glob("*.parquet")}
    record = stages.run.record(table, 0)
    (folder / "00001.parquet").unlink()
    stages.sample(0, *FINISHED)
    after = {path: (digest(path), path.stat().st_mtime_ns) for path in folder.glob("*.parquet")}
    assert {path: one[0] for path, one in before.items()} == {path: one[0] for path, one in after.items()}
    assert [path.name for path in before if before[path] != after[path]] == ["00001.parquet"]
    assert stages.run.record(table, 0) == record
    assert not list(folder.glob(".*"))


def test_rollouts_of_a_published_generation_may_be_put_away(stages: Stages) -> None:
    stages.publish(0)
    shutil.rmtree(stages.run.generation(0) / "rollouts")
    stages.sample(0, *FINISHED)
    assert not (stages.run.generation(0) / "rollouts").exists()


def test_sampled_again_and_not_what_it_was(stages: Stages, capsys: pytest.CaptureFixture[str]) -> None:
    """As on a GPU, which does not repeat itself to the letter: here the record says that there was another."""
    shard = stages.run.generation(0) / "rollouts" / "00001.parquet"
    path = stages.run.generation(0) / "records" / "rollouts.json"
    record = json.loads(path.read_text())
    record["outputs"]["gen-0/rollouts/00001.parquet"]["sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    shard.unlink()
    refused(lambda: stages.sample(0, *FINISHED), "sampled again, and not what it was when curate, validate used it")
    assert not shard.exists()
    unfinished(stages.run, "curate", "validate")
    stages.sample(0, *FINISHED)
    assert "sampled again, and not what it was" in capsys.readouterr().out
    stages.curate(0)


def test_a_generation_that_an_earlier_release_finished_without_a_shard(stages: Stages) -> None:
    path = stages.run.generation(0) / "records" / "rollouts.json"
    record = json.loads(path.read_text())
    del record["outputs"]["gen-0/rollouts/00001.parquet"]
    path.write_text(json.dumps(record))
    (stages.run.generation(0) / "rollouts" / "00001.parquet").unlink()
    refused(lambda: stages.sample(0, *FINISHED), "gen-0/rollouts/00001.parquet: were never there")


def half_sampled(stages: Stages) -> Path:
    """The run as it was before its rollouts had ended, by a release that kept no reports of the workers."""
    unfinished(stages.run, "rollouts", "curate", "validate")
    folder = stages.run.generation(0) / "rollouts"
    for number in (3, 4):
        (folder / f"0000{number}.parquet").unlink()
    return folder


def test_shards_without_a_report_are_held_against_their_questions(stages: Stages) -> None:
    whole = described(stages.run.folder, stages.run.generation(0) / "rollouts")
    folder = half_sampled(stages)
    first, second = folder / "00000.parquet", folder / "00001.parquet"
    kept = first.read_bytes()
    shutil.copy(second, first)
    refused(lambda: stages.sample(0, *FINISHED), "00000.parquet: holds rollouts of other questions", "delete")
    truncate(first)
    refused(lambda: stages.sample(0, *FINISHED), "00000.parquet: cannot be read as a Parquet file")
    first.write_bytes(b"no Parquet")
    refused(lambda: stages.sample(0, *FINISHED), "00000.parquet: cannot be read as a Parquet file")
    pl.DataFrame({"a": [1]}).write_parquet(first)
    refused(lambda: stages.sample(0, *FINISHED), "00000.parquet: cannot be read as a Parquet file")
    first.write_bytes(kept)
    foreign(first)
    refused(lambda: stages.sample(0, *FINISHED), "77777.parquet is foreign")
    (folder / "77777.parquet").unlink()
    stages.sample(0, *FINISHED)
    assert described(stages.run.folder, folder) == whole


def judged_by(path: Path, verifier: str) -> None:
    attempts = pl.col("attempts").list.eval(pl.element().struct.with_fields(verifier=pl.lit(verifier)))
    write_table(path, pl.read_parquet(path).with_columns(attempts).to_arrow().cast(ROLLOUTS))


def test_a_generation_is_not_judged_by_two_verifiers(stages: Stages, tmp_path: Path) -> None:
    folder = half_sampled(stages)
    for path in folder.glob("*.parquet"):
        judged_by(path, "exact/0")
    refused(
        lambda: stages.sample(0, *FINISHED),
        f"gen-0/rollouts was begun with the verifier exact/0, and this release has exact/{Exact.version}",
        f"reverify {stages.run.folder} --out NEW",
    )
    reverify(stages.run.folder, out=tmp_path / "new")  # the way out, as told
    shutil.rmtree(folder)
    shutil.move(tmp_path / "new" / "gen-0" / "rollouts", folder)
    stages.sample(0, *FINISHED)
    attempts = pl.read_parquet(folder).select("attempts").explode("attempts").unnest("attempts")
    assert attempts["verifier"].unique().to_list() == [f"exact/{Exact.version}"]
    stages.curate(0)


@pytest.mark.parametrize(
    ("by", "told"),
    [
        ({"verifier": {"name": "exact", "version": "0"}}, "begun with the verifier exact/0"),
        ({"model": {"path": "base", "sha256": "0" * 64}}, "was begun otherwise (model"),
    ],
)
def test_reports_say_who_sampled_and_judged(stages: Stages, by: dict[str, Any], told: str) -> None:
    folder = half_sampled(stages)
    known = {"verifier": {"name": "exact", "version": Exact.version}, "model": stages.run.identity_of(0)}
    for path in folder.glob("*.parquet"):
        report = {"sha256": digest(path), "rows": 20, "host": "here", "by": known | by}
        path.with_name(f".{path.name}.json").write_text(json.dumps(report))
    refused(lambda: stages.sample(0, *FINISHED), told)


def test_a_report_outlives_what_it_reports(stages: Stages) -> None:
    folder = half_sampled(stages)
    shard = folder / "00001.parquet"
    report = {"sha256": "0" * 64, "rows": 20, "host": "node-7", "by": {}}
    (folder / ".00001.parquet.json").write_text(json.dumps(report))
    refused(lambda: stages.sample(0, *FINISHED), "gen-0/rollouts/00001.parquet was changed", "samples what is missing")
    shard.unlink()
    stages.sample(0, *FINISHED)
    assert not list(folder.glob(".*"))


def test_a_write_that_does_not_arrive(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    lost = folder / "gen-0" / "rollouts" / "00001.parquet"
    component = f"_component_: tests.support.engines.Forgotten, loses: {lost}, notes: {tmp_path / 'lost'}"
    stages = stages_of(folder, f"engine={{{component}}}", "preflight.questions=0")
    stages.snapshot()
    stages.make_base()
    refused(
        lambda: stages.sample(0, *FINISHED), "gen-0/rollouts/00001.parquet is missing, and the worker on", "(20 rows)"
    )
    assert stages.run.record("rollouts", 0) is None
    sampled = {path: path.stat().st_mtime_ns for path in lost.parent.glob("*.parquet")}
    stages.sample(0, *FINISHED)
    assert {path: path.stat().st_mtime_ns for path in sampled} == sampled
    assert lost.exists()


def test_workers_of_the_curation_report_as_well(stages: Stages) -> None:
    run, folder = stages.run, stages.run.generation(0) / "rejects"
    reports = {str(run.folder / path): file for path, file in described(run.folder, folder).items()}
    assert run.arrived(reports, folder)
    reports[str(folder / "00099.parquet")] = {"sha256": "", "rows": 5, "host": "node-7"}
    refused(
        lambda: run.arrived(reports, folder),
        "00099.parquet is missing, and the worker on 'node-7' wrote it (5 rows)",
        "does not write to this folder",
    )


def test_a_probe_is_judged_again_only_if_it_is_of_this_configuration(tmp_path: Path) -> None:
    def cold(*settings: str) -> tuple[str, int]:
        engine = "engine={_component_: factory.engines.scripted.Scripted, accuracy: 0, hinted_accuracy: 0}"
        stages = stages_of(tmp_path / "run", engine, *settings)
        stages.snapshot()
        stages.make_base()
        with pytest.raises(ColdStart) as error:
            stages.sample(0)
        shard = tmp_path / "run" / "probe" / "rollouts" / "00000.parquet"
        return str(error.value).partition(" questions")[0], shard.stat().st_mtime_ns

    first = cold("preflight.questions=8")
    assert first[0] == "cold start: 0/8"
    assert cold("preflight.questions=8") == first
    second = cold("preflight.questions=12")
    assert second[0] == "cold start: 0/12"
    configuration = tmp_path / "run" / "probe" / "configuration.json"
    configuration.write_text(configuration.read_text().replace(f'"version": "{Exact.version}"', '"version": "0"'))
    assert cold("preflight.questions=12")[1] > second[1]


def test_a_probe_says_what_the_server_said_and_is_made_again(tmp_path: Path) -> None:
    engine = "engine={_component_: factory.engines.scripted.Scripted, error_rate: 1}"
    stages = stages_of(tmp_path / "run", engine)
    stages.snapshot()
    stages.make_base()
    refused(
        lambda: stages.sample(0), "not one attempt at 32 questions was served: scripted failure", "the same command"
    )
    assert not (tmp_path / "run" / "probe" / "rollouts").exists()


def test_the_command_tells_in_lines_and_mends_what_it_can(judged: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(judged, tmp_path / "run"))
    examples = run / "gen-0" / "examples" / "00000.parquet"
    kept = examples.read_bytes()
    (run / "gen-0" / "rollouts" / "00001.parquet").unlink()
    truncate(examples)
    command = Command(run, *SETTINGS, small=())
    assert command.process.wait(300) == 1
    assert "gen-0/examples/00000.parquet is truncated" in command.printed()
    assert "Traceback" not in command.printed()
    assert (run / "gen-0" / "rollouts" / "00001.parquet").exists()
    examples.write_bytes(kept)
    command = Command(run, *SETTINGS, small=())
    command.end_after(run / "gen-0" / "records" / "publish.json")
    assert (tmp_path / "registry" / "run" / "gen-0" / "manifest.json").exists()
