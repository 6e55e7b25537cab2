"""De-quantising a GGUF file once, so that the language model loads fast and without GGUF's packages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tutelage.data.errors import DataError
from tutelage.data.quiet import quietly


def dequantise(file: Path) -> None:
    """Write the language model and the tokenizer of a GGUF file beside it, as transformers saves them.

    The 4-bit weights are computed in float32, and rounded to float16: an error of at most 1 in 2,048, far below that of
    four bits, for half of the room. It takes some three times the memory of the file written.

    Args:
        file: GGUF file of a causal language model.

    Raises:
        ImportError: the packages of the extra "gguf" are missing.
    """
    import torch

    try:
        import accelerate  # noqa: F401 (transformers asks for both)
        import gguf  # noqa: F401
    except ImportError as e:
        raise ImportError(f"reading GGUF needs more packages: pip install 'tutelage[gguf]' ({e})") from e
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    try:
        with quietly():
            tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
            config = AutoConfig.from_pretrained(file.parent, gguf_file=file.name)
            wide = AutoModelForCausalLM.from_pretrained(
                file.parent, gguf_file=file.name, dtype=torch.float32, **_dense()
            )
            plain = AutoModelForCausalLM.from_config(config, dtype=torch.float16)  # the other is still marked as GGUF's
            plain.load_state_dict(wide.state_dict())
            plain.save_pretrained(file.parent)
            tokenizer.save_pretrained(file.parent)
    except Exception as e:  # the library raises many kinds
        raise DataError(f"{file.name}: the GGUF file cannot be read ({type(e).__name__}: {e})") from e


def _dense() -> dict[str, Any]:
    """Arguments by which transformers unpacks every weight; older versions always do, and know none."""
    try:
        from transformers import GgufConfig
    except ImportError:
        return {}
    return {"quantization_config": GgufConfig(dequantize=True)}
