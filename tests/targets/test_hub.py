"""Publishing to the Hub, against a server on loopback that speaks its protocol over real git repositories."""

from pathlib import Path

import datasets
import polars
import pytest
from huggingface_hub import CommitOperationAdd, HfApi, HfFileSystem

from factory.errors import ConfigError
from factory.publishing import parquet
from factory.publishing.publish import publish_model
from factory.recipe.load import load_recipe
from factory.targets import PublishError, patience
from factory.targets.hub import Hub
from factory.targets.manifest import manifest_digest
from factory.targets.named import published, target
from factory.targets.registry import Registry
from tests.support.hub_server import HubServer
from tests.support.publishing import FACTS, NAME, Inputs, history, publish, publish_all, tree_in


def test_a_generation_is_one_commit_and_one_tag(
    server: HubServer, hub: Hub, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, value in {"BATCH_ROWS": 1, "ROW_GROUP_BYTES": 700, "FILE_BYTES": 1700}.items():
        monkeypatch.setattr(parquet, limit, value)
    first = publish(hub, inputs, 0)
    monkeypatch.undo()
    server.adopt(monkeypatch)
    second = publish(hub, inputs, 1)
    newest, before, _empty = history(server)
    assert (first.commit, second.commit) == (before, newest)
    assert hub.tags() == {"gen-0": before, "gen-1": newest}
    assert (first.where, second.where) == ("owner/sums@gen-0", "owner/sums@gen-1")
    assert HfApi().dataset_info(NAME).private
    parent = {"generation": 0, "commit": before, "manifest_sha256": manifest_digest(first)}
    assert second.manifest()["facts"]["parent"] == parent

    local = publish(Registry(tmp_path / "registry" / "sums"), inputs)
    for there in (first, second):
        assert there.digests() == {path: entry["sha256"] for path, entry in there.manifest()["files"].items()}
    assert second.digests().keys() == local.digests().keys(), "the same tree; what generation 0 had more is gone"
    tables = [sum(path.startswith("data/") for path in made.digests()) for made in (first, second)]
    assert tables[0] > tables[1] == 1
    assert published("hub:owner/sums@gen-1").sibling(0).commit == before


@pytest.mark.parametrize("xet", [False, True], ids=["large files", "xet"])
def test_generation_1_is_what_people_load(
    server: HubServer, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, xet: bool
) -> None:
    """With Xet on and off, and wherever ``main`` is by then."""
    server.adopt(monkeypatch, xet=xet)
    hub = Hub(NAME)
    for generation in range(3):
        rows = inputs["tables"]["examples"][: generation + 1]
        publish(hub, inputs | {"tables": inputs["tables"] | {"examples": rows}}, generation)
    assert len(history(server)) == 4
    loaded = datasets.load_dataset(NAME, "examples", revision="gen-1", split="train", cache_dir=str(tmp_path / "cache"))
    assert list(loaded["example_id"]) == [f"e{number}" for number in range(10)]
    files = HfFileSystem()
    with files.open(f"datasets/{NAME}@gen-1/data/train-00000-of-00001.parquet") as file:
        assert polars.read_parquet(file)["example_id"].to_list() == list(loaded["example_id"])
    assert len(datasets.load_dataset(NAME, split="train", cache_dir=str(tmp_path / "cache"))) == 12, "main: the newest"
    kept = sum(file.lfs is not None for file in hub.files("main"))
    assert kept == 3, "the tables are in the large storage"


def test_publishing_again_changes_nothing(server: HubServer, hub: Hub, inputs: Inputs) -> None:
    made = publish_all(hub, inputs, 2)
    before = history(server)
    again = publish_all(Hub(NAME), inputs, 2)
    assert [one.commit for one in again] == [one.commit for one in made]
    assert history(server) == before
    assert sum("/commit/main" in call for call in server.calls) == 2
    with pytest.raises(PublishError, match=r"owner/sums@gen-0 is published already .*the fact seed differs"):
        publish(hub, inputs | {"facts": FACTS | {"seed": 9}})


def test_many_files_are_one_commit(
    server: HubServer, hub: Hub, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tree_in(tmp_path / "tree", inputs, NAME, 0)
    for number in range(160):
        (made / f"data/more-{number:03}.parquet").write_bytes(b"%d" % number)
        (made / f"notes-{number:03}.txt").write_text(str(number))
    monkeypatch.setattr("factory.targets.hub.BATCH_BYTES", 500)  # handed over in several batches
    told: list[tuple[int, int]] = []
    done = hub.publish(made, 0, "many", lambda *bytes: told.append(bytes))
    assert len(history(server)) == 2
    assert len(done.digests()) > 320
    assert len(told) > 3
    assert told == sorted(told)
    assert told[-1] == (told[0][1], told[0][1])


@pytest.mark.parametrize(
    ("token", "name", "told"),
    [
        ("hf_unknown", NAME, "401"),
        ("hf_read", NAME, "may only read"),
        ("hf_test", "somebody/sums", "'somebody/sums' is not owner's to publish in"),
    ],
)
def test_what_the_hub_would_refuse_is_known_beforehand(
    server: HubServer, monkeypatch: pytest.MonkeyPatch, token: str, name: str, told: str
) -> None:
    assert Hub(NAME).problems() == []
    monkeypatch.setenv("HF_TOKEN", token)
    (problem,) = Hub(name).problems()
    assert told in problem
    assert token not in problem


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_files_of_another_origin_are_not_replaced(server: HubServer, inputs: Inputs, tmp_path: Path, kind: str) -> None:
    made = tree_in(tmp_path / "tree", inputs, NAME, 0)
    hub = Hub(NAME, kind=kind)
    HfApi().create_repo(NAME, repo_type=kind, private=False)

    def add(path: str) -> None:
        add = CommitOperationAdd(path, b"---\nlicense: mit\n---\n")
        HfApi().create_commit(NAME, [add], commit_message="mine", repo_type=kind)

    add("README.md")
    assert hub.problems() == []
    add("precious.csv")
    (problem,) = hub.problems()
    assert "holds files of another origin, such as precious.csv" in problem
    with pytest.raises(PublishError, match=r"such as precious\.csv"):
        hub.publish(made, 0, "rationales", lambda *_: None)
    assert "precious.csv" in [file.path for file in hub.files("main")]


def test_without_a_token_it_is_told_at_once(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(server.folder / "no token"))
    monkeypatch.setattr(patience.time, "sleep", lambda _: pytest.fail("there is nothing to wait for"))
    (problem,) = Hub(NAME).problems()
    assert problem == f"hub:{NAME}: there is no token: set HF_TOKEN to one that the Hub knows, or `hf auth login`"


def test_a_refusal_is_told_in_a_line(
    server: HubServer, inputs: Inputs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = tree_in(tmp_path / "tree", inputs, NAME, 0)
    for token, told in {"hf_unknown": "401 .*hf auth login", "hf_read": "403 .*one that may write"}.items():
        monkeypatch.setenv("HF_TOKEN", token)
        with pytest.raises(PublishError, match=f"^hub:owner/sums: {told}") as refused:
            Hub(NAME).publish(made, 0, "rationales", lambda *_: None)
        assert token not in str(refused.value)
        assert server.url not in str(refused.value)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(PublishError, match="HF_HUB_OFFLINE is set"):
        Hub(NAME).tags()


def test_a_model_is_published_beside_its_dataset(server: HubServer, hub: Hub, inputs: Inputs, tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "config.json").write_text("{}")
    (checkpoint / "model.safetensors").write_bytes(b"weights")
    (checkpoint / "README.md").write_text("the base's")
    dataset = publish(hub, inputs)
    for to in (hub.models(), Registry(tmp_path / "registry" / "sums").models()):
        facts = {"dataset": dataset.where, "license": "mit"}
        made = publish_model(to, 0, checkpoint=checkpoint, facts=facts, near=tmp_path, on_progress=lambda *_: None)
        assert made.digests().keys() == {"config.json", "model.safetensors", "README.md"}
        assert "owner/sums@gen-0" in (made.folder("README.md") / "README.md").read_text()
        assert (
            publish_model(to, 0, checkpoint=checkpoint, facts=facts, near=tmp_path, on_progress=lambda *_: None).commit
            == made.commit
        )
    assert (checkpoint / "README.md").read_text() == "the base's"
    assert len(history(server, "models")) == 2


@pytest.mark.parametrize(
    "where", ["hub:sums", "hub:owner/sums/gen-1", "hub:", "hub:owner/sums--1", "hub:owner/sums.git"]
)
def test_a_target_that_is_none_is_refused(where: str) -> None:
    with pytest.raises(ConfigError, match="hub:owner/name"):
        target(where)
    with pytest.raises(ConfigError, match=r"publish\.hub: "):
        load_recipe("star_arithmetic", [f"publish.hub='{where.removeprefix('hub:')}'"])


def test_what_is_not_published_is_told_with_what_is(
    server: HubServer, hub: Hub, inputs: Inputs, tmp_path: Path
) -> None:
    publish(hub, inputs)
    publish(Registry(tmp_path / "registry" / "sums"), inputs)
    with pytest.raises(ConfigError, match=r"'owner/sums@gen-1': .*\n.*did you mean 'gen-0'"):
        published("owner/sums@gen-1")
    with pytest.raises(ConfigError, match=r"did you mean '.*registry/sums/gen-0'"):
        published(str(tmp_path / "registry" / "sums" / "gen-1"))
