"""Examples of earlier generations: what is taken over, what is not, and what the gate makes of it."""

import copy
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.curation import union
from factory.curation.curate import curate
from factory.curation.flags import FLAGS
from factory.errors import FactoryError
from factory.files import write_table
from factory.reading.counts import miscounted
from factory.reading.lineage import lineage
from factory.recipe.curation import Curation
from factory.recipe.load import load_recipe
from factory.run import Run
from factory.targets.named import published
from schemas import ROLLOUTS
from tests.curation.test_curate import InProcess, Row, attempt, rollout
from tests.support.generation import LIMITS, valid
from tests.support.generation import judge as judged
from tests.support.loop import TINY, Command, tables

THREE = "2 + 3 = 5, and so the answer is 5"
LIKE_IT = "2 + 3 = 5, and so the answer is 5 again"
OTHER = "one more than four makes it 5"


def made(generation: int, texts: dict[str, list[str]], **more: Any) -> list[Row]:
    """Rollouts of some questions; a text with ``!`` before it is wrong, one with ``?`` was sampled under a hint."""
    rows = []
    for question, said in texts.items():
        tries = [
            attempt(
                f"{question}/{generation}/{number}",
                text.lstrip("!?"),
                "wrong" if text[0] == "!" else "correct",
                hinted=text[0] == "?",
                tokens=len(text),
            )
            for number, text in enumerate(said)
        ]
        rows.append(rollout(question, tries) | {"generation": generation} | more)
    return rows


def curated(folder: Path, *generations: list[Row], **settings: Any) -> pl.DataFrame:
    """Curate generations one after the other, each with those before it; the examples of the last."""
    for n, rows in enumerate(generations):
        write_table(folder / f"gen-{n}/rollouts/00000.parquet", pa.Table.from_pylist(rows, schema=ROLLOUTS))
        out = folder / f"gen-{n}"
        earlier = [folder / f"gen-{m}" for m in reversed(range(n))]
        tables = [out / name for name in ("rollouts", "examples", "rejects")]
        curate(*tables, Curation(union=True, **settings), earlier=earlier)
    own = {one["attempt_id"] for row in generations[-1] for one in row["attempts"]}
    examples, rejects = pl.read_parquet(out / "examples"), pl.read_parquet(out / "rejects")
    assert own - {*examples["attempt_id"]} == {*rejects["attempt_id"]}, "an attempt is an example or a reject"
    assert examples["example_id"].is_unique().all()
    return examples


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.data", InProcess())


CASES: dict[str, tuple[Row, list[dict[str, list[str]]], list[str]]] = {
    "what was solved before and is not now": ({}, [{"q": [THREE]}, {"q": ["!no"]}], ["q/0/0"]),
    "the newest first": ({}, [{"q": [THREE]}, {"q": [OTHER]}, {"q": ["!no"]}], ["q/1/0"]),
    "the cap is that of all": ({}, [{"q": [THREE]}, {"q": [OTHER]}], ["q/1/0"]),
    "as long as the cap has room": (
        {"per_question": 2},
        [{"q": [THREE]}, {"q": [OTHER]}, {"q": ["it is 5"]}],
        ["q/2/0", "q/1/0"],
    ),
    "the same text": ({"per_question": 3}, [{"q": [f" {THREE}\n"]}, {"q": [THREE]}], ["q/1/0"]),
    "the same text in two earlier ones": (
        {"per_question": 3},
        [{"q": [THREE]}, {"q": [THREE]}, {"q": ["!no"]}],
        ["q/1/0"],
    ),
    "other words are another text": ({"per_question": 3}, [{"q": [LIKE_IT]}, {"q": [THREE]}], ["q/1/0", "q/0/0"]),
    "the same equations": (
        {"per_question": 3, "duplicates": "equations"},
        [{"q": [LIKE_IT, OTHER]}, {"q": [THREE]}],
        ["q/1/0", "q/0/1"],
    ),
    "nearly the same": (
        {"per_question": 3, "max_similarity": 0.6},
        [{"q": [LIKE_IT, OTHER]}, {"q": [THREE]}],
        ["q/1/0", "q/0/1"],
    ),
    "the most diverse of the newest": (
        {"per_question": 2, "prefer": "most_diverse"},
        [{"q": [OTHER]}, {"q": [LIKE_IT]}, {"q": [THREE]}],
        ["q/2/0", "q/1/0"],
    ),
    "the shortest of one generation": (
        {"per_question": 2, "prefer": "shortest"},
        [{"q": [THREE, OTHER]}, {"q": ["it is plainly 5"]}],
        ["q/1/0", "q/0/1"],
    ),
    "a new one under a hint before an old one without": ({}, [{"q": [THREE]}, {"q": [f"?{OTHER}"]}], ["q/1/0"]),
    "what was no example is none later": ({}, [{"q": [THREE, OTHER]}, {"q": [THREE]}], ["q/1/0"]),
    "by question, in the order of the rollouts": (
        {"per_question": 2},
        [{"b": [OTHER], "q": [OTHER], "a": [OTHER]}, {"q": [THREE], "b": ["!no"], "a": [THREE]}],
        ["q/1/0", "q/0/0", "b/0/0", "a/1/0", "a/0/0"],
    ),
}


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("case", CASES)
def test_what_is_taken_over(case: str, tmp_path: Path) -> None:
    settings, generations, kept = CASES[case]
    rows = [made(n, texts) for n, texts in enumerate(generations)]
    examples = curated(tmp_path, *rows, **settings)
    assert examples["attempt_id"].to_list() == kept
    assert examples["generation"].to_list() == [int(key.split("/")[1]) for key in kept]
    taken = union.taken_over(tmp_path / f"gen-{len(rows) - 1}" / "examples", len(rows) - 1)
    assert sum(taken.values()) == sum(f"/{len(rows) - 1}/" not in key for key in kept)


@pytest.mark.usefixtures("in_process")
def test_an_earlier_example_that_todays_settings_would_drop_is_not_taken(tmp_path: Path) -> None:
    """As a view may have them: other settings than the earlier generation was curated by."""
    rows = [made(0, {"q": [THREE], "r": [THREE]}), made(1, {"q": ["!no"], "r": ["!no"]})]
    assert curated(tmp_path, *rows).height == 2
    flags = tmp_path / "flags.parquet"
    flag = {"question_id": "q", "reason": "near_duplicate_question", "exact": False, "repeats": "r", "similarity": 0.9}
    write_table(flags, pa.Table.from_pylist([flag], schema=FLAGS))
    tables = [tmp_path / "gen-1" / name for name in ("rollouts", "examples", "rejects")]
    curate(*tables, Curation(union=True), flags=flags, earlier=[tmp_path / "gen-0"])
    assert pl.read_parquet(tmp_path / "gen-1/examples")["attempt_id"].to_list() == ["r/0/0"]


@pytest.mark.usefixtures("in_process")
def test_ceilings_hold_for_all(tmp_path: Path) -> None:
    """Rationalized ones of an earlier generation count, and go without becoming rejects of this one."""
    hinted, right = [f"q{number}" for number in range(9)], [f"r{number}" for number in range(6)]
    first = made(0, {key: [f"?{OTHER}"] for key in hinted} | {key: ["!no"] for key in right})
    second = made(1, {key: ["!no"] for key in hinted} | {key: [THREE] for key in right})
    assert curated(tmp_path, first, second).height == 15
    tables = [tmp_path / "gen-1" / name for name in ("rollouts", "examples", "rejects")]
    curate(*tables, Curation(union=True, max_rationalized_share=0.25), earlier=[tmp_path / "gen-0"])
    examples, rejects = (pl.read_parquet(tmp_path / "gen-1" / name) for name in ("examples", "rejects"))
    assert [examples["origin"].to_list().count(origin) for origin in ("sampled", "rationalized")] == [6, 2]
    assert set(rejects["reason"]) == {"wrong"}


def test_the_gate_holds_an_example_against_its_own_generation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second generation in which ``q1`` is not solved, with the example of the first."""
    monkeypatch.setattr("validation.checkpoint._write_docs", lambda *_: None)  # they take most of the time
    first, now = valid(), valid()
    for row in now["rollouts"]:
        row["generation"] = 1
        for tried in row["attempts"]:
            tried["attempt_id"] = tried["attempt_id"].replace("/", "/1/")
    for example in now["examples"]:
        example["generation"] = 1
        example["attempt_id"] = example["attempt_id"] and example["attempt_id"].replace("/", "/1/")
    now["rollouts"][3]["attempts"][2]["attempt_id"] = "q4/1/new"
    taken = copy.deepcopy(first["examples"][0]) | {"example_id": "q1/a"}
    now["examples"].append(taken)
    files = [tmp_path / "earlier.parquet"]
    pq.write_table(pa.Table.from_pylist(first["rollouts"], schema=ROLLOUTS), files[0])

    def failures(name: str, **changes: Any) -> list[str]:
        changed = copy.deepcopy(now)
        changed["examples"][-1] |= changes
        folder = tmp_path / name
        folder.mkdir()
        return [failure.expectation for failure in judged(changed, folder, LIMITS, earlier=files).failures]

    assert failures("right") == []
    for name, changes in {
        "no such attempt": {"attempt_id": "q1/z"},
        "of another question": {"attempt_id": "q2/h"},
        "of this generation": {"generation": 1},
        "of one that may not be taken from": {"generation": 7},
    }.items():
        (told,) = failures(name, **changes)
        assert "the attempt of an example is among its question's rollout, in the generation that it names" in told
    (told,) = failures("rewritten", verdict="wrong")
    assert "has the verdict of its attempt" in told
    copied = copy.deepcopy(taken) | {"example_id": "again"}
    now["examples"] += [copied, copied | {"example_id": "and again"}]
    (told,) = failures("over the cap", example_id="q1/a/3")
    assert "at most 2 examples of one turn" in told
    del now["examples"][-2:], now["examples"][0]
    (told,) = failures("nothing new for it")
    assert "new examples that are not reference is at least 3" in told


SETTINGS = ("curation.union=true", "engine.accuracy=0.4", "engine.hinted_accuracy=0.0")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("union") / "run"
    Command(run, *SETTINGS, generations=2, small=TINY).end_after(run / "gen-1" / "records" / "publish.json")
    return run


def test_a_run_takes_over_what_it_no_longer_solves(run: Path) -> None:
    def of(n: int) -> pl.DataFrame:
        return pl.concat([pl.read_parquet(path) for path in sorted((run / f"gen-{n}/examples").glob("0*.parquet"))])

    first, second = of(0), of(1)
    own = second.filter(pl.col("generation") == 1)
    expected = first.join(own, on="question_id", how="anti")
    assert expected.height > 0
    assert second.filter(pl.col("generation") == 0).sort("example_id").equals(expected.sort("example_id"))
    record = json.loads((run / "gen-1/records/curate.json").read_text())
    assert record["taken_over"] == {"0": expected.height}
    read = {str(path.relative_to(run)) for path in run.glob("gen-0/rollouts/*.parquet")}
    read |= {str(path.relative_to(run)) for path in run.glob("gen-0/examples/*.parquet")}
    for stage in ("curate", "validate"):
        inputs = json.loads((run / f"gen-1/records/{stage}.json").read_text())["inputs"]
        assert read <= inputs.keys()
        assert all(len(inputs[path]["sha256"]) == 64 for path in read)
    figures = json.loads((run / "gen-1/records/health.json").read_text())["figures"]
    tokens = json.loads((run / "gen-1/records/rollouts.json").read_text())["completion_tokens"]
    assert figures["tokens_per_example"] == round(tokens / own.height, 1)


def test_it_is_published_with_its_counts(run: Path) -> None:
    where = run.parent / "registry/run/gen-1"
    manifest = json.loads((where / "manifest.json").read_text())
    (count,) = manifest["facts"]["taken_over"].values()
    assert list(miscounted(manifest)) == []
    manifest["facts"]["taken_over"]["0"] -= 1
    assert any("attempts" in told for told in miscounted(manifest))
    assert f"that say something new (generation 0: {count})" in (where / "README.md").read_text()
    assert [one.mismatches for one in lineage(published(str(where)))] == [[], []]
    assert "taken_over" not in json.loads((where.parent / "gen-0/manifest.json").read_text())["facts"]


def test_published_rows_keep_their_place(run: Path) -> None:
    """Every question of the first generation has an example in the second: its own, or the one that it had."""
    first, second = (
        pl.read_parquet(run.parent / f"registry/run/gen-{n}/data")["question_id"].to_list() for n in (0, 1)
    )
    assert 0 < len(first) < len(second)
    assert second[: len(first)] == first


def test_a_curation_that_was_killed_comes_out_the_same(run: Path) -> None:
    before = tables(run)
    for stage in ("curate", "health", "validate"):
        (run / f"gen-1/records/{stage}.json").unlink()
    next(iter(run.glob("gen-1/examples/0*.parquet"))).unlink()
    Command(run, *SETTINGS, generations=2, small=TINY).end_after(run / "gen-1" / "records" / "validate.json")
    assert tables(run) == before


def test_rollouts_that_have_been_put_away_are_asked_back(run: Path) -> None:
    """Said before any work, and by every stage that would read them."""
    recipe = load_recipe(str(run / "recipe.yaml"), [], 3)
    opened = Run.existing(run)
    assert union.problems(recipe, opened) == []
    (run / "gen-0/rollouts").rename(run / "away")
    (told,) = union.problems(recipe, opened)
    assert told.startswith("curation.union: generation 2 takes over examples of generation 0")
    assert "gen-0/rollouts has been put away; put it back" in told
    with pytest.raises(FactoryError, match="has been put away; put it back"):
        union.recorded(recipe, opened, 2)
    command = Command(run, *SETTINGS, generations=3, small=TINY)
    assert command.process.wait(300) != 0
    assert "curation.union: generation 2 takes over" in command.printed()
    assert not (run / "gen-2/rollouts").exists()
    assert union.problems(load_recipe(str(run / "recipe.yaml"), [], 2), opened) == [], "nothing is left to do"
    (run / "away").rename(run / "gen-0/rollouts")


def test_only_generations_of_the_same_phase(run: Path) -> None:
    phases = ["generations=2", "then=[{generations: 2, curation: {per_question: 2}}]"]
    recipe = load_recipe(str(run / "recipe.yaml"), phases)
    assert [union.earlier(recipe, n) for n in range(5)] == [[], [0], [], [2], [3, 2]]
    without = load_recipe(str(run / "recipe.yaml"), ["curation.union=false"])
    assert [union.earlier(without, n) for n in range(3)] == [[], [], []]
