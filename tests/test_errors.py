"""What a user sees of an error that is no fault of the code: one line, with the file and what to do."""

import errno
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from safetensors import safe_open

from factory import terminal
from factory.errors import cause, in_a_line, named, user_errors
from factory.files import write_text
from factory.training.process import TrainingLog

NO_ROOM = "No space left on device; make room there"
GO_ON = "; the same command goes on from here\n"


def shown(capsys: pytest.CaptureFixture[str], work: Callable[[], object]) -> str:
    with pytest.raises(SystemExit) as ended, user_errors():
        work()
    assert ended.value.code == 1
    return capsys.readouterr().err


@pytest.fixture
def full(tmp_path: Path) -> Path:
    """A file without room; a link, as some libraries remove what they could not write."""
    (tmp_path / "full").symlink_to("/dev/full")
    return tmp_path / "full"


def write_to(full: Path) -> None:
    with named(full):
        full.write_text("x" * 100_000)


def test_an_error_of_the_disk_is_a_line_with_the_file_and_a_way_out(
    full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(capsys, lambda: write_to(full)) == f"'{full}': {NO_ROOM}{GO_ON}"
    file = tmp_path / "file"
    file.touch()
    said = shown(capsys, lambda: write_text(file / "text", "x"))
    assert said == f"'{file}': File exists; see that nothing else works there{GO_ON}"
    said = shown(capsys, lambda: (tmp_path / "none").read_text())
    assert said == f"'{tmp_path / 'none'}': No such file or directory; see that nothing else works there{GO_ON}"


def test_so_is_one_of_a_library_that_only_says_so_in_words(
    full: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def written_by_polars() -> None:
        with named(full):
            pl.DataFrame({"a": range(100_000)}).write_parquet(full, compression="uncompressed")

    assert shown(capsys, written_by_polars) == f"'{full}': {NO_ROOM}{GO_ON}"
    assert "No such file or directory" in shown(capsys, lambda: pl.read_parquet(tmp_path / "none.parquet"))
    assert "No such file or directory" in shown(capsys, lambda: safe_open(tmp_path / "none", framework="np"))


def test_a_mistake_of_the_code_is_none_of_these() -> None:
    with pytest.raises(ValueError, match="a bug"), user_errors():
        raise ValueError("a bug")
    with pytest.raises(BrokenPipeError), user_errors():  # what reads our output has ended
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")


def test_a_full_disk_under_the_log_hides_no_message(full: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def noisy_stage() -> None:
        with terminal.quiet(full):
            print("noise")
            terminal.console.print("a stage")
            write_to(full)

    with pytest.raises(SystemExit), user_errors():
        noisy_stage()
    out, err = capfd.readouterr()
    assert "a stage" in out
    assert f"'{full}': {NO_ROOM}" in err


IN_A_TASK = """\x1b[36mray::MapBatches(bad)()\x1b[39m (pid=28704, ip=192.0.2.2)
  File "/x/corpus.py", line 6, in bad
    raise OSError(28, "No space left on device", "/x/y.parquet")
{error}

The above exception was the direct cause of the following exception:

\x1b[36mray::MapBatches(bad)()\x1b[39m (pid=28704, ip=192.0.2.2)
ray.exceptions.UserCodeException: UDF failed to process a data block.
To change retry attempts, backoff, or which errors are retried, configure `ray.data.DataContext.get_current()`"""
"""What Ray raises where a function of a dataset has failed."""

OUT_OF_MEMORY = """Task was killed due to the node running low on memory.
Memory on the node (IP: 192.0.2.2, ID: 1) where the task was running was 15.20GB / 16.00GB (0.95), which exceeds 0.95.
Refer to the documentation on how to address the out of memory issue: https://docs.ray.io/ray-oom-prevention.html.
Set the environment variable RAY_memory_monitor_refresh_ms to zero to disable task killing."""


@pytest.mark.parametrize(
    ("story", "why"),
    [
        (IN_A_TASK.format(error="OSError: [Errno 28] Full: '/x/y.parquet'"), f"'/x/y.parquet': {NO_ROOM}"),
        (IN_A_TASK.format(error="KeyError: 'answer'"), "KeyError: 'answer'"),
        (
            IN_A_TASK.format(error="polars.exceptions.ComputeError: bad\n  row 3"),
            "polars.exceptions.ComputeError: bad row 3",
        ),
        (OUT_OF_MEMORY, "Task was killed due to the node running low on memory."),
        ("", "no reason was given"),
    ],
)
def test_the_cause_is_the_workers_own_and_not_what_ray_says_of_it(story: str, why: str) -> None:
    assert cause(story) == why


def test_a_fine_tune_on_a_full_disk_says_so(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("Step 1 | loss:2.5 \nTraceback (most recent call last):\nOSError: [Errno 28] Full: '/x/model'\n")
    failure = TrainingLog(log, 0).failure("torchtune ended with exit code 1")
    assert str(failure) == f"torchtune ended with exit code 1: '/x/model': {NO_ROOM}; the full story is in {log}"


def test_another_error_of_the_system_keeps_its_words() -> None:
    assert in_a_line(OSError(errno.EIO, "Input/output error", "/x")).startswith("'/x': Input/output error; see that")
    assert in_a_line(ValueError("a\nb")) == "ValueError: a b"
