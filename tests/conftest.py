from pathlib import Path

import pytest

from tests.loop import REAL, Command


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one generation with every part real: vLLM, torchtune, Great Expectations, the registry."""
    folder = tmp_path_factory.mktemp("real") / "run"
    printed = Command(folder, *REAL).finish()
    assert "registry/run/gen-0" in printed
    return folder
