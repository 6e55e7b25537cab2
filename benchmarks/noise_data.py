"""Frozen features with clean labels, and the noisy labels of every setting, the same for every method.

python benchmarks/noise_data.py     computes the features that are missing: about a quarter of an hour on one core
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch

import image_splits
from splits import data_root
from tutelage.data.sources import cache_folder
from tutelage.distil import noise
from tutelage.modalities.encoder import load_encoder
from tutelage.modalities.images.networks import load_backbone
from tutelage.modalities.text.features import encode

SIZE = 112
"""Side to which the images of Fashion-MNIST are resized for the encoder, in pixels."""

DIRECTIONS = 512
"""Features of images are projected on so many directions, the first singular ones of the part to learn from; the
paper's encoder has as many outputs."""

SUBSET = 0.8
"""Share of the rows that a seed draws where the noisy labels are given, so that seeds differ."""

HUMAN = ("aggregate", "random1", "worst")
PLANTED = tuple(f"symmetric {r}" for r in (0, 20, 40, 60, 80)) + tuple(
    f"{kind} {r}" for kind in ("leaning", "next_class") for r in (20, 40)
)
TRANSITIONS = {"symmetric": noise.symmetric, "leaning": noise.leaning, "next_class": noise.next_class}


@dataclass(frozen=True)
class Data:
    """Features (n, d), float32, and true class numbers (n,) of the part to learn from and of the part to test on.

    Args:
        human: noisy labels of the part to learn from, (n,), by name.
    """

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    human: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        return int(self.y.max()) + 1

    def settings(self) -> tuple[str, ...]:
        return (*PLANTED, *self.human)

    def noisy(self, setting: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows learnt from, and their noisy labels."""
        if setting in self.human:
            rows = np.random.default_rng(seed).permutation(len(self.y))[: round(SUBSET * len(self.y))]
            return np.sort(rows), self.human[setting][np.sort(rows)]
        kind, rate = setting.split()
        transition = TRANSITIONS[kind](self.classes, int(rate) / 100)
        return np.arange(len(self.y)), noise.corrupt(self.y, transition, seed)


@lru_cache
def cifar10() -> Data:
    """CIFAR-10 by the ImageNet EfficientNet-Lite0, with the labels that people gave (CIFAR-10N)."""
    found = image_splits.cifar10()
    folder = data_root() / "cifar10"
    index = pd.read_parquet(folder / "train.parquet", columns=["label"]).sample(len(found.y), random_state=0).index
    table = pd.read_parquet(folder / "cifar10n_labels.parquet").set_index("index").loc[index]
    if not (table.clean.to_numpy() == found.y).all():
        raise ValueError(f"{folder / 'cifar10n_labels.parquet'}: its clean labels are not those of the features' rows")
    human = {name: table[name].to_numpy(dtype=np.int64) for name in HUMAN}
    x, test_x = _projected(found.x, found.test_x)
    return Data(x, found.y, test_x, found.test_y, human)


@lru_cache
def fashion() -> Data:
    """Fashion-MNIST by the same encoder; 12,000 training and 4,000 test images drawn with seed 0."""
    sizes = {"train": image_splits.POOL, "test": image_splits.TEST}
    file = cache_folder() / "features" / f"fashion-{'-'.join(map(str, sizes.values()))}-{SIZE}.npz"
    if not file.exists():
        images, parts = np.load(data_root() / "fashion_mnist" / "fashion_mnist.npz"), {}
        for part, count in sizes.items():
            drawn = np.sort(np.random.default_rng(0).permutation(len(images[f"y_{part}"]))[:count])
            y = images[f"y_{part}"][drawn].astype(np.int64)
            parts |= {f"{part}_x": _encode(images[f"x_{part}"][drawn]), f"{part}_y": y}
        _save(file, parts)
    found = np.load(file)
    x, test_x = _projected(found["train_x"], found["test_x"])
    return Data(x, found["train_y"], test_x, found["test_y"])


@lru_cache
def ag_news() -> Data:
    """AG News by MiniLM, all rows."""
    file = cache_folder() / "features" / "ag_news-whole.npz"
    if not file.exists():
        table, encoder, parts = pd.read_parquet(data_root() / "ag_news" / "ag_news.parquet"), load_encoder(), {}
        for part, rows in table.groupby("split"):
            x = encode(list(rows.text), encoder, cache_folder() / "features")
            parts |= {f"{part}_x": x, f"{part}_y": rows.label.to_numpy(dtype=np.int64)}
        _save(file, parts)
    found = np.load(file)
    return Data(found["train_x"], found["train_y"], found["test_x"], found["test_y"])


DATA = {"cifar10": cifar10, "fashion": fashion, "ag_news": ag_news}


def _projected(x: np.ndarray, test_x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wide = x.astype(np.float64)
    basis = np.linalg.eigh(wide.T @ wide)[1][:, ::-1][:, :DIRECTIONS].astype(np.float32)
    return x @ basis, test_x @ basis


def _save(file: Path, parts: dict[str, np.ndarray]) -> None:
    """Written whole or not at all."""
    part = file.with_suffix(".part.npz")
    np.savez(part, **parts)
    part.replace(file)


@torch.inference_mode()
def _encode(grey: np.ndarray) -> np.ndarray:
    """Features of grey images, (n, h, w), in three equal channels."""
    backbone, rows = load_backbone(SIZE), []
    for start in range(0, len(grey), 64):
        pixels = torch.as_tensor(grey[start : start + 64])[:, None].expand(-1, 3, -1, -1)
        rows.append(backbone(pixels / 255).numpy())
    return np.concatenate(rows)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, load in DATA.items():
        print(name, load().x.shape, load().test_x.shape, flush=True)
