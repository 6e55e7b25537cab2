"""Architectures of encoders that were trained whole, whose weights lie in the model's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from tutelage.files import BadFileError
from tutelage.files.errors import REMEDY

UNUSED = 1_000_000
"""Number of weights that an architecture may have beside twice those of its model."""


def blank_model(folder: Path) -> Any:
    """Network of a saved architecture of the transformers library, with random weights, into which others are loaded.

    No code of the folder is run. One that has far more weights than the model that it lies in holds is refused, before
    it takes memory; some more it may have, as its pooler, which is not used.

    Args:
        folder: folder "encoder" of a saved model, with config.json.

    Raises:
        BadFileError: the architecture is larger than the model.
        ValueError: it cannot be read.
    """
    from transformers import AutoConfig, AutoModel

    tensors, numbers = _held(folder.parent / "model.safetensors")
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        layers = max((v for k, v in config.to_dict().items() if "layers" in k and isinstance(v, int)), default=0)
        if layers <= tensors:
            with torch.device("meta"):
                told = sum(p.numel() for p in AutoModel.from_config(config, trust_remote_code=False).parameters())
        if layers > tensors or told > 2 * numbers + UNUSED:
            raise BadFileError(f"{folder / 'config.json'}: not that of the weights in {folder.parent}; {REMEDY}")
        return AutoModel.from_config(config, trust_remote_code=False).eval()
    except BadFileError:
        raise
    except Exception as e:  # the library raises many kinds for a damaged file
        raise ValueError(f"{folder}: the saved encoder cannot be read ({e})") from e


def _held(path: Path) -> tuple[int, int]:
    """Number of tensors in a file, and of the numbers in them; none where it cannot be read, which is said later."""
    try:
        with safe_open(path, framework="pt") as f:
            shapes = [f.get_slice(name).get_shape() for name in f.keys()]  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError):
        return 0, 0
    return len(shapes), sum(int(torch.Size(shape).numel()) for shape in shapes)
