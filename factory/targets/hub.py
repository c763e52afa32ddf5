"""The Hugging Face Hub: one commit and one tag for each generation, ``main`` at the newest.

Every step may be cut short: by the Hub (429, 5xx, a response that is lost), by another publisher, by ``kill -9``. So
publishing is one function that begins by reading what is there and does what is missing, and it is called until
nothing is: a retry is not told from a first try, nor from the next run.

The token is the Hub's own: ``HF_TOKEN``, or that of its login. It stays inside the library.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, GitRefs, HfApi, RepoFile
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from factory.errors import nearest
from factory.files import digest, scratch_folder
from factory.targets import Progress, PublishError
from factory.targets.manifest import read_manifest
from factory.targets.patience import Again, patiently

BATCH_BYTES = 1 << 28
"""Files are handed over in batches of at least this size, so that it can be said how far it is."""

UNTAGGED = timedelta(minutes=5)
"""A commit without its tag is younger than this if its publisher is still at work."""

KEPT = ".gitattributes"
"""The Hub's own file: which paths go to its large storage."""


class OnHub:
    """A generation at its tag on the Hub."""

    def __init__(self, hub: "Hub", generation: int, commit: str):
        self.hub, self.commit = hub, commit
        self.where = hub.where(generation)

    def manifest(self) -> dict[str, Any]:
        return read_manifest(self.folder("manifest.json"))

    def digests(self) -> dict[str, str]:
        files = [file for file in self.hub.files(self.commit) if file.path != "manifest.json"]
        small = [file.path for file in files if file.lfs is None]
        folder = self.folder(*small) if small else Path()
        return {file.path: file.lfs.sha256 if file.lfs else digest(folder / file.path) for file in files}

    def folder(self, *patterns: str) -> Path:
        def fetch() -> str:
            return self.hub.api.snapshot_download(
                self.hub.name, repo_type=self.hub.kind, revision=self.commit, allow_patterns=list(patterns)
            )

        return Path(patiently(self.hub.name, fetch))

    def sibling(self, generation: int) -> "OnHub | None":
        return self.hub.generation(generation)


class Hub:
    """A repository of datasets, or with ``kind="model"`` of models. A new one is ``private`` unless that is False."""

    def __init__(self, name: str, kind: str = "dataset", private: bool = True):
        self.name, self.kind, self.private = name, kind, private
        self.spelled = f"hub:{name}"
        self.api = HfApi()

    def where(self, generation: int) -> str:
        return f"{self.name}@gen-{generation}"

    def generation(self, number: int) -> OnHub | None:
        commit = self.tags().get(f"gen-{number}")
        return OnHub(self, number, commit) if commit else None

    def tags(self) -> dict[str, str]:
        """The commit of each tag; none where there is no such repository, or none that the token may read."""
        refs = patiently(self.name, self._refs)
        return {tag.name: tag.target_commit for tag in refs.tags} if refs else {}

    def files(self, commit: str) -> list[RepoFile]:
        """All files of a commit but the Hub's own."""
        return patiently(self.name, lambda: self._files(commit))

    def models(self) -> "Hub":
        return Hub(self.name, kind="model", private=self.private)

    def problems(self) -> list[str]:
        try:
            user = patiently(self.name, self.api.whoami)
        except PublishError as error:
            return [str(error)]
        owner = self.name.partition("/")[0]
        owners = [user["name"], *(organization["name"] for organization in user.get("orgs", ()))]
        if owner not in owners:
            return [f"'{self.name}' is not {user['name']}'s to publish in{nearest(owner, owners)}"]
        if user.get("auth", {}).get("accessToken", {}).get("role") == "read":
            return ["the Hub's token may only read; publishing takes one that may write"]
        refs = patiently(self.name, self._refs)
        strange = patiently(self.name, lambda: self._strange(refs)) if refs else ""
        return [strange] if strange else []

    def workspace(self, generation: int, near: Path) -> AbstractContextManager[Path]:
        return scratch_folder(near / f".{self.kind}.tmp")

    def publish(self, tree: Path, generation: int, title: str, on_progress: Progress) -> OnHub:
        """Head, files, one commit on that head, our files confirmed in it, tag: from where the last try got to."""
        files = [path.relative_to(tree).as_posix() for path in sorted(tree.rglob("*")) if path.is_file()]
        ours = {path: _identities(tree / path) for path in files}
        # the title names the content, so that a commit whose response was lost is found again
        title = f"gen-{generation}: {title} [{digest(tree / 'manifest.json')[:16]}]"
        commit = patiently(self.name, lambda: self._publish(tree, f"gen-{generation}", title, ours, on_progress))
        return OnHub(self, generation, commit)

    def _publish(self, tree: Path, tag: str, title: str, ours: dict[str, set[str]], on_progress: Progress) -> str:
        refs = self._refs()
        if refs is None:
            self.api.create_repo(self.name, repo_type=self.kind, private=self.private, exist_ok=True)
            refs = self.api.list_repo_refs(self.name, repo_type=self.kind)
        if tagged := [one.target_commit for one in refs.tags if one.name == tag]:
            return tagged[0]
        head = _head(refs)
        if strange := self._strange(refs):
            raise PublishError(strange)
        commit = self._commit_of(title, head, ours) or self._commit(tree, head, title, ours, on_progress)
        if differ := _differences(self._files(commit), ours):
            raise PublishError(f"{self.name}: commit {commit[:12]} does not hold what was sent: {', '.join(differ)}")
        self.api.create_tag(self.name, tag=tag, revision=commit, repo_type=self.kind)
        return commit

    def _commit_of(self, title: str, head: str, ours: dict[str, set[str]]) -> str | None:
        """The commit of this content that is there already: of an earlier try, or of another publisher.

        Raises:
            Again: another publisher has committed other content as this generation, and is about to set the tag.
        """
        commits = self.api.list_repo_commits(self.name, repo_type=self.kind, revision=head)
        for commit in commits:
            if commit.title == title and not _differences(self._files(commit.commit_id), ours):
                return commit.commit_id
        same_generation = commits[0].title.startswith(title.partition(":")[0] + ":")
        if same_generation and datetime.now(UTC) - commits[0].created_at < UNTAGGED:
            raise Again(f"another publisher is at work (commit {head[:12]})")
        return None

    def _commit(self, tree: Path, head: str, title: str, ours: dict[str, set[str]], on_progress: Progress) -> str:
        stale = [file.path for file in self._files(head) if file.path not in ours]
        additions = [CommitOperationAdd(path, tree / path) for path in ours]
        total = sum(addition.upload_info.size for addition in additions)
        done = 0
        for batch in _batches(additions):
            on_progress(done, total)
            try:
                self.api.preupload_lfs_files(self.name, additions=batch, repo_type=self.kind)
            except HfHubHTTPError:
                raise
            except (RuntimeError, ValueError) as error:  # of the large storage, with an address in its cause
                raise Again(f"an upload failed: {error}") from None
            done += sum(addition.upload_info.size for addition in batch)
        on_progress(total, total)
        made = self.api.create_commit(
            self.name,
            [*additions, *(CommitOperationDelete(path) for path in stale)],
            commit_message=title,
            repo_type=self.kind,
            parent_commit=head,
        )
        return made.oid

    def _strange(self, refs: GitRefs) -> str:
        """Why the repository is not one of ours to replace the files of; empty if it is."""
        files = {file.path for file in self._files(_head(refs))}
        if "manifest.json" in files or not files - {"README.md"}:
            return ""
        kind = "" if self.kind == "dataset" else f"{self.kind} "
        return (
            f"the {kind}repository '{self.name}' holds files of another origin, such as {min(files - {'README.md'})}; "
            "a generation would take their place"
        )

    def _refs(self) -> GitRefs | None:
        try:
            return self.api.list_repo_refs(self.name, repo_type=self.kind)
        except RepositoryNotFoundError:
            return None

    def _files(self, commit: str) -> list[RepoFile]:
        found = self.api.list_repo_tree(self.name, recursive=True, revision=commit, repo_type=self.kind)
        return [file for file in found if isinstance(file, RepoFile) and file.path != KEPT]


def _head(refs: GitRefs) -> str:
    return next(branch.target_commit for branch in refs.branches if branch.name == "main")


def _identities(file: Path) -> set[str]:
    """What the Hub may call the content of a file: its sha256 if the large storage has it, else git's name of it."""
    content = hashlib.sha1(f"blob {file.stat().st_size}\0".encode(), usedforsecurity=False)
    with file.open("rb") as opened:
        while block := opened.read(1 << 20):
            content.update(block)
    return {digest(file), content.hexdigest()}


def _differences(there: Iterable[RepoFile], ours: dict[str, set[str]]) -> list[str]:
    """The paths whose content is not ours, or that only one of both has."""
    found = {file.path: file.lfs.sha256 if file.lfs else file.blob_id for file in there}
    return sorted(path for path in found.keys() | ours.keys() if found.get(path) not in ours.get(path, ()))


def _batches(additions: list[CommitOperationAdd]) -> Iterator[list[CommitOperationAdd]]:
    batch: list[CommitOperationAdd] = []
    size = 0
    for addition in additions:
        batch.append(addition)
        size += addition.upload_info.size
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
