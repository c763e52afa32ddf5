"""The benchmarks of this room run at small size, and find what they made to be found."""

import json
import subprocess
import sys
from typing import Any

import pytest

from factory.recipe.settings import ROOT


def told(*words: str) -> Any:
    command = [sys.executable, "-m", *words, "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_decontamination() -> None:
    found = told("benchmarks.decontamination", "--questions", "3000")
    assert (found["questions"], found["test_questions"], found["flagged"]) == (3000, 1319, 3)
    assert found["seconds"] > 0


def test_curation() -> None:
    found = told("benchmarks.curation", "2048", "--checks", "--gate")
    assert (found["attempts"], found["checks"], found["rejected_wrong"]) == (2048, 6, 512)
    for name in ("seconds", "attempts_per_second", "peak_gib", "gate_seconds", "gate_peak_gib"):
        assert found[name] > 0
    assert found["rejected_same_equations"] > 100


def test_near_duplicate_questions() -> None:
    found = told("benchmarks.curation", "--similar", "256")
    assert found["questions"] == 256
    assert found["planted"] == 4
    assert found["near_duplicates"] == pytest.approx(4, abs=2)
