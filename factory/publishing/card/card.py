"""The dataset card of a published generation: what it is, how it was made, how far to trust it, how to use it.

The card is made from the manifest and some drawn examples, never by hand. Of the manifest's ``facts`` it shows these,
and leaves out the lines of those that are missing::

    method                "star"
    methods               ["star"]               of this generation and those before it, each once
    base_model            {"name": "SmolLM2-135M-Instruct", "sha256": "..."}    a digest is null where a server has it
    strips_reasoning      True                   the base's chat template leaves out what stands before </think>
    model                 {"name": "gen-1/checkpoint", "sha256": "...", "published": "owner/name@gen-1",
                          "trained_on": {"generation": 1, "examples_sha256": "..."}}      the model that was sampled;
                          published is null where it was not, and trained_on that of the base
    trained_model         "owner/name@gen-2"     where the model goes that is trained on this generation
    corpus                {"name": "arithmetic", "sha256": "..."}
    questions             {"train": 2000, "eval": 400, "seed": 500}    of the snapshot; those of train are all sampled
    verifier              {"name": "exact", "version": "1"}
    check_versions        {"columns": "1"}       the process checks
    checks                {"columns": {"rationalized": {"passed": 50, "failed": 248, "not_applicable": 0}}}
    teacher, prompt_sha256, recipe_fingerprint, code_commit      texts
    criterion             "correct" or one of RISE's (curation/criteria.py), which keep wrong attempts too; with these
    tau, centred          0.4, False             of the weight exp(reward / tau); centred: the question's mean taken off
    decontamination       {"sets": [{"name": "test.jsonl", "questions": 1319, "sha256": "..."}], "dropped": 12}
    license               "apache-2.0"; of one that the Hub has no identifier of, the name
    language              ["en"]
    parent                {"generation": 1, "commit": "...", "manifest_sha256": "..."}; no commit in a folder
    taken_over            {"0": 12}              examples that earlier generations sampled, by generation
    funnel                [{"what": "questions", "count": 2000}, ...] in the order to show
    accuracy              [{"generation": 0, "accuracy": 0.508, "questions": 400, "by_difficulty": {"1 digit": 1.0}},
                          ...]: of the model that sampled that generation, on the eval split, as fractions of 1;
                          of several turns also "m1@t1", "m5@t1", "m1@t5", "p1@t5" (or other numbers) and
                          "per_turn", as factory.sampling.evaluate has them
    generations           [{"generation": 0, "model": "base", "accuracy": 0.508, "questions": 3000, "attempts": 9000,
                          "solved": 1200, "examples": {"sampled": 10}, "rejects": {"wrong": 3}}, ...] up to this one
    health                [{"generation": 0, "pass@1": 0.4, "interval": [0.3, 0.5], "pass@k": {"1": 0.4, "4": 0.7},
                          ..., "advice": "go on: ..."}, ...] up to this one, as factory.curation.health has the figures
    validation            {"passed": False, "expectations": 22, "failures": ["..."]}; with passed False: --unsafe
    seed                  the run's seed; also draws the examples that are shown
    command               "python -m factory iterate recipe.yaml"    with the recipe.yaml beside the card
    packages              {"vllm": "0.32.0", ...}
"""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from factory.publishing.card import method, numbers, use
from factory.publishing.card.header import header
from factory.publishing.card.markdown import block, table, text
from factory.publishing.card.train import train
from factory.publishing.parquet import tables_of


def card(manifest: dict[str, Any], shown: list[dict[str, Any]]) -> str:
    """The text of README.md: a YAML header that the Hub and ``datasets`` read, then Markdown.

    Args:
        manifest: the manifest as :func:`factory.publishing.tree.dataset_tree` builds it, before README.md is in it. The
            card shows those of :data:`factory.publishing.card.figures.FIGURES` that are among its files.
        shown: the examples to show, as rows of the examples table.
    """
    facts = manifest["facts"]
    sections = [
        method.unsafe(facts),
        method.introduction(manifest),
        numbers.figures(manifest),
        method.how_made(manifest),
        numbers.counts(manifest),
        numbers.generations(facts),
        numbers.accuracy(facts.get("accuracy", [])),
        numbers.health(facts.get("health", [])),
        _examples(shown),
        method.limits(manifest),
        use.load(manifest),
        train(manifest),
        use.reproduce(facts),
        use.lineage(manifest),
        _columns(manifest),
        method.citation(facts),
    ]
    return f"---\n{header(manifest)}\n---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


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


def _columns(manifest: dict[str, Any]) -> str:
    parts = ["## Columns"]
    for config, (schema, _) in tables_of(manifest).items():
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
