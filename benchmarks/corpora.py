"""How fast a corpus becomes a snapshot, and in how much memory.

::

    python -m benchmarks.corpora 5000000 [shard_rows]

writes so many questions of about 200 bytes to a JSONL file in a temporary folder, one in a hundred of them twice, and
takes a snapshot of it through the corpus ``table`` and the numeric verifier, in one process. Measured on two cores that
six times as many processes shared, in shards of 1,000 rows::

    1,000,000 rows in 69 s: 14,478 rows/s, 39,636 a second of processor time, peak 206 MiB
    5,000,000 rows in 738 s: 6,778 rows/s, 35,265 a second of processor time, peak 412 MiB

Writing a shard takes 2-3 ms of processor time whatever its size, so the default of 128 rows a shard costs more (100,000
rows: 16,574 a second of processor time, against 25,489 in shards of 1,000).
"""

import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from factory.intake.questions import snapshot
from factory.recipe.load import load_recipe


def main(rows: int, shard_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "questions.jsonl"
        _write(file, rows)
        path = f"path: {file}, columns: {{question: prompt, answer: gold, id: uuid}}, eval_share: 0.01"
        recipe = load_recipe(
            "star_arithmetic",
            [
                f"corpus={{_component_: factory.corpora.table.table, {path}}}",
                "questions.strict=false",
                "verifier={_component_: factory.verifiers.numeric.Numeric}",
                f"rollout.shard_rows={shard_rows}",
                "warmup.steps=0",
                "curation.keep_seeds=false",
            ],
        )
        started, worked = time.monotonic(), time.process_time()
        found = snapshot(recipe, Path(folder))
        seconds, worked = time.monotonic() - started, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    pace = f"{rows / seconds:,.0f} rows/s, {rows / worked:,.0f} a second of processor time"
    print(f"{rows:,} rows in {seconds:.0f} s: {pace}, peak {peak:,.0f} MiB; {found}")


def _write(file: Path, rows: int) -> None:
    draw = random.Random(0)
    with file.open("w") as lines:
        for number in range(rows):
            a, b = draw.randrange(10**6), draw.randrange(10**6)
            text = f"In the year {number} a harbour counts {a} crates in the morning and {b} in the evening. How many?"
            line = json.dumps({"uuid": f"{draw.getrandbits(128):032x}", "prompt": text, "gold": str(a + b)}) + "\n"
            lines.write(line * (2 if number % 100 == 0 else 1))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
