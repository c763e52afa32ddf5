"""What verifiers make of cases whose right verdicts are known, and what others' extraction makes of the same cases.

A case is a line of ``factory verify`` with three more keys: ``v``, the verifier's name; ``want``, its right verdicts
with ``|`` between; ``why``, passed over. Beside the verifiers stand, re-implemented from their public definitions:

* math-verify, used directly: ``verify(parse(gold), parse(completion))``, within a deadline;
* lm-evaluation-harness's GSM8K task, ``strict-match`` and ``flexible-extract``, with its stop strings;
* its MMLU-Pro task, the extraction of multiple choice that is meant for texts with a rationale.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from factory.reading.verify import Line, load_verifier, read
from factory.verifiers import judge
from factory.verifiers.child import Child, ChildError

COUNTED = ("cases", "wrongly accepted", "wrongly refused", "other mismatches")
"""Wrongly accepted: said to be correct though that is no right verdict. Wrongly refused: correct is the only right
verdict, and another one was given. Other mismatches: any other verdict that is none of the right ones."""

GSM8K_STOPS = ("Question:", "</s>", "<|im_end|>")
STRICT = re.compile(r"#### (\-?[0-9\.\,]+)")
FLEXIBLE = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")
MMLU_PRO = re.compile(r"answer is \(?([ABCDEFGHIJ])\)?")


class Case(Line):
    v: str
    want: str

    def right(self) -> list[str]:
        return self.want.split("|")


Judging = Callable[[Case], str]
"""From a case to a verdict."""


def cases(path: Path) -> list[Case]:
    return [read(line, Case) for line in path.read_bytes().splitlines()]


def compared(path: Path) -> Iterator[dict[str, Any]]:
    """A row for each verifier and for each way of others, on the cases of one verifier: what :data:`COUNTED` says."""
    found = cases(path)
    for name in sorted({case.v for case in found}):
        of_one = [case for case in found if case.v == name]
        verifier = load_verifier(name)
        yield _row(f"{name}/{verifier.version}", name, of_one, partial(_judged, verifier))
        for other, judging in OTHERS.get(name, {}).items():
            yield _row(other, name, of_one, judging)


def _row(who: str, name: str, of_one: list[Case], judging: Judging) -> dict[str, Any]:
    counts = dict.fromkeys(COUNTED, 0)
    for case in of_one:
        verdict = judging(case)
        counts["cases"] += 1
        if verdict == "correct" and "correct" not in case.right():
            counts["wrongly accepted"] += 1
        elif verdict != "correct" and case.right() == ["correct"]:
            counts["wrongly refused"] += 1
        elif verdict not in case.right():
            counts["other mismatches"] += 1
    return {"judged by": who, "cases of": name, **counts}


def _judged(verifier: Any, case: Case) -> str:
    return judge(verifier, case.completion, case.question(), case.finish_reason).verdict


def _math_verify() -> Callable[[str, str], bool | None]:
    from math_verify import parse, verify

    def right(gold: str, completion: str) -> bool | None:
        read_gold, read_completion = (parse(text, parsing_timeout=None) for text in (f"${gold}$", completion))
        return bool(verify(read_gold, read_completion, timeout_seconds=None)) if read_completion else None

    return right


_direct = Child(_math_verify, 5.0)


def math_verify(case: Case) -> str:
    try:
        right = _direct(case.answer, case.completion)
    except ChildError:
        return "error"
    return "unparseable" if right is None else "correct" if right else "wrong"


def strict_match(case: Case) -> str:
    return _gsm8k(STRICT.findall(_stopped(case.completion))[:1], case.answer)


def flexible_extract(case: Case) -> str:
    found = FLEXIBLE.findall(_stopped(case.completion))[-1:]
    return _gsm8k([first or second for first, second in found], case.answer)


def multiple_choice(case: Case) -> str:
    found = MMLU_PRO.findall(case.completion.partition("Question:")[0])[:1]
    return _same(found, case.answer, str.casefold)


def _stopped(text: str) -> str:
    for stop in GSM8K_STOPS:
        text = text.partition(stop)[0]
    return text


def _gsm8k(found: list[str], gold: str) -> str:
    return _same(found, gold, lambda text: re.sub(r"\.$", "", re.sub(r"(?s).*#### |,|\$", "", text)).strip().lower())


def _same(found: list[str], gold: str, normal: Callable[[str], str]) -> str:
    if not found:
        return "unparseable"
    return "correct" if normal(found[0]) == normal(gold) else "wrong"


OTHERS: dict[str, dict[str, Judging]] = {
    "math": {"math-verify": math_verify},
    "numeric": {
        "math-verify": math_verify,
        "lm-eval GSM8K strict-match": strict_match,
        "lm-eval GSM8K flexible-extract": flexible_extract,
    },
    "choice": {"lm-eval MMLU-Pro": multiple_choice},
}
