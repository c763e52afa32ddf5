"""Checks in a recipe: every mistake is told when it is read, with the nearest name."""

import pytest

from factory.errors import ConfigError
from factory.recipe.groups import PromptSettings
from factory.recipe.load import load_recipe

DEGENERATE = "factory.checks.degenerate.Degenerate"


def checks(*configs: str) -> str:
    return f"curation.checks=[{', '.join(f'{{_component_: {config}}}' for config in configs)}]"


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (checks("factory.checks.equation.Equations"), "no module 'factory.checks.equation'; did you mean 'equations'?"),
        (checks("factory.checks.equations.Equation"), "no component 'Equation'; did you mean 'Equations'?"),
        (checks(f"{DEGENERATE}, repeated: 1.5"), "repeated: input should be less than or equal to 1 (it is 1.5)"),
        (checks(f"{DEGENERATE}, foreign: -0.1"), "foreign: input should be greater than or equal to 0 (it is -0.1)"),
        (checks(f"{DEGENERATE}, longest: 60000"), "longest: input should be less than or equal to 50000 (it is 60000)"),
        (checks(f"{DEGENERATE}, repeatd: 1"), "repeatd: unknown setting; did you mean 'repeated'?"),
        (checks("factory.checks.length.Length, shortest: 2"), "shortest: input should be less than or equal to 1"),
        (checks("factory.checks.length.Length, longest: 0.5"), "longest: input should be greater than or equal to 1"),
        (
            checks("factory.verifiers.exact.Exact"),
            "'factory.verifiers.exact.Exact' is no check: it has no method 'check'",
        ),
        (
            "curation.checks_decide={column: [sampled]}",
            "no check of this recipe has the name 'column'; did you mean 'columns'?",
        ),
        ("curation.checks_decide={columns: [sample]}", "input should be 'sampled', 'rationalized' or 'corrected'"),
        (
            "curation.checks_decide=[sample]",
            "input should be 'sampled', 'rationalized' or 'corrected' (it is 'sample')",
        ),
    ],
)
def test_a_mistake_is_told(override: str, told: str) -> None:
    with pytest.raises(ConfigError) as error:
        load_recipe("star_arithmetic", [override])
    (problem,) = error.value.problems
    assert told in problem


def test_which_checks_decide_and_that_it_is_part_of_what_a_run_is() -> None:
    before = load_recipe("star_arithmetic")
    assert before.curation.decided_by("columns") == before.curation.decided_by("any") == ("rationalized",)
    now = load_recipe("star_arithmetic", ["curation.checks_decide={columns: [sampled]}"])
    assert (now.curation.decided_by("columns"), now.curation.decided_by("any")) == (("sampled",), ())
    (key,) = now.identity().keys() - before.identity().keys()
    assert not now.at_default(key)
    assert before.at_default("curation.checks_decide")


@pytest.mark.parametrize(
    ("settings", "added"),
    [
        ({}, ("({answer})", "(CORRECT)")),
        ({"hint": "Q: {question}\nHint: {answer}.", "choice_hint": "* {choice}"}, ("Hint: {answer}.", "*")),
        ({"hint": "[{answer}] {question}"}, ("[{answer}]", "(CORRECT)")),
    ],
)
def test_what_a_hint_adds(settings: dict[str, str], added: tuple[str, str]) -> None:
    assert PromptSettings(**settings).hints == added
