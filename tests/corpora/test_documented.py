"""The recipes of docs/corpora.md on rows of the same form as the corpora's own, up to the snapshot."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from factory.intake.questions import snapshot
from factory.recipe.component import parse
from factory.recipe.load import load_recipe
from factory.recipe.settings import ROOT

Row = dict[str, Any]
BLOCKS = re.findall(r"```yaml\n# (\w+)\n(.*?)```", (ROOT / "docs" / "corpora.md").read_text(), re.DOTALL)
DOCUMENTED = {name: yaml.safe_load(block) for name, block in BLOCKS}


def lines(rows: list[Row]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def asdiv(folder: Path) -> None:
    body = "Seven red apples and two green apples are in basket {}."
    rows = [
        {
            "body": body.format(i),
            "question": "How many?",
            "solution_type": "Addition",
            "answer": answer,
            "formula": "7+2=9",
        }
        for i, answer in enumerate(["9 (apples)", "9.5 (kg)", "1/2", "1,200 (pens)"] * 5)
    ]
    (folder / "asdiv.jsonl").write_text(lines(rows))


def mawps(folder: Path) -> None:
    rows = [
        {
            "iIndex": i,
            "sQuestion": f"Joan found {i} seashells and gave away 2. How many has she now?",
            "lEquations": [f"X=({i}.0-2.0)"],
            "lSolutions": [solution],
            "lAlignments": [12, 30],
        }
        for i, solution in enumerate([3.0, 0.8333333333333334, 18.5, -2.0] * 5)
    ]
    (folder / "MAWPS.json").write_text(json.dumps(rows, indent=1))


def aqua_rat(folder: Path) -> None:
    (folder / "AQuA").mkdir()
    for name, count in (("train.json", 6), ("dev.json", 2), ("test.json", 3)):
        rows = [
            {
                "question": f"{name}: what is {i} + 21?",
                "options": [f"A){i}", f"B){i + 21}", "C)24", "D)1,5", "E)None of these"],
                "rationale": "One adds them.\nAnswer B",
                "correct": "B",
            }
            for i in range(count)
        ]
        (folder / "AQuA" / name).write_text(lines(rows))


def arc(folder: Path) -> None:
    (folder / "ARC-Challenge").mkdir()
    for part in ("Train", "Dev"):
        rows = []
        for i in range(4):
            labels = "1234" if i == 2 else "ABCD"
            texts = ("dry palms", "wet palms", "palms with oil", "palms with lotion")
            choices = [{"text": text, "label": label} for text, label in zip(texts, labels, strict=True)]
            stem = f"{part} {i}: which skin surface will produce the most heat?"
            rows.append({"id": f"{part}_{i}", "question": {"stem": stem, "choices": choices}, "answerKey": labels[1]})
        (folder / "ARC-Challenge" / f"ARC-Challenge-{part}.jsonl").write_text(lines(rows))


def strategy_qa(folder: Path) -> None:
    rows = [
        {
            "qid": f"q{i}",
            "term": "Julius Caesar",
            "description": "Roman",
            "question": f"Did {i} people like Caesar?",
            "answer": i % 3 == 0,
            "facts": ["He was murdered."],
            "decomposition": ["Who?"],
        }
        for i in range(40)
    ]
    (folder / "strategyqa_train.json").write_text(json.dumps(rows))


def mmlu(folder: Path) -> None:
    (folder / "mmlu").mkdir()
    for name, count in (("train-00000", 8), ("test-00000", 4)):
        rows = [
            {
                "question": f"{name}: the degree of extension {i}?",
                "subject": "abstract_algebra",
                "choices": ["0", "4", "2", "6"],
                "answer": i % 4,
            }
            for i in range(count)
        ]
        pq.write_table(pa.Table.from_pylist(rows), folder / "mmlu" / f"{name}.parquet")


CORPORA = {
    "asdiv": (asdiv, {"9", "9.5", "1/2", "1,200"}),
    "mawps": (mawps, {"3", "0.8333333333333334", "18.5", "-2"}),
    "aqua_rat": (aqua_rat, {"B"}),
    "arc": (arc, {"B", "2"}),
    "strategy_qa": (strategy_qa, {"yes", "no"}),
    "mmlu": (mmlu, {"A", "B", "C", "D"}),
}


def test_every_documented_recipe_is_tried() -> None:
    assert DOCUMENTED.keys() == CORPORA.keys()


@pytest.mark.parametrize("name", CORPORA)
def test_a_documented_recipe_reads_rows_of_its_form(tmp_path: Path, name: str) -> None:
    make, answers = CORPORA[name]
    make(tmp_path)
    given = DOCUMENTED[name]
    parts = {
        "corpus": parse(given["corpus"] | {"path": str(tmp_path / given["corpus"]["path"])}),
        "verifier": parse(given["verifier"]),
    }
    recipe = load_recipe("star_arithmetic", ["questions.strict=true", "warmup.steps=0", "curation.keep_seeds=false"])
    (tmp_path / "out").mkdir()
    found = snapshot(recipe.model_copy(update=parts), tmp_path / "out")
    assert found.dropped == {}
    rows = [row for file in sorted(tmp_path.glob("out/*/*.parquet")) for row in pq.read_table(file).to_pylist()]
    assert {row["answer"] for row in rows} == answers
    if name == "asdiv":
        assert all(re.fullmatch(r"Seven .* in basket \d+\. How many\?", row["question"]) for row in rows)
    if name == "aqua_rat":
        assert found.counts == {"train": 6, "eval": 3, "seed": 0}
        assert {row["choices"][2]["text"] for row in rows} == {"24"}
    if name == "mmlu":
        assert {row["answer"]: row["choices"][1]["text"] for row in rows}["D"] == "4"
