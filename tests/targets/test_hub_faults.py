"""Publishing to the Hub while it fails, while others publish, and after being killed."""

import shutil
import threading
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi

from factory.targets import PublishError, patience
from factory.targets.hub import Hub
from factory.targets.registry import Folder
from tests.support.hub_server import HubServer
from tests.support.hub_wire import Kind
from tests.support.publishing import FACTS, NAME, Inputs, history, publish, tree_in

COMMIT = r"/commit/main$"
TAG = r"/tag/"


def test_another_commit_meanwhile_is_built_upon(server: HubServer, hub: Hub, inputs: Inputs) -> None:
    publish(hub, inputs, 0)

    def interfere() -> None:
        HfApi().create_commit(
            NAME, [CommitOperationAdd("notes.txt", b"mine")], commit_message="notes", repo_type="dataset"
        )

    server.before("POST", COMMIT, interfere)
    made = publish(hub, inputs, 1)
    newest, between, before, _empty = history(server)
    assert (made.commit, before) == (newest, hub.tags()["gen-0"])
    assert "notes.txt" in [file.path for file in hub.files(between)]
    assert "notes.txt" not in made.digests(), "a generation is what its manifest says and nothing else"


FAULTS = (429, 500, 503, "reset", "lost")


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_at_any_call_is_mended(
    server: HubServer, inputs: Inputs, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every call of a publication fails once, each in a publication of its own."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    made = tree_in(tmp_path / "tree", inputs, NAME, 0)
    for folder in ("rollouts", "rejects"):  # one large file is enough: each has two calls of its own
        shutil.rmtree(made / folder)

    def publish_one(name: str) -> None:
        hub = Hub(name)
        there = hub.publish(made, 0, "rationales", lambda *_: None)
        assert hub.tags() == {"gen-0": there.commit}
        assert not [path for path, sha256 in there.digests().items() if sha256 != wanted[path]]
        commits = server.repository(name).git("rev-list", "main").split()
        assert commits[0] == there.commit
        assert len(commits) == 2, "the first is the empty repository"

    wanted = Folder(made).digests()
    publish_one("owner/calm")
    steps = [call for call in server.calls if "/resolve/" not in call]
    calls = next(number for number, call in enumerate(steps) if TAG in call) + 1
    assert calls >= 12
    for number in range(calls):
        server.fault(".+", "^((?!/resolve/).)*$", kind, skip=number)
        publish_one(f"owner/fault-{number}")


def test_a_killed_publication_is_finished_by_the_next(
    server: HubServer, hub: Hub, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object, **__: object) -> None:
        raise Killed

    for step in ("create_commit", "preupload_lfs_files", "create_tag"):
        with monkeypatch.context() as patched:
            patched.setattr(HfApi, step, killed)
            with pytest.raises(Killed):
                publish(hub, inputs)
        assert hub.generation(0) is None, "without its tag it is not published"
    assert len(history(server)) == 2, "the commit is there"
    made = publish(hub, inputs)
    assert history(server)[0] == made.commit
    assert len(history(server)) == 2, "and it is not made again"


def race(publishers: list[Callable[[], None]]) -> list[PublishError]:
    errors: list[PublishError] = []

    def run(publisher: Callable[[], None]) -> None:
        try:
            publisher()
        except PublishError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(publisher,)) for publisher in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return errors


def test_two_publishers_of_the_same_content_make_one_commit(server: HubServer, inputs: Inputs) -> None:
    assert not race([lambda: publish(Hub(NAME), inputs)] * 2)
    newest, _empty = history(server)
    assert Hub(NAME).tags() == {"gen-0": newest}


def test_of_two_publishers_of_other_content_one_is_refused(server: HubServer, inputs: Inputs) -> None:
    others = [inputs | {"facts": FACTS | {"seed": seed}} for seed in (1, 2)]
    (refused,) = race([lambda: publish(Hub(NAME), others[0]), lambda: publish(Hub(NAME), others[1])])
    assert "published already with other content (the fact seed differs)" in str(refused)
    newest, _empty = history(server)
    assert Hub(NAME).tags() == {"gen-0": newest}, "main is not left at what was refused"


def test_other_content_committed_but_not_tagged_yet_is_waited_for(
    server: HubServer, hub: Hub, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other publisher is between its commit and its tag."""
    other = tree_in(tmp_path / "other", inputs | {"facts": FACTS | {"seed": 1}}, NAME, 0)
    held = threading.Event()
    server.before("POST", TAG, lambda: held.wait(30))
    thread = threading.Thread(target=lambda: Hub(NAME).publish(other, 0, "rationales", lambda *_: None))
    thread.start()
    waits = 0

    def sleep(_: float) -> None:
        nonlocal waits
        waits += 1
        held.set()
        thread.join(30)

    while not any(TAG in call for call in server.calls):
        thread.join(0.01)
    monkeypatch.setattr(patience.time, "sleep", sleep)
    with pytest.raises(PublishError, match="published already with other content"):
        publish(hub, inputs)
    assert waits == 1
    assert len(history(server)) == 2


@pytest.mark.parametrize("kind", ["reset", "lost"])
def test_with_xet_as_well(
    server: HubServer, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    server.adopt(monkeypatch, xet=True)
    made = tree_in(tmp_path / "tree", inputs, NAME, 0)
    for number, path in enumerate(("xet-write-token", "/xorbs?/", "/shards?", COMMIT)):
        server.fault("POST|GET|PUT", path, kind)
        there = Hub(f"owner/sums-{number}").publish(made, 0, "rationales", lambda *_: None)
        assert there.digests() == Folder(made).digests()
        assert len(server.repository(f"owner/sums-{number}").git("rev-list", "main").split()) == 2


@pytest.mark.parametrize("kind", [403, "reset"])
def test_an_upload_that_fails_is_told_without_its_address(
    server: HubServer, inputs: Inputs, tmp_path: Path, kind: Kind
) -> None:
    """The addresses of uploads are signed; one that has expired is a 403, and a new one is asked for."""
    made = tree_in(tmp_path / "tree", inputs, NAME, 0)
    server.fault("PUT", "/upload/", kind, times=2)
    assert Hub("owner/mended").publish(made, 0, "rationales", lambda *_: None).commit
    server.fault("PUT", "/upload/", kind, times=1000)
    with pytest.raises(PublishError, match=r"an upload failed") as refused:
        Hub(NAME).publish(made, 0, "rationales", lambda *_: None)
    told = "".join(traceback.format_exception(refused.value))
    assert "/upload/" not in told
    assert server.url not in told


def test_reading_has_the_same_patience(server: HubServer, hub: Hub, inputs: Inputs) -> None:
    there = publish(hub, inputs)
    for path in ("/tree/", "/resolve/"):
        server.fault("GET|HEAD", path, 500, times=7)
        assert there.manifest()["generation"] == 0


def test_patience_has_an_end(server: HubServer, hub: Hub) -> None:
    server.fault("GET", "refs", 503, times=100)
    with pytest.raises(PublishError, match="503"):
        hub.tags()
    assert sum("refs" in call for call in server.calls) == patience.TRIES
