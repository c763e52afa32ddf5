"""Pairs, and prompts with completions: what is in them, and what never is."""

from pathlib import Path
from typing import Any, get_args

import datasets
import polars as pl
import pyarrow as pa
import pytest

from factory.files import write_table
from factory.publishing.configs import config, paired
from factory.publishing.parquet import ON_REQUEST
from factory.reading.counts import miscounted
from factory.reading.lineage import lineage
from factory.recipe.groups import Publish
from factory.targets.registry import Registry
from schemas import EXAMPLES, PAIRS, PROMPT_COMPLETION, ROLLOUTS
from tests.support.page_run import AGAIN, attempt, rollout
from tests.support.publishing import FACTS, Inputs, publish, row

Row = dict[str, Any]
RIGHT = {"attempt_id": pl.String, "example_id": pl.String, "origin": pl.String}


def said(*contents: str) -> list[Row]:
    return [{"role": ("user", "assistant")[at % 2], "content": content} for at, content in enumerate(contents)]


def made(question: str, *attempts: Row, kept: tuple[int, ...]) -> list[Row]:
    """The pairs of one question of which some attempts, by number, are examples."""
    right = [
        (attempts[at]["attempt_id"], f"e{at}", "rationalized" if attempts[at]["hinted"] else "sampled") for at in kept
    ]
    rollouts = pl.DataFrame(pa.Table.from_pylist([rollout(question, 0, list(attempts))], ROLLOUTS))
    return paired(rollouts, pl.DataFrame(right, RIGHT, orient="row")).to_pylist()


def tried(number: int, verdict: str, tokens: int = 10, **columns: Any) -> Row:
    return attempt("q", 0, number, verdict, completion_tokens=tokens, **columns)


def couples(*attempts: Row, kept: tuple[int, ...]) -> list[tuple[str, str]]:
    return [(one["example_id"], one["attempt_id"]) for one in made("q", *attempts, kept=kept)]


def test_the_columns_of_a_pair() -> None:
    (pair,) = made("q", tried(0, "wrong", 8), tried(1, "correct", 9), kept=(1,))
    assert pair == {
        "question_id": "q",
        "prompt": said("q"),
        "chosen": [{"role": "assistant", "content": "It is 1."}],
        "rejected": [{"role": "assistant", "content": "It is 0."}],
        "origin": "sampled",
        "example_id": "e1",
        "attempt_id": "q/0/s0t0",
        "chosen_tokens": 9,
        "rejected_tokens": 8,
        "generation": 0,
    }


def test_equal_lengths_first_and_none_twice() -> None:
    right = tried(0, "correct", 20), tried(1, "correct", 11)
    wrong = tried(2, "wrong", 12), tried(3, "wrong", 12), tried(4, "wrong", 40)
    assert couples(*right, *wrong, kept=(0, 1)) == [("e0", "q/0/s3t0"), ("e1", "q/0/s2t0")]
    assert couples(*right, wrong[0], kept=(0, 1)) == [("e1", "q/0/s2t0")]
    assert couples(*right, *wrong, kept=(0,)) == [("e0", "q/0/s2t0")], "of two alike the first"


@pytest.mark.parametrize("verdict", ["correct", "unparseable", "truncated", "error"])
def test_only_a_wrong_answer_is_rejected(verdict: str) -> None:
    assert couples(tried(0, "correct"), tried(1, verdict), kept=(0,)) == []


def test_only_an_example_that_is_right_is_chosen() -> None:
    assert couples(tried(0, "correct"), tried(1, "wrong"), kept=()) == []
    assert couples(tried(0, "wrong"), tried(1, "wrong"), kept=(0,)) == [], "as a criterion of RISE keeps it"


def test_an_attempt_under_a_hint_is_never_rejected_and_may_be_chosen() -> None:
    hinted = tried(0, "wrong", hinted=True)
    assert couples(tried(0, "correct"), hinted, kept=(0,)) == []
    shown = tried(0, "correct", hinted=True)
    (pair,) = made("q", tried(0, "wrong"), shown, hinted, kept=(1,))
    assert (pair["origin"], pair["attempt_id"], pair["prompt"]) == ("rationalized", "q/0/s0t0", said("q"))


def test_an_empty_text_is_not_rejected() -> None:
    assert couples(tried(0, "correct"), tried(1, "wrong", completion=" \n"), kept=(0,)) == []


def test_both_answer_the_same_dialogue() -> None:
    after, other = said("q", "It is 0.", AGAIN), said("q", "It is 5.", AGAIN)
    first, wrong = tried(0, "wrong"), tried(0, "wrong", turn=1, context=after)
    right = tried(1, "correct", turn=1, context=after)
    (pair,) = made("q", first, wrong, right, kept=(2,))
    assert (pair["prompt"], pair["attempt_id"]) == (after, "q/0/s0t1")
    assert made("q", first, tried(0, "wrong", turn=1, context=other), right, kept=(2,)) == []


@pytest.fixture
def tables(tmp_path: Path) -> dict[str, list[Path]]:
    """Two shards of rollouts; their examples in another order, with a reference and a wrong one."""
    shards: dict[str, list[Path]] = {"rollouts": [tmp_path / f"r{n}.parquet" for n in (0, 1)], "rejects": []}
    shards["examples"] = [tmp_path / "e.parquet"]
    for number, path in enumerate(shards["rollouts"]):
        name = f"q{number}"
        some = [attempt(name, 0, at, verdict) for at, verdict in enumerate(("wrong", "correct", "wrong"))]
        write_table(path, pa.Table.from_pylist([rollout(name, 0, some)], ROLLOUTS))
    rows = [
        row(
            EXAMPLES,
            example_id=f"e{n}",
            question_id=f"q{n}",
            attempt_id=f"q{n}/0/s{at}t0",
            verdict=verdict,
            origin="sampled",
            messages=said(f"q{n}", f"It is {at}."),
        )
        for n, at, verdict in ((1, 1, "correct"), (0, 2, "wrong"), (0, 1, "correct"))
    ]
    rows.insert(1, row(EXAMPLES, example_id="seed", origin="reference", messages=said("a", "b", "c", "d")))
    write_table(shards["examples"][0], pa.Table.from_pylist(rows, EXAMPLES))
    return shards


def read(shards: list[Path]) -> list[Row]:
    return pl.read_parquet(shards).to_dicts() if shards else []


def test_shards_are_the_same_each_time(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    for name in ON_REQUEST:
        once, twice = (config(name, tables, tmp_path / folder / name) for folder in ("once", "twice"))
        assert [path.read_bytes() for path in once] == [path.read_bytes() for path in twice]
    assert [one["example_id"] for one in read(config("pairs", tables, tmp_path / "p"))] == ["e0", "e1"]
    completions = read(config("prompt_completion", tables, tmp_path / "c"))
    assert [one["example_id"] for one in completions] == ["e1", "seed", "e0"], "in their order, without the wrong one"
    assert [one["prompt"] + one["completion"] for one in completions] == [
        said("q1", "It is 1."),
        said("a", "b", "c", "d"),
        said("q0", "It is 1."),
    ]
    assert [len(one["completion"]) for one in completions] == [1, 1, 1]
    assert config("pairs", tables | {"examples": []}, tmp_path / "none") == []


def test_what_is_published_is_recorded_held_against_and_loads(
    tables: dict[str, list[Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    wanted = {name: config(name, tables, tmp_path / name) for name in ON_REQUEST}
    facts = FACTS | {"questions": {"train": 2}, "funnel": [{"what": "attempts", "count": 3}]}
    inputs: Inputs = {"tables": tables | wanted, "recipe": "", "facts": facts}
    target = Registry(tmp_path / "registry" / "sums")
    published = publish(target, inputs)
    assert publish(target, inputs).where == published.where
    manifest, folder = published.manifest(), published.folder("*")
    assert {name: manifest["tables"][name]["rows"] for name in ON_REQUEST} == {"pairs": 2, "prompt_completion": 3}
    for name, schema in {"pairs": PAIRS, "prompt_completion": PROMPT_COMPLETION}.items():
        loaded = datasets.load_dataset(str(folder), name, split="train")
        assert loaded.column_names == schema.names
        assert list(loaded) == read(wanted[name])
        told = f'{name} = load_dataset("registry/sums/gen-0", "{name}", split="train")'
        assert told in (folder / "README.md").read_text()
        file = folder / name / "train-00000-of-00001.parquet"
        assert manifest["files"][f"{name}/{file.name}"]["rows"] == loaded.num_rows
    assert datasets.get_dataset_config_names(str(folder)) == ["examples", "rollouts", "rejects", *ON_REQUEST]
    (found,) = lineage(published)
    assert found.mismatches == []
    file.write_bytes(b"")
    (found,) = lineage(published)
    assert [one.split(" is not")[0] for one in found.mismatches] == [f"prompt_completion/{file.name}"]
    with pytest.raises(Exception, match="is not what its manifest says"):
        publish(target, inputs)


def test_lost_rows_of_a_config_show(tables: dict[str, list[Path]], tmp_path: Path) -> None:
    wanted = {name: config(name, tables, tmp_path / name) for name in ON_REQUEST}
    facts = FACTS | {"questions": {"train": 2}, "funnel": []}
    inputs = {"tables": tables | wanted, "recipe": "", "facts": facts}
    manifest = publish(Registry(tmp_path / "sums"), inputs).manifest()
    assert list(miscounted(manifest)) == []
    manifest["tables"]["pairs"]["rows"] = 5
    assert list(miscounted(manifest)) == ["its pairs are 5, in its files 2", "its pairs are 5, made of 4 examples"]


def test_none_is_made_unless_it_is_asked_for(inputs: Inputs, tmp_path: Path) -> None:
    manifest = publish(Registry(tmp_path / "sums"), inputs).manifest()
    assert manifest["tables"].keys() == {"examples", "rollouts", "rejects"}
    assert get_args(get_args(Publish.model_fields["configs"].annotation)[0]) == tuple(ON_REQUEST)
