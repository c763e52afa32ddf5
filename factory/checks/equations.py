"""Does every equation in the text hold?"""

from dataclasses import dataclass
from itertools import chain
from typing import ClassVar

from factory.checks import PASSED, READ, Rationale, Result, failed, not_applicable
from factory.checks.calculation import shown
from factory.checks.written import read


@dataclass(frozen=True)
class Equations:
    """Every calculation with a result holds, to the decimals shown: ``64 - 27 = 37``, ``10 / 3 = 3.33``, and
    ``<<64-27=37>>``.

    The result of a division may be rounded to a whole number, or cut off behind its decimals. What has two readings is
    not held against a text: variables, percentages, units that differ (``2 hours + 30 minutes = 150 minutes``). Not
    applicable where nothing is calculated.
    """

    name: ClassVar[str] = "equations"
    version: ClassVar[str] = "1"

    def check(self, rationale: Rationale) -> Result:
        found = read(rationale.text)
        for equation in chain(*found):
            if not equation.holds and equation.sure:
                told = f"{equation.calculation} = {shown(equation.shown)} does not hold"
                return failed(f"{told}: it is {shown(equation.exact)}")
        if len(rationale.text) > READ:
            return not_applicable(f"what was read holds, and only the first {READ:,} characters were")
        if any(equation.holds for equation in chain(*found)):
            return PASSED
        return not_applicable("no equation can be read for sure" if any(found) else "no equation in it")
