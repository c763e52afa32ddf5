"""Reasoning Gym: questions made to order in tasks with parameters, as many as are asked for (arXiv 2505.24760).

The package ``reasoning_gym`` is optional: a part of it needs a C compiler. A question's ``metadata`` is what its
scorer needs::

    {"task": "gcd", "config": {"max_value": 100},
     "entry": {"question": "Find ...", "answer": "12", "metadata": {...}}}
"""

import importlib
import json
import random
from collections.abc import Iterator
from typing import Any

from pydantic import ConfigDict, NonNegativeInt, with_config
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from factory.corpora import Questions, text_id
from factory.errors import nearest

LICENSE = "apache-2.0"

_ALLOWED = """
    ab acre aiw arc_1d base_conversion basic_arithmetic bf binary_alternation bitwise_arithmetic caesar_cipher
    calendar_arithmetic chain_sum circuit_logic codeio color_cube_rotation complex_arithmetic count_bits count_primes
    course_schedule cryptarithm decimal_arithmetic decimal_chain_sum dice emoji_mystery family_relationships
    figlet_font futoshiki game_of_life gcd group_anagrams jugs largest_island lcm leg_counting letter_counting
    list_functions mahjong_puzzle manipulate_matrix maze mini_sudoku modulo_grid needle_haystack number_filtering
    number_format number_sequence number_sorting palindrome_generation palindrome_partitioning path_star pool_matrix
    power_function prime_factorization products rectangle_count rotate_matrix rotten_oranges self_reference
    sentence_reordering shortest_path simple_equations simple_geometry spell_backward string_manipulation
    string_splitting string_synthesis sudoku syllogism tsumego word_sequence_reversal zebra_puzzles
"""

TASKS = frozenset(_ALLOWED.split())
"""The tasks of version 0.1.25 whose own answer scores 1.0 after a trip through JSON, that yield the same questions in
every process, and whose scorer can be trusted: 70 of 106.

It must not evaluate what the model wrote as code (``countdown``, ``n_queens``, ...), nor be kept busy for ever by it
(``coin_flip``). It must refuse the own answer with a minus sign or "not" before it (``gsm_symbolic``, ``kakurasu``,
``knights_knaves``, ``quantum_lock``, ``sokoban``, ``survo``, ``tower_of_hanoi``, ``polynomial_equations``), and in a
list with another one (``advanced_geometry``, ``fraction_simplification``, ``letter_jumble``, ``time_intervals``,
``word_sorting``)."""

TRIES = 20
"""Entries that are made for each question that is wanted, before a task is said to have too few different ones."""


@with_config(ConfigDict(extra="allow"))
class Task(TypedDict, total=False):
    """Numbers of questions; what else is given is the task's own configuration."""

    train: NonNegativeInt
    eval: NonNegativeInt


def reasoning_gym(tasks: dict[str, Task], seed: NonNegativeInt = 0) -> Questions:
    """Yield distinct questions of tasks: ``tasks={"gcd": {"train": 1000, "eval": 100, "max_value": 500}}``.

    Args:
        tasks: by the task's name, the numbers of questions and the parameters of its configuration.
        seed: which questions these are.

    Raises:
        ValueError: the package is not there, a task or a parameter is unknown, or a task does not have that many
            different questions.
    """
    unknown = [f"'{task}' is not a task that can be used{nearest(task, TASKS)}" for task in tasks if task not in TASKS]
    if unknown:
        raise ValueError("; ".join(unknown))
    for task, settings in tasks.items():
        config = {key: value for key, value in settings.items() if key not in ("train", "eval")}
        seen: set[str] = set()
        for split, rows in (("eval", settings.get("eval", 0)), ("train", settings.get("train", 0))):
            found = 0
            for entry in _entries(task, config, rows, f"{seed}/{task}/{split}"):
                question_id = f"{task}-{text_id(entry['question'])}"
                if question_id in seen:
                    continue
                seen.add(question_id)
                found += 1
                yield {
                    "question_id": question_id,
                    "corpus": "reasoning_gym",
                    "split": split,
                    "question": entry["question"],
                    "answer": str(entry["answer"]),
                    "difficulty": task,
                    "metadata": json.dumps({"task": task, "config": config, "entry": entry}),
                }
                if found == rows:
                    break
            if found < rows:
                raise ValueError(f"task '{task}': {TRIES * rows} tries for {rows} {split} questions gave {found}")


def _entries(task: str, config: dict[str, Any], rows: int, seed: str) -> Iterator[dict[str, Any]]:
    """Entries of a task, some of them perhaps twice."""
    if not rows:
        return
    try:
        package = importlib.import_module("reasoning_gym")
    except ImportError as error:
        way_out = "`make setup` installs it where there is a C compiler"
        raise ValueError(f"the package reasoning_gym cannot be imported ({error}): {way_out}") from error
    # an entry is drawn by seed + its number: seeds that lie close would give the same entries again
    start = random.Random(seed).randrange(2**31)
    try:
        made = package.create_dataset(task, size=TRIES * rows, seed=start, **config)
    except (TypeError, AssertionError, ValueError) as error:
        raise ValueError(f"task '{task}' cannot be configured so: {error}") from error
    for number in range(TRIES * rows):
        yield made[number]
