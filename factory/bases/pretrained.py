"""A pretrained model, from the Hub or from a local folder."""

import shutil
from pathlib import Path

from factory.errors import ConfigError

WEIGHTS = ("*.safetensors", "*.safetensors.index.json")
TEXTS = ("*.json", "*.jinja", "*.txt", "*.model")
"""Configuration, tokenizer and chat template."""


def pretrained(out: Path, /, model: str, chat_template: Path | None = None) -> None:
    """Make ``out`` the model, without copying the weights of a local one.

    Args:
        out: folder to fill.
        model: Hub name, or path of a HF folder (absolute, or relative to the working directory).
        chat_template: Jinja file to use instead of the tokenizer's own template, such as one that renders plain
            "Q: ... A: ..." text.

    Raises:
        ConfigError: there is no such model here, and no Hub to be reached.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    from transformers import AutoTokenizer

    folder = Path(model).expanduser()
    if not folder.is_dir():
        try:
            folder = Path(snapshot_download(model, allow_patterns=[*TEXTS, *WEIGHTS]))
        except (HfHubHTTPError, LocalEntryNotFoundError, ValueError) as error:
            reason = str(error).splitlines()[0]
            problem = f"model: '{model}' is neither a folder here nor a model that the Hub gives us ({reason})"
            raise ConfigError("base", [problem]) from error
    for file in filter(Path.is_file, folder.iterdir()):
        if any(map(file.match, TEXTS)):
            shutil.copyfile(file, out / file.name)
        elif file.suffix != ".md":  # weights, in whatever format
            (out / file.name).symlink_to(file.resolve())
    if chat_template:
        from factory.recipe.settings import located

        tokenizer = AutoTokenizer.from_pretrained(folder)
        tokenizer.chat_template = located(chat_template).read_text()
        tokenizer.save_pretrained(out)
