"""The loopback Hub is asked by the real clients, and behaves like the Hub where a publisher depends on it."""

import hashlib
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import httpx2
import polars
import pytest
from huggingface_hub import (
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    get_hf_file_metadata,
    get_session,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.support.hub_clients import CARD, NAME, TRAIN, commit, head, rows
from tests.support.hub_server import HubServer

READER = f"import huggingface_hub as h; print(h.hf_hub_download('{NAME}', 'README.md', repo_type='dataset'))"


@pytest.fixture(params=["large files", "xet"])
def either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[HubServer]:
    """A server whose client sends large files in one of the two ways."""
    with HubServer(tmp_path) as server:
        server.adopt(monkeypatch, xet=request.param == "xet")
        yield server


def two_generations(api: HfApi) -> list[str]:
    """Commits and tags gen-1 with 10 rows, then gen-2 with 20; returns the commits."""
    commits = []
    for generation in (1, 2):
        commits.append(commit(api, {"README.md": CARD + b"%d" % generation, TRAIN: rows(10 * generation)}))
        api.create_tag(NAME, tag=f"gen-{generation}", revision=commits[-1], repo_type="dataset")
    return commits


def sent(api: HfApi, *items: dict[str, Any], parent: str) -> httpx2.Response:
    """A commit without the client's own care for what has changed."""
    lines = [{"key": "header", "value": {"summary": "m", "parentCommit": parent}}, *items]
    return get_session().post(
        f"{api.endpoint}/api/datasets/{NAME}/commit/main",
        content="\n".join(map(json.dumps, lines)),
        headers={"Authorization": f"Bearer {os.environ['HF_TOKEN']}"},
    )


def test_a_repository_is_made_once_and_private(server: HubServer) -> None:
    api = HfApi()
    for kind in ("dataset", "model"):
        url = api.create_repo(NAME, repo_type=kind, private=True)
        assert (url.repo_id, url.repo_type) == (NAME, kind)
        with pytest.raises(HfHubHTTPError) as conflict:
            api.create_repo(NAME, repo_type=kind)
        assert conflict.value.response.status_code == 409
        assert api.create_repo(NAME, repo_type=kind, exist_ok=True) == url
        assert api.repo_info(NAME, repo_type=kind).private
        assert api.list_repo_files(NAME, repo_type=kind) == [".gitattributes"]
    assert api.whoami()["name"] == "owner"


def test_small_and_large_files_come_back_by_tag(either: HubServer) -> None:
    api = HfApi()
    first, second = two_generations(api)
    tree = {entry.path: entry for entry in api.list_repo_tree(NAME, recursive=True, repo_type="dataset", expand=True)}
    assert tree["README.md"].lfs is None
    assert tree[TRAIN].lfs.sha256 == hashlib.sha256(rows(20)).hexdigest()
    assert tree[TRAIN].size == len(rows(20))
    assert tree[TRAIN].last_commit.oid == second
    assert tree[".gitattributes"].last_commit.oid not in (first, second)
    assert [entry.path for entry in api.get_paths_info(NAME, ["data", "none"], repo_type="dataset")] == ["data"]
    for generation, oid in (1, first), (2, second):
        folder = Path(snapshot_download(NAME, repo_type="dataset", revision=f"gen-{generation}"))
        assert folder.name == oid
        assert (folder / TRAIN).read_bytes() == rows(10 * generation)
        assert (folder / "README.md").read_bytes() == CARD + b"%d" % generation
    assert any("xet-write-token" in call for call in either.calls) != any(
        "/objects/batch" in call for call in either.calls
    )


def test_a_commit_of_many_files_is_one_commit(server: HubServer) -> None:
    api = HfApi()
    files = {f"records/{number:03}.json": b"%d" % number for number in range(330)}
    oid = commit(api, files | {f"data/{number}.parquet": rows(number) for number in range(3)})
    assert head(api) == oid
    assert server.repository(NAME).git("rev-list", "--count", "main") == "2"
    server.hub.page = 100
    listed = set(api.list_repo_files(NAME, repo_type="dataset"))
    assert listed == {*files, ".gitattributes", "data/0.parquet", "data/1.parquet", "data/2.parquet"}
    assert server.calls[-4:] == [f"GET /api/datasets/{NAME}/tree/main"] * 4


def test_tags_stay_where_they_are(server: HubServer) -> None:
    api = HfApi()
    first, second = two_generations(api)
    with pytest.raises(HfHubHTTPError) as conflict:
        api.create_tag(NAME, tag="gen-1", revision=second, repo_type="dataset")
    assert conflict.value.response.status_code == 409
    refs = api.list_repo_refs(NAME, repo_type="dataset")
    assert {tag.name: tag.target_commit for tag in refs.tags} == {"gen-1": first, "gen-2": second}
    assert [(branch.name, branch.target_commit) for branch in refs.branches] == [("main", second)]
    api.delete_tag(NAME, tag="gen-1", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag(NAME, tag="gen-1", repo_type="dataset")
    api.create_tag(NAME, tag="gen-1", revision=second, repo_type="dataset")
    assert api.repo_info(NAME, revision="gen-1", repo_type="dataset").sha == second


def test_a_stale_parent_is_refused_but_for_what_changes_nothing(server: HubServer) -> None:
    api = HfApi()
    old = commit(api, {"a": b"1"})
    server.before(
        "POST", "/commit/", lambda: server.repository(NAME).commit("main", "behind one's back", {"b": b"2"}, None)
    )
    with pytest.raises(HfHubHTTPError) as stale:
        commit(api, {"a": b"3"}, parent=old)
    assert stale.value.response.status_code == 412
    new = commit(api, {"a": b"3"}, parent=head(api))
    same = {"key": "file", "value": {"path": "a", "content": "Mw==", "encoding": "base64"}}
    assert sent(api, same, parent=old).json()["commitOid"] == new
    assert server.repository(NAME).git("rev-list", "--count", "main") == "4"


def test_files_are_deleted_and_what_is_missing_is_named(server: HubServer) -> None:
    api = HfApi()
    commit(api, {"a": b"1", "b": b"2"})
    delete = [CommitOperationDelete("a")]
    api.create_commit(NAME, delete, commit_message="m", repo_type="dataset")
    assert api.list_repo_files(NAME, repo_type="dataset") == [".gitattributes", "b"]
    with pytest.raises(EntryNotFoundError):
        api.create_commit(NAME, delete, commit_message="m", repo_type="dataset")
    with pytest.raises(EntryNotFoundError):
        hf_hub_download(NAME, "a", repo_type="dataset")
    with pytest.raises(RevisionNotFoundError):
        hf_hub_download(NAME, "b", repo_type="dataset", revision="gen-7")
    with pytest.raises(RepositoryNotFoundError):
        api.repo_info(NAME, repo_type="model")
    lost = {"key": "lfsFile", "value": {"path": "c", "algo": "sha256", "oid": 64 * "0", "size": 1}}
    assert sent(api, lost, parent=str(head(api))).status_code == 400


def test_what_is_binary_is_large_and_tracked_from_then_on(server: HubServer) -> None:
    api = HfApi()
    commit(api, {"figures/a.png": b"\x89PNG\0", "empty": b""})
    figure, attributes = api.get_paths_info(NAME, ["figures/a.png", ".gitattributes"], repo_type="dataset")
    assert figure.lfs is not None
    content = Path(hf_hub_download(NAME, attributes.path, repo_type="dataset")).read_text()
    assert content.endswith("figures/a.png filter=lfs diff=lfs merge=lfs -text\n")


def test_a_file_is_sent_in_parts_and_described(server: HubServer) -> None:
    first, _ = two_generations(HfApi())
    url = hf_hub_url(NAME, TRAIN, repo_type="dataset", revision="gen-1")
    about = get_hf_file_metadata(url, token=server.token)
    expected = hashlib.sha256(rows(10)).hexdigest()
    assert (about.commit_hash, about.etag, about.size) == (first, expected, len(rows(10)))
    headers = {"Authorization": f"Bearer {server.token}"}
    part = get_session().get(url, headers=headers | {"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, rows(10)[4:10])
    assert get_session().get(url, headers=headers | {"Range": "bytes=-4"}).content == b"PAR1"
    assert get_session().get(url, headers=headers | {"Range": "bytes=99999-"}).status_code == 416


def test_datasets_and_polars_read_the_generation_that_is_asked_for(either: HubServer) -> None:
    two_generations(HfApi())
    assert datasets.load_dataset(NAME, split="train", revision="gen-1").num_rows == 10
    assert datasets.load_dataset(NAME, "default", split="train").num_rows == 20
    with HfFileSystem().open(f"datasets/{NAME}/{TRAIN}", revision="gen-1") as file:
        assert polars.read_parquet(file)["number"].to_list() == list(range(10))


def test_xet_sends_what_it_has_not_sent_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = random.Random(7).randbytes(2_000_000)
    with HubServer(tmp_path) as hub:
        hub.adopt(monkeypatch, xet=True)
        commit(HfApi(), {"a.bin": content})
        first = hub.hub.xet.uploaded
        changed = commit(HfApi(), {"a.bin": content[:1_000_000] + b"between" + content[1_000_000:]})
        assert first >= len(content)
        assert 0 < hub.hub.xet.uploaded - first < 0.3 * first
        assert b"between" in Path(hf_hub_download(NAME, "a.bin", repo_type="dataset", revision=changed)).read_bytes()


def test_a_process_of_its_own_reads_too(server: HubServer) -> None:
    commit(HfApi(), {"README.md": CARD})
    done = subprocess.run(
        [sys.executable, "-c", READER],
        env=os.environ | server.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(done.stdout.strip()).read_bytes() == CARD


def test_a_token_may_write_or_read_or_is_refused(server: HubServer) -> None:
    commit(HfApi(), {"a": b"1"})
    reader = HfApi(token=server.read_token)
    assert Path(reader.hf_hub_download(NAME, "a", repo_type="dataset")).read_bytes() == b"1"
    for change in (
        lambda: reader.create_repo("owner/other", repo_type="dataset"),
        lambda: reader.create_tag(NAME, tag="gen-1", repo_type="dataset"),
        lambda: reader.delete_file("a", NAME, repo_type="dataset"),
    ):
        with pytest.raises(HfHubHTTPError) as forbidden:
            change()
        assert forbidden.value.response.status_code == 403
    with pytest.raises(HfHubHTTPError, match="Invalid credentials") as wrong:
        HfApi(token="hf_wrong").repo_info(NAME, repo_type="dataset")
    assert wrong.value.response.status_code == 401
    with pytest.raises(RepositoryNotFoundError) as nobody:
        HfApi(token=False).repo_info(NAME, repo_type="dataset")
    assert nobody.value.response.status_code == 401
    upload = httpx2.put(f"{server.url}/upload/datasets/{NAME}/{hashlib.sha256(b'x').hexdigest()}", content=b"x")
    assert upload.status_code == 403
