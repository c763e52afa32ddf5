"""``verify`` on files and ``reverify`` on runs: what they print, what they refuse, what they leave alone."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.errors import ConfigError, FactoryError
from factory.files import digest, write_table
from factory.reading.reverify import reverify, told
from factory.reading.verify import load_verifier, verify
from factory.recipe.load import load_recipe
from factory.recipe.settings import ROOT
from factory.run import Run
from schemas import QUESTIONS, ROLLOUTS
from tests.support.generation import Row, attempt, rollout, said

LINES: list[dict[str, Any]] = [
    {"completion": "The answer is 7.", "answer": "7"},
    {"completion": "The answer is 8.", "answer": "7", "id": "a key of someone's own"},
    {"completion": "I do not", "answer": "7", "finish_reason": "length"},
    {"completion": "", "answer": "7"},
    {"completion": "The answer is 8.", "answer": "seven"},
]


def written(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return path


def printed(verifier: str, path: Path, as_json: bool = False) -> list[str]:
    out = io.StringIO()
    verify(verifier, str(path), out, as_json)
    return out.getvalue().splitlines()


def factory(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "factory", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_any_of_the_accepted_answers_is_correct(tmp_path: Path) -> None:
    line = {"answer": "7", "accepted_answers": ["7", "7.5"]}
    lines = [line | {"completion": f"The answer is {said}."} for said in ("7", "7.5", "8")]
    verdicts = [json.loads(one)["verdict"] for one in printed("numeric", written(tmp_path / "a.jsonl", lines), True)]
    assert verdicts == ["correct", "correct", "wrong"]
    with pytest.raises(ConfigError, match="line 1: accepted_answers"):
        printed("numeric", written(tmp_path / "a.jsonl", [lines[0] | {"accepted_answers": "7"}]))


def test_a_table_with_a_row_a_line_and_counts(tmp_path: Path) -> None:
    assert printed("numeric", written(tmp_path / "lines.jsonl", LINES)) == [
        "      1  correct      7",
        "      2  wrong        8",
        "      3  truncated                              the token limit came before a final answer",
        "      4  unparseable                            no number where the answer should be",
        "      5  error                                  "
        "verifier numeric: ValueError: the gold answer 'seven' is not a number",
        "numeric/2: 5 lines: 1 correct, 1 wrong, 1 truncated, 1 unparseable, 1 error",
    ]


def test_an_object_a_line_in_the_order_of_the_lines(tmp_path: Path) -> None:
    found = [json.loads(line) for line in printed("numeric", written(tmp_path / "lines.jsonl", LINES), as_json=True)]
    assert [one["verdict"] for one in found] == ["correct", "wrong", "truncated", "unparseable", "error"]
    assert found[0] == {"verdict": "correct", "predicted_answer": "7", "reason": None}


def test_choices_and_metadata_reach_the_verifier(tmp_path: Path) -> None:
    choices = [{"label": "A", "text": "bank"}, {"label": "B", "text": "pear"}]
    line = {"completion": "So the answer is pear (b).", "answer": "B", "choices": choices, "metadata": {"a": 1}}
    assert printed("choice", written(tmp_path / "lines.jsonl", [line]))[0].split() == ["1", "correct", "B"]


def test_half_a_surrogate_pair_is_judged_and_what_is_printed_can_be(tmp_path: Path) -> None:
    half = {"completion": "The answer is b\ud835\x1b[2J", "answer": "13"}
    path = written(tmp_path / "lines.jsonl", [LINES[0], half, {**half, "answer": "a\ud835"}])
    rows = printed("exact", path)
    assert [row.split()[1] for row in rows[:3]] == ["correct", "wrong", "wrong"]
    assert r"b\ud835\x1b[2j" in rows[1]
    assert all(row.isprintable() for row in rows)
    assert all(row.encode() for row in rows)
    assert json.loads(printed("exact", path, as_json=True)[1])["predicted_answer"] == "b\ud835\x1b[2j"
    path.write_bytes(b'{"completion": "The answer is 7\xed\xa0\xb5", "answer": "7"}\n')
    assert printed("numeric", path)[0].split()[:2] == ["1", "correct"]


def test_an_empty_file(tmp_path: Path) -> None:
    assert printed("exact", written(tmp_path / "lines.jsonl", [])) == ["exact/2: 0 lines"]


def test_every_bad_line_is_told_and_nothing_judged(tmp_path: Path) -> None:
    bad = ["no JSON\n", {"completion": "x"}, LINES[0], {"completion": 7, "answer": None}, "\n", "[1]\n"]
    bad += [{**LINES[0], "choices": [{"label": "A"}]}, {**LINES[0], "finish_reason": "end"}]
    path = written(tmp_path / "lines.jsonl", bad)
    out = io.StringIO()
    with pytest.raises(ConfigError) as refused:
        verify("numeric", str(path), out)
    assert out.getvalue() == ""
    starts = [problem.split(":")[0] for problem in refused.value.problems]
    assert starts == [f"line {number}" for number in (1, 2, 4, 5, 6, 7, 8)]
    assert refused.value.problems[1:3] == [
        "line 2: answer is missing",
        "line 4: completion: Input should be a valid string; answer: Input should be a valid string",
    ]
    assert "choices.0.text is missing" in refused.value.problems[5]


def test_a_great_many_bad_lines_are_counted(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        verify("numeric", str(written(tmp_path / "lines.jsonl", ["x\n"] * 2500)), io.StringIO())
    assert len(refused.value.problems) == 1001
    assert refused.value.problems[-1] == "and 1,500 more lines"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        verify("numeric", str(tmp_path / "none.jsonl"), io.StringIO())


@pytest.mark.parametrize("name", ["numeric", "choice", "math", "exact", "factory.verifiers.math.Math"])
def test_verifiers_have_short_names_and_paths(name: str) -> None:
    assert load_verifier(name).name == name.split(".")[-2 if "." in name else 0]


class Unit:
    """A verifier with a setting that has no default."""

    def __init__(self, unit: str):
        self.unit = unit


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("numerc", "there is no such verifier; did you mean 'numeric'? Valid: choice, exact, judgement, math, "),
        ("child", "there is no such verifier"),
        ("factory.verifiers.numeric.Numerc", "has no component 'Numerc'; did you mean 'Numeric'?"),
        ("tests.reading.test_verify_command.Unit", "needs a value for 'unit'"),
        ("factory.engines.vllm.VLLM", "cannot be made: VLLM.__init__() missing 1 required positional argument"),
        ("factory.prompts.Prompt", "is none: it has no method 'verify'"),
    ],
)
def test_a_verifier_that_is_not_there(name: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_verifier(name)
    assert problem in str(refused.value)


def test_the_command_reads_a_pipe_and_refuses_with_exit_code_2() -> None:
    lines = "".join(json.dumps(line) + "\n" for line in LINES)
    done = factory("verify", "numeric", "-", "--json", given=lines)
    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["verdict"] for line in done.stdout.splitlines()][:2] == ["correct", "wrong"]
    done = factory("verify", "numeric", "-", given=lines + "{}\n")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "file '-': 1 problem\n  - line 6: completion is missing; answer is missing\n"


CHOICES = [{"label": "A", "text": "bank"}, {"label": "B", "text": "pear"}]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of two shards and one evaluated question, judged by a verifier that has since been mended."""
    made = Run.open(
        tmp_path / "run", load_recipe("star_arithmetic", ["verifier={_component_: factory.verifiers.numeric.Numeric}"])
    )
    broken = {"finish_reason": "error", "error": "engine died"}
    rows = [
        rollout(
            "q1",
            "2+2?",
            "4",
            [attempt("q1/a", said("2+2?"), "wrong", "5", completion="The answer is 4.", reward=0.0)],
            False,
            0.0,
        ),
        rollout(
            "q2",
            "2+3?",
            "5",
            [
                attempt("q2/a", said("2+3?"), "correct", "5", reward=1.0),
                attempt("q2/b", said("2+3?"), "error", **broken),
                attempt("q2/h", said("2+3?"), "wrong", "5", hinted=True),
            ],
            True,
            1.0,
        ),
        rollout(
            "e1",
            "1+1?",
            "2",
            [attempt("e1/a", said("1+1?"), "truncated", finish_reason="length", completion="It is")],
            False,
            0.0,
        )
        | {"split": "eval"},
    ]
    for table, split, shard, row in (
        ("rollouts", "train", 0, rows[0]),
        ("rollouts", "train", 1, rows[1]),
        ("evaluation", "eval", 0, rows[2]),
    ):
        question = {"corpus": "sums", **{key: row[key] for key in ("question_id", "question", "answer", "split")}}
        write(made.questions(split) / f"{shard:05}.parquet", question, QUESTIONS)
        write(made.generation(0) / table / f"{shard:05}.parquet", row, ROLLOUTS)
    for table in ("rollouts", "evaluation"):
        made.finish(table, {"outputs": made.described(made.generation(0) / table)}, 1.0, 0)
    made.finish("questions", {"outputs": made.described(made.questions("train"), made.questions("eval"))}, 1.0)
    return made


def write(path: Path, row: Row, schema: pa.Schema) -> None:
    write_table(path, pa.Table.from_pylist([dict.fromkeys(schema.names) | row], schema=schema))


def test_a_run_judged_again(run: Run) -> None:
    before = digest(run.folder)
    report = reverify(run.folder)
    evaluation, rollouts = report["tables"]
    assert evaluation == {
        "generation": 0,
        "table": "evaluation",
        "attempts": 1,
        "changed": 0,
        "solved": [0, 0],
        "verdicts": {"truncated -> truncated": 1},
        "verifiers": ["numeric/1"],
    }
    assert rollouts["verdicts"] == {"wrong -> correct": 2, "correct -> correct": 1, "error -> error": 1}
    assert (rollouts["changed"], rollouts["solved"]) == (2, [1, 2])
    assert report["changed"][0] == {
        "attempt_id": "q1/a",
        "question_id": "q1",
        "answer": "4",
        "predicted_answer": ["5", "4"],
        "verdict": ["wrong", "correct"],
    }
    assert "wrong ('5') -> correct ('4'); the answer is '4'" in "\n".join(told(report))
    assert digest(run.folder) == before


def test_another_setting_of_the_verifier(run: Run) -> None:
    report = reverify(run.folder, ["verifier.marked_only=true"])
    assert report["tables"][1]["verdicts"] == {
        "wrong -> correct": 1,
        "correct -> unparseable": 1,
        "error -> error": 1,
        "wrong -> unparseable": 1,
    }


def test_the_judged_rollouts_in_a_folder_of_their_own(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "judged"
    reverify(run.folder, out=out)
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*.parquet"))
    assert files == [f"gen-0/{name}.parquet" for name in ("evaluation/00000", "rollouts/00000", "rollouts/00001")]
    first, second = (pq.read_table(out / file) for file in files[1:])
    assert first.schema.equals(ROLLOUTS)
    (row,), (other,) = first.to_pylist(), second.to_pylist()
    assert (row["solved"], row["pass_rate"], row["attempts"][0]["verdict"]) == (True, 1.0, "correct")
    assert (row["attempts"][0]["predicted_answer"], row["attempts"][0]["reward"]) == ("4", None)
    assert (other["solved"], other["pass_rate"], other["attempts"][0]["reward"]) == (True, 1.0, 1.0)
    assert other["attempts"][1]["error"] == "engine died"
    with pytest.raises(ConfigError, match="is not empty"):
        reverify(run.folder, out=out)
    with pytest.raises(ConfigError, match="is not empty"):
        reverify(run.folder, out=run.folder)


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no run in this folder"):
        reverify(tmp_path)


def test_a_snapshot_that_lacks_a_question(run: Run) -> None:
    (run.questions("train") / "00001.parquet").unlink()
    with pytest.raises(FactoryError, match=r"questions/train/00001\.parquet is missing"):
        reverify(run.folder)


def test_rollouts_that_are_not_those_of_the_run(run: Run) -> None:
    shard = run.generation(0) / "rollouts" / "00001.parquet"
    shard.write_bytes(shard.read_bytes()[:-9])
    with pytest.raises(FactoryError, match=r"rollouts/00001\.parquet is truncated"):
        reverify(run.folder)


def test_the_command_of_reverify(run: Run) -> None:
    done = factory("reverify", str(run.folder), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(json.dumps(reverify(run.folder)))
