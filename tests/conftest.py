import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from factory.publishing import tree
from factory.targets import patience
from factory.targets.hub import Hub
from tests.support.hub_server import HubServer
from tests.support.loop import REAL, Command
from tests.support.publishing import NAME, Inputs, made_in

SLOWEST = (
    *("test_loop.py", "test_resume.py", "test_rise.py", "test_engines.py"),
    *("test_gpu_recipes.py", "test_finetune.py", "test_weighted.py", "test_preflight.py", "test_plateau.py"),
    *("test_served_runs.py", "test_again.py", "test_union.py", "test_publish_command.py", "test_earlier_run.py"),
    *("test_rollout.py", "test_wheel.py", "test_missing_files.py", "test_judge.py"),
)
"""A minute and more each: they begin first, so that neither of two processes is left with one of them at the end. The
run that several of them share is made by the first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: SLOWEST.index(item.path.name) if item.path.name in SLOWEST else len(SLOWEST))


@pytest.fixture(scope="session")
def data() -> Path:
    """A folder with the real corpora in their original formats, which this project does not ship."""
    folder = os.environ.get("RATIONALE_FACTORY_DATA")
    if not folder:
        pytest.skip("RATIONALE_FACTORY_DATA names no folder that holds gsm8k, commonsense_qa, svamp and math500")
    return Path(folder)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A run of one generation with every part real: vLLM, torchtune, Great Expectations, the registry.

    The first of pytest's processes that needs it makes it, the others wait and share it.
    """
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "real"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "made").exists():
            printed = Command(shared / "run", *REAL).finish()
            assert "registry/run/gen-0" in printed
            (shared / "made").touch()
    return shared / "run"


@pytest.fixture
def mine(run: Path, tmp_path: Path) -> Path:
    """A copy of the run, for a test to change."""
    return Path(shutil.copytree(run, tmp_path / "run"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    monkeypatch.setattr(patience, "SECONDS", 0.01)
    monkeypatch.setattr(tree, "draw", lambda *_: None)  # figures take longer than all the rest
    with HubServer(tmp_path / "server") as server:
        server.adopt(monkeypatch)
        yield server


@pytest.fixture
def hub(server: HubServer) -> Hub:
    return Hub(NAME)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return made_in(tmp_path / "inputs")
