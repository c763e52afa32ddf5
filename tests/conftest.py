import fcntl
from pathlib import Path

import pytest

from tests.loop import REAL, Command


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
