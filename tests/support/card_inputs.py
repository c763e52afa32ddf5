"""What the tests of the dataset card make cards of."""

from typing import Any

from markdown_it import MarkdownIt

from factory.publishing.parquet import TABLES
from schemas import EXAMPLES
from tests.support.publishing import FACTS, example, row

SHOWN = [example(number) for number in (0, 3, 1, 2)]


def manifest(
    facts: dict[str, Any] = FACTS, name: str = "sums", examples: dict[str, int] | None = None, dialogues: int = 0
) -> dict[str, Any]:
    """That of a generation with 12 examples, none of them a dialogue, unless told otherwise."""
    by_origin = {"sampled": 8, "rationalized": 4} if examples is None else examples
    rows = {"examples": sum(by_origin.values()), "rollouts": 12, "rejects": 3}
    return {
        "name": name,
        "generation": 2,
        "tables": {
            "examples": {"rows": rows["examples"], "by_origin": by_origin, "dialogues": dialogues},
            "rollouts": {"rows": rows["rollouts"]},
            "rejects": {"rows": rows["rejects"], "by_reason": {"wrong": 2, "truncated": 1}},
        },
        "files": {
            f"{folder}/train-00000-of-00001.parquet": {"bytes": 1000, "rows": rows[table]}
            for table, (_, folder) in TABLES.items()
        },
        "facts": facts,
    }


def fences(text: str, language: str) -> list[str]:
    return [token.content for token in MarkdownIt().parse(text) if token.type == "fence" and token.info == language]


OVER_TURNS = {
    **{"m1@t1": 0.2, "m3@t1": 0.25, "m1@t2": 0.235, "p1@t2": 0.4},
    "per_turn": {"accuracy": [0.2, 0.3], "m1": [0.2, 0.235], "p1": [0.2, 0.4], "parallel": [0.2, 0.21, 0.25]},
}
RISE: dict[str, Any] = FACTS | {
    "method": "rise",
    "methods": ["star", "rise"],
    "teacher": "larger",
    "criterion": "better",
    "tau": 0.4,
    "centred": False,
    "accuracy": [{"generation": 0, "accuracy": 0.1}, {"generation": 1, "accuracy": 0.2} | OVER_TURNS],
}
SAID = ["4+9?", "It is 12.", "The answer is incorrect.", "It is 13."]
MESSAGES = [{"role": ("user", "assistant")[turn % 2], "content": text} for turn, text in enumerate(SAID)]
DIALOGUE = [
    row(EXAMPLES, turn=turn, reward=reward, weight=weight, question=SAID[0], answer="13", **of_turn)
    for turn, reward, weight, of_turn in [
        (0, 0.0, 1.0, {"example_id": "first", "origin": "sampled", "messages": MESSAGES[:2], "rationale": SAID[1]}),
        (1, 1.0, 12.1825, {"example_id": "second", "origin": "corrected", "messages": MESSAGES, "rationale": SAID[3]}),
    ]
]
"""A wrong attempt, and a right one after feedback."""
