"""``python -m factory publish`` on a run with every part real, to folders and to the Hub on loopback."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import datasets
import polars
import pytest
from huggingface_hub import HfApi

from factory.files import digest, write_table
from factory.run import Run
from factory.targets.hub import Hub
from schemas import EXAMPLES
from tests.support.commands import contents, in_json, printed, started
from tests.support.hub_server import HubServer
from tests.support.publishing import NAME

TOKEN = "hf_aSecretThatNobodyMaySee"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HubServer]:
    with HubServer(tmp_path / "server", token=TOKEN) as server:
        yield server


def recorded_anew(folder: Path, n: int) -> None:
    """The records of a generation whose tables a test has changed: as if it had been made like that."""
    run = Run(folder)
    tables = {name: run.described(run.generation(n) / name) for name in ("rollouts", "examples", "rejects")}
    for stage, put in {
        "rollouts": {"outputs": tables["rollouts"]},
        "curate": {"outputs": tables["examples"] | tables["rejects"]},
        "validate": {"inputs": tables["rollouts"] | tables["examples"] | tables["rejects"]},
    }.items():
        path = run.generation(n) / "records" / f"{stage}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | put))


def test_where_the_run_published_nothing_changes(mine: Path, run: Path) -> None:
    registry = run.parent / "registry"

    def touched() -> dict[Path, int]:
        return {
            path: path.stat().st_mtime_ns for path in registry.rglob("*") if path.is_file() and path.name != ".lock"
        }

    before = touched()
    (found,) = in_json(mine)
    dataset = str(registry / "run" / "gen-0")
    assert found["dataset"] == dataset
    assert found["manifest_sha256"] == digest(Path(dataset) / "manifest.json")
    assert found["model"]["model"] == str(registry / "run" / "models" / "gen-0")
    assert touched() == before


def test_elsewhere_it_is_the_same_but_for_the_name(mine: Path, run: Path, tmp_path: Path) -> None:
    assert f"datasets.load_dataset('{tmp_path}/there/gen-0')" in printed(mine, "--to", tmp_path / "there")
    ours, theirs = contents(tmp_path / "there" / "gen-0"), contents(run.parent / "registry" / "run" / "gen-0")
    assert ours.keys() == theirs.keys()
    assert {path for path in ours if ours[path] != theirs[path]} == {"README.md", "manifest.json"}
    assert json.loads(ours["manifest.json"])["name"] == "there"
    model = contents(tmp_path / "there" / "models" / "gen-0")
    assert model["model.safetensors"] == (mine / "gen-0" / "checkpoint" / "model.safetensors").read_bytes()


def test_the_manifest_is_the_lineage(run: Path) -> None:
    manifest = json.loads((run.parent / "registry" / "run" / "gen-0" / "manifest.json").read_text())
    facts, base = manifest["facts"], digest(run / "base")
    assert facts["parent"] is None
    assert facts["base_model"] == {"name": "tiny_llama", "sha256": base}
    assert facts["model"] == {"name": "base", "sha256": base, "published": None, "trained_on": None}
    assert facts["trained_model"] == str(run.parent / "registry" / "run" / "models" / "gen-0")
    assert facts["verifier"] == {"name": "exact", "version": "2"}
    assert facts["check_versions"] == {"columns": "2"}
    assert facts["recipe_fingerprint"] == json.loads((run / "run.json").read_text())["fingerprint"]
    assert facts["code_commit"] == json.loads((run / "gen-0/records/rollouts.json").read_text())["code"]
    assert facts["validation"] == {"passed": True, "expectations": 49, "failures": []}
    assert (facts["license"], facts["language"], facts["seed"]) == ("cc0-1.0", ["en"], 0)
    for name in ("examples_sha256", "prompt_sha256"):
        assert len(facts[name]) == 64
    assert facts["corpus"]["name"] == "arithmetic"
    card = json.loads((run.parent / "registry" / "run" / "models" / "gen-0" / "manifest.json").read_text())["facts"]
    assert card["dataset_manifest_sha256"] == digest(run.parent / "registry" / "run" / "gen-0" / "manifest.json")
    assert card["sha256"] == digest(run / "gen-0" / "checkpoint")


def test_to_the_hub(mine: Path, server: HubServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(mine).keys()
    (found,) = in_json(mine, "--to", f"hub:{NAME}", server=server)
    again = in_json(mine, "--to", f"hub:{NAME}", server=server)
    assert again == [found]
    server.adopt(monkeypatch)
    assert Hub(NAME).tags() == {"gen-0": found["commit"]}
    assert Hub(NAME, kind="model").tags() == {"gen-0": found["model"]["commit"]}
    assert HfApi().dataset_info(NAME).private
    assert HfApi().model_info(NAME).private
    rows = datasets.load_dataset(NAME, "examples", split="train", revision="gen-0")
    assert len(rows) == sum(json.loads((mine / "gen-0/records/curate.json").read_text())["examples"].values())
    card = HfApi().hf_hub_download(NAME, "README.md", revision="gen-0")
    assert f"{NAME}@gen-0" in Path(card).read_text(), "the model's card names the dataset"
    card = HfApi().hf_hub_download(NAME, "README.md", revision="gen-0", repo_type="dataset")
    assert f"huggingface.co/{NAME}/tree/gen-0" in Path(card).read_text(), "and the dataset's the model"

    assert contents(mine).keys() == before
    places = [mine, tmp_path / "server" / "repositories"]
    assert not [path for place in places for path, content in contents(place).items() if TOKEN.encode() in content]
    assert any(TOKEN in request.headers.get("authorization", "") for request in server.requests)
    log = (mine / "factory.log").read_text()
    assert "?" not in "".join(re.findall(r"https?://\S+", log)), "addresses of uploads are signed"


def test_questions_that_had_an_example_before_come_first(mine: Path, tmp_path: Path) -> None:
    """So that the Hub knows most of what a growing generation sends; see benchmarks/reupload.py."""
    shutil.copytree(mine / "gen-0", mine / "gen-1", dirs_exist_ok=True)
    for path in (mine / "gen-0" / "examples").glob("0*.parquet"):
        polars.read_parquet(path).gather_every(2).write_parquet(path)
    for n in (0, 1):
        recorded_anew(mine, n)
    found = in_json(mine, "--to", tmp_path / "there")
    assert [one["generation"] for one in found] == [0, 1]
    first, second = (polars.read_parquet(f"{one['dataset']}/data/*.parquet")["question_id"].to_list() for one in found)
    assert second[: len(first)] == first
    assert 0 < len(second) - len(first) == len(set(second) - set(first))


def test_the_recipe_of_a_run_is_not_for_editing(mine: Path) -> None:
    recipe = (mine / "recipe.yaml").read_text()
    (mine / "recipe.yaml").write_text(recipe.replace("samples: 2", "samples: 3"))
    assert "recipe.yaml: strategy.samples was changed since the run began" in printed(mine, code=2)


@pytest.mark.parametrize("step", ["/commit/main$", "/tag/"])
def test_killed_and_called_again(mine: Path, server: HubServer, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    processes: list[subprocess.Popen[str]] = []
    server.before("POST", f"/api/datasets/.*{step}", lambda: processes[0].send_signal(signal.SIGKILL))
    processes.append(started(mine, "--to", f"hub:{NAME}", server=server))
    processes[0].communicate(timeout=180)
    assert processes[0].returncode == -signal.SIGKILL
    (found,) = in_json(mine, "--to", f"hub:{NAME}", server=server)
    server.adopt(monkeypatch)
    assert Hub(NAME).tags() == {"gen-0": found["commit"]}
    assert len(server.repository(NAME).git("rev-list", "main").split()) == 2, "one commit after the empty repository"


def test_what_fails_validation_is_published_with_a_warning_only(mine: Path, tmp_path: Path) -> None:
    shard = mine / "gen-0" / "examples" / "00000.parquet"
    rows = polars.read_parquet(shard)
    write_table(shard, rows.with_columns(weight=polars.lit(2.0, polars.Float32)).to_arrow().cast(EXAMPLES))
    told = printed(mine, "--to", tmp_path / "there", code=1)
    assert "gen-0/examples/00000.parquet was changed: sha256" in told
    assert "curate.json; the same command of iterate curates again" in told
    recorded_anew(mine, 0)
    (mine / "gen-0" / "records" / "validate.json").unlink()
    to = ("--to", tmp_path / "there")
    told = printed(mine, *to, code=1)
    assert "generation 0 is not published, because it fails validation" in told
    assert "--unsafe" in told
    assert not (tmp_path / "there" / "gen-0").exists()

    printed(mine, *to, "--unsafe")
    told = printed(mine, "--to", tmp_path / "elsewhere", code=1)
    assert "because it fails validation (--unsafe does so with a warning)" in told
    text = (tmp_path / "there" / "gen-0" / "README.md").read_text().partition("---\n\n")[2]
    assert text.startswith("> ")
    warning, _, rest = text.partition("\n\n")
    assert "--unsafe" in warning
    assert "weight is 1" in warning
    assert rest.startswith("# there")
    validation = json.loads((tmp_path / "there" / "gen-0" / "manifest.json").read_text())["facts"]["validation"]
    assert (validation["passed"], len(validation["failures"])) == (False, 1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--generation", "3"], ["generation 3 is not finished. Valid: 0", "1 problem"]),
        (["--generation", "3", "--to", "hub:sums"], ["is not of the form hub:owner/name", "2 problems"]),
    ],
)
def test_a_mistake_is_told_in_a_message(mine: Path, arguments: list[str], told: list[str]) -> None:
    message = printed(mine, *arguments, code=2)
    assert all(text in message for text in told), message


def test_without_a_token_nothing_begins(mine: Path, server: HubServer) -> None:
    told = printed(mine, "--to", f"hub:{NAME}", code=2, server=server, HF_TOKEN="hf_expired")
    assert "401" in told
    assert "hf auth login" in told
    assert "hf_expired" not in told
    assert {request.path for request in server.requests} == {"/api/whoami-v2"}
