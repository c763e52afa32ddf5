"""The dataset card of a published generation: what it is, how it was made, and how far to trust it.

The card is made from the manifest alone. Of its ``facts`` it shows these, and leaves out the lines of those
that are missing::

    method                "STaR"
    base_model            "SmolLM2-135M-Instruct"
    model                 {"name": "gen-1/checkpoint", "digest": "sha256:..."}   the model that was sampled
    corpus, verifier, recipe_fingerprint, code_commit      texts
    license               an identifier of the Hub, such as "apache-2.0"
    parent_generation     1
    funnel                [{"what": "questions", "count": 2000}, ...] in the order to show
    accuracy              [{"generation": 0, "accuracy": 0.508, "questions": 400, "by_difficulty": {"1 digit": 1.0}},
                          ...]: of the model that sampled that generation, on the eval split, as fractions of 1
    validation            {"passed": True, "expectations": 22}
    seed                  the run's seed; also draws the examples that are shown
    command               "factory iterate recipes/sums.yaml"
    packages              {"vllm": "0.32.0", ...}
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
from huggingface_hub import DatasetCardData

from schemas import EXAMPLES, REJECTS, ROLLOUTS

ORIGINS = {
    "sampled": "sampled without a hint, and right",
    "rationalized": "right when the gold answer was shown as a hint, after every attempt without it had failed",
    "corrected": "right in a later turn, after feedback",
    "reference": "given, not sampled",
}

SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
"""The Hub's size categories, one per digit from three digits on."""

LONGEST_TEXT = 2_000
"""Characters of a text that the card shows; the whole text is in the data."""

CITATION = """\
@inproceedings{zelikman2022star,
  title     = {{STaR}: Bootstrapping Reasoning With Reasoning},
  author    = {Eric Zelikman and Yuhuai Wu and Jesse Mu and Noah D. Goodman},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2022},
  note      = {arXiv:2203.14465},
}"""


def card(manifest: dict[str, Any], shown: list[dict[str, Any]]) -> str:
    """The text of README.md: a YAML header that the Hub and ``datasets`` read, then Markdown.

    Args:
        manifest: the manifest as :func:`factory.publish.make_tree` builds it, before README.md is in it.
        shown: the examples to show, as rows of the examples table.
    """
    facts = manifest["facts"]
    sections = [
        _introduction(manifest),
        _how_made(facts),
        _counts(manifest),
        _accuracy(facts.get("accuracy", [])),
        _examples(shown),
        _columns(),
        _limits(manifest["tables"]["examples"]["by_origin"]),
        _load(manifest),
        _reproduce(facts),
        "## Citation\n\nThe method is STaR ([arXiv 2203.14465](https://arxiv.org/abs/2203.14465)):\n\n"
        + _block(CITATION, "bibtex"),
    ]
    return f"---\n{_header(manifest)}\n---\n\n" + "\n\n".join(section for section in sections if section) + "\n"


def _header(manifest: dict[str, Any]) -> str:
    rows = manifest["tables"]["examples"]["rows"]
    configs: list[dict[str, Any]] = [
        {"config_name": table, "data_files": [{"split": "train", "path": f"{folder}/train-*.parquet"}]}
        for table, folder in (("examples", "data"), ("rollouts", "rollouts"), ("rejects", "rejects"))
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


def _introduction(manifest: dict[str, Any]) -> str:
    tables, facts = manifest["tables"], manifest["facts"]
    corpus = f" of {_text(facts['corpus'])}" if "corpus" in facts else ""
    parent = facts.get("parent_generation")
    given = " (those of the origin `reference` were given)" if "reference" in tables["examples"]["by_origin"] else ""
    return (
        f"# {_text(manifest['name'])}, generation {manifest['generation']}\n\n"
        f"**{tables['examples']['rows']:,} examples** for fine-tuning: questions{corpus}, each with a rationale that "
        "leads to its answer. The rationales were written by a language model and kept where a verifier found the "
        f"final answer right{given}.\n\n"
        f"Beside them lie all {tables['rollouts']['rows']:,} rollouts (per question every attempt, right and wrong) "
        f"and {tables['rejects']['rows']:,} rejects (the attempts that were not kept, with the reason)."
        + (f" The generation before it is `gen-{parent}`." if parent is not None else "")
    )


def _how_made(facts: dict[str, Any]) -> str:
    model, validation = facts.get("model", {}), facts.get("validation", {})
    expectations = f" ({validation['expectations']} expectations)" if "expectations" in validation else ""
    facts_shown = {
        "Method": facts.get("method"),
        "Base model": facts.get("base_model"),
        "Sampled model": " ".join(filter(None, [model.get("name"), model.get("digest")])),
        "Corpus": facts.get("corpus"),
        "Verifier": facts.get("verifier"),
        "Validation": ("passed" if validation["passed"] else "failed") + expectations if validation else None,
    }
    return (
        "## How it was made\n\n"
        "Every question was put to the model. Attempts whose final answer the verifier found right were kept, subject "
        "to curation. No prompt to train on holds a hint: the `messages` of `rationalized` examples ask the question "
        f"without it.\n\n{_list(facts_shown)}"
    ).rstrip()


def _counts(manifest: dict[str, Any]) -> str:
    tables = manifest["tables"]
    funnel = [[_text(step["what"]), f"{step['count']:,}"] for step in manifest["facts"].get("funnel", [])]
    origins = [[origin, f"{count:,}", ORIGINS[origin]] for origin, count in tables["examples"]["by_origin"].items()]
    reasons = [[_text(reason), f"{count:,}"] for reason, count in tables["rejects"]["by_reason"].items()]
    parts = ["## Counts"]
    if funnel:
        parts.append(_table(["from questions to examples", "count"], funnel))
    if origins:
        parts.append(_table(["origin", "examples", "meaning"], origins))
    parts.append(_table(["reason", "rejects"], reasons) if reasons else "No attempt was rejected.")
    checks = [
        [name, origin, f"{count['passed']:,}", f"{count['failed']:,}"]
        for name, by_origin in manifest["facts"].get("checks", {}).items()
        for origin, count in by_origin.items()
    ]
    if checks:
        parts.append("Process checks look beyond the final answer of a correct attempt:")
        parts.append(_table(["check", "origin", "passed", "failed"], checks))
    return "\n\n".join(parts)


def _accuracy(measured: list[dict[str, Any]]) -> str:
    if not measured:
        return ""
    groups = list(dict.fromkeys(group for one in measured for group in one.get("by_difficulty", {})))
    rows = []
    for one in measured:
        accuracies = [one["accuracy"], *(one.get("by_difficulty", {}).get(group) for group in groups)]
        shares = ["" if accuracy is None else f"{accuracy:.1%}" for accuracy in accuracies]
        rows.append([str(one["generation"]), str(one.get("questions", "")), *shares])
    return (
        "## Accuracy by generation\n\n"
        "Of the model that sampled each generation, on questions of the eval split, which are never trained on.\n\n"
        + _table(["generation", "questions", "accuracy", *map(_text, groups)], rows)
    )


def _examples(shown: list[dict[str, Any]]) -> str:
    if not shown:
        return ""
    parts = ["## Examples", "Drawn by seed, not chosen."]
    for origin in dict.fromkeys(example["origin"] for example in shown):
        parts.append(f"### {origin}")
        for example in (one for one in shown if one["origin"] == origin):
            parts.append(f"{_text(example['example_id'])}, gold answer {_text(example['answer'])}:")
            parts += [_block(example["question"], "text"), _block(example["rationale"], "text")]
    return "\n\n".join(parts)


def _columns() -> str:
    parts = ["## Columns"]
    for config, schema in {"examples": EXAMPLES, "rollouts": ROLLOUTS, "rejects": REJECTS}.items():
        parts += [f"### {config}", _table(["column", "type", "meaning"], _meanings(schema))]
    return "\n\n".join(parts)


def _meanings(fields: Iterable[pa.Field], prefix: str = "") -> Iterator[list[str]]:
    """Rows of name, type and meaning; a list of structs is followed by its fields, as ``messages[].role``."""
    for field in fields:
        nested = pa.types.is_list(field.type) and pa.types.is_struct(field.type.value_type)
        metadata = {key.decode(): value.decode() for key, value in field.metadata.items()}
        meaning = _text(metadata["meaning"]) + (f" (unit: {metadata['unit']})" if "unit" in metadata else "")
        type = ("list" if nested else str(field.type)) + (" or null" if field.nullable else "")
        yield [f"`{prefix}{field.name}`", type, meaning]
        if nested:
            yield from _meanings(field.type.value_type, f"{prefix}{field.name}[].")


def _limits(by_origin: dict[str, int]) -> str:
    limits = [
        "The verifier reads the final answer only: some rationales reach the right answer by a wrong step.",
        "Questions that the model finds easy are over-represented; those that no attempt answered are missing.",
        "The text was written by a language model and has its mistakes, habits and biases.",
    ]
    if "rationalized" in by_origin:
        limits.insert(1, "A rationale sampled under a hint may restate the answer instead of deriving it.")
    return "## Known limits\n\n" + "\n".join(f"- {limit}" for limit in limits)


def _load(manifest: dict[str, Any]) -> str:
    code = [
        "import polars",
        "from datasets import load_dataset",
        "",
        f'folder = "registry/{manifest["name"]}/gen-{manifest["generation"]}"  # where this README lies',
    ]
    for table, facts in manifest["tables"].items():
        if facts["rows"]:  # datasets 5.2 opens a split without rows only when it streams
            code.append(f'{table} = load_dataset(folder, "{table}", split="train")')
    code += ["", 'examples = polars.scan_parquet(f"{folder}/data/*.parquet")  # the same, read lazily']
    return "## How to load it\n\n" + _block("\n".join(code), "python")


def _reproduce(facts: dict[str, Any]) -> str:
    facts_shown = {
        "Seed": facts.get("seed"),
        "Recipe fingerprint": facts.get("recipe_fingerprint"),
        "Code commit": facts.get("code_commit"),
        "Packages": ", ".join(f"{package} {version}" for package, version in facts.get("packages", {}).items()),
    }
    command = f"{_block(facts['command'], 'bash')}\n\n" if "command" in facts else ""
    return (
        f"## How to reproduce it\n\n{command}"
        "`recipe.yaml` holds every setting of the run, the column `seed` of each attempt in `rollouts` the seed of "
        f"its request, and `manifest.json` the digest of every file.\n\n{_list(facts_shown)}"
    ).rstrip()


def _list(facts: dict[str, Any]) -> str:
    """One line per fact; those that are missing (None or empty) have none."""
    return "\n".join(f"- {label}: {_text(fact)}" for label, fact in facts.items() if fact not in (None, ""))


def _table(names: list[str], rows: Iterable[list[str]]) -> str:
    """A table of cells that are Markdown already."""
    return "\n".join(f"| {' | '.join(line)} |" for line in [names, ["---"] * len(names), *rows])


def _text(value: object) -> str:
    """Data as one line of Markdown that shows as it is written. Underscores inside words need no escape."""
    return re.sub(r"([\\`*{}\[\]<>#|~&$]|(?<![^\W_])_|_(?![^\W_]))", r"\\\1", " ".join(str(value).split()))


def _block(text: str, language: str) -> str:
    """Data as a fenced block; the fence is longer than any run of backticks in the text."""
    shown = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}\n[...]"
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall("`+", shown))])
    return f"{fence}{language}\n{shown}\n{fence}"
