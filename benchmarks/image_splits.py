"""Images cut the same way for every method: pool, test, and labels drawn by seed; frozen features, computed once.

python benchmarks/image_splits.py     computes the features: about a quarter of an hour on two cores
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
import torch
from PIL import Image

from splits import data_root
from tutelage.data.sources import cache_folder
from tutelage.models.vision import load_backbone

POOL, TEST = 12_000, 4_000
"""Images of each part, drawn with seed 0."""


@dataclass(frozen=True)
class Features:
    """Features (n, d) and class numbers (n,) of the part to learn from and of the part to test on."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray

    def labelled(self, count: int, seed: int) -> np.ndarray:
        """Numbers of ``count`` images, as many of each class."""
        rng, classes = np.random.default_rng(seed), np.unique(self.y)
        each = count // len(classes)
        return np.concatenate([rng.permutation(np.flatnonzero(self.y == c))[:each] for c in classes])


@lru_cache
def cifar10() -> Features:
    """CIFAR-10 by the ImageNet EfficientNet-Lite0."""
    file = cache_folder() / "features" / f"cifar10-{POOL}-{TEST}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        parts = {}
        for part, count in (("train", POOL), ("test", TEST)):
            table = pd.read_parquet(data_root() / "cifar10" / f"{part}.parquet").sample(count, random_state=0)
            parts |= {f"{part}_x": _encode(list(table.image)), f"{part}_y": table.label.to_numpy(dtype=np.int64)}
        np.savez(file, **parts)
    found = np.load(file)
    return Features(found["train_x"], found["train_y"], found["test_x"], found["test_y"])


@torch.inference_mode()
def _encode(images: list[bytes]) -> np.ndarray:
    backbone, rows = load_backbone(), []
    for start in range(0, len(images), 64):
        pixels = [np.asarray(Image.open(io.BytesIO(b)).convert("RGB")) for b in images[start : start + 64]]
        rows.append(backbone(torch.tensor(np.stack(pixels)).movedim(-1, 1) / 255).numpy())
    return np.concatenate(rows)


if __name__ == "__main__":
    print(cifar10().x.shape)
