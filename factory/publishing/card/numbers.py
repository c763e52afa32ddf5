"""The numbers of a dataset card: figures, counts, the table of generations, accuracy.

See :mod:`factory.publishing.card.card` for the facts that they are made from.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from factory.publishing.card.figures import FIGURES
from factory.publishing.card.markdown import table, text
from factory.publishing.card.method import ORIGINS, meanings_of_origins


def figures(manifest: dict[str, Any]) -> str:
    """The figures that lie beside the card, by relative links."""
    shown = [
        f"{what}:\n\n![{what}](figures/{name})"
        for name, what in FIGURES.items()
        if f"figures/{name}" in manifest["files"]
    ]
    return "\n\n".join(["## Figures", *shown]) if shown else ""


def counts(manifest: dict[str, Any]) -> str:
    """From questions to examples; examples by origin; rejects by reason."""
    tables = manifest["tables"]
    funnel = [[text(step["what"]), f"{step['count']:,}"] for step in manifest["facts"].get("funnel", [])]
    meanings, by_origin = meanings_of_origins(manifest), tables["examples"]["by_origin"]
    examples = [[origin, f"{count:,}", meanings[origin]] for origin, count in by_origin.items()]
    reasons = [[text(reason), f"{count:,}"] for reason, count in tables["rejects"]["by_reason"].items()]
    parts = ["## Counts"]
    if funnel:
        parts.append(table(["from questions to examples", "count"], funnel))
    if examples:
        parts.append(table(["origin", "examples", "meaning"], examples))
    parts.append(table(["reason", "rejects"], reasons) if reasons else "No attempt was rejected.")
    return "\n\n".join(parts)


def generations(facts: dict[str, Any]) -> str:
    """A line for this generation and each before it."""
    lines = facts.get("generations", [])
    if not lines:
        return ""
    origins = [origin for origin in ORIGINS if any(origin in line["examples"] for line in lines)]
    rows = [
        [
            str(line["generation"]),
            text(line["model"]),
            _share(line["accuracy"]),
            *(f"{line[name]:,}" for name in ("questions", "attempts")),
            f"{line['solved']:,} ({line['solved'] / line['questions']:.0%})" if line["questions"] else "",
            *(f"{line['examples'].get(origin, 0):,}" for origin in origins),
            f"{sum(line['rejects'].values()):,}",
        ]
        for line in lines
    ]
    names = ["generation", "sampled model", "accuracy", "questions", "attempts", "solved", *origins, "rejects"]
    return (
        f"## Generations\n\n{table(names, rows)}\n\nThe accuracy is that of the sampled model on questions of the eval "
        "split, which are never trained on; `solved` counts questions that an attempt without a hint has answered; "
        f"{', '.join(f'`{origin}`' for origin in origins) or 'the origins'} count examples."
    )


def accuracy(measured: list[dict[str, Any]]) -> str:
    """By difficulty, and over turns where there are several."""
    if not measured:
        return ""
    groups = list(dict.fromkeys(group for one in measured for group in one.get("by_difficulty", {})))
    rows = []
    for one in measured:
        accuracies = [one["accuracy"], *(one.get("by_difficulty", {}).get(group) for group in groups)]
        rows.append([str(one["generation"]), str(one.get("questions", "")), *map(_share, accuracies)])
    parts = [
        "## Accuracy by generation",
        "Of the model that sampled each generation, on questions of the eval split, which are never trained on.",
        table(["generation", "questions", "accuracy", *map(text, groups)], rows),
    ]
    if over_turns := [one for one in measured if one.get("per_turn")]:
        parts += _over_turns(over_turns)
    return "\n\n".join(parts)


def health(told: list[dict[str, Any]]) -> str:
    """What the attempts and examples of each generation are like, and whether it was worth to go on."""
    if not told:
        return ""
    most = [max(one["pass@k"].items(), key=lambda at: int(at[0]), default=None) for one in told]
    flawed = list(dict.fromkeys(name for one in told for name in one["flawed"]))
    lines: dict[str, list[str]] = {
        "pass@1": [
            _share(one["pass@1"]) + (" ({:.1%} to {:.1%})".format(*one["interval"]) if one["interval"] else "")
            for one in told
        ],
        "pass@k": ["" if at is None else f"{_share(at[1])} (k = {at[0]})" for at in most],
        "questions solved": [_share(one["solved"]) for one in told],
        "newly solved": [_number(one["newly_solved"]) for one in told],
        "newly lost": [_number(one["newly_lost"]) for one in told],
        "examples rationalized": [_share(one["rationalized"]) for one in told],
        "examples of easy questions": [_share(one["easy"]) for one in told],
        "distinct rationales of a solved question": [_number(one["distinct_rationales"]) for one in told],
        "near-duplicate rationales": [_share(one["near_duplicates"]) for one in told],
        **{f"flawed by {text(name)}": [_share(one["flawed"].get(name)) for one in told] for name in flawed},
        "tokens of an example": [_number(one["length"]) for one in told],
        "tokens sampled for an example": [_number(one["tokens_per_example"]) for one in told],
    }
    return "\n\n".join(
        [
            "## Health",
            table(
                ["", *(f"generation {one['generation']}" for one in told)],
                [[name, *cells] for name, cells in lines.items()],
            ),
            "Of the attempts at the questions of the train split: `pass@1` with its 95 % interval, and `pass@k` by the "
            "unbiased estimator (Chen et al. 2021), are of attempts without a hint. A question is easy whose pass rate "
            "is above 90 %. Rationales are distinct that differ in their set of equations, and near duplicates if they "
            "share most of their word 3-grams; both are of correct attempts at the same question.",
            f"Advice after generation {told[-1]['generation']}: {text(told[-1]['advice'])}.",
        ]
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


def _over_turns(measured: list[dict[str, Any]]) -> Iterator[str]:
    """RISE's figures of each model; by turn only of the last."""
    last, sampled = measured[-1]["per_turn"], measured[-1]["generation"]
    turns, samples = len(last["accuracy"]), len(last["parallel"])
    parallel, majority, any_turn = f"m{samples}@t1", f"m1@t{turns}", f"p1@t{turns}"
    yield (
        f"Asked {turns} times over, and told each time that the answer is wrong whether it is or not: `m1@t1` is the "
        f"first answer's accuracy, `{parallel}` that of the majority of {samples} first answers sampled in parallel, "
        f"`{majority}` that of the majority over the {turns} turns, and `{any_turn}` counts a question if any turn is "
        f"right, which takes an oracle to know. The difference, in points, is what turns gain over parallel answers"
        f"{' at equal compute' if turns == samples else ''}."
    )
    rows = []
    for one in measured:
        shares = [one.get(name) for name in ("m1@t1", parallel, majority, any_turn)]
        _, before, after, _ = shares
        gain = "" if before is None or after is None else f"{100 * (after - before):+.1f}"
        rows.append([str(one["generation"]), *map(_share, shares), gain])
    yield table(["generation", "m1@t1", parallel, majority, any_turn, f"{majority} - {parallel}"], rows)
    yield f"By turn, of the model that sampled generation {sampled} (last column: as many parallel answers as turns):"
    by_turn = zip_longest(*(last[name] for name in ("accuracy", "m1", "p1", "parallel")))
    yield table(
        ["turn", "accuracy", "majority so far", "any so far", "majority in parallel"],
        [[str(number), *map(_share, shares)] for number, shares in enumerate(by_turn, start=1)],
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
