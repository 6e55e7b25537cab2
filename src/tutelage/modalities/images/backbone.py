"""Pretrained encoders of images: EfficientNet-Lite with ImageNet's weights, and a classifier that trains one whole."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from tutelage import weights
from tutelage.modalities.head import Head
from tutelage.modalities.images.networks import ImageBatch, OnImages, require_at_least
from tutelage.ops.checks import lacking, one_of
from tutelage.types import Logits

PooledFeatures = Float[Tensor, "b d"]
"""Features of images, one row for each."""

BACKBONE = "efficientnet-lite0"
"""The default encoder of images."""
LITE = (BACKBONE, "efficientnet-lite2")
"""Names of the EfficientNet-Lites, whose files of weights are in the catalogue of weights."""


class ImageEncoder(OnImages):
    """Base class of the pretrained encoders: pooled features of images of any size, (b, 3, h, w) to (b, width).

    Images are resized to a square (bilinear, antialiased) and normalised as in the encoder's training.

    Attributes:
        name: name that the user gave.
        width: number of features.
        shape: constructor arguments; "size" is the side of the square, in pixels.
    """

    name: str
    width: int

    def forward(self, x: ImageBatch) -> PooledFeatures:
        x = self.normalise(x)
        size = (self.shape["size"], self.shape["size"])
        if x.shape[2:] != size:
            x = interpolate(x, size=size, mode="bilinear", antialias=True)
        return self.pooled(x)

    @abstractmethod
    def pooled(self, x: Tensor) -> Tensor:
        """Features, (b, width), of normalised images of the encoder's own size."""

    @property
    def config(self) -> Any:
        """Configuration of the transformers library; None where the name says all."""
        return None

    def save_architecture(self, folder: Path) -> None:
        """Write what the encoder is built from into a folder, without its weights; nothing where its name says all."""


class Backbone(ImageEncoder):
    """EfficientNet-Lite without its last layer: 1,280 features, the means over places of the last convolution.

    Images are normalised to (255 x - 127) / 128, as in its training. The weights are random; `load_backbone` gives
    those of ImageNet.

    Args:
        size: side of the square, in pixels, at least 32. The weights were trained at 224 (Lite0) and 260 (Lite2); 128
            takes a third of the time, or a quarter.
        name: "efficientnet-lite0" or "efficientnet-lite2".

    Attributes:
        width: number of features, 1280.

    Raises:
        ImportError: the packages of the extra "images" are missing.

    Source: Tan and Le (EfficientNet), ICML 2019; Lite is the variant without squeeze-and-excitation, with ReLU6.
    """

    width = 1280

    def __init__(self, size: int = 128, name: str = BACKBONE) -> None:
        require_at_least(size=(size, 32))
        one_of("encoder", name, LITE)
        super().__init__({"size": size, "name": name}, least=1, mean=127 / 255, std=128 / 255)
        self.name = name
        self.net = _network().from_name(name, image_size=None)  # None: pads by the size it sees
        self.net._fc = nn.Identity()

    def pooled(self, x: Tensor) -> Tensor:
        features: Tensor = self.net.extract_features(x).mean((2, 3))
        return features


def load_backbone(size: int = 128, name: str = BACKBONE) -> Backbone:
    """An EfficientNet-Lite with its weights of ImageNet, in evaluation mode.

    Args:
        size: side of the square that images are resized to, in pixels, at least 32.
        name: "efficientnet-lite0" or "efficientnet-lite2".

    Raises:
        ImportError: the packages of the extra "images" are missing.
        OSError: the weights are not here; the message says how to get them.

    >>> load_backbone()(torch.rand(2, 3, 60, 80)).shape  # doctest: +SKIP
    torch.Size([2, 1280])
    """
    backbone = Backbone(size, name)
    state = torch.load(_file_of(name), map_location="cpu", weights_only=True)
    backbone.net.load_state_dict({name: t for name, t in state.items() if not name.startswith("_fc.")})
    return backbone.eval()


class BackboneClassifier(nn.Module):
    """A backbone and a linear head, trained whole.

    Args:
        backbone: `Backbone`, or another module that gives features, (b, width), of images, (b, 3, h, w); it is trained
            in place.
        classes: number of classes c, at least 2.
        width: number of features; 0 takes the backbone's attribute ``width``.
        dropout: share of the features dropped in training, in [0, 1).

    Raises:
        ValueError: neither ``width`` nor the backbone gives the number of features.

    >>> BackboneClassifier(nn.Flatten(), 4, width=3 * 8 * 8)(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 4])
    """

    def __init__(self, backbone: nn.Module, classes: int, width: int = 0, dropout: float = 0.1) -> None:
        super().__init__()
        width = width or int(getattr(backbone, "width", 0))
        require_at_least(classes=(classes, 2), width=(width, 1))
        self.backbone = backbone
        self.head = Head(width, classes, dropout=dropout)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.head.classes

    def forward(self, x: ImageBatch) -> Logits:
        logits: Tensor = self.head(self.backbone(x))
        return logits


def _network() -> Any:
    """Class of the EfficientNet-Lites."""
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as e:
        raise lacking("the ImageNet backbone", "images", e) from e
    return EfficientNet


def _file_of(name: str) -> Path:
    """File of the weights of an EfficientNet-Lite."""
    folder, entry = weights.path_of(name), weights.named(name)
    if folder is None and name == BACKBONE:  # it comes with the extra
        raise lacking("the ImageNet backbone", "images", ImportError(f"No module named {entry.module!r}"))
    if folder is None:
        raise OSError(f"encoder {name!r} is not here yet: tutelage models get {name} ({entry.megabytes} MB)")
    return folder / next(iter(entry.files))
