r"""Verdicts of ``math`` per second on MATH-500: ``python -m benchmarks.math_verifier FOLDER [--json]``.

FOLDER holds MATH-500's ``test.jsonl``. Every question gets 16 samples, made of its gold answer: the answer as it is,
in other forms, and near misses of it. Then 5% of the samples are replaced by bombs, each of its own kind and size:
towers of powers, factorials of factorials, sums without end. There are as many threads as processors. Wall-clock time
says little on a busy machine, so processor time of all processes stands beside it. Measured on two cores of an Intel
Xeon::

    samples     distinct  correct    wrong    error      wall  processor  verdicts/s
    plain          3,715    4,335    3,665        0     0.7 s      0.9 s      11,024
    with bombs     3,989    4,088    3,642      270     0.6 s      0.9 s      14,546
"""

import argparse
import json
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from factory.attempt import Question
from factory.verifiers.children import processors
from factory.verifiers.math import Math

BOMBS = 0.05

Item = tuple[str, Question]


@dataclass(frozen=True)
class Measured:
    """Seconds, and numbers of verdicts; ``distinct`` of the pairs of gold answer and sample differ."""

    samples: int
    distinct: int
    correct: int
    wrong: int
    error: int
    wall_s: float
    processor_s: float
    verdicts_per_s: float


def forms(gold: str) -> list[str]:
    """16 that models make of an answer, the right ones first."""
    number = gold.lstrip("-").isdigit()
    other = [str(int(gold) + step) for step in (-10, -1, 1, 2, 10)] if number else []
    return [
        *([gold] * 3),
        *(gold.replace(r"\frac", r"\dfrac"), gold.replace(" ", ""), rf"{gold}.", rf"\left({gold}\right)"),
        *(
            (f"{gold}.0", rf"\frac{{{2 * int(gold)}}}{{2}}")
            if number
            else (rf"{gold} + 0", rf"\frac{{2}}{{2}}({gold})")
        ),
        *(other or (f"{gold}+1", f"1+{gold}", rf"\frac{{{gold}}}{{2}}", f"-{gold}", rf"\sqrt{{{gold}}}")),
        *(f"2({gold})", f"{gold}^2"),
    ]


def bomb(draw: random.Random) -> str:
    size = draw.randint(2, 10**6)
    kinds = (
        f"9^{{9^{{9^{{{size}}}}}}}",
        f"((({size}!)!)!)!",
        rf"\log_{{2}}(\log_{{2}}(x)) = 2^{{2^{{2^{{2^{{{size}}}}}}}}}",
        f"x^{{10^{{{size}}}}}",
        rf"\sum_{{i=1}}^{{10^{{{size}}}}} \frac{{1}}{{i}}",
        rf"\sin(\tan(-4x^{{{size}}}-3)^3)",
    )
    return draw.choice(kinds)


def items(golds: list[str], bombs: float) -> list[Item]:
    draw = random.Random(0)
    made = []
    for gold in golds:
        for sample in forms(gold):
            text = bomb(draw) if draw.random() < bombs else sample
            made.append((rf"So the answer is $\boxed{{{text}}}$.", Question("", "eval", "", gold)))
    draw.shuffle(made)
    return made


def measured(made: list[Item]) -> Measured:
    threads = processors()
    verifier = Math()
    _verdicts(verifier, made[:1] * threads)
    before, started = _processor_seconds(), time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda first: _verdicts(verifier, made[first::threads]), range(threads)))
    wall, after = time.monotonic() - started, _processor_seconds()
    verdicts: Counter[str] = sum(parts, Counter())
    return Measured(
        samples=len(made),
        distinct=len({(completion, question.answer) for completion, question in made}),
        correct=verdicts["correct"],
        wrong=verdicts["wrong"] + verdicts["unparseable"],
        error=verdicts["error"],
        wall_s=round(wall, 2),
        processor_s=round(after - before, 2),
        verdicts_per_s=round(len(made) / wall),
    )


def _verdicts(verifier: Math, made: list[Item]) -> Counter[str]:
    return Counter(verifier.verify(completion, question).verdict for completion, question in made)


def _processor_seconds() -> float:
    """Of this process and those below it. No child may die in between, for what it used would be missing."""
    this = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in (this, *this.children(recursive=True)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with MATH-500's test.jsonl")
    parser.add_argument("--json", action="store_true", help="print one object")
    asked = parser.parse_args()
    golds = [json.loads(line)["answer"] for line in (asked.folder / "test.jsonl").read_text().splitlines()]
    results = {"plain": measured(items(golds, 0)), "with bombs": measured(items(golds, BOMBS))}
    if asked.json:
        print(json.dumps({name: asdict(result) for name, result in results.items()}))
    else:
        columns = zip(
            ("distinct", "correct", "wrong", "error", "wall", "processor", "verdicts/s"),
            (8, 9, 9, 9, 10, 11, 12),
            strict=True,
        )
        print(f"{'samples':<12}" + "".join(f"{name:>{width}}" for name, width in columns))
        for name, done in results.items():
            print(
                f"{name:<12}{done.distinct:>8,}{done.correct:>9,}{done.wrong:>9,}{done.error:>9,}"
                f"{done.wall_s:>8.1f} s{done.processor_s:>9.1f} s{done.verdicts_per_s:>12,.0f}"
            )
