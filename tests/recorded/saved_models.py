"""Models and runs that version 0.1 saved, kept small: without their weights, which `fill` makes anew.

``v0.1/models/NAME`` holds what was saved, but in place of model.safetensors a tensors.json, which says of each tensor
its name, shape, type, seed and range; ``v0.1/expected.json`` what version 0.1 says of `items` with the weights that
`fill` writes. ``v0.1/runs/NAME`` holds whole folders of runs of `run_inputs`, without plots and report; what they
predict and score is in ``runs/NAME.json``. Where a model or a run names its encoder, it is the folder "encoder"
(`worlds.write_encoder`) of the current one.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from recorded import worlds
from recorded.comparing import HERE

VERSION = "v0.1"
MODELS, RUNS, EXPECTED = HERE / VERSION / "models", HERE / VERSION / "runs", f"{VERSION}/expected.json"
HEADER = {"tutelage": json.dumps({"format": 1, "meta": None})}
"""As version 0.1 writes it into the files of models."""

OF_IMAGES, OF_THE_BACKBONE = ("small_cnn", "wide_resnet", "unet"), ("image_frozen", "image_whole")
NAMES = (
    "rows_head", "rows_linear", "texts_frozen", "texts_whole", "words_frozen", "words_whole", "words_whole_linear",
    *OF_THE_BACKBONE, *OF_IMAGES,
)  # fmt: skip


def fill(folder: Path) -> Path:
    """Write model.safetensors into a copy of a model's folder, by its tensors.json, and return its path."""
    path, told = folder / "model.safetensors", json.loads((folder / "tensors.json").read_text(encoding="utf-8"))
    path.write_bytes(save({one["name"]: tensor(one) for one in told}, metadata=HEADER))
    return path


def tensor(one: dict[str, Any]) -> torch.Tensor:
    """A tensor as tensors.json describes it: spread evenly from its least value to its greatest."""
    kind = getattr(torch, one["dtype"])
    if not kind.is_floating_point:
        return torch.full(one["shape"], one["low"], dtype=kind)
    drawn = torch.rand(one["shape"], generator=torch.Generator().manual_seed(one["seed"]), dtype=kind)
    return drawn.mul_(one["high"] - one["low"]).add_(one["low"])


def describe(name: str, value: torch.Tensor, seed: int) -> dict[str, Any]:
    """What `tensor` needs to make one of about the same mean and spread, and no value beyond this one's."""
    one = {"name": name, "shape": list(value.shape), "dtype": str(value.dtype).removeprefix("torch."), "seed": seed}
    if not value.is_floating_point():
        return one | {"low": int(value.min())}
    v = value.double()
    half = 3**0.5 * float(v.std(correction=0)) if v.numel() > 1 else 0.0
    low, high = max(float(v.mean()) - half, float(v.min())), min(float(v.mean()) + half, float(v.max()))
    return one | {"low": float(f"{low:.6g}"), "high": float(f"{high:.6g}")}


def items(name: str) -> Any:
    """Three new items for a model."""
    if name.startswith("rows"):
        return worlds.digits().new[:3]
    if name.startswith("texts"):
        return worlds.texts(3, 4).text.tolist()
    if name.startswith("words"):
        return worlds.tagged(3, 3).tokens.tolist()
    return worlds.squares(3, 5).pixels
