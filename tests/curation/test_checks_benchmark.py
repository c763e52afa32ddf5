"""The checks held against the true steps of sums, on a run that was made up."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.checks import flawed, measured
from factory.corpora.arithmetic import rationale
from factory.errors import ConfigError
from factory.files import write_table
from factory.recipe.load import load_recipe
from factory.recipe.settings import ROOT
from factory.run import Run
from schemas import ROLLOUTS
from tests.curation.test_curate import Row, attempt, rollout

GOOD = rationale(624, 259)
FALSE, COPIED = GOOD.replace("4+9+0=13", "4+9+0=12"), GOOD.replace("4+9+0=13", "5+8+0=13")
"""A wrong result, and digits of another sum that add up: the answer is right all the same."""


def sums(*texts: str, hinted: str | None = None, question: str = "624+259") -> Row:
    made = [attempt(f"{question}/{n}", text) for n, text in enumerate(texts)]
    made += [attempt(f"{question}/h", hinted, hinted=True)] if hinted else []
    return rollout(question, [one | {"predicted_answer": "883"} for one in made]) | {
        "question": question,
        "answer": "883",
    }


@pytest.fixture
def run(tmp_path: Path) -> Path:
    recipe = load_recipe("star_arithmetic")
    run = Run.open(tmp_path / "run", recipe)
    rows = [sums(FALSE, GOOD), sums(COPIED, question="259+624"), sums(hinted=FALSE, question="6240+0")]
    write_table(run.generation(0) / "rollouts" / "00000.parquet", pa.Table.from_pylist(rows, schema=ROLLOUTS))
    run.finish("rollouts", {}, 1.0, 0)
    return run.folder


def test_what_is_flawed() -> None:
    assert not flawed("624+259", f"{GOOD}\n")
    assert not flawed("99+1", rationale(99, 1))
    for text in (FALSE, COPIED, GOOD.partition("\n")[2], f"Well.\n{GOOD}", "The answer is 883", ""):
        assert flawed("624+259", text), text


def test_precision_and_recall(run: Path) -> None:
    (found,) = measured(run)
    assert (found["generation"], found["attempts"], found["flawed"]) == (0, 4, 3)
    assert found["checks"]["columns/2"] == {"failed": 3, "apart": 0, "precision": 1.0, "recall": 1.0}
    assert found["checks"]["equations/1"] == {"failed": 2, "apart": 0, "precision": 1.0, "recall": 0.6667}
    assert found["checks"]["conclusion/1"] == {"failed": 0, "apart": 4, "precision": None, "recall": 0.0}
    assert found["examples"] == {"before": {"examples": 2, "flawed": 2}, "after": {"examples": 1, "flawed": 0}}


def test_other_settings_and_other_questions(run: Path) -> None:
    (found,) = measured(run, ["curation.checks_decide=[]"])
    assert found["examples"]["after"] == {"examples": 3, "flawed": 3}
    with pytest.raises(ConfigError, match="did you mean 'checks_decide'"):
        next(measured(run, ["curation.checks_decid=[]"]))
    rows = [sums(GOOD, question="What is 624+259?")]
    write_table(run / "gen-0" / "rollouts" / "00000.parquet", pa.Table.from_pylist(rows, schema=ROLLOUTS))
    with pytest.raises(ConfigError, match="its questions are not sums"):
        next(measured(run))


def test_the_command(run: Path) -> None:
    def printed(*arguments: str) -> str:
        command = [sys.executable, "-m", "benchmarks.checks", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout

    assert json.loads(printed(str(run), "--json")) == {"generations": list(measured(run))}
    first, heads, *rows = printed(str(run)).splitlines()
    assert first.endswith("3 of 4 correct attempts are flawed; of the examples before: 2 of 2, after: 0 of 1")
    assert heads.split() == ["check", "failed", "apart", "precision", "recall"]
    assert "columns/2              3       0     100.0%  100.0%" in "\n".join(rows)
