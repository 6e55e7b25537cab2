"""Readers of images: one for the backbone, one for networks that are trained from random weights."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Features
from tutelage.data.view_loader import Augmentation
from tutelage.files import BadFileError
from tutelage.modalities.base import HowRead, about_own, cannot_be_saved, own_of
from tutelage.modalities.cache import CachedEncoding, Caches
from tutelage.modalities.fingerprint import fingerprint_of, placed
from tutelage.modalities.head import Head
from tutelage.modalities.images.backbone import BACKBONE, LITE, BackboneClassifier, ImageEncoder
from tutelage.modalities.images.decoding import Size, Source, bytes_of
from tutelage.modalities.images.examples import Images, SegmentImages
from tutelage.modalities.images.networks import VISION
from tutelage.modalities.images.views import Strong, Weak
from tutelage.modalities.images.vision import blank_image_encoder, load_image_encoder
from tutelage.modalities.precision import cache_name, computing

LONGEST = {**dict.fromkeys(LITE, 128), "small_cnn": 64, "wide_resnet": 64, "unet": 160}
"""Longest side of the images that each network gets by default, in pixels."""
IMAGES_A_BATCH = 8
"""Number of images in a batch of the encoder, at most: from 16 on some convolutions add up in another order."""
IMAGES_A_CHUNK = 2048
"""Number of images whose features are computed before they are written."""
CACHE = 2**28
"""Number of bytes of resized images that stay decoded, at most."""
SHAPES: dict[str, dict[str, Any]] = {"unet": {"width": 16}}
"""Arguments of the networks other than their defaults: a U-Net half as wide takes a third of the time."""

Picture = Source | np.ndarray
"""An encoded image, its path, or its pixels, (h, w, 3) or (h, w) of uint8."""


@dataclass(frozen=True)
class Disturbed:
    """A strong view of a picture. It is drawn by the seed and the picture's content, so that it is always the same.

    Attributes:
        picture: the picture.
        seed: seed of the draw.
        flip: whether the view may be mirrored.
    """

    picture: Picture
    seed: int
    flip: bool = True


def size_for(network: str, sizes: np.ndarray | None = None) -> Size:
    """Height and width, in pixels, that images are resized to by default: their median, shrunk to the `LONGEST` side.

    For an EfficientNet-Lite it is a square of that side.

    Args:
        network: name of the network; of one that is not in `LONGEST` the side is that of "small_cnn".
        sizes: heights and widths, (n, 2); rows of 0 are bad images and do not count. Encoders need none.

    >>> size_for("unet", np.array([[180, 240]])), size_for("small_cnn", np.array([[28, 28]]))
    ((120, 160), (28, 28))
    """
    longest = LONGEST.get(network, LONGEST["small_cnn"])
    if network in LITE:
        return longest, longest
    assert sizes is not None
    h, w = np.median(sizes[sizes.min(1) > 0], axis=0)
    shrunk = min(1.0, longest / max(h, w))
    least = 16 if network == "unet" else 8
    return max(round(h * shrunk), least), max(round(w * shrunk), least)


def as_examples(pictures: Sequence[Picture] | np.ndarray, size: Size, device: torch.device | str = "cpu") -> Images:
    """Examples of one size made of pictures.

    Args:
        pictures: n pictures: encoded images or paths, or arrays of one shape.
        size: height and width that images are resized to, in pixels.
        device: device of the batches.
    """
    if len(pictures) and not isinstance(pictures, np.ndarray) and isinstance(pictures[0], np.ndarray):
        pictures = np.stack(pictures)  # type: ignore[arg-type]
    return Images(pictures, size, device=device, cache=CACHE)  # type: ignore[arg-type]


def views(flip: bool, names: Collection[str]) -> dict[str, Augmentation]:
    """Augmentations by the view's name: `Strong` for "strong", else `Weak`; "weak" is always among them.

    Args:
        flip: whether views may be mirrored.
        names: names of the views that a method reads.
    """
    made: dict[str, Augmentation] = {name: Weak(flip=flip) for name in ("weak", *names)}
    return made | ({"strong": Strong(flip=flip)} if "strong" in names else {})


@dataclass(frozen=True)
class ImagePass:
    """The frozen encoder, which gives one row of features for each image.

    Attributes:
        backbone: encoder with its weights, in evaluation mode.
    """

    backbone: ImageEncoder
    a_chunk = IMAGES_A_CHUNK
    a_sample = 32

    @property
    def width(self) -> int:
        return self.backbone.width

    def key(self, item: Picture | Disturbed) -> bytes:
        return picture_key(item)

    def keys(self, key: bytes, item: Picture | Disturbed) -> list[bytes]:
        return [key]

    def batches(
        self, items: Sequence[Picture | Disturbed], keys: Sequence[bytes]
    ) -> Iterator[tuple[Sequence[int], np.ndarray]]:
        for start in range(0, len(items), IMAGES_A_BATCH):
            some = items[start : start + IMAGES_A_BATCH]
            yield range(start, start + len(some)), self.rows(some)

    @torch.inference_mode()
    def rows(self, items: Sequence[Picture | Disturbed]) -> np.ndarray:
        """Features of a batch of n images, (n, width)."""
        device, size = next(self.backbone.parameters()).device, self.backbone.shape["size"]
        plain = [item.picture if isinstance(item, Disturbed) else item for item in items]
        x = torch.cat([as_examples([p], (size, size)).take(np.arange(1)) for p in plain])
        for i, item in enumerate(items):
            if isinstance(item, Disturbed):
                x[i : i + 1] = Strong(flip=item.flip)(x[i : i + 1], _seed(item)).images
        with computing(self.backbone):
            found = self.backbone(x.to(device))
        return np.asarray(found.float().cpu())


@dataclass(frozen=True)
class ImageReader:
    """Reader of images for a pretrained encoder, frozen or trained whole.

    Args:
        backbone: encoder with its weights, in evaluation mode; images are resized to its size.
        flip: whether images are mirrored at random in views.
        caches: feature caches that were opened.
    """

    backbone: ImageEncoder
    flip: bool = True
    caches: Caches = field(default_factory=Caches, repr=False, compare=False)
    name: ClassVar[str] = "image"
    per_feature: ClassVar[bool] = False
    still: ClassVar[str] = "frozen"
    encodes: ClassVar[bool] = True
    adapts: ClassVar[bool] = False

    @property
    def says(self) -> str:
        """Name of the encoder."""
        return self.backbone.name

    @property
    def size(self) -> Size:
        """Height and width, in pixels, that images are resized to."""
        return (self.backbone.shape["size"],) * 2

    def seen(self, items: Sequence[Any]) -> int:
        return 0

    def fitted(self, items: Sequence[Picture]) -> Self:
        return self

    def reads(self, items: Sequence[Picture]) -> HowRead | None:
        return None

    def encoding(self, parts: Sequence[Sequence[Picture | Disturbed]], cache: Path | None) -> CachedEncoding:
        store = self.caches.at(cache, cache_name(self.fingerprint, self.backbone), self.backbone.width)
        return CachedEncoding(parts, ImagePass(self.backbone), store, _one_row_each)

    def disturbed(self, items: Sequence[Picture], share: float, seed: int) -> list[Disturbed]:
        """Strong views of the images; ``share`` has no influence on them."""
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

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the encoder's weights and architecture, and of the images' size. Computed once."""
        config = self.backbone.config
        return self.earlier_fingerprint if config is None else fingerprint_of(self.earlier_fingerprint, config)

    @cached_property
    def earlier_fingerprint(self) -> str:
        """Hash of the encoder's weights and of the images' size, by which models before 0.4 know it."""
        digest = hashlib.blake2b(str(self.size).encode(), digest_size=8)
        for tensor in self.backbone.state_dict().values():
            digest.update(tensor.cpu().numpy().tobytes())
        return digest.hexdigest()

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        frozen = isinstance(network, Head)
        if not frozen and not isinstance(network, BackboneClassifier):
            raise cannot_be_saved(network)
        fingerprint = self.fingerprint if frozen else None
        if not frozen:
            self.backbone.save_architecture(folder / "encoder")
        return {"backbone": placed(self.says), "size": list(self.size), "flip": self.flip, "fingerprint": fingerprint}

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> ImageReader:
        name, side, fingerprint = about.get("backbone", BACKBONE), int(about["size"][0]), about["fingerprint"]
        blank = blank_image_encoder(name, side, folder / "encoder") if fingerprint is None else None
        reader = cls(blank or load_image_encoder(name, side), about["flip"])
        if fingerprint not in (None, reader.fingerprint, reader.earlier_fingerprint):
            raise BadFileError(f"{folder}: the encoder {name!r} is not the one this model was trained with")
        return reader

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        assert head is not None
        return head if about["fingerprint"] is not None else self.with_head(head)


def _one_row_each(rows: Tensor, items: Sequence[Picture | Disturbed]) -> Features:
    return Features(rows)


@dataclass(frozen=True)
class PixelReader:
    """Reader of images for a network that is trained on them from random weights.

    Args:
        says: name of the network, one of `VISION`; or "own".
        size: height and width that images are resized to, in pixels.
        flip: whether images are mirrored at random in views.
        per_pixel: whether each pixel is a unit; else each image is one.
        shape: constructor arguments of the network, besides the number of classes.
        make: function that makes the user's own network; None takes that of ``says``.
    """

    says: str
    size: Size
    flip: bool = True
    per_pixel: bool = False
    shape: Mapping[str, Any] = field(default_factory=dict)
    make: Callable[[], nn.Module] | None = None
    name: ClassVar[str] = "pixels"

    def examples(self, items: Sequence[Picture], device: torch.device | str = "cpu") -> Images:
        plain = as_examples(items, self.size, device)
        return SegmentImages(plain.sources, self.size, device=device, cache=CACHE) if self.per_pixel else plain

    def network(self, classes: int) -> nn.Module:
        if self.make is not None:
            return self.make()
        return VISION[self.says](classes, **{**SHAPES.get(self.says, {}), **self.shape})

    def reads(self, items: Sequence[Picture]) -> HowRead | None:
        return None

    def views(self, names: Collection[str]) -> Mapping[str, Augmentation]:
        return views(self.flip, names)

    def to(self, device: torch.device | str) -> PixelReader:
        return self

    def about(self, network: nn.Module, folder: Path) -> dict[str, Any]:
        names = [name for name, kind in VISION.items() if type(network) is kind]
        how = {"size": list(self.size), "flip": self.flip, "per_pixel": self.per_pixel}
        if not names:
            return {"network": self.says, "shape": {}} | how | about_own(self.make, network)
        shape = network.shape  # the constructor's arguments
        return {"network": names[0], "shape": shape} | how

    @classmethod
    def restored(cls, about: dict[str, Any], folder: Path) -> PixelReader:
        size = (int(about["size"][0]), int(about["size"][1]))
        return cls(about["network"], size, about["flip"], about["per_pixel"], make=own_of(about))

    def fill(self, about: dict[str, Any], head: Head | None, classes: int) -> nn.Module:
        return VISION[about["network"]](**about["shape"]) if self.make is None else self.make()


def picture_key(item: Picture | Disturbed) -> bytes:
    """Hash of an image's content, the key of its features in the cache."""
    if isinstance(item, Disturbed):
        view = f"{item.seed} {item.flip}".encode()
        return hashlib.blake2b(picture_key(item.picture) + view, digest_size=16).digest()
    if isinstance(item, np.ndarray):
        return hashlib.blake2b(str(item.shape).encode() + item.tobytes(), digest_size=16).digest()
    return hashlib.blake2b(bytes_of(item), digest_size=16).digest()


def _seed(item: Disturbed) -> int:
    return int.from_bytes(picture_key(item)[:4], "big")
