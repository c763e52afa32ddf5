"""A recipe is right, or it is refused with everything that is wrong with it, before anything is done."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from factory.errors import ConfigError
from factory.recipe.component import PATH, find
from factory.recipe.load import load_recipe
from factory.recipe.recipe import Recipe, flat
from factory.recipe.settings import ROOT, located
from factory.run import Run
from factory.training.finetune import configure

RECIPES = sorted((ROOT / "recipes").glob("*.yaml"))
CONFIGS = sorted((ROOT / "torchtune_configs").glob("*.yaml"))
NAME = "star_arithmetic"
CONFIG = "torchtune_configs/llama_1m_full_single_device.yaml"


def problems(recipe: str, overrides: list[str] | None = None, generations: int | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        load_recipe(recipe, overrides or [], generations)
    shown = str(refused.value).splitlines()
    assert shown[0].startswith(f"recipe '{recipe}': {len(refused.value.problems)} problem")
    return refused.value.problems


def test_there_is_something_to_test() -> None:
    assert ROOT / "recipes" / f"{NAME}.yaml" in RECIPES
    assert ROOT / CONFIG in CONFIGS


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_valid(path: Path) -> None:
    recipe = load_recipe(path.stem)
    assert recipe.name == path.stem
    assert recipe.description
    assert load_recipe(str(path)) == recipe
    configure(located(recipe.finetune.config), recipe.finetune.overrides)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_is_read_without_scrolling(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), start=1)
    assert [number for number, line in lines if len(line) > 120] == []


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_torchtune_config_names_what_can_be_imported(path: Path) -> None:
    settings = flat(OmegaConf.to_container(configure(path, {})))
    components = {key: value for key, value in settings.items() if key.endswith(PATH)}
    needed = {"model", "tokenizer", "dataset", "checkpointer", "optimizer", "lr_scheduler", "loss", "metric_logger"}
    assert {f"{name}.{PATH}" for name in needed} <= components.keys()
    for component in components.values():
        find(component)


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("strategy.samples=2", "strategy.samples", 2),
        ("hinted_samples=0", "strategy.hinted_samples", 0),
        ("seed=7", "seed", 7),  # not ambiguous: corpus.seed and base.seed are deeper
        ("corpus.seed=7", "corpus.seed", 7),
        ("growth=2", "finetune.growth", 2.0),
        ("sampling.temperature=1e-1", "sampling.temperature", 0.1),
        ("keep_seeds=false", "curation.keep_seeds", False),
        ("max_model_len=null", "engine.max_model_len", None),
        ("instruction='Think: twice'", "prompt.instruction", "Think: twice"),
        ("description=a=b", "description", "a=b"),
        ("sampling.stop=['Q:', \"\\n\\n\"]", "sampling.stop", ["Q:", "\n\n"]),
        ("corpus.train.3=5", "corpus.train.3", 5),
        ("publish.registry=/tmp/a=b", "publish.registry", "/tmp/a=b"),
    ],
)
def test_an_override_sets_one_setting(override: str, key: str, value: Any) -> None:
    before, after = (flat(load_recipe(NAME, overrides).resolved()) for overrides in ([], [override]))
    assert after[key] == value
    assert type(after[key]) is type(value)
    assert after | {key: None} == before | {key: None}


def test_what_comes_later_wins() -> None:
    recipe = load_recipe(NAME, ["seed=1", "seed=3"], generations=4)
    assert (recipe.seed, recipe.generations) == (3, 4)


MISTAKES = {
    "name=../up": "name: string should match pattern",
    "strategi={}": "strategi: unknown setting; did you mean 'strategy'? Valid: adapter, base, ",
    "sampling.temprature=1": "sampling.temprature: unknown setting; did you mean 'temperature'? Valid: max_tokens",
    "strategy.sample=2": "strategy.sample: unknown setting; did you mean 'samples'? Valid: hinted_samples, samples",
    "corpus.trian={1: 2}": "corpus.trian: unknown setting; did you mean 'train'? Valid: eval, seed, seeds, train",
    "samples=3": "'samples' is ambiguous: evaluation.strategy.samples or strategy.samples",
    "rollout.engines=two": "rollout.engines: input should be a valid integer",
    "strategy.samples=2.5": "strategy.samples: input should be a valid integer",
    "gate=7": "gate: input should be a valid dictionary",
    "curation.prefer=longest": "curation.prefer: input should be 'first', 'shortest', 'likeliest' or 'most_diverse'",
    "curation.duplicates=words": "curation.duplicates: input should be 'text' or 'equations' (it is 'words')",
    "curation.max_similarity=1.1": "curation.max_similarity: input should be less than or equal to 1 (it is 1.1)",
    "curation.max_rationalized_share=-1": "curation.max_rationalized_share: input should be greater than or equal to 0",
    "decontamination.max_share=2": "decontamination.max_share: input should be less than or equal to 1 (it is 2)",
    "decontamination.sets=[{path: a, dataset: b}]": "decontamination.sets.0: needs either a path or a dataset",
    "publish.configs=[pears]": "publish.configs.0: input should be 'pairs' or 'prompt_completion' (it is 'pears')",
    "until=platau": "until: input should be 'plateau' (it is 'platau')",
    "seed=-1": "seed: input should be greater than or equal to 0 (it is -1)",
    "generations=0": "generations: input should be greater than 0 (it is 0)",
    "curation.per_question=0": "curation.per_question: input should be greater than 0 (it is 0)",
    "sampling.top_p=1.5": "sampling.top_p: input should be less than or equal to 1 (it is 1.5)",
    "hinted_samples=-1": "strategy.hinted_samples: input should be greater than or equal to 0 (it is -1)",
    "corpus.train={2: -3}": "corpus.train.2: input should be greater than or equal to 0 (it is -3)",
    "prompt.exemplars=no/such.yaml": "prompt.exemplars: there is no such file (it is 'no/such.yaml')",
    f"base.{PATH}=factory.bases.tiny_lama.tiny_llama": "base: there is no module 'factory.bases.tiny_lama'; "
    "did you mean 'tiny_llama'? Valid: ",
    f"verifier.{PATH}=factory.verifiers.exact.Exakt": "verifier: module 'factory.verifiers.exact' has no component "
    "'Exakt'; did you mean 'Exact'? Valid: Exact",
    f"engine.{PATH}=vllm": "engine: 'vllm' is not a dotted path such as factory.strategies.star.star",
    "evaluation.strategy={samples: 1}": f"evaluation.strategy: needs a '{PATH}'",
    "publish.registry": "'publish.registry' is not of the form key=value",
    "=3": "'=3' is not of the form key=value",
    "sampling.stop=[a": "'sampling.stop=[a': the value is not YAML",
    "seed.of=3": "'seed.of': 'seed' is not a group of settings",
}


@pytest.mark.parametrize("override", MISTAKES)
def test_a_mistake_is_named_with_the_way_out(override: str) -> None:
    (problem,) = problems(NAME, [override])
    assert problem.startswith(MISTAKES[override])


def test_all_mistakes_are_listed_at_once() -> None:
    hidden = ("seed.of", "evaluation.strategy")  # by the mistake about seed, and of the sampling beside it
    overrides = [override for override in MISTAKES if override.partition("=")[0] not in hidden]
    listed = problems(NAME, overrides)
    for override in overrides:
        assert sum(problem.startswith(MISTAKES[override]) for problem in listed) == 1, override
    assert len(listed) == len(overrides)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ["should be a mapping of settings"]),
        ("name: [x", ["not a YAML file: "]),
        ("\0", ["not a YAML file: "]),
        (
            "evaluation: {}\ncorpus: 3\n",
            ["corpus: should be a mapping with a '_component_' (it is 3)", "evaluation.strategy: is missing"]
            + [f"{name}: is missing" for name in ("base", "verifier", "strategy", "engine", "finetune")],
        ),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, written: str, expected: list[str]) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(written)
    found = problems(str(path))
    assert len(found) == len(expected)
    for problem in expected:
        assert any(line.startswith(problem) for line in found)


@pytest.mark.parametrize("recipe", ["star_aritmetic", "no/such/star_aritmetic.yaml"])
def test_an_unknown_recipe_names_the_nearest(recipe: str) -> None:
    valid = ", ".join(path.stem for path in RECIPES)
    assert problems(recipe) == [f"there is no such recipe; did you mean '{NAME}'? Valid: {valid}"]


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        ("async def ours(question, ask, /, depth: int = 2): ...", None),
        ("async def ours(question, ask, /, width: int, depth: int): ...", "strategy.width: is missing"),
        ("ours = 3", "strategy: module 'plug_in' has no component 'ours'"),
        ("import nothing_such", "strategy: 'plug_in.ours' cannot be imported: No module named 'nothing_such'"),
        ("def ours(q, a, /, depth=2): ...", None),
        ("def ours(:", "strategy: 'plug_in.ours' cannot be imported"),
    ],
)
def test_a_component_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, expected: str | None
) -> None:
    (tmp_path / "plug_in.py").write_text(module)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "plug_in", raising=False)
    override = f"strategy={{{PATH}: plug_in.ours, depth: 3}}"
    if expected is None:
        assert load_recipe(NAME, [override]).strategy.settings == {"depth": 3}
    else:
        (problem,) = problems(NAME, [override])
        assert problem.startswith(expected)


@pytest.fixture
def exemplars(tmp_path: Path) -> Path:
    path = tmp_path / "exemplars.yaml"
    path.write_text("- {question: 1+1, answer: '2', rationale: The answer is 2}\n")
    return path


CHOSEN = {
    "questions.conflicts": "first",
    "prompt.exemplar_generations": 1,
    "prompt.hint": "{question} [{answer}]",
    "engine.engine_args": {"seed": 1},
    "curation.prefer": "shortest",
    "curation.criterion": "all",
    "curation.duplicates": "equations",
    "curation.max_similarity": 0.5,
    "curation.max_question_similarity": 0.5,
    "curation.max_rationalized_share": 0.5,
    "curation.max_difficulty_share": 0.5,
    "decontamination.sets": [{"path": "tests.csv"}],
    "teacher": {"engine": {PATH: "factory.engines.scripted.Scripted"}},
    "judge": {"engine": {PATH: "factory.engines.scripted.Scripted"}, "model": "other"},
    "curation.checks": [],
    "curation.checks_decide": ["sampled"],
    "finetune.start": "previous",
    "finetune.config": str(CONFIGS[-1]),
    "finetune.overrides": {"batch_size": 3},
    "publish.hub": "owner/name",
    "publish.configs": ["pairs"],
    "until": "plateau",
}


def another(value: Any) -> Any:
    """A value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1 if isinstance(value, int) else value / 2 or 0.5
    return [*value, "more"] if isinstance(value, list) else f"{value or ''}more"


def test_the_fingerprint_changes_with_every_setting(exemplars: Path) -> None:
    recipe = load_recipe(NAME)
    settings = {key: value for key, value in flat(recipe.resolved()).items() if not key.endswith(PATH)}
    others = {key: another(value) for key, value in settings.items()} | CHOSEN | {"prompt.exemplars": str(exemplars)}
    overrides = {key: f"{key}={json.dumps(other)}" for key, other in others.items()}
    overrides["strategy"] = f"strategy={{{PATH}: factory.strategies.independent.independent}}"
    changed = {
        key
        for key, override in overrides.items()
        if load_recipe(NAME, [override]).fingerprint() != recipe.fingerprint()
    }
    left = overrides.keys() - changed
    changes_no_table = ("generations", "until", "description", "preflight.", "publish.")
    changes_no_row = {*recipe.neutral(), "rollout.engines", "engine.kv_cache_gib"}
    assert left == {key for key in overrides if key.startswith(changes_no_table)} | changes_no_row
    assert len(left) > 8
    assert load_recipe(NAME).fingerprint() == recipe.fingerprint()


SERVED = f"{{{PATH}: factory.engines.openai.OpenAI, base_url: 'http://one:8000/v1', served_model: big}}"
ELSEWHERE = (
    "base_url=http://two:9000/v1",
    "api_key_env=MINE",
    "max_concurrency=2",
    "retries=1",
    "timeout=9",
    "patience=9",
)


def served(*changes: str) -> Recipe:
    """A recipe whose student and teacher are served, in two phases, with changes of the teacher or of the whole."""
    later = f"then=[{{engine: {SERVED}}}]"
    changes = tuple(f"teacher.engine.{change}" if change in ELSEWHERE else change for change in changes)
    return load_recipe(NAME, [f"engine={SERVED}", f"teacher={{engine: {SERVED}}}", later, *changes])


def test_where_a_server_is_and_how_it_is_waited_for_make_no_other_recipe() -> None:
    before = served()
    assert served(*ELSEWHERE).fingerprint() == before.fingerprint()
    assert served("then.0.engine.base_url=http://two/v1", "engine.patience=9").fingerprint() == before.fingerprint()
    for setting in ("served_model=small", 'reasoning=""', "logprobs=true"):
        assert served(f"teacher.engine.{setting}").fingerprint() != before.fingerprint()
        assert served(f"then.0.engine.{setting}").fingerprint() != before.fingerprint()


def test_a_run_goes_on_at_another_address_also_one_that_was_begun_when_that_counted(tmp_path: Path) -> None:
    Run.open(tmp_path, served())
    (tmp_path / "records").mkdir()
    begun = json.loads((tmp_path / "run.json").read_text())
    Run.open(tmp_path, served(*ELSEWHERE, "rollout.engines=3"))
    assert "http://two:9000/v1" in (tmp_path / "recipe.yaml").read_text()
    counted = {"rollout.engines": 1, "engine.base_url": "http://one:8000/v1", "teacher.engine.timeout": 600.0}
    unknown = {"engine.reasoning", "teacher.engine.reasoning"}
    identity = {key: value for key, value in begun["identity"].items() if key not in unknown} | counted
    (tmp_path / "run.json").write_text(json.dumps(begun | {"identity": identity}))
    Run.open(tmp_path, served(*ELSEWHERE, "rollout.engines=3"))
    with pytest.raises(ConfigError, match=r"engine.reasoning: None in the run, now ''"):
        Run.open(tmp_path, served('engine.reasoning=""'))
    with pytest.raises(ConfigError, match=r"teacher.engine.served_model: 'big' in the run, now 'small'"):
        Run.open(tmp_path, served("teacher.engine.served_model=small"))


@pytest.mark.parametrize("setting", ["finetune.config", "prompt.exemplars"])
def test_the_fingerprint_changes_with_the_contents_of_files(tmp_path: Path, exemplars: Path, setting: str) -> None:
    files = {"prompt.exemplars": exemplars, "finetune.config": tmp_path / "tune.yaml"}
    files["finetune.config"].write_bytes((ROOT / CONFIG).read_bytes())
    overrides = [f"{key}={path}" for key, path in files.items()]
    before = load_recipe(NAME, overrides).fingerprint()
    original = files[setting].read_text()
    files[setting].write_text(original.replace("1", "3"))
    assert load_recipe(NAME, overrides).fingerprint() != before
    files[setting].write_text(original)
    assert load_recipe(NAME, overrides).fingerprint() == before


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_resolved_recipe_is_a_recipe(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe(path.stem, ["seed=5", "sampling.stop=['\\n', 'Q:']", "finetune.overrides.optimizer.lr=1e-4"])
    written = tmp_path / "elsewhere.yaml"
    written.write_text(yaml.safe_dump(recipe.resolved(), sort_keys=False))
    monkeypatch.chdir(tmp_path)  # paths of a recipe count from the project as well
    again = load_recipe("elsewhere.yaml")
    assert again == recipe
    assert again.fingerprint() == recipe.fingerprint()
    assert again.resolved() == recipe.resolved()
