"""The YAML header of a dataset card: what the Hub shows beside it, and what ``datasets`` loads by."""

from typing import Any

from datasets import Features
from huggingface_hub import DatasetCardData

from schemas import EXAMPLES, REJECTS, ROLLOUTS

TABLES = {"examples": (EXAMPLES, "data"), "rollouts": (ROLLOUTS, "rollouts"), "rejects": (REJECTS, "rejects")}
"""The schema of each published table and the folder it lies in; the first is the default config."""

SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
"""The Hub's size categories, one per digit from three digits on."""


def header(manifest: dict[str, Any]) -> str:
    """The YAML between the dashes.

    ``dataset_info`` lets ``datasets`` know the columns without opening a file, and that a table has no rows; it refuses
    to load a table that has not as many rows as are named here.
    """
    facts, rows = manifest["facts"], manifest["tables"]["examples"]["rows"]
    configs: list[dict[str, Any]] = [
        {"config_name": name, "data_files": [{"split": "train", "path": f"{folder}/train-*.parquet"}]}
        for name, (_, folder) in TABLES.items()
    ]
    configs[0]["default"] = True
    return DatasetCardData(
        pretty_name=f"{manifest['name'].split('/')[-1]}, generation {manifest['generation']}",
        license=facts.get("license"),
        language=facts.get("language"),
        task_categories=["text-generation", "question-answering"],
        size_categories=[SIZES[max(0, len(str(rows)) - 3)]],
        tags=["rationales", "reasoning", "chain-of-thought", "synthetic", *facts.get("methods", ())],
        configs=configs,
        dataset_info=[_info(manifest, name) for name in TABLES],
    ).to_yaml()


def _info(manifest: dict[str, Any], name: str) -> dict[str, Any]:
    schema, folder = TABLES[name]
    # the size on disk stands for that in memory as well, which nobody knows before the rows are read
    size = sum(entry["bytes"] for path, entry in manifest["files"].items() if path.startswith(f"{folder}/"))
    return {
        "config_name": name,
        "features": Features.from_arrow_schema(schema)._to_yaml_list(),
        "splits": [{"name": "train", "num_bytes": size, "num_examples": manifest["tables"][name]["rows"]}],
        "download_size": size,
        "dataset_size": size,
    }
