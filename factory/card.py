"""The dataset card of a published generation: what it is, how it was made, and how far to trust it.

The card is made from the manifest alone. Of its ``facts`` it shows these, and leaves out the lines of those
that are missing::

    method                "star"
    methods               ["star"]               of this generation and those before it, each once
    base_model            "SmolLM2-135M-Instruct"
    model                 {"name": "gen-1/checkpoint", "digest": "sha256:..."}   the model that was sampled
    corpus, verifier, teacher, recipe_fingerprint, code_commit      texts
    criterion             "correct" or one of RISE's (see factory.criteria), which keep wrong attempts too; with these
    tau, centred          0.4, False             of the weight exp(reward / tau); centred: the question's mean taken off
    license               an identifier of the Hub, such as "apache-2.0"
    parent_generation     1
    funnel                [{"what": "questions", "count": 2000}, ...] in the order to show
    accuracy              [{"generation": 0, "accuracy": 0.508, "questions": 400, "by_difficulty": {"1 digit": 1.0}},
                          ...]: of the model that sampled that generation, on the eval split, as fractions of 1;
                          of several turns also "m1@t1", "m5@t1", "m1@t5", "p1@t5" (or other numbers) and
                          "per_turn", as factory.evaluate has them
    validation            {"passed": True, "expectations": 22}
    seed                  the run's seed; also draws the examples that are shown
    command               "factory iterate recipes/sums.yaml"
    packages              {"vllm": "0.32.0", ...}
"""

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any

import pyarrow as pa
from huggingface_hub import DatasetCardData

from factory import card_method as method
from factory.markdown import block, fact_list, table, text
from schemas import EXAMPLES, REJECTS, ROLLOUTS

SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
"""The Hub's size categories, one per digit from three digits on."""


def card(manifest: dict[str, Any], shown: list[dict[str, Any]]) -> str:
    """The text of README.md: a YAML header that the Hub and ``datasets`` read, then Markdown.

    Args:
        manifest: the manifest as :func:`factory.publish.make_tree` builds it, before README.md is in it.
        shown: the examples to show, as rows of the examples table.
    """
    facts = manifest["facts"]
    sections = [
        method.introduction(manifest),
        method.how_made(manifest),
        _counts(manifest),
        _accuracy(facts.get("accuracy", [])),
        _examples(shown),
        _columns(),
        method.limits(manifest),
        _load(manifest),
        _reproduce(facts),
        method.citation(facts),
    ]
    return f"---\n{_header(manifest)}\n---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def _header(manifest: dict[str, Any]) -> str:
    rows = manifest["tables"]["examples"]["rows"]
    configs: list[dict[str, Any]] = [
        {"config_name": name, "data_files": [{"split": "train", "path": f"{folder}/train-*.parquet"}]}
        for name, folder in (("examples", "data"), ("rollouts", "rollouts"), ("rejects", "rejects"))
    ]
    configs[0]["default"] = True
    return DatasetCardData(
        pretty_name=f"{manifest['name']}, generation {manifest['generation']}",
        license=manifest["facts"].get("license"),
        language=["en"],
        task_categories=["text-generation", "question-answering"],
        size_categories=[SIZES[max(0, len(str(rows)) - 3)]],
        tags=["rationales", "reasoning", "chain-of-thought", "synthetic"],
        configs=configs,
    ).to_yaml()


def _counts(manifest: dict[str, Any]) -> str:
    tables = manifest["tables"]
    funnel = [[text(step["what"]), f"{step['count']:,}"] for step in manifest["facts"].get("funnel", [])]
    meanings = method.ORIGINS_OF_ANY_REWARD if method.holds_wrong(manifest["facts"]) else method.ORIGINS
    origins = [[origin, f"{count:,}", meanings[origin]] for origin, count in tables["examples"]["by_origin"].items()]
    reasons = [[text(reason), f"{count:,}"] for reason, count in tables["rejects"]["by_reason"].items()]
    parts = ["## Counts"]
    if funnel:
        parts.append(table(["from questions to examples", "count"], funnel))
    if origins:
        parts.append(table(["origin", "examples", "meaning"], origins))
    parts.append(table(["reason", "rejects"], reasons) if reasons else "No attempt was rejected.")
    checks = [
        [name, origin, f"{count['passed']:,}", f"{count['failed']:,}"]
        for name, by_origin in manifest["facts"].get("checks", {}).items()
        for origin, count in by_origin.items()
    ]
    if checks:
        parts.append("Process checks look beyond the final answer of a correct attempt:")
        parts.append(table(["check", "origin", "passed", "failed"], checks))
    return "\n\n".join(parts)


def _accuracy(measured: list[dict[str, Any]]) -> str:
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


def _examples(shown: list[dict[str, Any]]) -> str:
    if not shown:
        return ""
    parts = ["## Examples", "Drawn by seed, not chosen."]
    for origin in dict.fromkeys(example["origin"] for example in shown):
        parts.append(f"### {origin}")
        for example in (one for one in shown if one["origin"] == origin):
            reward, weight = example["reward"], example["weight"]
            worth = "" if reward is None else f", reward {reward:g}, weight {weight:.3g}"
            parts.append(f"{text(example['example_id'])}, gold answer {text(example['answer'])}{worth}:")
            before = example["messages"][-3:-1] if example["turn"] else []  # the attempt before and the feedback on it
            said = [example["question"], *(message["content"] for message in before), example["rationale"]]
            parts += [block(one, "text") for one in said]
    return "\n\n".join(parts)


def _columns() -> str:
    parts = ["## Columns"]
    for config, schema in {"examples": EXAMPLES, "rollouts": ROLLOUTS, "rejects": REJECTS}.items():
        parts += [f"### {config}", table(["column", "type", "meaning"], _meanings(schema))]
    return "\n\n".join(parts)


def _meanings(fields: Iterable[pa.Field], prefix: str = "") -> Iterator[list[str]]:
    """Rows of name, type and meaning; a list of structs is followed by its fields, as ``messages[].role``."""
    for field in fields:
        nested = pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type)
        metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
        meaning = text(metadata["meaning"]) + (f" (unit: {metadata['unit']})" if "unit" in metadata else "")
        type = ("list" if nested else str(field.type)) + (" or null" if field.nullable else "")
        yield [f"`{prefix}{field.name}`", type, meaning]
        if nested:
            yield from _meanings(field.type.value_type, f"{prefix}{field.name}[].")


def _load(manifest: dict[str, Any]) -> str:
    code = [
        "import polars",
        "from datasets import load_dataset",
        "",
        f'folder = "registry/{manifest["name"]}/gen-{manifest["generation"]}"  # where this README lies',
    ]
    for name, of_table in manifest["tables"].items():
        if of_table["rows"]:  # datasets 5.2 opens a split without rows only when it streams
            code.append(f'{name} = load_dataset(folder, "{name}", split="train")')
    code += ["", 'examples = polars.scan_parquet(f"{folder}/data/*.parquet")  # the same, read lazily']
    if method.holds_wrong(manifest["facts"]):
        code.append('right = examples.filter(polars.col("reward").fill_null(1) == 1)  # null: given, not sampled')
    return "## How to load it\n\n" + block("\n".join(code), "python")


def _reproduce(facts: dict[str, Any]) -> str:
    facts_shown = {
        "Seed": facts.get("seed"),
        "Recipe fingerprint": facts.get("recipe_fingerprint"),
        "Code commit": facts.get("code_commit"),
        "Packages": ", ".join(f"{package} {version}" for package, version in facts.get("packages", {}).items()),
    }
    command = f"{block(facts['command'], 'bash')}\n\n" if "command" in facts else ""
    return (
        f"## How to reproduce it\n\n{command}"
        "`recipe.yaml` holds every setting of the run, the column `seed` of each attempt in `rollouts` the seed of "
        f"its request, and `manifest.json` the digest of every file.\n\n{fact_list(facts_shown)}"
    ).rstrip()
