"""The table of verdicts: what is wrongly accepted or refused, and how others' extraction reads the same cases."""

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.verdicts import Case, compared, flexible_extract, math_verify, multiple_choice, strict_match
from benchmarks.verifiers import told
from factory.recipe.settings import ROOT

CHOICES = [{"label": "A", "text": "red"}, {"label": "B", "text": "green"}]


def case(completion: str, answer: str, want: str = "correct", v: str = "numeric", **more: object) -> dict[str, object]:
    return {"v": v, "completion": completion, "answer": answer, "want": want, "why": "shown only"} | more


def test_verdicts_are_held_against_the_right_ones(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    found = [
        case("The answer is 12.", "12"),
        case("The answer is 12.", "12", "unparseable|wrong"),
        case("The answer is 12 or 13.", "12"),
        case("The answer is 12", "12", "wrong|unparseable", finish_reason="length"),
        case("The answer is B\ud835", "B", v="choice", choices=CHOICES),
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in found))
    rows = {(row["judged by"], row["cases of"]): list(row.values())[2:] for row in compared(path)}
    assert rows[("numeric/2", "numeric")] == [4, 1, 1, 1]
    assert rows[("choice/2", "choice")] == [1, 0, 0, 0]
    assert rows[("lm-eval GSM8K strict-match", "numeric")] == [4, 0, 2, 0]
    assert {name for name, _ in rows} > {"math-verify", "lm-eval GSM8K flexible-extract", "lm-eval MMLU-Pro"}
    first, *others = told(list(compared(path)))
    assert first.split()[:2] == ["judged", "by"]
    assert {len(line) for line in others} == {len(first)}


def test_what_others_extract() -> None:
    def read(completion: str, answer: str) -> Case:
        return Case.model_validate(case(completion, answer, choices=CHOICES))

    assert strict_match(read("#### 1,234.\nQuestion: 3+4\n#### 7", "1234")) == "correct"
    assert strict_match(read("The answer is 7", "7")) == "unparseable"
    assert flexible_extract(read("It is 3 or $7.", "7")) == "correct"
    assert flexible_extract(read("It is 7 or 3", "7")) == "wrong"
    assert multiple_choice(read("the answer is (B).", "b")) == "correct"
    assert multiple_choice(read("Answer: B", "B")) == "unparseable"
    assert math_verify(read(r"\boxed{\frac{1}{2}}", "0.5")) == "correct"
    assert math_verify(read("no answer", "0.5")) == "unparseable"


def test_the_command_prints_one_object(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(json.dumps(case("The answer is 12.", "12")) + "\n")
    command = [sys.executable, "-m", "benchmarks.verifiers", str(path), "--json"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    assert {"numeric/2", "math-verify"} < {row["judged by"] for row in json.loads(printed)["verdicts"]}


def test_the_benchmark_of_math_prints_one_object(tmp_path: Path) -> None:
    golds = ["12", r"\frac{1}{2}", r"\sqrt{3}", r"\left( 3, \frac{\pi}{2} \right)"]
    (tmp_path / "test.jsonl").write_text("".join(json.dumps({"answer": gold}) + "\n" for gold in golds))
    command = [sys.executable, "-m", "benchmarks.math_verifier", str(tmp_path), "--json"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120).stdout
    plain = json.loads(printed)["plain"]
    assert plain["samples"] == 16 * len(golds) == plain["correct"] + plain["wrong"]
    assert plain["correct"] >= 8 * len(golds)
