"""The expectations that come again and again in the suites, each with what a failure says and what it protects."""

import great_expectations.expectations as gxe
from great_expectations.expectations.expectation import Expectation


def true(fact: str, description: str, notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeInSet(column=fact, value_set=[True], description=description, notes=notes)


def unique(column: str, description: str, notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeUnique(column=column, description=description, notes=notes)


def one_of(column: str, values: tuple[str, ...], notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeInSet(
        column=column, value_set=list(values), description=f"{column} is {' or '.join(values)}", notes=notes
    )


def at_least(column: str, least: int, description: str, notes: str) -> Expectation:
    return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=least, description=description, notes=notes)
