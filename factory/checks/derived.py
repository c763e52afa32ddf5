"""Is the answer derived, or only stated? For word problems whose answer is a number.

STaR's weak spot on small models: shown the answer as a hint, they restate it ("11 pounds is 19. The answer is 19.").
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from factory.checks import PASSED, READ, Rationale, Result, failed, not_applicable
from factory.checks.calculation import Number, numbers, tokens, value
from factory.checks.written import read

_NAMES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NAMED = {name: number for number, name in enumerate(_NAMES, 1)} | {"half": 2, "twice": 2, "double": 2, "dozen": 12}


@dataclass(frozen=True)
class Derived:
    """Some true equation in the text yields the answer: ``64 - 27 = 37``.

    One side must calculate, the two must be equal (to the decimals shown) and so must the result and the gold
    answer. Restating it (``37 + 0 = 37``) is not deriving it. With ``grounded`` every number of that equation must
    come from the question, in digits or as a word up to twelve, or from a true equation before it. Not applicable
    where the gold answer is no number.
    """

    name: ClassVar[str] = "derived"
    version: ClassVar[str] = "2"

    grounded: bool = False

    def check(self, rationale: Rationale) -> Result:
        gold = _gold(rationale.question.answer)
        if gold is None:
            return not_applicable("the gold answer is no number")
        known = set(_numbers_of(rationale.question.question)) if self.grounded else set()
        ungrounded: set[Number] = set()
        for equation in read(rationale.text).equations:
            result = equation.shown
            if (result != gold and not self.grounded) or not equation.equal:
                continue
            used = set(numbers(equation.calculation))
            if self.grounded and not used <= known:
                ungrounded |= used - known if result == gold else set()
                continue
            known.add(result)
            if result == gold and not (gold in used and used <= {gold, 0, 1}):
                return PASSED
        if len(rationale.text) > READ:
            return not_applicable(f"no equation in the first {READ:,} characters gives the answer; more are not read")
        if ungrounded:
            few = ", ".join(sorted({str(one) for one in ungrounded})[:3])
            return failed(f"the equation that gives the answer uses what neither question nor steps have: {few}")
        return failed("no true equation gives the answer")


@lru_cache(maxsize=1024)
def _gold(answer: str) -> Number | None:
    return value(" ".join(tokens(answer)))


@lru_cache(maxsize=64)
def _numbers_of(question: str) -> frozenset[Number]:
    named = [_NAMED[word] for word in map(str.lower, tokens(question)) if word in _NAMED]
    return frozenset([*numbers(question), *named])
