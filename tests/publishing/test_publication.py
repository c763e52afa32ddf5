"""Publishing as a part of the loop: what is known beforehand, and a run that goes on elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from factory.publishing.publication import Publication
from factory.recipe.load import load_recipe
from factory.run import Run
from factory.targets.hub import Hub
from tests.support.commands import in_json
from tests.support.hub_server import HubServer
from tests.support.loop import REAL, SMALL
from tests.support.publishing import NAME


def test_a_run_goes_on_elsewhere_once_all_of_it_is_there(mine: Path, tmp_path: Path) -> None:
    """Known before anything is sampled."""
    elsewhere = [f"publish.registry={tmp_path / 'registry'}", "publish.name=other"]
    command = [sys.executable, "-m", "factory", "iterate", "star_arithmetic", "--run", str(mine), "--generations", "2"]
    done = subprocess.run([*command, *SMALL, *REAL, *elsewhere], capture_output=True, text=True, timeout=180)
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"first: python -m factory publish {mine} --to {tmp_path}/registry/other" in done.stderr
    (found,) = in_json(mine)
    assert found["dataset"] == f"{tmp_path}/registry/other/gen-0", "the run knows where it goes on"


def test_the_loop_goes_on_to_the_hub(mine: Path, server: HubServer) -> None:
    """A run whose other stages have finished; where it is published may change."""
    for stage in ("publish", "publish_model"):
        (mine / "gen-0" / "records" / f"{stage}.json").unlink()
    command = [sys.executable, "-m", "factory", "iterate", "star_arithmetic", "--run", str(mine), "--generations", "1"]
    done = subprocess.run(
        [*command, *SMALL, *REAL, f"publish.hub={NAME}"],
        env=os.environ | server.environment(),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"datasets.load_dataset('{NAME}', revision='gen-0')" in done.stdout
    record = json.loads((mine / "gen-0" / "records" / "publish.json").read_text())
    assert Hub(NAME).tags() == {"gen-0": record["commit"]}
    assert Hub(NAME, kind="model").tags().keys() == {"gen-0"}


@pytest.mark.usefixtures("server")
def test_the_loop_refuses_a_target_beforehand(tmp_path: Path) -> None:

    def problems(*overrides: str) -> list[str]:
        recipe = load_recipe("star_arithmetic", [*overrides, f"publish.registry={tmp_path / 'registry'}"])
        return Publication(recipe, Run.open(tmp_path / "runs" / "sums", recipe)).problems()

    assert problems() == problems(f"publish.hub={NAME}") == []
    assert problems("publish.hub=other/sums") == [
        "publish.hub: 'other/sums' is not owner's to publish in; did you mean 'owner'? Valid: owner"
    ]
    published = tmp_path / "registry" / "sums" / "gen-0"
    published.mkdir(parents=True)

    def manifest(fingerprint: str) -> str:
        facts = {"recipe_fingerprint": fingerprint}
        return json.dumps({"name": "sums", "generation": 0, "tables": {}, "files": {}, "facts": facts})

    (published / "manifest.json").write_text(manifest(load_recipe("star_arithmetic").fingerprint()))
    assert problems() == []
    (published / "manifest.json").write_text(manifest("another"))
    (problem,) = problems()
    assert problem.startswith(f"publish: '{published}' was made by another recipe; name this dataset with publish.name")
