"""The repositories of the loopback Hub: a bare git repository each, and beside it the folder of its large files."""

import json
import os
import shutil
import subprocess
import uuid
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

LFS = "filter=lfs diff=lfs merge=lfs -text"

ATTRIBUTES = "".join(f"*.{suffix} {LFS}\n" for suffix in ("arrow", "bin", "parquet", "safetensors", "zip"))
"""A part of what the Hub puts into every new repository; the Hub's list is longer."""

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %d\n"
"""What git holds in place of a large file, of its sha256 and its bytes."""

POINTER_BEGIN = POINTER.split(b"%", 1)[0]

LONGEST_POINTER = 200
"""Bytes."""

DATE = "--date=format-local:%Y-%m-%dT%H:%M:%S.000Z"
"""The only form in which the Hub's client reads a date; in UTC."""

LARGE = 10 * 2**20
"""Bytes from which on a file is stored as a large one, whatever its name."""


class Stale(Exception):
    """The branch is no longer at the commit that was to be the parent."""


class Missing(Exception):
    """What was asked for is not in the repository. Its argument: the code that the Hub sends."""


@dataclass(frozen=True)
class Entry:
    """One file or folder of a commit. Of a large file, size and sha256 are those of its content, not of its pointer."""

    path: str
    oid: str
    size: int | None
    sha256: str | None = None
    pointer_size: int | None = None

    @property
    def is_file(self) -> bool:
        return self.size is not None


class Repository:
    """One repository: files by commit, branches, tags. Everything is on the disk; any number of threads may use it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self, private: bool) -> None:
        """With a first commit, as on the Hub. Raises FileExistsError where there is one."""
        new = Repository(self.folder.with_name(f"{uuid.uuid4()}.new"))
        (new.folder / "large").mkdir(parents=True)
        new.git("init", "--quiet", "--bare", "--initial-branch=main", ".")
        (new.folder / "hub.json").write_text(json.dumps({"private": private}))
        first = new._written("initial commit", {".gitattributes": ATTRIBUTES.encode()}, None)
        new.git("update-ref", "refs/heads/main", first)
        try:
            new.folder.rename(self.folder)
        except OSError as error:
            # of two who make it at once, the second finds a whole one; rename calls that a folder that is not empty
            shutil.rmtree(new.folder)
            raise FileExistsError(self.folder) from error

    @property
    def name(self) -> str:
        """Of three parts, as in ``datasets/owner/sums``."""
        return "/".join(self.folder.parts[-3:]).removesuffix(".git")

    @property
    def page(self) -> str:
        """Where it is in the Hub's own addresses: there only datasets are named so."""
        return self.name.removeprefix("models/")

    def git(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> str:
        """What a git command prints. Raises CalledProcessError where it fails, unless ``check`` is false."""
        return self._output(*arguments, stdin=stdin, check=check).decode().strip("\n\0")

    @cached_property
    def private(self) -> bool:
        return bool(json.loads((self.folder / "hub.json").read_text())["private"])

    def large(self, sha256: str) -> Path:
        """Where the content of a large file lies once it is uploaded."""
        return self.folder / "large" / sha256

    def store(self, sha256: str, content: bytes) -> None:
        """Keep a large file: it is there as a whole or not at all."""
        part = self.folder / "large" / str(uuid.uuid4())
        part.write_bytes(content)
        part.replace(self.large(sha256))

    def resolve(self, revision: str) -> str:
        """The commit of a branch, tag or commit. Raises Missing."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if commit := self.git("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}", check=False):
                return commit
        raise Missing("RevisionNotFound")

    def refs(self, kind: str) -> dict[str, str]:
        """Commit by name; kind is heads or tags."""
        lines = self.git("for-each-ref", f"refs/{kind}", "--format=%(refname:lstrip=2) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def point(self, ref: str, new: str, old: str) -> bool:
        """Move a ref from one commit to another (40 zeros: from or to nothing); whether it still was at the old one."""
        try:
            self.git("update-ref", ref, new, old)
        except subprocess.CalledProcessError:
            return False
        return True

    def log(self, commit: str, *paths: str, limit: int | None = None) -> list[dict[str, str]]:
        """Commits that touched these paths, newest first: id, date, title, message."""
        most = [f"--max-count={limit}"] if limit else []
        lines = self.git("log", "-z", DATE, "--format=%H%x01%cd%x01%s%x01%b", *most, commit, "--", *paths).split("\0")
        return [dict(zip(("id", "date", "title", "message"), line.split("\x01"), strict=True)) for line in lines]

    def entries(self, commit: str) -> dict[str, Entry]:
        """Every file and folder of a commit by path, in git's order."""
        return _entries(self.folder, commit)

    def content(self, entry: Entry) -> bytes:
        """Raises Missing where a large file was never uploaded."""
        if entry.sha256 is None:
            return self.blobs([entry.oid])[0]
        if not self.large(entry.sha256).exists():
            raise Missing("EntryNotFound")
        return self.large(entry.sha256).read_bytes()

    def blobs(self, oids: list[str]) -> list[bytes]:
        """What git holds under these ids, read in one process."""
        answer = self._output("cat-file", "--batch", stdin="".join(f"{oid}\n" for oid in oids).encode())
        contents, begin = [], 0
        for _ in oids:
            header = answer.index(b"\n", begin) + 1
            end = header + int(answer[begin:header].split()[-1])
            contents.append(answer[header:end])
            begin = end + 1
        return contents

    def is_large(self, commit: str, path: str) -> bool:
        """Whether .gitattributes says so."""
        attributes = self.entries(commit).get(".gitattributes")
        lines = self.content(attributes).decode().splitlines() if attributes else []
        patterns = [line.split()[0] for line in lines if "filter=lfs" in line.split()]
        name = PurePosixPath(path).name
        return any(fnmatchcase(path if "/" in pattern else name, pattern) for pattern in patterns)

    def commit(self, branch: str, message: str, files: dict[str, bytes | None], parent: str | None) -> str:
        """One commit that writes these files, and deletes those that are None; returns its id.

        Like the Hub: what changes nothing is no commit, and returns the head whatever the parent; .gitattributes gets a
        line for every large file that it did not cover. Raises Stale where the branch is not at the parent; Missing
        where there is no such branch, or no file to delete.
        """
        while True:
            if branch not in self.refs("heads"):
                raise Missing("RevisionNotFound")
            head = self.resolve(branch)
            if not {path for path, content in files.items() if content is None} <= self.entries(head).keys():
                raise Missing("EntryNotFound")
            commit = self._written(message, self._with_attributes(head, files), head)
            if self.git("rev-parse", f"{commit}^{{tree}}") == self.git("rev-parse", f"{head}^{{tree}}"):
                return head
            if parent and not head.startswith(parent):
                raise Stale
            if self.point(f"refs/heads/{branch}", commit, head):
                return commit

    def _with_attributes(self, head: str, files: dict[str, bytes | None]) -> dict[str, bytes | None]:
        pointers = [path for path, content in files.items() if content and content.startswith(POINTER_BEGIN)]
        new = [f"{path} {LFS}\n" for path in pointers if not self.is_large(head, path)]
        here = self.entries(head).get(".gitattributes")
        before = self.content(here) if here else b""
        return files | ({".gitattributes": before + "".join(new).encode()} if new else {})

    def _written(self, message: str, files: dict[str, bytes | None], parent: str | None) -> str:
        """A commit that no branch holds yet: git fast-import writes any number of files in one process."""
        ref = f"refs/staged/{uuid.uuid4()}"
        stream = bytearray(f"commit {ref}\ncommitter hub <hub@localhost> now\n".encode())
        stream += b"data %d\n%s\n" % (len(message.encode()), message.encode())
        stream += f"from {parent}\n".encode() if parent else b""
        for path, content in files.items():
            quoted = json.dumps(path, ensure_ascii=False)
            if content is None:
                stream += f"D {quoted}\n".encode()
            else:
                stream += f"M 100644 inline {quoted}\n".encode() + b"data %d\n%s\n" % (len(content), content)
        self.git("fast-import", "--quiet", "--date-format=now", stdin=bytes(stream))
        commit = self.git("rev-parse", ref)
        self.git("update-ref", "-d", ref)
        return commit

    def _output(self, *arguments: str, stdin: bytes = b"", check: bool = True) -> bytes:
        # nobody's own settings of git reach the repositories
        environment = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "TZ": "UTC"}
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, input=stdin, capture_output=True, check=check, env=environment
        ).stdout


# a commit never changes: its files are listed once
@lru_cache(maxsize=256)
def _entries(folder: Path, commit: str) -> dict[str, Entry]:
    repository = Repository(folder)
    found = {}
    for line in repository.git("ls-tree", "-r", "-t", "-l", "-z", "--full-tree", commit).split("\0"):
        facts, path = line.split("\t")
        _, kind, oid, size = facts.split()
        found[path] = Entry(path, oid, int(size) if kind == "blob" else None)
    small = [entry for entry in found.values() if entry.size is not None and entry.size <= LONGEST_POINTER]
    for entry, content in zip(small, repository.blobs([entry.oid for entry in small]), strict=True):
        if content.startswith(POINTER_BEGIN):
            words = content.decode().split()
            found[entry.path] = replace(
                entry, size=int(words[-1]), sha256=words[-3].removeprefix("sha256:"), pointer_size=entry.size
            )
    return found
