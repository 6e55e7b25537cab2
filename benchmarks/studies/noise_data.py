"""Frozen features with clean labels, and the noisy labels of every setting, the same for every method.

python benchmarks/studies/noise_data.py     computes the features that are missing: half an hour on one core
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from tutelage.bench.cells import TRANSITIONS, encoded
from tutelage.bench.protocol import DataSet, data_root
from tutelage.data.sources import cache_folder
from tutelage.distil import noise
from tutelage.files import write_atomically
from tutelage.modalities.images.backbone import load_backbone

DATA_ROOT = data_root(Path(__file__))

POOL, TEST = 12_000, 4_000
"""Images of each part of CIFAR-10 and Fashion-MNIST, drawn with seed 0."""

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

    def projected(self) -> Data:
        """The same on the first DIRECTIONS directions of the features."""
        wide = self.x.astype(np.float64)
        basis = np.linalg.eigh(wide.T @ wide)[1][:, ::-1][:, :DIRECTIONS].astype(np.float32)
        return Data(self.x @ basis, self.y, self.test_x @ basis, self.test_y, self.human)


@lru_cache
def cifar10_whole() -> Data:
    """CIFAR-10 by the ImageNet EfficientNet-Lite0, all its directions, with the labels that people gave (CIFAR-10N)."""
    folder, drawn = DATA_ROOT / "cifar10", {}
    for part, count in (("train", POOL), ("test", TEST)):
        drawn[part] = pd.read_parquet(folder / f"{part}.parquet").sample(count, random_state=0)

    def decoded(part: str) -> Sequence[np.ndarray]:
        return [np.asarray(Image.open(io.BytesIO(b)).convert("RGB")) for b in drawn[part].image]

    found = _kept(f"cifar10-{POOL}-{TEST}", decoded, {p: t.label.to_numpy(dtype=np.int64) for p, t in drawn.items()})
    table = pd.read_parquet(folder / "cifar10n_labels.parquet").set_index("index").loc[drawn["train"].index]
    if not (table.clean.to_numpy() == found.y).all():
        raise ValueError(f"{folder / 'cifar10n_labels.parquet'}: its clean labels are not those of the features' rows")
    human = {name: table[name].to_numpy(dtype=np.int64) for name in HUMAN}
    return Data(found.x, found.y, found.test_x, found.test_y, human)


@lru_cache
def cifar10() -> Data:
    """The same, projected."""
    return cifar10_whole().projected()


@lru_cache
def fashion() -> Data:
    """Fashion-MNIST by the same encoder; its training and test images drawn with seed 0."""
    images = np.load(DATA_ROOT / "fashion_mnist" / "fashion_mnist.npz")
    drawn = {
        part: np.sort(np.random.default_rng(0).permutation(len(images[f"y_{part}"]))[:count])
        for part, count in (("train", POOL), ("test", TEST))
    }

    def coloured(part: str) -> Sequence[np.ndarray]:
        return np.repeat(images[f"x_{part}"][drawn[part]][..., None], 3, axis=-1)

    y = {part: images[f"y_{part}"][rows].astype(np.int64) for part, rows in drawn.items()}
    return _kept(f"fashion-{POOL}-{TEST}-{SIZE}", coloured, y, SIZE).projected()


@lru_cache
def ag_news() -> Data:
    """AG News by MiniLM, all rows."""
    everything = DataSet(name="ag_news", kind="texts", file="ag_news/ag_news.parquet", pool=10**6, scored=10**6)
    cut, learn, test = encoded(everything, DATA_ROOT)
    return Data(learn.numpy(), cut.learn.y, test.numpy(), cut.test.y)


DATA = {"cifar10": cifar10, "fashion": fashion, "ag_news": ag_news}


def _kept(
    name: str, pixels: Callable[[str], Sequence[np.ndarray]], y: dict[str, np.ndarray], size: int | None = None
) -> Data:
    """Features of images by part, from the user's cache after the first time."""
    file = cache_folder() / "features" / f"{name}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        arrays = {f"{part}_x": _seen(pixels(part), size) for part in y} | {f"{part}_y": v for part, v in y.items()}
        np.savez(kept := io.BytesIO(), **arrays)
        write_atomically(file, kept.getvalue())
    found = np.load(file)
    return Data(found["train_x"], found["train_y"], found["test_x"], found["test_y"])


@torch.inference_mode()
def _seen(images: Sequence[np.ndarray], size: int | None) -> np.ndarray:
    """Features of images (h, w, 3)."""
    backbone = load_backbone() if size is None else load_backbone(size)
    parts = (np.stack(list(images[i : i + 64])) for i in range(0, len(images), 64))
    return np.concatenate([backbone(torch.tensor(part).movedim(-1, 1) / 255).numpy() for part in parts])


if __name__ == "__main__":
    torch.set_num_threads(1)
    for name, load in DATA.items():
        print(name, load().x.shape, load().test_x.shape, flush=True)
