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
from tutelage.modalities.images.examples import Images, SegmentImages
from tutelage.modalities.images.masks import read_masks
from tutelage.modalities.images.networks import load_backbone
from tutelage.tasks import Classification, Segmentation

POOL, TEST = 12_000, 4_000
"""Images of each part of CIFAR-10, drawn with seed 0."""

FASHION_TRAIN, FASHION_VALID = 6_000, 5_000
"""Images of each part of Fashion-MNIST's training set, drawn with seed 0."""

CAMVID_SIZE = (120, 160)


@dataclass(frozen=True)
class Features:
    """Features (n, d) and class numbers (n,) of the part to learn from and of the part to test on."""

    x: np.ndarray
    y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray

    def labelled(self, count: int, seed: int) -> np.ndarray:
        """Numbers of ``count`` images, as many of each class."""
        return _of_each_class(self.y, count, seed)


@dataclass(frozen=True)
class Part:
    """Images and the class numbers of their units, -1 = unknown."""

    images: Images
    y: np.ndarray

    def subset(self, index: np.ndarray) -> Part:
        return Part(self.images.subset(index), self.y[self.images.units(index)])


@dataclass(frozen=True)
class ImageSplit:
    """The part to learn from, that to choose learning rates by, and that to test on."""

    task: Classification
    train: Part
    valid: Part
    test: Part

    def labelled(self, count: int, seed: int) -> np.ndarray:
        """Numbers of ``count`` images: as many of each class; of a video, one of each of as many equal stretches."""
        if not isinstance(self.task, Segmentation):
            return _of_each_class(self.train.y, count, seed)
        ends = np.linspace(0, len(self.train.images), count + 1).astype(int)
        return np.random.default_rng(seed).integers(ends[:-1], ends[1:])


def _of_each_class(y: np.ndarray, count: int, seed: int) -> np.ndarray:
    rng, classes = np.random.default_rng(seed), np.unique(y)
    each = count // len(classes)
    return np.concatenate([rng.permutation(np.flatnonzero(y == c))[:each] for c in classes])


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


@lru_cache
def fashion() -> ImageSplit:
    """Fashion-MNIST, its grey in three channels; the test set is whole."""
    found = np.load(data_root() / "fashion_mnist" / "fashion_mnist.npz")
    order = np.random.default_rng(0).permutation(len(found["y_train"]))

    def part(name: str, index: np.ndarray) -> Part:
        pixels = np.repeat(found[f"x_{name}"][index][..., None], 3, axis=-1)
        return Part(Images(pixels, pixels.shape[1:3]), found[f"y_{name}"][index].astype(np.int64))

    train, valid = np.sort(order[:FASHION_TRAIN]), np.sort(order[-FASHION_VALID:])
    test = np.arange(len(found["y_test"]))
    return ImageSplit(Classification(10), part("train", train), part("train", valid), part("test", test))


@lru_cache
def cifar10_pixels() -> ImageSplit:
    """CIFAR-10 whole: 45,000 images to learn from, 5,000 to choose by, the official test set."""
    tables = {part: pd.read_parquet(data_root() / "cifar10" / f"{part}.parquet") for part in ("train", "test")}
    order = np.random.default_rng(0).permutation(len(tables["train"]))

    def part(table: pd.DataFrame) -> Part:
        pixels = np.stack([np.asarray(Image.open(io.BytesIO(b)).convert("RGB")) for b in table.image])
        return Part(Images(pixels, (32, 32)), table.label.to_numpy(dtype=np.int64))

    train, valid = (part(tables["train"].iloc[np.sort(i)]) for i in (order[:45_000], order[45_000:]))
    return ImageSplit(Classification(10), train, valid, part(tables["test"]))


@lru_cache
def camvid() -> ImageSplit:
    """CamVid's own three parts, at two thirds of the staged size."""
    table = pd.read_parquet(data_root() / "camvid" / "camvid_240x180.parquet").sort_values("id")

    def part(name: str) -> Part:
        rows = table[table.split == name]
        images = SegmentImages(list(rows["image"]), CAMVID_SIZE, cache=2**30, workers=1)
        return Part(images, read_masks(list(rows["mask"]), CAMVID_SIZE, void=[11], classes=11, workers=1).targets())

    return ImageSplit(Segmentation(11), part("train"), part("valid"), part("test"))


@torch.inference_mode()
def _encode(images: list[bytes]) -> np.ndarray:
    backbone, rows = load_backbone(), []
    for start in range(0, len(images), 64):
        pixels = [np.asarray(Image.open(io.BytesIO(b)).convert("RGB")) for b in images[start : start + 64]]
        rows.append(backbone(torch.tensor(np.stack(pixels)).movedim(-1, 1) / 255).numpy())
    return np.concatenate(rows)


if __name__ == "__main__":
    print(cifar10().x.shape)
