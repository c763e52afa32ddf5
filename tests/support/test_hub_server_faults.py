"""What goes wrong at the loopback Hub: faults that it is told to have, and clients that do the same at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError

from tests.support.hub_clients import CARD, NAME, TRAIN, commit, head, rows
from tests.support.hub_server import HubServer
from tests.support.hub_wire import Kind


@pytest.mark.parametrize("kind", [429, 500, 503])
def test_a_status_instead_of_an_answer(server: HubServer, kind: Kind) -> None:
    api = HfApi()
    before = commit(api, {"a": b"1"})
    server.fault("POST", "/commit/", kind)
    with pytest.raises(HfHubHTTPError) as error:
        commit(api, {"a": b"2"})
    assert error.value.response.status_code == kind
    assert error.value.response.headers.get("Retry-After") == ("0" if kind == 429 else None)
    assert error.value.response.headers["Content-Type"].startswith("application/json") == (kind == 500)
    assert head(api) == before
    assert commit(api, {"a": b"2"}) == head(api)


@pytest.mark.parametrize(("kind", "handled"), [("reset", False), ("lost", True)])
def test_a_connection_that_breaks(server: HubServer, kind: Kind, handled: bool) -> None:
    api = HfApi()
    before = commit(api, {"a": b"1"})
    server.fault("POST", "/commit/", kind)
    with pytest.raises(httpx2.TransportError):
        commit(api, {"a": b"2"})
    assert (head(api) != before) == handled


@pytest.mark.parametrize("kind", ["reset", "lost", 500])
def test_a_fault_at_every_call(server: HubServer, kind: Kind) -> None:
    """The client tries again by itself, but for what it asks once; and every other commit arrives."""
    commit(HfApi(), {"README.md": CARD, TRAIN: rows(1)})
    number, raised = len(server.calls), []
    for call in range(number):
        server.fault(".+", "", kind, skip=call)
        before = len(server.calls)
        content = rows(100 + call)
        try:
            commit(HfApi(), {"README.md": CARD + b"%d again" % call, TRAIN: content})
        except (httpx2.TransportError, HfHubHTTPError):
            raised.append(server.calls[-1].rsplit("/", 2)[-2:])
        else:
            assert len(server.calls) == before + number + 1
            assert Path(hf_hub_download(NAME, TRAIN, repo_type="dataset")).read_bytes() == content
    assert raised == [["repos", "create"], ["api", "validate-yaml"], ["commit", "main"]]


def test_of_two_who_make_a_repository_both_find_it(server: HubServer) -> None:
    def make(_: int) -> int:
        api = HfApi()
        try:
            api.create_repo(NAME, repo_type="dataset")
        except HfHubHTTPError as error:
            assert head(api)
            return error.response.status_code
        return 200

    with ThreadPoolExecutor(4) as makers:
        assert sorted(makers.map(make, range(4))) == [200, 409, 409, 409]


def test_of_two_who_race_one_is_stale(server: HubServer) -> None:
    api = HfApi()
    parent = commit(api, {"a": b"1"})

    def race(content: bytes) -> int:
        try:
            commit(HfApi(), {"a": content}, parent)
        except HfHubHTTPError as error:
            return error.response.status_code
        return 200

    with ThreadPoolExecutor(4) as racers:
        assert sorted(racers.map(race, (b"2", b"3", b"4", b"5"))) == [200, 412, 412, 412]
