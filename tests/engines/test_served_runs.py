"""A server at the other end of the loop's rollout: what is written, what stops it, and how it goes on."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from factory.cluster import connected, explained
from factory.curation.curate import Rules, curate, curate_rollouts
from factory.errors import FactoryError
from factory.recipe.component import Component
from factory.recipe.curation import Curation
from factory.recipe.groups import Rollout
from factory.sampling.rollout import roll_out
from factory.sampling.worker import Job
from tests.support.misbehaving import KEY, Misbehaving, Reply, failed, job, running, said, sums

MANY = [f"{number}+1" for number in range(20)]


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    """Its workers have the key in their environment, as they were started with it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", KEY)
        with connected():
            yield


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with running() as server:
        server.answer = sums
        yield server


def rolled_out(job: Job) -> pl.DataFrame:
    """The attempts of all questions, in order."""
    roll_out(job, Rollout(shards_in_flight=2), lambda tally, pace: None)
    rows = pl.read_parquet(job.passes[0].out)
    return rows.select("question_id", "attempts").explode("attempts").unnest("attempts")


def stopped(job: Job) -> str:
    """What stops the sampling, in the line that a user sees."""
    with pytest.raises(FactoryError, match="sampling stopped: ") as caught:
        rolled_out(job)
    why, way_out = str(caught.value).splitlines()
    assert "the same command goes on from here" in way_out
    assert KEY not in why + job.log.read_text()
    assert not list(job.passes[0].out.glob("*"))
    return why.removeprefix("sampling stopped: ")


@pytest.mark.parametrize("at", ["start", "request"])
def test_a_refused_key_stops_the_run_at_once(server: Misbehaving, tmp_path: Path, at: str) -> None:
    """Ray must not try it over and over, and nothing may be written that a resumed run would take for done."""
    if at == "start":
        server.key = "another"
    server.replies = [failed(401, f"wrong key: {KEY}")] * 4
    assert stopped(job(server, tmp_path)).startswith("api_key_env: ")


@pytest.mark.parametrize(
    ("reply", "settings", "words"),
    [
        (failed(400, "this model is retired"), {}, "refuses every request: .*this model is retired"),
        (failed(429, "you are out of credits", code="insufficient_quota"), {}, "used up: .*out of credits"),
        (failed(503, "the model is loading"), {"patience": 2}, r"for 2 s \(patience\).*the model is loading"),
        (said("The answer is 3", reasoning_content="One and two."), {}, "the reasoning comes apart from the content"),
        (said(None, refusal="No sums today"), {}, "not one attempt at 10 questions was served: .*No sums today"),
    ],
)
def test_what_no_question_is_to_blame_for_stops_the_run_and_it_goes_on(
    server: Misbehaving, tmp_path: Path, reply: Reply, settings: dict[str, Any], words: str
) -> None:
    server.answer = lambda request: reply
    why = stopped(job(server, tmp_path, MANY, **settings))
    assert re.search(words, why)
    server.answer = sums
    attempts = rolled_out(job(server, tmp_path, MANY, **settings))
    assert attempts["question_id"].to_list() == MANY
    assert attempts["verdict"].unique().to_list() == ["correct"]


def test_what_one_question_is_to_blame_for_is_its_own(server: Misbehaving, tmp_path: Path) -> None:
    faults = {
        "3+1": failed(400, "prompt is too long"),
        "5+1": failed(400, "maximum context length is 2", code="context_length_exceeded"),
        "7+1": said("half of a \ud83d word. The answer is 8"),
        "9+1": said(None),
        "11+1": failed(500, "half of a \ud83d word"),
    }
    server.answer = lambda request: faults.get(request["messages"][-1]["content"]) or sums(request)
    attempts = rolled_out(job(server, tmp_path, MANY))
    assert attempts["question_id"].to_list() == MANY
    failures = attempts.filter(pl.col("verdict") != "correct")
    assert dict(failures.select("question_id", "verdict").iter_rows()) == dict.fromkeys(faults, "error")
    for error, words in zip(
        failures["error"],
        ("too long", "context overflow: ", "half of a surrogate pair", "no content", r"\ud83d word"),
        strict=True,
    ):
        assert words in error
    assert failures["completion"].to_list() == ["", "", r"half of a \ud83d word. The answer is 8", "", ""]
    examples, rejects = curate_rollouts(pl.read_parquet(tmp_path / "out"), Rules(Curation()))
    assert len(examples) == len(MANY) - len(faults)
    assert rejects["reason"].to_list() == ["error", "context_overflow", "error", "error", "error"]


def test_the_loop_s_rollout_samples_a_server_and_cuts_what_it_did_not(server: Misbehaving, tmp_path: Path) -> None:
    server.replies = [said("The answer is 3\nQ: 7+8", "length")]
    [attempt] = rolled_out(job(server, tmp_path)).iter_rows(named=True)
    shown = [attempt[name] for name in ("completion", "verdict", "finish_reason")]
    assert shown == ["The answer is 3", "correct", "stop"]


def test_a_shard_that_cannot_be_written_is_told_in_a_line(server: Misbehaving, tmp_path: Path) -> None:
    full = job(server, tmp_path)
    full = Job(**vars(full) | {"engine": Component("tests.support.engines.FullDisk", {})})
    shard = tmp_path / "out" / "00000.parquet"
    assert stopped(full) == f"'{shard}': No space left on device; make room there"
    rolled_out(job(server, tmp_path))


def test_what_fails_in_a_task_is_told_without_what_ray_says_of_it(
    server: Misbehaving, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rolled_out(job(server, tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(FactoryError) as caught, explained():
        curate(tmp_path / "out", tmp_path / "file" / "examples", tmp_path / "rejects", Curation())
    where = tmp_path / "file" / "examples"
    assert str(caught.value).splitlines()[0] == f"'{where}': Not a directory; see that nothing else works there"
    assert "Traceback" in capfd.readouterr().err  # which is the log in a run
