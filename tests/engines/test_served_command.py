"""The whole command with a served model: it stops in the server's words, and goes on at another address."""

import json
from pathlib import Path

import polars as pl

from factory.files import read_json
from tests.support.loop import Command
from tests.support.misbehaving import Misbehaving, Reply, failed, running, sums

SHORT = ("warmup.steps=0", "keep_seeds=false", "finetune.steps=1", "curation.checks=[]", "evaluation.reported_apart=[]")


def started(run: Path, server: Misbehaving, **settings: object) -> Command:
    engine = {"_component_": "factory.engines.openai.OpenAI", "base_url": server.address, "served_model": "good-model"}
    return Command(run, *SHORT, f"engine={json.dumps(engine | settings)}")


def test_a_server_that_fails_in_mid_run_stops_it_and_another_address_goes_on(tmp_path: Path) -> None:
    run, quota = tmp_path / "run", failed(429, "You exceeded your current quota", code="insufficient_quota")
    with running() as first:

        def until_the_quota_is_used_up(request: dict[str, object]) -> Reply:
            return sums(request) if len(first.asked) < 150 else quota

        first.answer = until_the_quota_is_used_up
        command = started(run, first)
        assert command.process.wait(600) == 1, command.printed()
    said = command.printed()
    assert "sampling stopped: base_url: " in said
    assert "You exceeded your current quota" in said
    assert "Traceback" not in said
    written = {path: path.read_bytes() for path in run.glob("gen-0/*/*.parquet")}
    assert not (run / "gen-0" / "records").exists()
    identity = read_json(run / "run.json")
    with running() as second:
        second.answer = sums
        command = started(run, second, max_concurrency=3, timeout=30, patience=20)
        command.end_after(run / "gen-0" / "records" / "curate.json")
    assert read_json(run / "run.json") == identity
    assert written.items() <= {path: path.read_bytes() for path in run.glob("gen-0/*/*.parquet")}.items()
    attempts = pl.read_parquet(run / "gen-0" / "rollouts").select("attempts").explode("attempts").unnest("attempts")
    assert "error" not in attempts["verdict"]
    assert attempts.filter(~pl.col("hinted"))["verdict"].unique().to_list() == ["correct"]
