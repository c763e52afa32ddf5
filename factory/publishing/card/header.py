"""The YAML header of a dataset card: what the Hub shows beside it, and what ``datasets`` loads by."""

from typing import Any

from datasets import Features
from huggingface_hub import DatasetCardData

from factory.publishing.parquet import tables_of

SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
"""The Hub's size categories, one per digit from three digits on."""

LICENSES = """
apache-2.0 mit openrail bigscience-openrail-m creativeml-openrail-m bigscience-bloom-rail-1.0 bigcode-openrail-m
afl-3.0 artistic-2.0 bsl-1.0 bsd bsd-2-clause bsd-3-clause bsd-3-clause-clear c-uda cc cc0-1.0 cc-by-2.0 cc-by-2.5
cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-2.0 cc-by-nc-3.0 cc-by-nc-4.0 cc-by-nd-4.0 cc-by-nc-nd-3.0
cc-by-nc-nd-4.0 cc-by-nc-sa-2.0 cc-by-nc-sa-3.0 cc-by-nc-sa-4.0 cdla-sharing-1.0 cdla-permissive-1.0
cdla-permissive-2.0 wtfpl ecl-2.0 epl-1.0 epl-2.0 etalab-2.0 eupl-1.1 eupl-1.2 agpl-3.0 gfdl gpl gpl-2.0 gpl-3.0 lgpl
lgpl-2.1 lgpl-3.0 isc h-research intel-research lppl-1.3c ms-pl apple-ascl apple-amlr mpl-2.0 odc-by odbl openmdw-1.0
openrail++ osl-3.0 postgresql ofl-1.1 ncsa unlicense zlib pddl lgpl-lr deepfloyd-if-license
fair-noncommercial-research-license llama2 llama3 llama3.1 llama3.2 llama3.3 llama4 grok2-community gemma unknown
other
"""
"""What the Hub accepts as ``license``; a commit whose card has another it refuses. From such a refusal of May 2026
(huggingface_hub, issue 4218); most of them, with their names: https://huggingface.co/docs/hub/repositories-licenses."""


def header(manifest: dict[str, Any]) -> str:
    """The YAML between the dashes.

    ``dataset_info`` lets ``datasets`` know the columns without opening a file, and that a table has no rows; it refuses
    to load a table that has not as many rows as are named here.
    """
    facts, rows = manifest["facts"], manifest["tables"]["examples"]["rows"]
    configs: list[dict[str, Any]] = [
        {"config_name": name, "data_files": [{"split": "train", "path": f"{folder}/train-*.parquet"}]}
        for name, (_, folder) in tables_of(manifest).items()
    ]
    configs[0]["default"] = True
    return DatasetCardData(
        pretty_name=f"{manifest['name'].split('/')[-1]}, generation {manifest['generation']}",
        **license(facts),
        language=facts.get("language"),
        task_categories=["text-generation", "question-answering"],
        size_categories=[SIZES[max(0, len(str(rows)) - 3)]],
        tags=["rationales", "reasoning", "chain-of-thought", "synthetic", *facts.get("methods", ())],
        configs=configs,
        dataset_info=[_info(manifest, name) for name in tables_of(manifest)],
    ).to_yaml()


def license(facts: dict[str, Any]) -> dict[str, Any]:
    """The licence as the header of any card has it: one that the Hub has no identifier of is ``other``, with a name."""
    given = facts.get("license")
    if given is None or given in LICENSES.split():
        return {"license": given}
    return {"license": "other", "license_name": given}


def _info(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    schema, folder = tables_of(manifest)[name]
    # the size on disk stands for that in memory as well, which nobody knows before the rows are read
    size = sum(entry["bytes"] for path, entry in manifest["files"].items() if path.startswith(f"{folder}/"))
    return {
        "config_name": name,
        "features": Features.from_arrow_schema(schema)._to_yaml_list(),
        "splits": [{"name": "train", "num_bytes": size, "num_examples": manifest["tables"][name]["rows"]}],
        "download_size": size,
        "dataset_size": size,
    }
