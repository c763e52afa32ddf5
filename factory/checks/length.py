"""Is the text as long as others that answer the same question?"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field, PositiveInt

from factory.checks import PASSED, Rationale, Result, failed, not_applicable


@dataclass(frozen=True)
class Length:
    """In tokens it is neither much shorter nor much longer than the median of the question's other correct attempts.

    Not applicable where there are too few of them.

    Args:
        shortest: smallest share of that median.
        longest: largest multiple of that median.
        others: fewest other correct attempts of which a median is taken.
    """

    name: ClassVar[str] = "length"
    version: ClassVar[str] = "1"

    shortest: Annotated[float, Field(ge=0, le=1)] = 0.33
    longest: Annotated[float, Field(ge=1)] = 3.0
    others: PositiveInt = 3

    def check(self, rationale: Rationale) -> Result:
        tokens, of_all = rationale.tokens, rationale.tokens_of_all
        if len(of_all) - 1 < self.others:
            return not_applicable(f"the question has fewer than {self.others} other correct attempts")
        median = _median_without(of_all, bisect_left(of_all, tokens))
        if tokens > self.longest * median or tokens < self.shortest * median:
            than = f"{self.longest:g} times" if tokens > median else f"{self.shortest:.0%} of"
            side = "more" if tokens > median else "fewer"
            return failed(f"it has {tokens:,} tokens, {side} than {than} the {median:,.6g} of the question's others")
        return PASSED


def _median_without(ascending: tuple[int, ...], left_out: int) -> float:
    """The median of all but one."""
    rest = len(ascending) - 1

    def at(place: int) -> int:
        return ascending[place if place < left_out else place + 1]

    return at(rest // 2) if rest % 2 else (at(rest // 2 - 1) + at(rest // 2)) / 2
