"""Between the sockets and the loopback Hub: a log of requests, hooks before them, and the faults of a bad network."""

import asyncio
import re
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

Kind = Literal[429, 500, 503, "reset", "lost"]
"""A status instead of an answer; ``reset``: the connection breaks before the request is handled; ``lost``: it is
handled, then the connection breaks."""


BODIES = {
    429: ("text/plain", "Too many requests"),
    500: ("application/json", '{"error": "injected"}'),
    503: ("text/html", "<html><head><title>503</title></head><body>Try again</body></html>"),
}
"""What comes with a status: the Hub explains itself in JSON, what stands before it does not."""

UNCOUNTED = "/api/agent-harnesses"
"""The client asks for this at most once in a process and does without an answer: neither logged nor broken."""


@dataclass(frozen=True)
class Request:
    """One request as it came in. Header names are in lower case; size counts the bytes of the body."""

    method: str
    path: str
    headers: dict[str, str]
    size: int


@dataclass
class _Rule:
    """Something to be done at the requests that match: after the first ``skip`` of them, ``times`` times."""

    method: str
    path: str
    action: Kind | Callable[[], Any]
    times: int
    skip: int

    def due(self, request: Request) -> bool:
        if not (re.fullmatch(self.method, request.method) and re.search(self.path, request.path)):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass
class Wire:
    """An ASGI application around another, which finds the body of a request in the scope.

    Of several faults and hooks that match a request, the first that was asked for acts.
    """

    app: ASGIApp
    retry_after: int = 0
    """Seconds, in the header of every 429; the client of the Hub adds one."""
    requests: list[Request] = field(default_factory=list)
    _rules: list[_Rule] = field(default_factory=list)

    def fault(self, method: str, path: str, kind: Kind, times: int = 1, skip: int = 0) -> None:
        """Break the requests that match two regular expressions (method: whole, path: anywhere)."""
        self._rules.append(_Rule(method, path, kind, times, skip))

    def before(self, method: str, path: str, function: Callable[[], Any]) -> None:
        """Call a function just before the first request that matches is handled; it may use the Hub itself."""
        self._rules.append(_Rule(method, path, function, 1, 0))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == UNCOUNTED:
            return await self.app(scope, receive, send)
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(scope["method"], scope["path"], headers, len(body))
        self.requests.append(request)
        scope["body"] = bytes(body)
        rule = next((rule for rule in self._rules if rule.due(request)), None)
        if callable(rule and rule.action):
            await run_in_threadpool(rule.action)
        elif rule and rule.action == "reset":
            return await _break(scope, receive)
        elif rule and isinstance(rule.action, int):
            again = {"Retry-After": str(self.retry_after)} if rule.action == 429 else {}
            media_type, content = BODIES[rule.action]
            return await Response(content, rule.action, again, media_type)(scope, receive, send)

        async def unheard(message: Message) -> None:
            pass

        if rule and rule.action == "lost":
            await self.app(scope, receive, unheard)
            await _break(scope, receive)
        else:
            await self.app(scope, receive, send)


class Connection(H11Protocol):
    """Uvicorn's protocol; what handles a request finds its transport in the scope, so that it can break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        app = self.app

        async def with_transport(scope: Scope, receive: Receive, send: Send) -> None:
            await app({**scope, "transport": transport}, receive, send)

        self.app = with_transport


async def _break(scope: Scope, receive: Receive) -> None:
    # no lingering: the other side gets a reset instead of an orderly end
    connection: socket.socket = scope["transport"].get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    scope["transport"].abort()
    while (await receive())["type"] != "http.disconnect":
        pass
