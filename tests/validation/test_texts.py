"""What can be told of a text by its look: whether it reasons, and whether Python wrote it down."""

import polars as pl
import pytest

from factory.prompts import read_exemplars
from factory.recipe.settings import SHIPPED
from validation.texts import is_repr, reasons


def reasoned(text: str, answer: str = "7") -> bool:
    row = pl.DataFrame({"text": [text], "answer": [answer]})
    return bool(row.select(reasons(pl.col("text"), pl.col("answer"))).item())


@pytest.mark.parametrize(
    "text",
    [
        *("", " \n", "7", "7.", "$7", "-1,234.5", "3/4", "\\boxed{7}", "$\\boxed{\\frac{3}{4}}$", "#### 7"),
        *(
            "The answer is 7",
            "The answer is 7.",
            "the final answer is: 7\n",
            "So the answer is blotter (e).",
            "Answer: 7",
        ),
        *("Therefore, the answer is $x = 7$.", "**Answer:** 7", "**Final answer**\n\n7", "My answer is 7!", "#### 8"),
        *("<think>\n\n</think>\n\nThe answer is 7.", "<answer>7</answer>", "The answer would be 8"),
        "Thus the correct answer is \\boxed{7}.\nThe answer is 7.",
    ],
)
def test_an_answer_alone(text: str) -> None:
    assert not reasoned(text)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "3+4=7\nThe answer is 7",
            "3+4+0=07\n#### 7",
            "The answer is 3 + 4 = 7.",
            "The answer is 7 because 3 + 4 is.",
        ),
        *("The answer is 7. Three and four make it.", "7+1+0=08  The answer is 8", "It is 7.", "3 + 4"),
        "<think>Three and four.</think> The answer is 7",
        "The answer must be something that soaks up ink. Therefore, the answer is blotter (e).",
    ],
)
def test_reasoning(text: str) -> None:
    assert reasoned(text)


def test_the_gold_answer_alone_whatever_it_is() -> None:
    assert not reasoned("(b)", "B")
    assert not reasoned(" B.", "B")
    assert not reasoned("To Get to  the Other side.", "to get to the other side")
    assert reasoned("Chickens walk, so: to get to the other side", "to get to the other side")


def test_all_exemplars_reason() -> None:
    exemplars = [one for file in (SHIPPED / "recipes" / "exemplars").glob("*.yaml") for one in read_exemplars(file)]
    assert len(exemplars) > 10
    assert all(reasoned(one["rationale"], str(one["answer"])) for one in exemplars)


def written_by_python(text: str) -> bool:
    return bool(pl.DataFrame({"text": [text]}).select(is_repr(pl.col("text"))).item())


class Thing:
    pass


@pytest.mark.parametrize(
    "value",
    [
        *(
            ["5"],
            ["a", "b"],
            ["it's"],
            ("5",),
            {"value": 5},
            {"a"},
            [{"text": "5"}],
            [None],
            [float("nan"), 2.0],
            [b"5"],
        ),
        *(b"5", b"it's", bytearray(b"5"), float("nan"), None, [], {}, (), set(), Thing(), Thing, frozenset({5})),
        {"text": ["5"], "answer_start": [12]},
    ],
    ids=lambda value: type(value).__name__,  # a repr may hold an address, which no two processes share
)
def test_what_python_makes_of_a_value(value: object) -> None:
    assert written_by_python(str(value))


@pytest.mark.parametrize(
    "text",
    [
        *(
            "5",
            "-1,234.5",
            "A",
            "[2, 5)",
            "[1, 2, 3]",
            "(3, 4)",
            "\\{1, 2\\}",
            "{5}",
            "f'(x)",
            "(f'(x), g'(x))",
            "it's",
        ),
        *(
            '["5", "6"]',
            '{"value": 5}',
            "none of these",
            "nano",
            "O'Neill's",
            "\\text{(A)}",
            "b",
            "(b) it's",
            "x' = (1, 2)",
        ),
        *("[-2, 1] \\cup [3, 4]", "\\begin{pmatrix} 1 & 2 \\end{pmatrix}", "True", "yes", "infinity"),
    ],
)
def test_what_people_write(text: str) -> None:
    assert not written_by_python(text)
