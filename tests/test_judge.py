"""Another model is asked about what all checks have passed: its answers are a check like any other, and cost apart."""

import json
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from factory.cluster import connected
from factory.errors import ConfigError, FactoryError
from factory.files import shards
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe
from factory.run import Run
from factory.sampling.judging import ask
from factory.stages import Stages
from factory.terminal import line
from tests.support.loop import TINY

JUDGE = "judge={engine: {_component_: tests.support.engines.Critic}, model: critic}"
DECIDES = "curation.checks_decide={judge: [sampled, rationalized]}"
PASSED = {0: False, 1: None, 2: None, 3: True}
REASONS = {
    0: "step 1 is invented.",
    1: "what the judge said cannot be read: no line begins with PASS or FAIL",
    2: "the judge could not be asked: the judge is out",
    3: None,
}


@pytest.fixture(scope="module", autouse=True)
def ray_cluster() -> Iterator[None]:
    with connected():
        yield


def recipe_of(folder: Path, *settings: str) -> Recipe:
    return load_recipe("star_arithmetic", [*TINY, f"publish.registry={folder / 'registry'}", *settings])


def judged(folder: Path, *settings: str) -> Stages:
    """A run up to its gate."""
    recipe = recipe_of(folder, *settings)
    stages = Stages(recipe, Run.open(folder / "run", recipe))
    stages.snapshot()
    stages.make_base()
    stages.sample(0, "evaluation", "rollouts")
    stages.judge(0)
    stages.curate(0)
    stages.validate(0)
    return stages


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stages:
    return judged(tmp_path_factory.mktemp("judged"), JUDGE, DECIDES, "curation.checks=[]")


def results(stages: Stages, table: str) -> pl.DataFrame:
    """What the judge's results on the examples, or the rejects, are."""
    rows = pl.read_parquet(shards(stages.run.generation(0) / table))
    found = rows.select("question_id", "checks").explode("checks").unnest("checks").filter(pl.col("name") == "judge/1")
    answers = pl.read_parquet(shards(stages.run.questions("train"))).select("question_id", gold="answer")
    return found.join(answers, on="question_id").with_columns(kind=pl.col("gold").cast(pl.Int64) % 4)


def test_its_results_lie_on_examples_and_rejects_with_reasons(stages: Stages) -> None:
    kept, dropped = results(stages, "examples"), results(stages, "rejects")
    assert set(kept["kind"]) == {1, 2, 3}
    assert 0 in set(dropped["kind"])
    found = pl.concat([rows.select("kind", "passed", "reason") for rows in (kept, dropped)])
    assert set(found.iter_rows()) == {(kind, PASSED[kind], REASONS[kind]) for kind in range(4)}
    rejects = pl.read_parquet(shards(stages.run.generation(0) / "rejects"))
    assert rejects.filter(pl.col("reason") == "check_judge").height == dropped.filter(pl.col("kind") == 0).height > 0


def test_only_what_is_correct_is_asked_about_and_what_it_cost_stands_apart(stages: Stages) -> None:
    records = stages.run.records(0)
    rollouts = pl.read_parquet(shards(stages.run.generation(0) / "rollouts"))
    attempts = rollouts.select("attempts").explode("attempts").unnest("attempts")
    asked = pl.read_parquet(shards(stages.run.generation(0) / "judge" / "questions"))
    assert set(asked["question_id"]) == set(attempts.filter(pl.col("verdict") == "correct")["attempt_id"])
    record = records["judge"]
    assert record["rationales"] == asked.height
    assert record["passed"] == sum(int(answer) % 4 == 3 for answer in asked["question"].str.extract(r"answer: (\d+)"))
    assert record["errors"] == record["retried"]["errors"] > 0
    assert record["retried"]["mended"] == 0
    assert record["completion_tokens"] > 0
    assert records["rollouts"]["completion_tokens"] == attempts["completion_tokens"].sum()
    assert records["curate"]["check_versions"]["judge"] == "1"
    assert any(path.startswith("gen-0/judge/rollouts/") for path in records["curate"]["inputs"])


def test_a_shard_that_is_lost_is_asked_again_and_no_other(stages: Stages) -> None:
    run, once = stages.run, stages.recipe.rollout.model_copy(update={"retry_errors": False})
    recipe = stages.recipe.model_copy(update={"rollout": once})
    assert recipe.judge
    folder = run.generation(0) / "judge"
    first, *others = shards(folder / "rollouts")
    before, kept = first.read_bytes(), {path: path.stat().st_mtime_ns for path in others}
    first.unlink()

    with line("judge") as shown:
        record = ask(recipe, recipe.judge, run, 0, folder / "questions", folder / "rollouts", shown)
    assert first.read_bytes() == before
    assert {path: path.stat().st_mtime_ns for path in others} == kept
    assert record["outputs"] == run.records(0)["judge"]["outputs"]


def test_what_it_said_of_other_rollouts_is_not_taken_for_these(stages: Stages) -> None:
    path = stages.run.generation(0) / "records" / "judge.json"
    kept = path.read_text()
    record = json.loads(kept)
    next(iter(record["inputs"].values()))["sha256"] = "0" * 64
    path.write_text(json.dumps(record))
    with pytest.raises(FactoryError, match="gen-0/judge was made of other rollouts than are there now; delete"):
        stages.view(0, "again")
    path.write_text(kept)
    assert stages.view(0, "again")["examples"] == stages.run.records(0)["curate"]["examples"]


def test_where_a_check_has_failed_the_judge_is_not_asked(tmp_path: Path) -> None:
    check = "curation.checks=[{_component_: factory.checks.degenerate.Degenerate, shortest: 35}]"
    stages = judged(tmp_path, JUDGE, check, "curation.checks_decide=[]", "gate.min_examples=1")
    rows = pl.concat(
        pl.read_parquet(shards(stages.run.generation(0) / table)).select("checks") for table in ("examples", "rejects")
    )
    names: dict[bool, set[str]] = {True: set(), False: set()}
    for checks in rows["checks"].drop_nulls().to_list():
        for check_ in checks:
            if check_["name"].startswith("degenerate"):
                names[check_["passed"]] |= {one["name"] for one in checks}
    assert names == {True: {"degenerate/1", "judge/1"}, False: {"degenerate/1"}}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["judge={model: big}"], "judge.engine: is missing"),
        (["judge={engine: {_component_: factory.engines.scripted.Scripted}, rubric: 'Well?'}"], "judge.rubric: should"),
        ([DECIDES], "curation.checks_decide: the judge is to decide, and the recipe has none"),
    ],
)
def test_a_judge_that_cannot_be_is_refused_when_the_recipe_is_read(
    tmp_path: Path, settings: list[str], words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        recipe_of(tmp_path, *settings)
    assert words in str(error.value)


def test_a_judge_that_does_not_answer_is_one_message_before_sampling(tmp_path: Path) -> None:
    engine = "{_component_: factory.engines.openai.OpenAI, base_url: 'http://127.0.0.1:9/v1', served_model: big}"
    recipe = recipe_of(tmp_path, f"judge={{engine: {engine}}}")
    stages = Stages(recipe, Run.open(tmp_path / "run", recipe))
    with pytest.raises(ConfigError) as error:
        stages.preflight()
    assert "judge.engine.base_url: no server answers at http://127.0.0.1:9/v1" in str(error.value)
    recipe = recipe_of(tmp_path, "judge={engine: {_component_: factory.engines.scripted.Scripted}}")
    with pytest.raises(ConfigError) as error:
        Stages(recipe, Run.open(tmp_path / "other", recipe)).preflight()
    assert "judge.model: is missing" in str(error.value)
