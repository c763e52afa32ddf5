"""What changed between two generations, counted by hand on a few questions."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from factory import terminal
from factory.reading.diff.diff import diff
from factory.reading.diff.shown import show, tell
from factory.targets.hub import Hub
from factory.targets.registry import Registry
from tests.support.chain import example, publish, rollout
from tests.support.hub_server import HubServer

BEFORE = {
    "examples": [
        example("stays", "two ways", attempt_id="a1"),
        example("stays", "one way", attempt_id="a2"),
        example("moves", "3+4=7", "rationalized", attempt_id="b1"),
        example("loses", "12 character", attempt_id="c1"),
        example("told", "given", "reference"),
        example("gone", "over", attempt_id="d1"),
    ],
    "rollouts": [
        rollout("stays", 0.5, a1=10, a2=20, a3=99),
        rollout("moves", 0.0, b1=6),
        rollout("loses", 1.0, c1=30),
        rollout("stuck", 0.0),
        rollout("errors", None),
        rollout("gone", 0.25, d1=4),
    ],
    "rejects": ("wrong", "wrong", "truncated"),
    "accuracy": [{"generation": 0, "accuracy": 0.5, "by_difficulty": {"1 digit": 0.75, "2 digits": 0.25}}],
}
AFTER = {
    "examples": [
        example("stays", "one way", attempt_id="a2"),  # in another order, which means nothing
        example("stays", "two ways", attempt_id="a1"),
        example("moves", "3+4=7", "sampled", attempt_id="e1"),
        example("moves", "so 9", "corrected", attempt_id="e2", turn=1, verdict="wrong"),
        example("gains", "7", attempt_id="f1"),
        example("told", "given", "reference"),
    ],
    "rollouts": [
        rollout("gains", 1.0, f1=2),
        rollout("stays", 0.25, a1=10, a2=20),
        rollout("moves", 0.5, e1=8, e2=4),
        rollout("loses", 0.0, c2=7),
        rollout("stuck", 0.0),
        rollout("errors", 0.0),
    ],
    "rejects": ("wrong", "duplicate"),
    "accuracy": [
        {"generation": 0, "accuracy": 0.5},
        {"generation": 1, "accuracy": 0.625, "by_difficulty": {"1 digit": 1.0}, "m1@t5": 0.7, "p1@t5": None},
    ],
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = Registry(tmp_path_factory.mktemp("published") / "sums")
    return diff(publish(home, 0, **BEFORE), publish(home, 1, **AFTER))


def test_which_two(found: dict[str, Any]) -> None:
    assert [(found[side]["name"], found[side]["generation"]) for side in ("before", "after")] == [
        ("sums", 0),
        ("sums", 1),
    ]
    assert json.loads(json.dumps(found))["after"]["where"].endswith("sums/gen-1")


def test_questions(found: dict[str, Any]) -> None:
    assert found["questions"] == {
        "in_both": 5,
        "still_solved": 1,
        "still_unsolved": 2,
        "newly_solved": ["moves"],
        "lost": ["loses"],
        "only_before": ["gone"],
        "only_after": ["gains"],
        "other_text": 0,
    }
    # stays, moves, loses and stuck; errors has no pass rate before
    assert found["pass_rate"] == {"questions": 4, "mean": (0.375, 0.1875), "higher": 1, "lower": 2}


def test_origins(found: dict[str, Any]) -> None:
    moves = {("+".join(move["before"]), "+".join(move["after"])): move["questions"] for move in found["moves"]}
    assert moves == {
        ("sampled", "sampled"): 1,
        ("sampled", ""): 2,  # loses, gone
        ("", "sampled"): 1,
        ("rationalized", "sampled+corrected"): 1,
        ("reference", "reference"): 1,
    }
    assert found["moves"][0]["questions"] == 2


def test_counts_and_accuracy(found: dict[str, Any]) -> None:
    assert found["counts"] == {
        "rollouts": {"all": (6, 6)},
        "examples": {
            "all": (6, 6),
            "sampled": (4, 4),
            "rationalized": (1, 0),
            "reference": (1, 1),
            "corrected": (0, 1),
        },
        "rejects": {"all": (3, 2), "wrong": (2, 1), "truncated": (1, 0), "duplicate": (0, 1)},
    }
    assert found["accuracy"] == {
        "accuracy": (0.5, 0.625),
        "1 digit": (0.75, 1.0),
        "2 digits": (0.25, None),
        "m1@t5": (None, 0.7),
    }


def test_lengths(found: dict[str, Any]) -> None:
    lengths = found["lengths"]
    assert list(lengths) == ["sampled", "rationalized", "corrected", "reference", "all but reference"]
    # two ways, one way, 12 characters, over: 8, 7, 12, 4, of 10, 20, 30, 4 tokens; then 7, 8, 5, 1, of 20, 10, 8, 2
    assert lengths["sampled"] == {
        "mean characters": (7.75, 5.25),
        "median characters": (7.5, 6.0),
        "mean tokens": (16.0, 10.0),
        "median tokens": (15.0, 9.0),
    }
    assert lengths["corrected"]["mean tokens"] == (None, 4.0)
    assert lengths["reference"] == {
        "mean characters": (5.0, 5.0),
        "median characters": (5.0, 5.0),
        "mean tokens": (None, None),
        "median tokens": (None, None),
    }
    # the reference is five characters before and after
    assert lengths["all but reference"]["mean characters"] == (36 / 5, 25 / 5)
    assert lengths["all but reference"]["mean tokens"] == (70 / 5, 44 / 5)


def test_changed_examples(found: dict[str, Any]) -> None:
    assert found["changed"] == {
        "questions": 1,
        "drawn": [
            {
                "question_id": "moves",
                "question": "moves?",
                "answer": "7",
                "before": [{"origin": "rationalized", "turn": 0, "verdict": None, "rationale": "3+4=7"}],
                "after": [
                    {"origin": "sampled", "turn": 0, "verdict": None, "rationale": "3+4=7"},
                    {"origin": "corrected", "turn": 1, "verdict": "wrong", "rationale": "so 9"},
                ],
            }
        ],
    }


def test_ten_are_drawn_and_two_datasets_may_be_compared(tmp_path: Path) -> None:
    names = [f"q{number:02}" for number in range(30)]
    sides = []
    for dataset, origin in {"sums": "rationalized", "products": "sampled"}.items():
        examples = [example(name, f"{dataset} 7") for name in names[1::2]]  # 15, that differ in their rationale
        examples += [example(name, "7", origin if name == "q00" else "sampled") for name in names[::2]]
        rollouts = [rollout(name, 1.0, f"{name} in {dataset}" if name < "q04" else "") for name in names]
        sides.append(publish(Registry(tmp_path / dataset), 0, examples, rollouts))
    found = diff(*sides)
    assert found["questions"]["other_text"] == 4
    assert found["changed"]["questions"] == 16, "and q00 in its origin"
    drawn = [one["question_id"] for one in found["changed"]["drawn"]]
    assert len(drawn) == 10
    assert drawn == sorted({"q00", *names[1::2]}.intersection(drawn))
    assert drawn != ["q00", *names[1:19:2]], "drawn, not the first"
    assert diff(*sides) == found, "drawn the same again"
    assert diff(sides[1], sides[1])["changed"] == {"questions": 0, "drawn": []}


def test_tables_without_rows(tmp_path: Path) -> None:
    home = Registry(tmp_path / "sums")
    before = publish(home, 0, [], [])
    found = diff(before, publish(home, 1, [example("q", "7")], [rollout("q", 1.0)]))
    assert found["moves"] == [{"before": [], "after": ["sampled"], "questions": 1}]
    assert found["questions"]["only_after"] == ["q"]
    assert found["pass_rate"] == {"questions": 0, "mean": (None, None), "higher": 0, "lower": 0}
    assert found["lengths"]["all but reference"]["mean characters"] == (None, 1.0)


def test_of_a_folder_and_the_hub(found: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with HubServer(tmp_path / "server") as server:
        server.adopt(monkeypatch)
        after = publish(Hub("owner/sums"), 0, **AFTER)
        compared = diff(publish(Registry(tmp_path / "sums"), 0, **BEFORE), after)
        fetched = [request.path for request in server.requests if "/resolve/" in request.path]
    assert (compared["after"]["where"], compared["after"]["commit"]) == ("owner/sums@gen-0", after.commit)
    for same in ("questions", "pass_rate", "moves", "counts", "lengths", "changed"):
        assert compared[same] == found[same]
    assert not any("/rejects/" in path for path in fetched), "only what is compared is fetched"


def test_it_is_shown(found: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(terminal, "console", Console(file=out, highlight=False, soft_wrap=True, width=80))
    tell(found)
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    for line in (
        f"before {found['before']['where']}",
        "newly solved 1",
        "rationalized sampled+corrected 1",
        "none sampled 1",
        "examples, corrected 0 1 +1",
        "accuracy 50.0% 62.5% +12.5",
        "accuracy, 2 digits 25.0%",
        "accuracy, m1@t5 70.0%",
        "pass rate, questions in both 37.5% 18.8% -18.8",
        "mean tokens, sampled 16.0 10.0 -6.0",
        "mean characters, all but reference 7.2 5.0 -2.2",
        "questions in both with other examples: 1; drawn by the digests of the manifests: 1",
        "moves, answer 7: moves?",
        "│ rationalized, turn 0 │ sampled, turn 0 │",
        "│ 3+4=7 │ 3+4=7 │",
        "│ │ corrected, turn 1, wrong │",
    ):
        assert line in lines
    assert not any("another text" in line for line in lines)
    assert not any(line.startswith("mean tokens, reference") for line in lines)


def test_it_is_printed_as_json(found: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    show(found["before"]["where"], found["after"]["where"], as_json=True)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(found))
