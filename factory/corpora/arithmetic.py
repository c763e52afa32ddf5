"""Sums of two numbers with the same number of digits: the corpus of STaR's section 4.1, without a download.

A question is ``624+259`` and its answer ``883``. Seed questions come with a rationale that adds digit by digit from
the right, carrying::

    4+9+0=13
    2+5+1=08
    6+2+0=08
    The answer is 883
"""

import itertools
import random
from collections.abc import Iterator

from pydantic import NonNegativeInt, PositiveInt

from factory.corpora import Questions

LICENSE = "cc0-1.0"
CHECKS = [{"_component_": "factory.checks.columns.Columns"}]


def arithmetic(
    train: dict[PositiveInt, NonNegativeInt],
    eval: dict[PositiveInt, NonNegativeInt],
    seeds: dict[PositiveInt, NonNegativeInt] | None = None,
    seed: NonNegativeInt = 0,
) -> Questions:
    """Yield distinct sums: ``train={3: 1000}`` is a thousand sums of three-digit numbers to train on.

    Args:
        train: number of sums to sample and train on, by digits.
        eval: the same for measuring.
        seeds: the same for the seed questions, which carry a ``reference_rationale``.
        seed: which sums these are.

    Raises:
        ValueError: more sums are asked for than there are.
    """
    parts = {"eval": eval, "seed": seeds or {}, "train": train}
    for digits in sorted(set().union(*parts.values())):
        total = sum(part.get(digits, 0) for part in parts.values())
        if total > len(_numbers(digits)) ** 2:
            raise ValueError(f"there are no {total} different sums of {digits}-digit numbers")
        sums = _distinct_sums(digits, random.Random(f"{seed}/{digits}"))
        for split, counts in parts.items():
            for left, right in itertools.islice(sums, counts.get(digits, 0)):
                yield {
                    "question_id": f"sum-{left}+{right}",
                    "corpus": "arithmetic",
                    "split": split,
                    "question": f"{left}+{right}",
                    "answer": str(left + right),
                    "reference_rationale": rationale(left, right) if split == "seed" else None,
                    "difficulty": f"{digits} digit" + ("s" if digits > 1 else ""),
                }


def rationale(left: int, right: int) -> str:
    """The sum digit by digit from the right, each line ``digit+digit+carry=two digits``, then the answer."""
    lines, carry = [], 0
    width = max(len(str(left)), len(str(right)))
    for a, b in zip(f"{left:0{width}}"[::-1], f"{right:0{width}}"[::-1], strict=True):
        total = int(a) + int(b) + carry
        lines.append(f"{a}+{b}+{carry}={total:02}")
        carry = total // 10
    return "\n".join([*lines, f"The answer is {left + right}"])


def _numbers(digits: int) -> range:
    return range(10) if digits == 1 else range(10 ** (digits - 1), 10**digits)


def _distinct_sums(digits: int, draw: random.Random) -> Iterator[tuple[int, int]]:
    numbers = _numbers(digits)
    if digits <= 2:
        every = list(itertools.product(numbers, numbers))
        draw.shuffle(every)
        yield from every
        return
    seen = set()
    while True:
        pair = (draw.randint(numbers[0], numbers[-1]), draw.randint(numbers[0], numbers[-1]))
        if pair not in seen:
            seen.add(pair)
            yield pair
