"""What the loopback Hub does when files come in: how each is stored, the large ones, and the commit."""

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.support.hub_answers import Refused
from tests.support.hub_git import LARGE, POINTER, Missing, Repository, Stale


class Uploads:
    """The handlers of a server; ``repository`` gives the one that an address names."""

    def __init__(self, url: str, repository: Callable[[Request], Repository]) -> None:
        self.url, self.repository = url, repository
        self._key = secrets.token_hex(8)

    def preupload(self, request: Request) -> Response:
        repository = self.repository(request)
        commit = repository.resolve(request.path_params["revision"])
        entries, answers = repository.entries(commit), []
        for file in json.loads(request.scope["body"])["files"]:
            binary = b"\0" in base64.b64decode(file["sample"])
            large = binary or file["size"] > LARGE or repository.is_large(commit, file["path"])
            here = entries.get(file["path"])
            answers.append(
                {"path": file["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
                | ({"oid": here.sha256 or here.oid} if here else {})
            )
        return JSONResponse({"files": answers})

    def batch(self, request: Request) -> Response:
        repository, answers = self.repository(request), []
        for file in json.loads(request.scope["body"])["objects"]:
            upload = {"href": f"{self.url}/upload/{repository.name}/{file['oid']}?key={self._key}"}
            actions = {"upload": upload, "verify": {"href": f"{self.url}/verify/{repository.name}"}}
            answers.append(file if repository.large(file["oid"]).exists() else file | {"actions": actions})
        return JSONResponse({"transfer": "basic", "objects": answers})

    def take(self, request: Request) -> Response:
        content, sha256 = request.scope["body"], request.path_params["sha256"]
        if request.query_params.get("key") != self._key:
            return Response(status_code=HTTPStatus.FORBIDDEN)
        if hashlib.sha256(content).hexdigest() != sha256:
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        self.repository(request).store(sha256, content)
        return Response()

    def verify(self, request: Request) -> Response:
        file = json.loads(request.scope["body"])
        stored = self.repository(request).large(file["oid"])
        if not stored.exists() or stored.stat().st_size != file["size"]:
            raise Missing("EntryNotFound")
        return JSONResponse({})

    def commit(self, request: Request) -> Response:
        repository, lines = self.repository(request), request.scope["body"].splitlines()
        header: dict[str, str] = {}
        files: dict[str, bytes | None] = {}
        for item in (json.loads(line) for line in lines):
            value = item["value"]
            if item["key"] == "header":
                header = value
            elif item["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif item["key"] == "lfsFile":
                stored = repository.large(value["oid"])
                if not stored.exists():
                    raise Refused(HTTPStatus.BAD_REQUEST, f"{value['path']} was not uploaded: {value['oid']}")
                files[value["path"]] = POINTER % (value["oid"].encode(), stored.stat().st_size)
            elif item["key"] == "deletedFile":
                files[value["path"]] = None
            else:
                raise Refused(HTTPStatus.BAD_REQUEST, f"this server knows no {item['key']}")
        message = f"{header['summary']}\n\n{header.get('description', '')}".strip()
        try:
            commit = repository.commit(request.path_params["revision"], message, files, header.get("parentCommit"))
        except Stale:
            message = "A commit has happened since. Please refresh and try again."
            raise Refused(HTTPStatus.PRECONDITION_FAILED, message) from None
        url = f"{self.url}/{repository.page}/commit/{commit}"
        return JSONResponse({"success": True, "commitOid": commit, "commitUrl": url})
