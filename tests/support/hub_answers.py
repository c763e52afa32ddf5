"""What the parts of the loopback Hub answer alike: a refusal, and a range of something."""

from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


class Refused(Exception):
    """An answer other than the one asked for: its status, the Hub's message and code, more fields of the body."""

    def __init__(self, status: HTTPStatus, message: str, code: str | None = None, **body: Any) -> None:
        self.status, self.body = status, {"error": message} | body
        self.headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})


def ranged(request: Request, content: bytes, headers: dict[str, str]) -> Response:
    """All of it, or the one range that the request names; 416 for one that begins behind the end."""
    headers = headers | {"Accept-Ranges": "bytes"}
    first, asked, last = request.headers.get("range", "").removeprefix("bytes=").partition("-")
    if not asked:
        return Response(content, headers=headers, media_type="application/octet-stream")
    begin = int(first) if first else len(content) - int(last)
    end = min(int(last) + 1, len(content)) if first and last else len(content)
    if begin >= len(content):
        headers["Content-Range"] = f"bytes */{len(content)}"
        return Response(status_code=HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
    return Response(content[begin:end], HTTPStatus.PARTIAL_CONTENT, headers, "application/octet-stream")
