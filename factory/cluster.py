"""The connection to Ray: the cluster that ``RAY_ADDRESS`` names, or one of its own on this machine."""

import logging
import os
import signal
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import polars as pl
import ray
from ray.data import DataContext

from factory.errors import ConfigError, FactoryError, cause, of_the_system
from factory.recipe.settings import ROOT

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # a task without GPUs keeps CUDA_VISIBLE_DEVICES as it is
    "RAY_TQDM": "0",
}


@contextmanager
def connected() -> Iterator[None]:
    """Connect to Ray, and disconnect whatever happens; a cluster of our own ends with the block.

    Raises:
        ConfigError: the cluster that ``RAY_ADDRESS`` names does not answer, or our own does not start.
        FactoryError: see :func:`explained`.
    """
    os.environ.update(ENVIRONMENT)
    pl.thread_pool_size()  # the driver's own threads begin before the next line, which is for the workers
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # a task has one processor, and there are as many as processors
    # Workers import this project from where it is, whatever their working directory.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    address = os.environ.get("RAY_ADDRESS")
    try:
        if address and address != "auto":
            host, _, port = address.rpartition("://")[2].rpartition(":")
            socket.create_connection((host, int(port)), timeout=10).close()  # Ray itself tries for minutes
        ray.init(
            address=address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.WARNING,
        )
    except Exception as error:  # a plain Exception is what Ray raises when its start takes too long
        what = f"the cluster at RAY_ADDRESS={address} does not answer" if address else "does not start"
        raise ConfigError("Ray", [f"{what}: {error}"]) from error
    if threading.current_thread() is threading.main_thread():  # elsewhere Python allows no handlers
        signal.signal(signal.SIGTERM, _interrupted)  # Ray has put a handler of its own there
    context = DataContext.get_current()
    context.enable_progress_bars = False
    try:
        with explained():
            yield
    finally:
        ray.shutdown()


@contextmanager
def explained() -> Iterator[None]:
    """Within the block what fails on Ray says why in a line; the whole story is printed, which is to the log in a run.

    Raises:
        FactoryError: in place of an error of Ray's.
    """
    try:
        yield
    except ray.exceptions.RayError as error:
        _print(error)
        raise FactoryError(f"{cause(str(error))}\n  the full story is in the log") from error
    except Exception as error:
        if of_the_system(error):
            _print(error)
        raise


def _print(error: Exception) -> None:
    with suppress(OSError):  # the log may be on the disk that is full
        traceback.print_exception(error)


def _interrupted(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
