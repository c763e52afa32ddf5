"""Every way in which a generation can be in breach of the gate, one at a time. Used by the tests of the gate."""

import copy
import math
from collections.abc import Callable
from typing import Any

from tests.support.generation import Row, Tables, rejects_of, said


def put(table: str, row: int, **columns: Any) -> Callable[[Tables], None]:
    return lambda tables: tables[table][row].update(columns)


def put_attempt(row: int, number: int, **columns: Any) -> Callable[[Tables], None]:
    return lambda tables: tables["rollouts"][row]["attempts"][number].update(columns)


def both(*mutations: Callable[[Tables], None]) -> Callable[[Tables], None]:
    def apply(tables: Tables) -> None:
        for mutate in mutations:
            mutate(tables)

    return apply


def add_example(**columns: Any) -> Callable[[Tables], None]:
    return lambda tables: tables["examples"].append(tables["examples"][0] | columns)


def put_rejects(change: Callable[[list[Row]], None]) -> Callable[[Tables], None]:
    def apply(tables: Tables) -> None:
        tables["rejects"] = rejects_of(tables)
        change(tables["rejects"])

    return apply


def ask(question_id: str, split: str, question: str = "9+9?", answer: str = "18") -> Callable[[Tables], None]:
    """Add a question to the snapshot."""
    row = {"question_id": question_id, "corpus": "sums", "split": split, "question": question, "answer": answer}
    return lambda tables: tables["questions"].append(row)


def answered(text: str) -> Callable[[Tables], None]:
    """Example x1, its attempt and what it is trained on, with another text."""
    return both(put_attempt(0, 0, completion=text), put("examples", 0, rationale=text, messages=said("2+2?", text)))


def same_question_twice(tables: Tables) -> None:
    again = copy.deepcopy(tables["rollouts"][0])
    again["attempts"][0]["attempt_id"] = "q1/z"
    tables["rollouts"].append(again)


def second_error(tables: Tables) -> None:
    failed = tables["rollouts"][3]["attempts"]
    failed.append(failed[0] | {"attempt_id": "q4/d"})


def only_references(tables: Tables) -> None:
    tables["examples"] = tables["examples"][3:]


LEAKED = said("2+3? (5)")
SHOUTED = [*said("2+2?"), {"role": "assistant", "content": "Four!"}]

BREACHES: list[tuple[str, str, Callable[[Tables], None], int, int, Row]] = [
    # table, words of the expectation, mutation, failing, total, first row shown
    ("rollouts", "no required column", put("rollouts", 0, model=None), 1, 5, {"question_id": "q1"}),
    ("questions", "has its rollout", ask("q9", "train"), 1, 5, {"question_id": "q9"}),
    *(
        ("questions", "not a Python value", ask("s9", "seed", answer=answer), 1, 6, {"answer": answer})
        for answer in ("['5']", "{'value': 5}", "b'5'", "nan", "[None]", "np.float64(5.0)", '["it\'s"]')
    ),
    ("rollouts", "in the snapshot", put("rollouts", 3, question="2+8?"), 1, 5, {"question_id": "q4"}),
    ("rollouts", "in the snapshot", put("rollouts", 3, answer="12"), 1, 5, {"question_id": "q4"}),
    ("rollouts", "in the snapshot", put("rollouts", 4, split="train"), 1, 5, {"question_id": "e1"}),
    ("rollouts", "in the snapshot", lambda tables: tables["questions"].pop(3), 1, 5, {"question_id": "q4"}),
    ("rollouts", "question_id is unique", same_question_twice, 2, 6, {"question_id": "q1"}),
    ("rollouts", "split is", put("rollouts", 4, split="dev"), 1, 5, {"question_id": "e1", "split": "dev"}),
    (
        "rollouts",
        "at least one attempt",
        put("rollouts", 4, attempts=[], pass_rate=None),
        1,
        5,
        {"question_id": "e1", "attempts": 0},
    ),
    ("rollouts", "solved says", put("rollouts", 1, solved=True), 1, 5, {"question_id": "q2"}),
    ("rollouts", "pass_rate is", put("rollouts", 3, pass_rate=1 / 3), 1, 5, {"question_id": "q4"}),
    ("rollouts", "pass_rate is", put("rollouts", 3, pass_rate=None), 1, 5, {"question_id": "q4"}),
    (
        "attempts",
        "no required column",
        put_attempt(0, 0, seed=None),
        1,
        10,
        {"question_id": "q1", "attempt_id": "q1/a"},
    ),
    ("attempts", "attempt_id is unique", put_attempt(3, 1, attempt_id="q4/a"), 2, 10, {"attempt_id": "q4/a"}),
    ("attempts", "verdict is", put_attempt(1, 1, verdict="maybe"), 1, 10, {"verdict": "maybe"}),
    ("attempts", "finish_reason is", put_attempt(1, 1, finish_reason="eos"), 1, 10, {"finish_reason": "eos"}),
    ("attempts", "error text", put_attempt(3, 0, error=" "), 1, 10, {"attempt_id": "q4/a"}),
    ("attempts", "error text", put_attempt(1, 0, error="why?"), 1, 10, {"attempt_id": "q2/a"}),
    ("attempts", "at most 0.15 of", second_error, 2, 11, {"attempt_id": "q4/a"}),
    ("attempts", "predicted answer", put_attempt(1, 0, predicted_answer=None), 1, 7, {"attempt_id": "q2/a"}),
    ("attempts", "predicted answer", put_attempt(0, 0, predicted_answer=""), 1, 7, {"attempt_id": "q1/a"}),
    (
        "attempts",
        "context of a hinted attempt",
        both(put_attempt(1, 2, context=LEAKED), put("examples", 1, messages=LEAKED + said("", "It is 5.")[1:])),
        1,
        1,
        {"attempt_id": "q2/h"},
    ),
    ("attempts", "temperature is", put_attempt(2, 0, temperature=-0.1), 1, 10, {"attempt_id": "q3/a"}),
    ("attempts", "temperature is", put_attempt(2, 0, temperature=math.nan), 1, 10, {"attempt_id": "q3/a"}),
    ("attempts", "example or a reject", put_rejects(lambda rows: rows.pop(0)), 1, 10, {"attempt_id": "q2/a"}),
    (
        "attempts",
        "example or a reject",
        put_rejects(
            lambda rows: rows.append(rows[0] | {"attempt_id": "q1/a", "question_id": "q1", "completion": "It is 4."})
        ),
        1,
        10,
        {"attempt_id": "q1/a"},
    ),
    ("attempts", "prompt_tokens is", put_attempt(2, 0, prompt_tokens=-1), 1, 10, {"prompt_tokens": -1}),
    ("attempts", "completion_tokens is", put_attempt(2, 0, completion_tokens=-2), 1, 10, {"completion_tokens": -2}),
    ("examples", "not reference is at least 3", only_references, 3, 3, {}),
    ("examples", "not reference is at least 3", lambda tables: tables["examples"].clear(), 3, 3, {}),
    ("examples", "no required column", put("examples", 4, generation=None), 1, 5, {"example_id": "x5"}),
    ("examples", "example_id is unique", put("examples", 4, example_id="x4"), 2, 5, {"example_id": "x4"}),
    ("examples", "origin is", put("examples", 2, origin="guessed"), 1, 5, {"origin": "guessed", "example_id": "x3"}),
    ("examples", "an example has messages", put("examples", 0, messages=[]), 1, 5, {"messages": 0}),
    ("examples", "last message is", put("examples", 0, messages=SHOUTED), 1, 5, {"example_id": "x1"}),
    ("examples", "last message is", put("examples", 4, messages=said("2+2?")), 1, 5, {"example_id": "x5"}),
    (
        "examples",
        "alternate",
        put("examples", 4, messages=said("2+2?") + said("2+2?", "Given.")),
        1,
        5,
        {"example_id": "x5"},
    ),
    (
        "examples",
        "not blank",
        put("examples", 4, rationale=" \n", messages=said("2+2?", " \n")),
        1,
        5,
        {"example_id": "x5"},
    ),
    *(
        ("examples", "more than its final answer", answered(text), 1, 3, {"example_id": "x1"})
        for text in ("The answer is 4.", " 4", "\n#### 4", "So the **answer** is: \\boxed{4}", "<think></think>\n4")
    ),
    ("examples", "of an example are those", put("examples", 4, question="2+1?"), 1, 5, {"example_id": "x5"}),
    ("examples", "of an example are those", put("examples", 0, answer="5"), 1, 5, {"example_id": "x1"}),
    *(
        ("examples", "weight is finite", put("examples", 0, weight=weight), 1, 5, {"example_id": "x1"})
        for weight in (0.0, -1.0, math.nan, math.inf)
    ),
    ("examples", "among its question's", put("examples", 0, attempt_id="q1/z"), 1, 3, {"attempt_id": "q1/z"}),
    ("examples", "among its question's", put("examples", 0, attempt_id=None), 1, 3, {"example_id": "x1"}),
    ("examples", "among its question's", put("examples", 0, question_id="q4"), 1, 3, {"question_id": "q4"}),
    (
        "examples",
        "has the verdict correct",
        both(put_attempt(1, 2, verdict="wrong"), put("examples", 1, verdict="wrong")),
        1,
        3,
        {"attempt_id": "q2/h"},
    ),
    ("examples", "weight is 1", put("examples", 3, weight=1.5), 1, 5, {"example_id": "x4"}),
    ("examples", "the verdict of its attempt", put("examples", 0, verdict="wrong"), 1, 3, {"example_id": "x1"}),
    ("examples", "the verdict of its attempt", put("examples", 0, verdict=None), 1, 3, {"example_id": "x1"}),
    ("examples", "the reward of its attempt", put("examples", 0, reward=1.0), 1, 3, {"example_id": "x1"}),
    (
        "examples",
        "equal the context",
        put("examples", 1, messages=said("2+3? (5)", "It is 5.")),
        1,
        3,
        {"example_id": "x2"},
    ),
    (
        "examples",
        "is the completion",
        put("examples", 0, messages=SHOUTED, rationale="Four!"),
        1,
        3,
        {"attempt_id": "q1/a"},
    ),
    ("examples", "hinted exactly if", put("examples", 1, origin="sampled"), 1, 3, {"attempt_id": "q2/h"}),
    ("examples", "hinted exactly if", put("examples", 0, origin="rationalized"), 1, 3, {"attempt_id": "q1/a"}),
    ("examples", "answers a question of the eval", put("examples", 4, question_id="e1"), 1, 5, {"question_id": "e1"}),
    (
        "examples",
        "question text of the eval",
        both(
            ask("s9", "seed", " 1+1?\n", "2"),
            put("examples", 4, question_id="s9", question=" 1+1?\n", answer="2"),
        ),
        1,
        5,
        {"example_id": "x5"},
    ),
    (
        "examples",
        "a question has at most 2",
        both(add_example(example_id="x6"), add_example(example_id="x7")),
        1,
        5,
        {"example_id": "x7", "nth": 3},
    ),
    (
        "rejects",
        "no required column",
        put_rejects(lambda rows: rows[0].update(generation=None)),
        1,
        7,
        {"attempt_id": "q2/a"},
    ),
    ("rejects", "is unique among", put_rejects(lambda rows: rows.append(rows[0])), 2, 8, {"attempt_id": "q2/a"}),
    (
        "rejects",
        "reason is one of",
        put_rejects(lambda rows: rows[0].update(reason="bad")),
        1,
        7,
        {"attempt_id": "q2/a"},
    ),
    (
        "rejects",
        "of a reject is among",
        put_rejects(lambda rows: rows.append(rows[0] | {"attempt_id": "q2/z"})),
        1,
        8,
        {"attempt_id": "q2/z"},
    ),
    (
        "rejects",
        "is the completion of its",
        put_rejects(lambda rows: rows[0].update(completion="?")),
        1,
        7,
        {"attempt_id": "q2/a"},
    ),
]
