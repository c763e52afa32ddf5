"""A pretrained model, from the Hub or from a local folder."""

import shutil
from pathlib import Path

from factory.errors import ConfigError
from factory.files import read_json, write_json
from factory.recipe.settings import located

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
        shutil.copyfile(located(chat_template), out / "chat_template.jinja")
        settings = out / "tokenizer_config.json"
        if settings.exists():  # some tools look for a template there only
            others = {key: value for key, value in read_json(settings).items() if key != "chat_template"}
            write_json(settings, others)
