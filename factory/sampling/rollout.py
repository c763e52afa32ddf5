"""Questions in, rollouts out: Ray Data maps shards of questions over a pool of actors that each own an engine.

A block of the dataset names one shard, and the actor that gets it reads the questions, runs the strategy on all of
them at once and writes the rollouts under the shard's own name. So a question's attempts are never split over
files, a repeated shard overwrites and never doubles, resuming is listing what is missing, and the driver never
holds a question. Several shards are in flight per actor: the stragglers of one do not idle the engine.

The only file that knows actors.
"""

import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.data import ActorPoolStrategy

from factory.errors import FactoryError, cause
from factory.recipe.groups import Rollout
from factory.record import Record
from factory.sampling.worker import Job, Tally, Worker


def roll_out(
    job: Job,
    spread: Rollout,
    on_progress: Callable[[Tally, Tally], None],
    on_shard: Callable[[Path, Record], None] = lambda shard, report: None,
) -> Tally:
    """Sample every shard that is left of all passes with one pool of engines, and return what was counted.

    Passes are sampled in order, so a later pass fills the engine while the stragglers of an earlier one end.
    ``on_progress`` is called about twice a second, once sampling has begun, with the counts so far and with the
    counts per second since the first attempt; ``on_shard`` with every shard and what its worker reports to have written
    (``host``, ``sha256``, ``rows``, and how many ``errors`` may be tried again), and what it raises ends the sampling.

    Raises:
        FactoryError: no engine could be started, none of its requests can succeed, a strategy raised, or a shard
            could not be written. The text is the worker's own reason.
    """
    work = [{"pass": number, "shard": str(path)} for number, p in enumerate(job.passes) for path in p.left()]
    if not work:
        return Counter()
    board = ray.remote(num_cpus=0)(Board).remote()
    dataset = ray.data.from_items(work, override_num_blocks=len(work)).map_batches(
        Worker,
        batch_size=1,
        batch_format="pyarrow",
        fn_constructor_args=(job, board),
        compute=ActorPoolStrategy(
            size=min(spread.engines, len(work)),
            max_tasks_in_flight_per_actor=spread.shards_in_flight,
            max_concurrent_calls_per_actor=spread.shards_in_flight,
        ),
        num_cpus=spread.cpus_per_engine,
        num_gpus=spread.gpus_per_engine,
    )
    watching = threading.Event()
    watcher = threading.Thread(target=_watch, args=(board, on_progress, watching), daemon=True)
    watcher.start()
    try:
        for row in dataset.iter_rows():
            if row["failure"]:
                raise _stopped(row["failure"], job)
            on_shard(Path(row["shard"]), {name: row[name] for name in ("host", "sha256", "rows", "errors")})
    except (ray.exceptions.RayError, RuntimeError) as error:
        traceback.print_exc()  # to the log, as a worker that died could not
        raise _stopped(cause(str(error)), job) from error
    finally:
        watching.set()
        watcher.join(timeout=5)
    counted: tuple[Tally, Tally] = ray.get(board.read.remote())
    on_progress(*counted)
    return counted[0]


class Board:
    """Where workers write their counts and the driver reads them."""

    def __init__(self) -> None:
        self.tally: Tally = Counter()
        self.began = self.ended = 0.0

    def add(self, counts: Tally) -> None:
        self.ended = time.monotonic()
        self.began = self.began or self.ended - 0.5  # a worker's first report covers half a second
        self.tally.update(counts)

    def read(self) -> tuple[Tally, Tally]:
        """The counts, and the counts per second from the first report to the last."""
        seconds = max(self.ended - self.began, 0.5)
        return self.tally, Counter({name: round(count / seconds) for name, count in self.tally.items()})


def _watch(board: Any, on_progress: Callable[[Tally, Tally], None], stop: threading.Event) -> None:
    while not stop.wait(0.5):
        tally, pace = ray.get(board.read.remote())
        if tally["attempts"]:
            on_progress(tally, pace)


def _stopped(why: str, job: Job) -> FactoryError:
    way_out = "nothing that was not judged is written, and the same command goes on from here"
    return FactoryError(f"sampling stopped: {why}\n  {way_out}; the full story is in {job.log}")
