"""A loopback server that speaks the Hub's protocol, for tests: real git repositories, large files, tokens, faults.

It serves what huggingface_hub, hf_xet and datasets ask for when they create, commit, tag, list and read datasets and
models. Unlike the Hub it sends large files itself instead of naming another host, lists all commits in one answer, and
knows no branches but main, no pull requests, no ignored files, no search for chunks that others have sent.

    with HubServer(folder, token="hf_x") as hub:
        api = HfApi(endpoint=hub.url, token="hf_x")
"""

import inspect
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

import datasets
import pytest
import uvicorn
from huggingface_hub import constants, hf_api
from huggingface_hub.utils import _http, _xet
from starlette.applications import Starlette

from tests.support.hub_git import Repository
from tests.support.hub_routes import Hub
from tests.support.hub_wire import Connection, Request, Wire


class HubServer:
    """A Hub on 127.0.0.1 from ``with`` to its end. Every repository is private and needs ``Bearer <token>``.

    ``fault`` and ``before`` are those of hub_wire.Wire; ``requests`` holds every request in the order of arrival.
    """

    def __init__(self, folder: Path, token: str = "hf_test", read_token: str = "hf_read") -> None:
        """The folder holds the repositories and the clients' caches; with the read token every change is a 403."""
        self.folder, self.token, self.read_token = folder, token, read_token
        # named, or asyncio leaves Nagle's algorithm on, and every answer waits for an acknowledgement
        self._socket = socket.socket(proto=socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.hub = Hub(folder / "repositories", self.url, token, read_token)
        self.wire = Wire(Starlette(routes=self.hub.routes()))
        self.fault, self.before = self.wire.fault, self.wire.before
        self._server = uvicorn.Server(
            uvicorn.Config(
                self.wire,
                http=Connection,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_level="critical",
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Self:
        # connections wait in the socket until the thread takes them
        self._socket.listen()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    @property
    def requests(self) -> list[Request]:
        return self.wire.requests

    @property
    def calls(self) -> list[str]:
        """``POST /api/repos/create`` and so on, in the order of arrival.

        ``fault(".+", "", kind, skip=n)`` breaks call n, from 0, of those that are still to come.
        """
        return [f"{request.method} {request.path}" for request in self.requests]

    def repository(self, name: str, kind: str = "datasets") -> Repository:
        """The repository of a dataset, or of one of the ``models``: to look at, or to commit to behind one's back."""
        return Repository(self.folder / "repositories" / kind / f"{name}.git")

    def environment(self, xet: bool = False) -> dict[str, str]:
        """Variables with which a process of its own uses this server, logged in; its caches are in the folder."""
        home = self.folder / "home"
        return {
            "HF_ENDPOINT": self.url,
            "HF_TOKEN": self.token,
            "HF_HOME": str(home),
            "HF_HUB_CACHE": str(home / "hub"),
            "HF_DATASETS_CACHE": str(home / "datasets"),
            "HF_XET_CACHE": str(home / "xet"),
            "HF_HUB_OFFLINE": "0",
            "HF_DATASETS_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "0" if xet else "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "HF_XET_TELEMETRY_ENABLED": "0",
            "HF_XET_CLIENT_RETRY_BASE_DELAY": "10ms",
        }

    def adopt(self, monkeypatch: pytest.MonkeyPatch, xet: bool = False) -> None:
        """Make this process use the server until the test ends, as if it had begun with ``environment``.

        The libraries read their variables once, when they are imported. The client waits 10 ms before it tries again,
        so that a test of faults takes no minutes; only after a 429 it still waits a second.
        """
        environment = self.environment(xet)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        hub, sets, file = constants, datasets.config, "{repo_id}/resolve/{revision}"
        monkeypatch.setattr(hub, "ENDPOINT", self.url)
        monkeypatch.setattr(hub, "HUGGINGFACE_CO_URL_TEMPLATE", f"{self.url}/{file}/{{filename}}")
        monkeypatch.setattr(hub, "HF_HUB_CACHE", environment["HF_HUB_CACHE"])
        monkeypatch.setattr(hf_api.api, "endpoint", self.url)
        monkeypatch.setattr(hub, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(hub, "HF_HUB_DISABLE_XET", not xet)
        monkeypatch.setattr(sets, "HF_ENDPOINT", self.url)
        monkeypatch.setattr(sets, "HUB_DATASETS_URL", f"{self.url}/datasets/{file}/{{path}}")
        monkeypatch.setattr(sets, "HF_DATASETS_CACHE", Path(environment["HF_DATASETS_CACHE"]))
        monkeypatch.setattr(sets, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(sets, "HF_UPDATE_DOWNLOAD_COUNTS", False)
        # a session of Xet keeps what it read from the environment when it began
        monkeypatch.setattr(_xet, "_GLOBAL_XET_HOLDER", _xet.XetSessionHolder())
        for retrying in (_http.http_backoff, _http.http_stream_backoff):
            monkeypatch.setitem(inspect.unwrap(retrying).__kwdefaults__, "base_wait_time", 0.01)
