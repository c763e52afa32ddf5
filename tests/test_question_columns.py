"""What questions may bring of their own: a system text, several accepted answers. Earlier snapshots have neither."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from factory.attempt import Question
from factory.cluster import connected
from factory.curation.seeds import reference_examples, warmup_examples
from factory.engines import Sampling
from factory.errors import ConfigError
from factory.files import read_json, write_json, write_table
from factory.prompts import Prompt
from factory.reading.reverify import reverify
from factory.recipe.component import Component, parse
from factory.recipe.curation import Curation
from factory.recipe.groups import Rollout, Warmup
from factory.recipe.load import load_recipe
from factory.run import Run
from factory.sampling.rollout import roll_out
from factory.sampling.worker import Job, Pass
from factory.verifiers import judge
from factory.verifiers.exact import Exact
from factory.verifiers.numeric import Numeric
from schemas import QUESTIONS, ROLLOUTS
from tests.support.generation import LIMITS, attempt, rollout, said, valid
from tests.support.generation import judge as judge_generation
from validation import validate

LATER = ("system", "accepted_answers")
EARLIER = pa.schema(
    [field for field in QUESTIONS if field.name not in LATER],
    metadata={"schema": "questions", "schema_version": "1.0"},
)


def row(question: str, /, **columns: Any) -> dict[str, Any]:
    given = {"question_id": question, "corpus": "c", "split": "train", "question": question, "answer": "7"} | columns
    return dict.fromkeys(QUESTIONS.names) | given


def test_any_accepted_answer_is_correct() -> None:
    question = Question("q", "train", "3+4", "7", accepted_answers=["7", "seven", "VII"])
    for answer in ("7", "Seven", "vii"):
        judged = judge(Exact(), f"The answer is {answer}", question, "stop")
        assert (judged.verdict, judged.predicted_answer) == ("correct", answer.casefold())
    assert judge(Exact(), "The answer is 8", question, "stop").verdict == "wrong"
    assert judge(Exact(), "It may be", question, "stop").verdict == "unparseable"
    assert judge(Exact(), "It may be", question, "length").verdict == "truncated"
    assert judge(Exact(), "The answer is seven", replace(question, accepted_answers=None), "stop").verdict == "wrong"
    # what the verifier cannot read it cannot accept, and says nothing of the attempt either
    for answer, verdict in (("7", "correct"), ("8", "wrong"), ("9", "correct")):
        several = replace(question, accepted_answers=["7", "seven", "9"])
        assert judge(Numeric(), f"The answer is {answer}", several, "stop").verdict == verdict


def test_the_system_of_a_question_is_in_sampling_and_in_training_alike() -> None:
    for instruction, said_first in ((None, "Add."), ("Be brief.", "Be brief.\n\nAdd.")):
        prompt = Prompt(instruction=instruction)
        sampled = prompt.sampling_messages("3+4", "7", None, 0, hinted=False, tried=["It is 6."], system="Add.")
        assert sampled[0] == {"role": "system", "content": said_first}
        assert [message["role"] for message in sampled] == ["system", "user", "assistant", "user"]
        assert prompt.training_messages("3+4", None, tried=["It is 6."], system="Add.") == sampled


def test_seeds_are_given_under_their_system(tmp_path: Path) -> None:
    run = Run(tmp_path)
    seed = row("3+4", split="seed", reference_rationale="It is 7.", system="Add.")
    write_table(run.questions("seed") / "00000.parquet", pa.Table.from_pylist([seed], QUESTIONS))
    examples = reference_examples(run, Prompt(), 0, Curation(), False).to_pylist()
    warm = warmup_examples(run, Prompt(), Warmup(steps=1)).to_pylist()
    assert [one["messages"][0] for one in (*examples, *warm)] == [{"role": "system", "content": "Add."}] * 3


@pytest.fixture(scope="module")
def ray_cluster() -> Iterator[None]:
    with connected():
        yield


@pytest.mark.usefixtures("ray_cluster")
@pytest.mark.parametrize("schema", [QUESTIONS, EARLIER], ids=["now", "earlier"])
def test_a_rollout_of_questions_with_and_without_them(tmp_path: Path, schema: pa.Schema) -> None:
    later = schema is QUESTIONS
    questions = [row("3+4", accepted_answers=["7", "8"], system="Add."), row("1+2", answer="3")]
    rows = [{name: given[name] for name in schema.names} for given in questions]
    write_table(tmp_path / "questions" / "00000.parquet", pa.Table.from_pylist(rows, schema))
    job = Job(
        model=Path("model"),
        model_name="model",
        generation=0,
        seed=0,
        engine=Component("factory.engines.scripted.Scripted", {"accuracy": 0.0, "hinted_accuracy": 0.0}),
        verifier=Component("factory.verifiers.numeric.Numeric", {}),
        prompt=Prompt(),
        passes=(
            Pass(
                tmp_path / "questions",
                tmp_path / "rollouts",
                parse({"_component_": "factory.strategies.star.star", "samples": 1, "hinted_samples": 1}),
                Sampling(),
            ),
        ),
        log=tmp_path / "log",
    )
    roll_out(job, Rollout(), lambda tally, pace: None)
    made = {one["question_id"]: one for one in pl.read_parquet(tmp_path / "rollouts" / "*.parquet").to_dicts()}
    assert (made["3+4"]["solved"], made["3+4"]["answer"]) == (later, "7")  # the script says 8
    assert not made["1+2"]["solved"]
    systems = [message["content"] for one in made["3+4"]["attempts"] for message in one["context"][:-1]]
    assert systems == (["Add."] if later else [])
    assert all(len(one["context"]) == 1 for one in made["1+2"]["attempts"])


@pytest.mark.parametrize("schema", [QUESTIONS, EARLIER], ids=["now", "earlier"])
def test_a_run_is_judged_again_by_all_that_is_accepted(tmp_path: Path, schema: pa.Schema) -> None:
    numeric = "verifier={_component_: factory.verifiers.numeric.Numeric}"
    run = Run.open(tmp_path / "run", load_recipe("star_arithmetic", [numeric]))
    given = row("q1", question="3+4?", accepted_answers=["7", "8"])
    snapshot = pa.Table.from_pylist([{name: given[name] for name in schema.names}], schema)
    write_table(run.questions("train") / "00000.parquet", snapshot)
    tried = attempt("q1/a", said("3+4?"), "wrong", "8", completion="The answer is 8")
    made = dict.fromkeys(ROLLOUTS.names) | rollout("q1", "3+4?", "7", [tried], False, 0.0)
    write_table(run.generation(0) / "rollouts" / "00000.parquet", pa.Table.from_pylist([made], ROLLOUTS))
    run.finish("questions", {"outputs": run.described(run.questions("train"))}, 1.0)
    run.finish("rollouts", {"outputs": run.described(run.generation(0) / "rollouts")}, 1.0, 0)
    (table,) = reverify(run.folder)["tables"]
    assert table["verdicts"] == {"wrong -> correct" if schema is QUESTIONS else "wrong -> wrong": 1}


def test_the_gate_takes_a_snapshot_of_an_earlier_version_and_no_other_that_lacks_columns(tmp_path: Path) -> None:
    tables = valid()
    assert judge_generation(tables, tmp_path).success
    names = ("rollouts", "examples", "rejects", "questions")
    files = {name: sorted(tmp_path.glob(f"{name}-*.parquet")) for name in names}
    for file in files["questions"]:
        pq.write_table(pq.read_table(file).select(EARLIER.names).cast(EARLIER), file)

    def failures() -> list[str]:
        judged = validate(*(files[name] for name in names), tmp_path / "judged", LIMITS)
        return [f"{one['column']} {one['found']}" for failure in judged.failures for one in failure.examples]

    assert failures() == []
    table = pq.read_table(files["questions"][0])
    pq.write_table(table.replace_schema_metadata(QUESTIONS.metadata), files["questions"][0])
    assert failures() == ["system absent", "accepted_answers[] absent"]
    pq.write_table(table.drop_columns("answer"), files["questions"][0])
    assert failures() == ["answer absent"]


def test_a_setting_that_came_later_is_no_change_at_its_default(tmp_path: Path) -> None:
    config = {
        "_component_": "factory.corpora.table.table",
        "path": "x.csv",
        "columns": {"question": "q", "answer": "a"},
    }
    recipe = load_recipe("star_arithmetic", [f"corpus={json.dumps(config | {'eval_share': 0.1})}"])
    run = Run.open(tmp_path / "run", recipe)
    run.finish("questions", {}, 1.0)
    begun = read_json(run.folder / "run.json")
    later = {"questions.conflicts", "corpus.answers", "corpus.answer_map", "corpus.encoding", "corpus.quote"}
    assert later <= begun["identity"].keys()
    kept = {key: value for key, value in begun["identity"].items() if key not in later}
    write_json(run.folder / "run.json", begun | {"identity": kept})
    assert Run.open(tmp_path / "run", recipe).fingerprint == begun["fingerprint"]
    for change in ("questions.conflicts=first", "corpus.answers=any", "corpus.answer_map={a: b}", "corpus.quote=''"):
        changed = load_recipe(str(run.folder / "recipe.yaml"), [change])
        with pytest.raises(ConfigError, match="was made by another recipe") as refused:
            Run.open(tmp_path / "run", changed)
        assert len(refused.value.problems) == 2
        assert refused.value.problems[0].startswith(change.partition("=")[0])
