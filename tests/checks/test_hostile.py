"""No text makes a check slow: whatever a model writes, and however much of it."""

import time

import pytest

from factory.checks import Check
from factory.recipe.component import find
from factory.recipe.reference import components
from tests.support.rationales import wrote

LENGTH = 400_000
SECONDS = 1.5
"""Of processor time, on a busy machine; a text of 50,000 characters is read in some 20 milliseconds."""

PIECES = {
    "sums": "1+", "equals": "=", "equations": "1+1=2 ", "false ones": "1+1=3, ", "units": "5 apples + ",
    "brackets": "(", "annotations": "<<1=", "open ones": "<<", "fractions": "\\frac{1", "bold": "**",
    "percent": "5% of ", "numbers": "1 1 ", "a number": "1", "points": "1.", "commas": "1,000,", "times": "5 x ",
    "minus": "- ",
    "spaces": " ", "lines": "\n", "the answer is": "the answer is 5. ", "answer": "answer ", "given": "as given the ",
    "hint": "the hint says ",
    "so": "So 5. ", "a word": "a", "words": "ab cd ", "a loop": "abcabd", "marks": "(37)", "other script": "\u4e2d",
    "mixed": "\u4e2da ", "boxes": "\\boxed{", "dollars": "$5 - ", "one line": "4+9+0=13\n",
}  # fmt: skip


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES.keys())
def test_no_text_is_slow(piece: str) -> None:
    text = piece * (LENGTH // len(piece))
    rationales = [
        wrote(some, hints=("(37)", "(CORRECT)")) for some in (text, text + " The answer is 37.", text[:49_000])
    ]
    for path in components("checks"):
        check: Check = find(path)()
        for rationale in rationales:
            started = time.process_time()
            check.check(rationale)
            assert time.process_time() - started < SECONDS, path


def test_a_long_question_is_none_either() -> None:
    rationale = wrote("64 - 27 = 37. (37)", question="27 of 64 rolls, " * 30_000, hints=("(37)",))
    for path in components("checks"):
        started = time.process_time()
        find(path)().check(rationale)
        assert time.process_time() - started < SECONDS, path
