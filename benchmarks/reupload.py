"""How much of a table is uploaded again when the next generation is published: ``python -m benchmarks.reupload``.

The Hub stores files as chunks of about 64 KiB, cut where their content says, and the client sends those that are not
there yet. The real client (hf_xet) does so here, into a folder, and counts. 20,000 made-up examples, about 100 words
each, are published, and again after a change: as the factory publishes them, and as pyarrow writes them without
content-defined chunking. Bytes sent, as a share of the new file; `elsewhere` is a machine that did not send the old
file, and may ask the store for the first chunk and few others only::

    change                                              MB   sent   without   elsewhere
    5% new rows, after the others                     12.5    11%       17%        100%
    5% new rows, together in the middle               12.5    11%       58%        100%
    5% new rows, at random places                     12.5    11%       99%        100%
    5% of the rows replaced, at random places         11.9    99%       99%        100%
    all sampled anew, the same texts                  11.9     2%        2%        100%
    all sampled anew, other texts                     11.8    79%       79%        100%
    the same rows in another order                    12.1    99%       99%        100%

A chunk holds a hundred rows and more of a column of texts, so a change in every twentieth row leaves none as it was.
That is why new questions are published after those that had an example before (:mod:`factory.publishing.order`).
"""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hf_xet
import pyarrow as pa
import pyarrow.parquet as pq

from factory.publishing.order import known_first
from factory.publishing.parquet import write_table
from schemas import EXAMPLES

ROWS, NEW = 20_000, 1_000


def sent_again(old: Path, new: Path, elsewhere: bool = False) -> float:
    """The share of a file's bytes that is sent when another file is stored already.

    Args:
        elsewhere: by a machine that did not send the old one.
    """
    with tempfile.TemporaryDirectory() as store:
        _upload(old, store)
        if elsewhere:
            for known in Path(store).glob("xet/shard-cache/*"):
                known.unlink()
        report = _upload(new, store)
        return float(report.new_bytes / report.total_bytes)


def _upload(file: Path, store: str) -> Any:
    commit = hf_xet.XetSession().new_upload_commit(endpoint=f"local://{store}")
    commit.start_upload_file(str(file), sha256=hf_xet.SKIP_SHA256)
    return commit.wait_to_finish().dedup_metrics


def made_up(questions: range, generation: int = 0, texts: int = 0) -> pa.Table:
    """An example of each question, in the examples schema.

    Args:
        questions: numbers of questions; the same number is the same question.
        generation: makes other ids, seeds and model.
        texts: makes other rationales.
    """
    rows = []
    for number in questions:
        question = _text(f"question {number}", 40)
        rationale = _text(f"rationale {number} {texts}", 60)
        key = f"train-{number}/{generation}/s0t0"
        rows.append(
            {
                "example_id": key,
                "question_id": f"train-{number}",
                "question": question,
                "answer": str(number),
                "rationale": rationale,
                "messages": [{"role": "user", "content": question}, {"role": "assistant", "content": rationale}],
                "origin": "sampled",
                "turn": 0,
                "weight": 1.0,
                "verifier": "numeric/1",
                "verdict": "correct",
                "checks": [{"name": "derived/1", "passed": True}],
                "generation": generation,
                "model": f"gen-{generation - 1}/checkpoint" if generation else "base",
                "attempt_id": key,
                "temperature": 0.7,
                "seed": random.Random(key).getrandbits(31),
            }
        )
    return pa.Table.from_pylist(rows, EXAMPLES)


def _vocabulary() -> list[str]:
    draw = random.Random(0)
    return ["".join(draw.choices("etaoinshrdlucm", k=draw.randint(2, 9))) for _ in range(5000)]


WORDS = _vocabulary()


def _text(seed: str, words: int) -> str:
    draw = random.Random(seed)
    return " ".join(str(draw.randint(2, 999)) if draw.random() < 0.15 else draw.choice(WORDS) for _ in range(words))


def written(folder: Path, table: pa.Table, before: Path | None = None) -> Path:
    """The file that the factory publishes for these rows, after a generation that it published as ``before``."""
    pq.write_table(table, folder / "shard")
    (folder / "ordered").mkdir()
    shards = known_first([folder / "shard"], [[before]] if before else [], folder / "ordered")
    (file,) = write_table(folder / "data", EXAMPLES, shards)
    return file


def _plain(folder: Path, table: pa.Table) -> Path:
    pq.write_table(table, folder / "plain", compression="zstd")
    return folder / "plain"


def changes() -> Iterator[tuple[str, pa.Table]]:
    """What may become of the rows, with a name."""
    draw = random.Random(0)
    known, new = list(range(ROWS)), list(range(ROWS, ROWS + NEW))
    old, more = made_up(range(ROWS)), made_up(range(ROWS + NEW))
    scattered = sorted(known + new, key=lambda row: row if row < ROWS else draw.uniform(0, ROWS))
    replaced = {row: new[place] for place, row in enumerate(draw.sample(known, NEW))}
    yield "5% new rows, after the others", more
    yield "5% new rows, together in the middle", more.take([*known[: ROWS // 2], *new, *known[ROWS // 2 :]])
    yield "5% new rows, at random places", more.take(scattered)
    yield "5% of the rows replaced, at random places", more.take([replaced.get(row, row) for row in known])
    yield "all sampled anew, the same texts", made_up(range(ROWS), generation=1)
    yield "all sampled anew, other texts", made_up(range(ROWS), generation=1, texts=1)
    yield "the same rows in another order", old.take(draw.sample(known, ROWS))


def main() -> None:
    print(f"{'change':<46}{'MB':>8}{'sent':>7}{'without':>10}{'elsewhere':>12}")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "old").mkdir()
        old = made_up(range(ROWS))
        first, first_plain = written(home / "old", old), _plain(home / "old", old)
        for number, (change, table) in enumerate(changes()):
            (home / str(number)).mkdir()
            new = written(home / str(number), table, before=first)
            shares = [
                sent_again(first, new),
                sent_again(first_plain, _plain(home / str(number), table)),
                sent_again(first, new, elsewhere=True),
            ]
            print(f"{change:<46}{new.stat().st_size / 1e6:>8.1f}{shares[0]:>7.0%}{shares[1]:>10.0%}{shares[2]:>12.0%}")


if __name__ == "__main__":
    main()
