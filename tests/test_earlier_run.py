"""A run that was made before 0.2.0 is opened, looked at, and goes on.

``earlier_run.tar.xz`` holds a finished run of one generation and what it published, made with 0.1.0 and the scripted
engine, without its log, pages and probe.
"""

import tarfile
from pathlib import Path

import polars as pl
import pytest
import yaml

import factory
from factory.loop import republish
from factory.publishing.publication import chosen
from factory.reading.lineage import lineage
from factory.recipe.load import load_recipe
from factory.run import Run
from factory.targets.named import published
from schemas import EXAMPLES
from tests.support.loop import TINY, tables

SETTINGS = ["publish.registry=registry", *TINY]
"""What it was made with."""


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with tarfile.open(Path(__file__).with_name("earlier_run.tar.xz")) as archive:
        archive.extractall(tmp_path, filter="data")
    monkeypatch.chdir(tmp_path)
    return Path("runs/before")


def test_it_is_opened_by_its_recipe(earlier: Path) -> None:
    assert Run.open(earlier, load_recipe("star_arithmetic", SETTINGS)).fingerprint == "58fbf8262e4b95c3"
    with pytest.raises(factory.ConfigError, match=r"strategy.samples: 2 in the run, now 3"):
        Run.open(earlier, load_recipe("star_arithmetic", [*SETTINGS, "strategy.samples=3"]))


def test_it_is_looked_at(earlier: Path) -> None:
    (first,) = factory.status(earlier)["generations"]
    assert (first["questions"], first["attempts"], first["solved"]) == (16, 35, 13)
    assert first["examples"] == {"reference": 4, "sampled": 13, "rationalized": 0}
    assert factory.examples(earlier).height == 17
    (found,) = lineage(published("registry/before/gen-0"))
    assert found.mismatches == []


def test_it_goes_on_from_python(earlier: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = tables(earlier)
    recipe = factory.load_recipe("star_arithmetic", SETTINGS)
    run = factory.iterate(recipe, earlier, generations=2)
    assert {name: table for name, table in tables(run).items() if name in before} == before
    first, second, last = factory.status(run)["generations"]
    assert (first["questions"], second["questions"]) == (16, 16)
    assert last["eval"]["pass@1"] is not None
    frame = factory.examples(run)
    assert frame.columns == EXAMPLES.names
    assert frame.height == sum(second["examples"].values()) == pl.read_parquet("registry/before/gen-1/data").height
    assert factory.examples(str(run), 0).height == 17
    assert "gen 1  publish" in capfd.readouterr().out
    with pytest.raises(factory.ConfigError, match="generation 2 has not been curated; there are 0, 1"):
        factory.examples(run, 2)


def test_it_is_published_elsewhere_with_more_configs(earlier: Path) -> None:
    """As the recipe asks for them since: pairs of what its rollouts hold, never with a hint, held by the manifest."""
    settings = yaml.safe_load((earlier / "recipe.yaml").read_text())
    settings["publish"]["configs"] = ["prompt_completion", "pairs"]
    (earlier / "recipe.yaml").write_text(yaml.safe_dump(settings))
    run, recipe, generations, target = chosen(earlier, None, "elsewhere")
    (once,), (again,) = (republish(recipe, run, generations, target, unsafe=False) for _ in range(2))
    assert once == again
    (found,) = lineage(published("elsewhere/gen-0"))
    assert found.mismatches == []
    frames = {name: pl.read_parquet(f"elsewhere/gen-0/{name}/*.parquet") for name in ("pairs", "rollouts", "data")}
    attempts = frames["rollouts"].select("attempts").explode("attempts").unnest("attempts")
    kept = frames["pairs"].join(frames["data"], on="example_id", suffix="_kept")
    assert len(kept) == len(frames["pairs"]) > 3
    assert (kept["messages"] == kept.select(pl.concat_list("prompt", "chosen")).to_series()).all()
    rejected = frames["pairs"].join(attempts, on="attempt_id", suffix="_tried")
    assert len(rejected) == rejected["attempt_id"].n_unique() == len(kept)
    assert not rejected["hinted"].any()
    assert set(rejected["verdict"]) == {"wrong"}
    assert rejected["rejected"].list.first().struct.field("content").to_list() == rejected["completion"].to_list()
    assert "configs:\n  - prompt_completion\n  - pairs" in Path("elsewhere/gen-0/recipe.yaml").read_text()
    with pytest.raises(factory.FactoryError, match="published already with other content"):
        republish(recipe, run, generations, None, unsafe=False)
