"""The exemplars are right: what they state is accepted by their verifier, and every equation in them is true."""

import itertools
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from factory.attempt import Question
from factory.corpora import text_id
from factory.corpora.commonsense_qa import commonsense_qa
from factory.corpora.gsm8k import gsm8k
from factory.corpora.math import math
from factory.corpora.svamp import svamp
from factory.prompts import read_exemplars
from factory.recipe.component import parse
from factory.recipe.recipe import RECIPES

FILES = sorted((RECIPES / "exemplars").glob("*.yaml"))
VERIFIERS = {
    "gsm8k": "numeric.Numeric",
    "svamp": "numeric.Numeric",
    "commonsense_qa": "choice.Choice",
    "math": "math.Math",
}
EXEMPLARS = [(file.stem, number, one) for file in FILES for number, one in enumerate(read_exemplars(file))]


def exemplars(*names: str) -> Any:
    found = [(name, one) for name, _, one in EXEMPLARS if name in names]
    return pytest.mark.parametrize(
        ("name", "exemplar"), found, ids=lambda value: value if isinstance(value, str) else ""
    )


def asked(exemplar: dict[str, Any]) -> Question:
    choices = [{"label": label, "text": text} for label, text in exemplar.get("choices", {}).items()]
    return Question("exemplar", "train", exemplar["question"], exemplar["answer"], choices or None)


def equations(rationale: str) -> list[list[str]]:
    """The sides of every equation between calculations with numbers, LaTeX or plain, as Python."""
    text = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", rationale).replace(r"\cdot", "*")
    text = re.sub(r"\^(\d)", r"**\1", text)
    chains = re.findall(r"[\d ()+*/-]*(?:=[\d ()+*/-]*)+", text)
    sides = [[side.strip() for side in chain.split("=")] for chain in chains]
    return [[side for side in chain if re.search(r"\d\)*$", side) and side[0] in "(0123456789"] for chain in sides]


def test_there_is_a_file_for_each_of_the_corpora() -> None:
    counts = {file.stem: len(read_exemplars(file)) for file in FILES}
    assert counts == {"commonsense_qa": 7, "gsm8k": 6, "math": 4, "svamp": 4}
    assert counts.keys() == VERIFIERS.keys()


@exemplars(*VERIFIERS)
def test_the_verifier_accepts_a_rationale(name: str, exemplar: dict[str, Any]) -> None:
    verifier = parse({"_component_": f"factory.verifiers.{VERIFIERS[name]}"})()
    verdict = verifier.verify(exemplar["rationale"].strip(), asked(exemplar))
    assert verdict.verdict == "correct", verdict
    others = [label for label in exemplar.get("choices", {}) if label != exemplar["answer"]] or ["123456789"]
    for other in others:
        assert verifier.verify(exemplar["rationale"], asked(exemplar | {"answer": other})).verdict == "wrong"


@exemplars("gsm8k", "svamp", "math")
def test_every_equation_is_true(name: str, exemplar: dict[str, Any]) -> None:
    chains = [chain for chain in equations(exemplar["rationale"]) if len(chain) > 1]
    assert chains or r"\equiv" in exemplar["rationale"]
    for left, right in (pair for chain in chains for pair in itertools.pairwise(chain)):
        exact = [eval(re.sub(r"(\d+)", r"F(\1)", side), {"F": Fraction}) for side in (left, right)]
        assert exact[0] == exact[1], f"{left} = {right}"
    if name == "gsm8k":
        assert len(chains) >= 3


@exemplars(*VERIFIERS)
def test_a_rationale_ends_as_its_corpus_has_it(name: str, exemplar: dict[str, Any]) -> None:
    answer, last = exemplar["answer"], exemplar["rationale"].strip().rpartition(". ")[2]
    if name == "commonsense_qa":
        assert list(exemplar["choices"]) == list("ABCDE")
        assert last == f"Therefore, the answer is {exemplar['choices'][answer]} ({answer.lower()})."
    else:
        assert last == (rf"The answer is $\boxed{{{answer}}}$." if name == "math" else f"The answer is {answer}.")


def test_no_exemplar_is_a_question_of_its_corpus(data: Path) -> None:
    folder = data
    corpora = [gsm8k(folder / "gsm8k"), svamp(folder / "svamp"), commonsense_qa(folder / "commonsense_qa")]
    corpora.append(math(folder / "math500", eval_rows=1))
    texts = {text_id(row["question"]) for row in itertools.chain(*corpora)}
    assert len(texts) > 21_000
    assert not texts & {text_id(exemplar["question"]) for _, _, exemplar in EXEMPLARS}
