"""What the tests of the loopback Hub do to it with the real client."""

import io

import polars
from huggingface_hub import CommitOperationAdd, HfApi

NAME = "owner/sums"
CARD = b"---\nconfigs:\n- config_name: default\n  data_files: data/train-*.parquet\n---\n# Sums\n"
TRAIN = "data/train-00000-of-00001.parquet"


def rows(count: int) -> bytes:
    """A Parquet file."""
    file = io.BytesIO()
    polars.DataFrame({"number": range(count)}).write_parquet(file)
    return file.getvalue()


def commit(api: HfApi, files: dict[str, bytes], parent: str | None = None) -> str:
    """One commit to the dataset, which is made where it is missing; returns its id."""
    api.create_repo(NAME, repo_type="dataset", private=True, exist_ok=True)
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    return str(api.create_commit(NAME, operations, commit_message="m", repo_type="dataset", parent_commit=parent).oid)


def head(api: HfApi) -> str | None:
    return api.repo_info(NAME, repo_type="dataset").sha
