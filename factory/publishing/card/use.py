"""What a dataset card says to those who use the dataset: how to load it, how to make it again, where it came from.

See :mod:`factory.publishing.card.card` for the facts that this is made from.
"""

from typing import Any

from factory.publishing.card.markdown import block, bullets, fact_list
from factory.publishing.card.method import holds_wrong, short
from factory.publishing.parquet import tables_of

HUB = "https://huggingface.co"


def on_hub(manifest: dict[str, Any]) -> bool:
    """Names of datasets on the Hub have an owner."""
    return "/" in manifest["name"]


def where(manifest: dict[str, Any]) -> str:
    """What to type to find this generation; in a folder it is where a registry has it by default."""
    name, generation = manifest["name"], manifest["generation"]
    return f"{name}@gen-{generation}" if on_hub(manifest) else f"registry/{name}/gen-{generation}"


def loaded(manifest: dict[str, Any], config: str) -> str:
    """The Python expression that loads a config with ``datasets``."""
    name, generation = manifest["name"], manifest["generation"]
    if on_hub(manifest):
        return f'load_dataset("{name}", "{config}", revision="gen-{generation}", split="train")'
    return f'load_dataset("{where(manifest)}", "{config}", split="train")'


def load(manifest: dict[str, Any]) -> str:
    """With ``datasets`` and with polars."""
    files = f"hf://datasets/{where(manifest)}" if on_hub(manifest) else where(manifest)
    # datasets 5.2 opens a split without rows only when it streams
    with_rows = [config for config in tables_of(manifest) if manifest["tables"][config]["rows"]]
    code = ["import polars", "from datasets import load_dataset", ""]
    code += [f"{config} = {loaded(manifest, config)}" for config in with_rows]
    code += ["", f'examples = polars.scan_parquet("{files}/data/*.parquet")  # the same, read lazily']
    if holds_wrong(manifest["facts"]):
        code.append('right = examples.filter(polars.col("reward").fill_null(1) == 1)  # null: given, not sampled')
    if on_hub(manifest):
        told = (
            "A generation is the tag `gen-N`; without a `revision` the newest one is loaded. **Given a folder, such as "
            "a clone of this repository, `load_dataset` ignores `revision`** and loads what is checked out. A private "
            "dataset needs `hf auth login` first."
        )
    else:
        told = (
            "The path is that of the folder in which this README lies. **Given a folder, `load_dataset` ignores "
            "`revision`**: another generation is another folder."
        )
    return "\n\n".join(["## How to load it", block("\n".join(code), "python"), told])


def reproduce(facts: dict[str, Any]) -> str:
    """The command, the recipe, the seed."""
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


def lineage(manifest: dict[str, Any]) -> str:
    """The generation before, the model that was sampled, the model that is trained on this."""
    facts, hub = manifest["facts"], on_hub(manifest)
    told, model = [], facts.get("model") or {}
    if parent := facts.get("parent"):
        generation = f"gen-{parent['generation']}"
        name = _link(f"datasets/{manifest['name']}", generation, generation) if hub else f"`{generation}`"
        commit = f", commit `{parent['commit']}`" if parent.get("commit") else ""
        told.append(f"The generation before: {name}{commit}, manifest `{short(parent['manifest_sha256'])}`.")
    if trained_on := model.get("trained_on"):
        published = f" ({_model(model['published'], hub)})" if model.get("published") else ""
        told.append(f"The sampled model{published} was trained on the examples of `gen-{trained_on['generation']}`.")
    if trained := facts.get("trained_model"):
        told.append(f"The model that is trained on this generation: {_model(trained, hub)}, as soon as it is trained.")
    walk = "This walks the lineage back to generation 0, and says what does not match the digests in `manifest.json`:"
    command = block(f"python -m factory lineage {where(manifest)}", "bash")
    return "\n\n".join(filter(None, ["## Lineage", bullets(told), walk, command]))


def _model(published: str, hub: bool) -> str:
    name, _, tag = published.partition("@")
    return _link(name, tag, published) if hub else f"`{published}`"


def _link(repository: str, tag: str, shown: str) -> str:
    return f"[`{shown}`]({HUB}/{repository}/tree/{tag})"
