"""What the loopback Hub answers, address by address."""

import json
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.hub_answers import Refused, ranged
from tests.support.hub_git import Entry, Missing, Repository
from tests.support.hub_uploads import Uploads
from tests.support.hub_xet import Xet

NOTHING = 40 * "0"
"""Git's name for no commit."""


class Hub:
    """The handlers, over a folder of repositories: ``<folder>/datasets/<owner>/<name>.git``, models likewise.

    Starlette runs each in a thread of its own; the body lies in the scope.
    """

    page = 1000
    """Entries of a tree in one answer."""

    def __init__(self, folder: Path, url: str, token: str, read_token: str) -> None:
        self.folder, self.url, self.token, self.read_token = folder, url, token, read_token
        self.xet = Xet(f"{url}/cas")
        self.uploads = Uploads(url, self.repository)

    def routes(self) -> list[Route]:
        api, files = "/api/{kind}/{owner}/{name}", "/{kind}/{owner}/{name}"
        reading = [
            ("GET", "/api/whoami-v2", self.whoami),
            ("POST", "/api/validate-yaml", self.validate_yaml),
            ("GET", api, self.info),
            ("GET", f"{api}/revision/{{revision}}", self.info),
            ("GET", f"{api}/refs", self.refs),
            ("GET", f"{api}/commits/{{revision}}", self.commits),
            ("GET", f"{api}/tree/{{revision}}", self.tree),
            ("GET", f"{api}/tree/{{revision}}/{{path:path}}", self.tree),
            ("POST", f"{api}/paths-info/{{revision}}", self.paths_info),
            ("GET", f"{api}/xet-read-token/{{revision}}", self.xet_token),
            ("GET", f"{files}/resolve/{{revision}}/{{path:path}}", self.resolve),
            ("GET", "/{owner}/{name}/resolve/{revision}/{path:path}", self.resolve),
        ]
        writing = [
            ("POST", "/api/repos/create", self.create),
            ("POST", f"{api}/preupload/{{revision}}", self.uploads.preupload),
            ("POST", f"{files}.git/info/lfs/objects/batch", self.uploads.batch),
            ("POST", "/{owner}/{name}.git/info/lfs/objects/batch", self.uploads.batch),
            ("POST", f"/verify{files}", self.uploads.verify),
            ("GET", f"{api}/xet-write-token/{{revision}}", self.xet_token),
            ("POST", f"{api}/commit/{{revision}}", self.uploads.commit),
            ("POST", f"{api}/tag/{{revision}}", self.create_tag),
            ("DELETE", f"{api}/tag/{{revision}}", self.delete_tag),
        ]
        routes = [self._route(method, path, handler, write=False) for method, path, handler in reading]
        routes += [self._route(method, path, handler, write=True) for method, path, handler in writing]
        # no token of an account: the address itself is the permission, or Xet gave one
        return [*routes, *self.xet.routes(), Route(f"/upload{files}/{{sha256}}", self.uploads.take, methods=["PUT"])]

    def _route(self, method: str, path: str, handler: Callable[[Request], Response], write: bool) -> Route:
        def answer(request: Request) -> Response:
            try:
                self._permit(request, write)
                return handler(request)
            except Missing as missing:
                message = str(missing).replace("NotFound", " not found")
                refused = Refused(HTTPStatus.NOT_FOUND, message, str(missing))
            except Refused as error:
                refused = error
            return JSONResponse(refused.body, refused.status, refused.headers)

        return Route(path, answer, methods=[method])

    def _permit(self, request: Request, write: bool) -> None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            raise Refused(HTTPStatus.UNAUTHORIZED, "Invalid username or password.", "RepoNotFound")
        if token not in (self.token, self.read_token):
            raise Refused(HTTPStatus.UNAUTHORIZED, "Invalid credentials in Authorization header")
        if write and token == self.read_token:
            raise Refused(HTTPStatus.FORBIDDEN, "you must use a write token to write to a repository.")

    def repository(self, request: Request) -> Repository:
        """The repository that an address names. Raises Missing."""
        path = request.path_params
        folder = self.folder / path.get("kind", "models") / path["owner"] / f"{path['name']}.git"
        if not folder.is_dir():
            raise Missing("RepoNotFound")
        return Repository(folder)

    # ---- accounts and repositories

    def whoami(self, request: Request) -> Response:
        role = "read" if request.headers["authorization"].endswith(self.read_token) else "write"
        auth = {"type": "access_token", "accessToken": {"displayName": "test", "role": role}}
        return JSONResponse({"type": "user", "id": "1", "name": "owner", "orgs": [], "auth": auth})

    def validate_yaml(self, request: Request) -> Response:
        try:
            _, front, _ = json.loads(request.scope["body"])["content"].split("---", 2)
            yaml.safe_load(front)
        except (ValueError, yaml.YAMLError) as error:
            return JSONResponse({"errors": [{"message": str(error)}], "warnings": []}, HTTPStatus.BAD_REQUEST)
        return JSONResponse({"errors": [], "warnings": []})

    def create(self, request: Request) -> Response:
        asked = json.loads(request.scope["body"])
        kind, owner = asked.get("type", "model"), asked.get("organization") or "owner"
        repository = Repository(self.folder / f"{kind}s" / owner / f"{asked['name']}.git")
        url = f"{self.url}/{repository.page}"
        try:
            repository.create(private=asked.get("visibility") == "private")
        except FileExistsError:
            raise Refused(HTTPStatus.CONFLICT, f"You already created this {kind} repo", url=url) from None
        return JSONResponse({"url": url, "name": f"{owner}/{asked['name']}"})

    def info(self, request: Request) -> Response:
        repository, commit = self._at(request)
        path = request.path_params
        entries = [self._described(entry) for entry in repository.entries(commit).values() if entry.is_file]
        siblings = [
            {"rfilename": entry["path"], "size": entry["size"], "blobId": entry["oid"]}
            | ({"lfs": {**entry["lfs"], "sha256": entry["lfs"]["oid"]}} if "lfs" in entry else {})
            for entry in entries
        ]
        facts = {"id": f"{path['owner']}/{path['name']}", "author": path["owner"], "sha": commit, "gated": False}
        last = repository.log(commit, limit=1)[0]["date"]
        return JSONResponse(
            {**facts, "private": repository.private, "disabled": False, "lastModified": last, "siblings": siblings}
        )

    def refs(self, request: Request) -> Response:
        def described(kind: str) -> list[dict[str, str]]:
            found = self.repository(request).refs(kind)
            return [{"name": name, "ref": f"refs/{kind}/{name}", "targetCommit": oid} for name, oid in found.items()]

        return JSONResponse({"branches": described("heads"), "tags": described("tags"), "converts": []})

    def commits(self, request: Request) -> Response:
        repository, commit = self._at(request)
        return JSONResponse([entry | {"authors": [{"user": "owner"}]} for entry in repository.log(commit)])

    def create_tag(self, request: Request) -> Response:
        repository, commit = self._at(request)
        tag = json.loads(request.scope["body"])["tag"]
        if not repository.point(f"refs/tags/{tag}", commit, NOTHING):
            raise Refused(HTTPStatus.CONFLICT, "Reference already exists")
        return JSONResponse({})

    def delete_tag(self, request: Request) -> Response:
        repository, tag = self.repository(request), request.path_params["revision"]
        commit = repository.refs("tags").get(tag)
        if commit is None or not repository.point(f"refs/tags/{tag}", NOTHING, commit):
            raise Missing("RevisionNotFound")
        return JSONResponse({})

    # ---- reading files

    def tree(self, request: Request) -> Response:
        repository, commit = self._at(request)
        folder, entries = request.path_params.get("path", ""), repository.entries(commit)
        if folder and folder not in entries:
            raise Missing("EntryNotFound")
        inside = [entry for path, entry in entries.items() if not folder or path.startswith(f"{folder}/")]
        if request.query_params.get("recursive") != "true":
            inside = [entry for entry in inside if entry.path.rpartition("/")[0] == folder]
        begin = int(request.query_params.get("cursor", 0))
        following = urlencode(dict(request.query_params) | {"cursor": begin + self.page})
        more = {"Link": f'<{self.url}{request.url.path}?{following}>; rel="next"'}
        shown = inside[begin : begin + self.page]
        return JSONResponse(
            self._listed(repository, commit, shown, request.query_params.get("expand") == "true"),
            headers=more if begin + self.page < len(inside) else {},
        )

    def paths_info(self, request: Request) -> Response:
        repository, commit = self._at(request)
        asked = parse_qs(request.scope["body"].decode())
        entries = repository.entries(commit)
        shown = [entries[path] for path in asked.get("paths", []) if path in entries]
        return JSONResponse(self._listed(repository, commit, shown, asked.get("expand") == ["true"]))

    def resolve(self, request: Request) -> Response:
        repository, commit = self._at(request)
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        entry = repository.entries(commit).get(request.path_params["path"])
        if entry is None or not entry.is_file:
            headers |= {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found"}
            return Response("Entry not found", HTTPStatus.NOT_FOUND, headers)
        content = repository.content(entry)
        headers["ETag"] = f'"{entry.sha256 or entry.oid}"'
        if entry.sha256:
            headers |= {"X-Linked-Etag": headers["ETag"], "X-Linked-Size": str(len(content))}
            if xet := self.xet.hash(entry.sha256):
                token = f"{self.url}/api/{repository.name}/xet-read-token/{commit}"
                headers |= {"X-Xet-Hash": xet, "X-Xet-Refresh-Route": token}
        return ranged(request, content, headers)

    def xet_token(self, request: Request) -> Response:
        return self.xet.permission(self.repository(request))

    def _at(self, request: Request) -> tuple[Repository, str]:
        repository = self.repository(request)
        return repository, repository.resolve(request.path_params.get("revision", "main"))

    def _listed(self, repository: Repository, commit: str, entries: list[Entry], expand: bool) -> list[dict[str, Any]]:
        shown = [self._described(entry) for entry in entries]
        for entry in shown if expand else []:
            entry["lastCommit"] = repository.log(commit, entry["path"], limit=1)[0]
        return shown

    def _described(self, entry: Entry) -> dict[str, Any]:
        """A file or folder as a tree names it."""
        if not entry.is_file:
            return {"type": "directory", "path": entry.path, "oid": entry.oid, "size": 0}
        file = {"type": "file", "path": entry.path, "oid": entry.oid, "size": entry.size}
        if entry.sha256 is None:
            return file
        large = {"oid": entry.sha256, "size": entry.size, "pointerSize": entry.pointer_size}
        return file | {"lfs": large, "xetHash": self.xet.hash(entry.sha256)}
