"""What reads the user's images for a network: frozen features, or the images to train on."""

from __future__ import annotations

import copy
import hashlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from tutelage.data import Features
from tutelage.data.view_loader import Augmentation
from tutelage.modalities.cache import FeatureCache
from tutelage.modalities.head import Head
from tutelage.modalities.images.decoding import Size, Source
from tutelage.modalities.images.examples import Images, SegmentImages
from tutelage.modalities.images.networks import VISION, Backbone, BackboneClassifier
from tutelage.modalities.images.views import Strong, Weak

BACKBONE = "efficientnet-lite0"
LONGEST = {BACKBONE: 128, "small_cnn": 64, "wide_resnet": 64, "unet": 160}
"""The most pixels that a side of the images has by default, for what they are shown to."""
IMAGES_A_BATCH, IMAGES_A_FILE = 32, 2048
CACHE = 2**28
"""Bytes of images, at the size that the network sees, that stay decoded."""
SHAPES: dict[str, dict[str, Any]] = {"unet": {"width": 16}}
"""Of the networks, where it is not their own default: a U-Net half as wide takes a third of the time."""

Picture = Source | np.ndarray
"""An encoded image, its path, or its pixels, (h, w, 3) or (h, w) of uint8."""


@dataclass(frozen=True)
class Disturbed:
    """A strong view of a picture; ``seed`` and the picture's content draw it, so that it is always the same one."""

    picture: Picture
    seed: int
    flip: bool = True


def size_for(network: str, sizes: np.ndarray) -> Size:
    """The height and width that images are brought to: their median, made smaller where its longer side is too long.

    The backbone wants a square.

    Args:
        network: one of `LONGEST`.
        sizes: heights and widths, (n, 2); rows of 0 are bad images and do not count.

    >>> size_for("unet", np.array([[180, 240]])), size_for("small_cnn", np.array([[28, 28]]))
    ((120, 160), (28, 28))
    """
    longest = LONGEST[network]
    if network == BACKBONE:
        return longest, longest
    h, w = np.median(sizes[sizes.min(1) > 0], axis=0)
    shrunk = min(1.0, longest / max(h, w))
    least = 16 if network == "unet" else 8
    return max(round(h * shrunk), least), max(round(w * shrunk), least)


def as_examples(pictures: Sequence[Picture] | np.ndarray, size: Size, device: torch.device | str = "cpu") -> Images:
    """Pictures of one kind as examples of one size."""
    if len(pictures) and not isinstance(pictures, np.ndarray) and isinstance(pictures[0], np.ndarray):
        pictures = np.stack(pictures)  # type: ignore[arg-type]
    return Images(pictures, size, device=device, cache=CACHE)  # type: ignore[arg-type]


def views(flip: bool, names: Collection[str]) -> dict[str, Augmentation]:
    """What a method that reads the images sees of them, by the names it asks for."""
    made: dict[str, Augmentation] = {name: Weak(flip=flip) for name in ("weak", *names)}
    return made | ({"strong": Strong(flip=flip)} if "strong" in names else {})


@dataclass(frozen=True)
class ImageReader:
    """Images, seen by the packaged backbone: as rows of features, or trained with it.

    Args:
        backbone: with its weights, in evaluation mode; its size is that of the images.
        flip: a mirrored image is of the same class.
    """

    backbone: Backbone
    flip: bool = True
    kind: ClassVar[str] = "image"

    @property
    def size(self) -> Size:
        return (self.backbone.shape["size"],) * 2

    def features(
        self,
        items: Sequence[Picture | Disturbed],
        cache: Path,
        device: torch.device | str = "cpu",
        tick: Callable[[int, int], None] | None = None,
    ) -> Features:
        """Features of the frozen backbone, (n, width), computed once and kept in the cache by the images' content."""
        store = FeatureCache(cache / self.fingerprint())
        keys = [picture_key(item) for item in items]
        missing = [(k, i) for k, i in dict(zip(keys, items, strict=True)).items() if k not in store]
        for start in range(0, len(missing), IMAGES_A_FILE):
            chunk = missing[start : start + IMAGES_A_FILE]
            rows = []
            for i in range(0, len(chunk), IMAGES_A_BATCH):
                rows.append(self._rows([item for _, item in chunk[i : i + IMAGES_A_BATCH]]))
                if tick:
                    tick(start + i + len(rows[-1]), len(missing))
            store.add([k for k, _ in chunk], np.concatenate(rows))
        return Features(torch.as_tensor(store.rows(keys, self.backbone.width)).to(device))

    @torch.inference_mode()
    def _rows(self, items: Sequence[Picture | Disturbed]) -> np.ndarray:
        device = next(self.backbone.parameters()).device
        plain = [item.picture if isinstance(item, Disturbed) else item for item in items]
        x = torch.cat([as_examples([p], self.size).take(np.arange(1)) for p in plain])
        for i, item in enumerate(items):
            if isinstance(item, Disturbed):
                x[i : i + 1] = Strong(flip=item.flip)(x[i : i + 1], _seed(item)).images
        return np.asarray(self.backbone(x.to(device)).float().cpu())

    def pending(self, items: Sequence[Picture | Disturbed], cache: Path) -> tuple[int, float]:
        """How many different images have no features yet, and about how many seconds they take."""
        store = FeatureCache(cache / self.fingerprint())
        missing = list({k: item for item in items if (k := picture_key(item)) not in store}.values())
        if not missing:
            return 0, 0.0
        sample = missing[:: max(len(missing) // IMAGES_A_BATCH, 1)][:IMAGES_A_BATCH]
        self._rows(sample[:2])  # the first pass is slower than the rest
        start = time.perf_counter()
        self._rows(sample)
        return len(missing), (time.perf_counter() - start) * len(missing) / len(sample)

    def disturbed(self, items: Sequence[Picture], share: float, seed: int) -> list[Disturbed]:
        """Strong views of the images; how strong they are does not depend on ``share``."""
        return [Disturbed(item, seed, self.flip) for item in items]

    def examples(self, items: Sequence[Picture], device: torch.device | str = "cpu") -> Images:
        return as_examples(items, self.size, device)

    def network(self, classes: int) -> BackboneClassifier:
        return BackboneClassifier(copy.deepcopy(self.backbone), classes)

    def with_head(self, head: Head) -> BackboneClassifier:
        whole = self.network(head.classes)
        whole.head = copy.deepcopy(head)
        return whole

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return views(self.flip, names)

    def to(self, device: torch.device | str) -> ImageReader:
        self.backbone.to(device)
        return self

    def fingerprint(self) -> str:
        """A hash of the backbone's weights and of the size it sees."""
        digest = hashlib.blake2b(str(self.size).encode(), digest_size=8)
        for tensor in self.backbone.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class PixelReader:
    """Images, as they are shown to a network that is trained on them from nothing.

    Args:
        name: of the network, one of `VISION`; or "own".
        size: height and width that images are brought to.
        flip: a mirrored image is of the same class.
        shape: constructor arguments of the network, besides the classes.
        make: makes the user's own network.
    """

    name: str
    size: Size
    flip: bool = True
    shape: Mapping[str, Any] = field(default_factory=dict)
    make: Callable[[], nn.Module] | None = None
    kind: ClassVar[str] = "pixels"

    def examples(self, items: Sequence[Picture], device: torch.device | str = "cpu") -> Images:
        """The images; each pixel is a unit where the network is a segmenter."""
        plain = as_examples(items, self.size, device)
        return SegmentImages(plain.sources, self.size, device=device, cache=CACHE) if self.name == "unet" else plain

    def network(self, classes: int) -> nn.Module:
        if self.make is not None:
            return self.make()
        return VISION[self.name](classes, **{**SHAPES.get(self.name, {}), **self.shape})

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return views(self.flip, names)

    def to(self, device: torch.device | str) -> PixelReader:
        return self


def picture_key(item: Picture | Disturbed) -> bytes:
    """The hash of an image's content that its features are kept under."""
    if isinstance(item, Disturbed):
        view = f"{item.seed} {item.flip}".encode()
        return hashlib.blake2b(picture_key(item.picture) + view, digest_size=16).digest()
    if isinstance(item, np.ndarray):
        return hashlib.blake2b(str(item.shape).encode() + item.tobytes(), digest_size=16).digest()
    return hashlib.blake2b(item if isinstance(item, bytes) else Path(item).read_bytes(), digest_size=16).digest()


def _seed(item: Disturbed) -> int:
    return int.from_bytes(picture_key(item)[:4], "big")
