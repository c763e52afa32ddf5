"""The content-addressed store of the loopback Hub: large files as chunks that are uploaded only once (Xet).

A xorb is a sequence of compressed chunks; a shard says of which chunks of which xorbs a file consists. Hashes are 32
bytes, and in text four little-endian numbers in hexadecimal. All of it is kept in memory until the server ends.
"""

import hashlib
import secrets
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.hub_answers import ranged
from tests.support.hub_git import Repository

SHARD_HEADER = 48
"""Bytes before the files of a shard."""

WITH_VERIFICATION, WITH_SHA256 = 1 << 31, 1 << 30
"""Flags of a file in a shard: as many more entries as it has terms follow; one more entry follows."""

NONE, _, BYTE_GROUPS_AND_LZ4 = range(3)
"""How a chunk may be compressed; the middle one is LZ4 alone."""


@dataclass(frozen=True)
class Chunk:
    """One chunk of a xorb: the range of its header and data, and how to read the data."""

    begin: int
    end: int
    scheme: int
    size: int


@dataclass(frozen=True)
class Term:
    """A part of a file: chunks [begin, end) of a xorb, and how many bytes they are."""

    xorb: str
    size: int
    begin: int
    end: int


@dataclass
class Xet:
    """The store of every repository of a server. Each token that it gives out is good for one repository."""

    url: str
    """Of the store."""
    uploaded: int = 0
    """Bytes of all xorbs so far: what deduplication left to be sent."""
    _tokens: dict[str, Repository] = field(default_factory=dict)
    _xorbs: dict[str, bytes] = field(default_factory=dict)
    _files: dict[str, list[Term]] = field(default_factory=dict)
    _hashes: dict[str, str] = field(default_factory=dict)

    def routes(self) -> list[Route]:
        return [
            Route("/cas/v1/xorbs/default/{hash}", self.take_xorb, methods=["POST"]),
            Route("/cas/v2/shards", self.take_shard, methods=["POST"]),
            Route("/cas/v2/reconstructions/{hash}", self.reconstruction),
            Route("/cas/xorbs/{hash}", self.send_xorb),
        ]

    def hash(self, sha256: str) -> str | None:
        """The hash of a file in this store; None where it came another way."""
        return self._hashes.get(sha256)

    def permission(self, repository: Repository) -> Response:
        """A token for one repository, and where the store is."""
        token, expires = secrets.token_hex(8), int(time.time()) + 3600
        self._tokens[token] = repository
        headers = {"X-Xet-Cas-Url": self.url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(expires)}
        return JSONResponse({"casUrl": self.url, "accessToken": token, "exp": expires}, headers=headers)

    def take_xorb(self, request: Request) -> Response:
        if self._repository(request) is None:
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        name, content = request.path_params["hash"], request.scope["body"]
        new = name not in self._xorbs
        self._xorbs[name] = content
        self.uploaded += len(content)
        return JSONResponse({"was_inserted": new})

    def take_shard(self, request: Request) -> Response:
        """Register the files of a shard: they are put together, checked, and lie beside their repository at once."""
        repository = self._repository(request)
        if repository is None:
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        for name, terms, sha256 in _files(request.scope["body"]):
            content = b"".join(self._content(term) for term in terms)
            if hashlib.sha256(content).hexdigest() != sha256:
                return Response(f"{name} is not {sha256}", HTTPStatus.BAD_REQUEST)
            repository.store(sha256, content)
            self._files[name], self._hashes[sha256] = terms, name
        return Response('{"type": "result"}\n', media_type="application/x-ndjson")

    def reconstruction(self, request: Request) -> Response:
        """Where to fetch the chunks of a file. Whatever the range, all of them, unless it begins behind the end."""
        terms = self._files.get(request.path_params["hash"])
        if self._repository(request) is None or terms is None:
            return Response(status_code=HTTPStatus.NOT_FOUND)
        first = int(request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        if first >= sum(term.size for term in terms):
            return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        xorbs: dict[str, list[dict[str, Any]]] = {}
        for term in terms:
            chunks = _chunks(self._xorbs[term.xorb])[term.begin : term.end]
            where = {
                "chunks": {"start": term.begin, "end": term.end},
                "bytes": {"start": chunks[0].begin, "end": chunks[-1].end - 1},
            }
            fetch = {"url": f"{self.url}/xorbs/{term.xorb}", "ranges": [where]}
            if fetch not in xorbs.setdefault(term.xorb, []):
                xorbs[term.xorb].append(fetch)
        shown = [
            {"hash": term.xorb, "unpacked_length": term.size, "range": {"start": term.begin, "end": term.end}}
            for term in terms
        ]
        return JSONResponse({"offset_into_first_range": 0, "terms": shown, "xorbs": xorbs})

    def send_xorb(self, request: Request) -> Response:
        return ranged(request, self._xorbs[request.path_params["hash"]], {})

    def _repository(self, request: Request) -> Repository | None:
        return self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))

    def _content(self, term: Term) -> bytes:
        xorb = self._xorbs[term.xorb]
        return b"".join(_data(xorb, chunk) for chunk in _chunks(xorb)[term.begin : term.end])


def _files(shard: bytes) -> Iterator[tuple[str, list[Term], str]]:
    """Hash, terms and sha256 of every file of a shard, which lie there in entries of 48 bytes."""
    entries = struct.iter_unpack("<32s4I", shard[SHARD_HEADER : len(shard) - (len(shard) - SHARD_HEADER) % 48])
    for name, flags, terms, _, _ in entries:
        if name == b"\xff" * 32:
            return
        parts = [Term(_text(xorb), size, begin, end) for xorb, _, size, begin, end in _next(entries, terms)]
        _next(entries, terms if flags & WITH_VERIFICATION else 0)
        ((sha256, *_),) = _next(entries, 1 if flags & WITH_SHA256 else 0)
        yield _text(name), parts, _text(sha256)


def _next(entries: Iterator[tuple[Any, ...]], count: int) -> list[tuple[Any, ...]]:
    return [next(entries) for _ in range(count)]


def _text(hash: bytes) -> str:
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", hash))


def _chunks(xorb: bytes) -> list[Chunk]:
    """What lies one after the other in a xorb: version 0, three bytes of length, scheme, three bytes of size, data."""
    chunks, begin = [], 0
    # behind the chunks a list of them may follow, which begins with a letter
    while begin < len(xorb) and xorb[begin] == 0:
        length = int.from_bytes(xorb[begin + 1 : begin + 4], "little")
        size = int.from_bytes(xorb[begin + 5 : begin + 8], "little")
        chunks.append(Chunk(begin, begin + 8 + length, xorb[begin + 4], size))
        begin += 8 + length
    return chunks


def _data(xorb: bytes, chunk: Chunk) -> bytes:
    data = xorb[chunk.begin + 8 : chunk.end]
    if chunk.scheme == NONE:
        return data
    data = pa.decompress(data, chunk.size, codec="lz4", asbytes=True)
    if chunk.scheme == BYTE_GROUPS_AND_LZ4:
        grouped, whole = np.frombuffer(data, np.uint8), np.empty(chunk.size, np.uint8)
        ends = list(accumulate(len(whole[group::4]) for group in range(4)))
        for group, end in enumerate(ends):
            whole[group::4] = grouped[end - len(whole[group::4]) : end]
        data = whole.tobytes()
    return data
