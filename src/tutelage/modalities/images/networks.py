"""Networks on images: two classifiers and a segmenter, all with random weights at first.

A batch of images is (b, 3, h, w), float, with values in [0, 1]; each network normalises them itself.
"""

from __future__ import annotations

from itertools import pairwise
from math import gcd
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, max_pool2d, pad

from tutelage.types import Logits

ImageBatch = Float[Tensor, "b 3 h w"]
"""Images in [0, 1]."""
Maps = Float[Tensor, "b c h w"]
"""Logits of pixels."""
NormName = Literal["batch", "group"]
"""Name of a normalisation layer."""


class OnImages(nn.Module):
    """Base class of the networks on images, which checks and normalises them.

    Args:
        shape: constructor arguments, from which a saved network is built again.
        least: least height and width of an image, in pixels.
        mean, std: mean and standard deviation by which the values of all channels are normalised.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, shape: dict[str, Any], least: int, mean: float = 0.5, std: float = 0.25) -> None:
        super().__init__()
        self.shape = shape
        self.least = least
        self.register_buffer("mean", torch.full((3, 1, 1), mean))
        self.register_buffer("std", torch.full((3, 1, 1), std))

    def normalise(self, x: Tensor) -> Tensor:
        """Normalised images, (b, 3, h, w).

        Raises:
            ValueError: the images are not float or not of three channels, or are too small.
        """
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < self.least or not x.is_floating_point():
            raise ValueError(
                f"images must be float, of shape (b, 3, h, w) with h and w at least {self.least}, "
                f"got {str(x.dtype).removeprefix('torch.')} of shape {tuple(x.shape)}"
            )
        return (x - self.mean) / self.std


class _Predictor(OnImages):
    """A network on images that gives logits of classes."""

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.shape["classes"])


class SmallCnn(_Predictor):
    """A small, fast classifier of images of 28 x 28 to 64 x 64 pixels, for a CPU.

    It has three blocks of two convolutions, each with norm and ReLU, and a pooling; then the mean over places.

    Args:
        classes: number of classes c, at least 2.
        width: number of channels of the first block, at least 1; the others have twice and four times as many.
        dropout: share of the pooled features dropped in training, in [0, 1).
        norm: "batch", or "group" where batches are small or of mixed origin.

    >>> SmallCnn(10, width=4)(torch.zeros(2, 3, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, classes: int, width: int = 32, dropout: float = 0.1, norm: NormName = "batch") -> None:
        require_at_least(classes=(classes, 2), width=(width, 1))
        super().__init__({"classes": classes, "width": width, "dropout": dropout, "norm": norm}, least=8)
        widths = (3, width, 2 * width, 4 * width)
        self.blocks = nn.Sequential(*(nn.Sequential(_twice(a, b, norm), nn.MaxPool2d(2)) for a, b in pairwise(widths)))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], classes)
        _initialise(self)

    def forward(self, x: ImageBatch) -> Logits:
        logits: Tensor = self.head(self.dropout(self.blocks(self.normalise(x)).mean((2, 3))))
        return logits


class WideResNet(_Predictor):
    """WRN-depth-width, a residual network of pre-activation blocks with few layers and many channels.

    WRN-28-2 (1.47 million parameters for 10 classes) is the usual network of semi-supervised papers on 32 x 32 images.
    As in FixMatch, activations are leaky ReLUs, and the shortcut of the very first block starts after its activation;
    a shortcut that changes the channels is a 1 x 1 convolution. Batch norm averages with torch's own momentum, 0.1:
    FixMatch's 0.001 takes thousands of steps to forget its start.

    Args:
        classes: number of classes c, at least 2.
        depth: number of layers, 6 n + 4 with n at least 1.
        width: factor on the numbers of channels of the three groups, 16, 32 and 64; at least 1.
        dropout: share dropped between the two convolutions of a block, in [0, 1).
        norm: "batch", or "group" where batches are small or of mixed origin.
        slope: slope of the activations below 0; 0 is the ReLU of the original paper.

    Raises:
        ValueError: depth is no 6 n + 4, or another number is too small.

    Source: Zagoruyko and Komodakis, BMVC 2016; with slope and first shortcut as in Sohn et al. (FixMatch),
    NeurIPS 2020. Initialisation: He et al., ICCV 2015.

    >>> net = WideResNet(10)
    >>> sum(p.numel() for p in net.parameters())
    1467610
    """

    def __init__(
        self,
        classes: int,
        depth: int = 28,
        width: int = 2,
        dropout: float = 0.0,
        norm: NormName = "batch",
        slope: float = 0.1,
    ) -> None:
        require_at_least(classes=(classes, 2), width=(width, 1))
        if depth < 10 or depth % 6 != 4:
            raise ValueError(f"depth must be 6 n + 4 (10, 16, 22, 28, ...), got {depth}")
        shape = {"classes": classes, "depth": depth, "width": width, "dropout": dropout, "norm": norm, "slope": slope}
        super().__init__(shape, least=8)
        self.stem = _conv(3, 16)
        blocks: list[nn.Module] = []
        for group, (before, after) in enumerate(pairwise((16, 16 * width, 32 * width, 64 * width))):
            blocks.append(_PreActivation(before, after, 2 if group else 1, dropout, norm, slope, first=not group))
            blocks += [_PreActivation(after, after, 1, dropout, norm, slope) for _ in range(depth // 6 - 1)]
        self.blocks = nn.Sequential(*blocks)
        self.norm = _norm(norm, 64 * width)
        self.head = nn.Linear(64 * width, classes)
        _initialise(self, slope)

    def forward(self, x: ImageBatch) -> Logits:
        x = self.norm(self.blocks(self.stem(self.normalise(x))))
        logits: Tensor = self.head(leaky_relu(x, self.shape["slope"]).mean((2, 3)))
        return logits


class _PreActivation(nn.Module):
    """A residual block: x + conv(act(norm(conv(act(norm(x)))))); in the first block the shortcut is activated, too."""

    def __init__(
        self,
        before: int,
        after: int,
        stride: int,
        dropout: float,
        norm: NormName,
        slope: float,
        first: bool = False,
    ) -> None:
        super().__init__()
        self.slope, self.first = slope, first
        self.norm1, self.conv1 = _norm(norm, before), _conv(before, after, stride=stride)
        self.norm2, self.conv2 = _norm(norm, after), _conv(after, after)
        self.dropout = nn.Dropout(dropout)
        self.shortcut = _conv(before, after, size=1, stride=stride) if before != after else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        active = leaky_relu(self.norm1(x), self.slope)
        inner = leaky_relu(self.norm2(self.conv1(active)), self.slope)
        added: Tensor = self.shortcut(active if self.first else x) + self.conv2(self.dropout(inner))
        return added


class UNet(_Predictor):
    """A segmenter: poolings lead down, and upsamplings lead up again, joined with the features of each size.

    Convolutions keep the size ("same" padding). An image whose sides are no multiples of 2 ** depth is padded by its
    border pixels, and the logits are cropped. Upsampling is, as in the paper, by 2 x 2 transposed convolutions of
    stride 2, which do not overlap. Unlike bilinear upsampling, their gradient is the same each time on a GPU, so that a
    resumed run can repeat a whole one.

    Args:
        classes: number of classes c, at least 2.
        width: number of channels at full size (64 in the paper), at least 1; it doubles with each pooling.
        depth: number of poolings, at least 1; 4 in the paper.
        norm: "group" (8 groups, or fewer where 8 does not divide the channels), or "batch" where batches are large.

    Source: Ronneberger, Fischer and Brox, MICCAI 2015; norms after Wu and He, ECCV 2018.

    >>> UNet(5, width=4)(torch.zeros(2, 3, 30, 41)).shape
    torch.Size([2, 5, 30, 41])
    """

    def __init__(self, classes: int, width: int = 32, depth: int = 4, norm: NormName = "group") -> None:
        require_at_least(classes=(classes, 2), width=(width, 1), depth=(depth, 1))
        super().__init__({"classes": classes, "width": width, "depth": depth, "norm": norm}, least=16)
        widths = [width << i for i in range(depth + 1)]
        self.down = nn.ModuleList(_twice(a, b, norm) for a, b in pairwise([3, *widths]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:-1]))
        self.merge = nn.ModuleList(_twice(2 * w, w, norm) for w in reversed(widths[:-1]))
        self.head = nn.Conv2d(width, classes, 1)
        _initialise(self)

    def forward(self, x: ImageBatch) -> Maps:
        x = self.normalise(x)
        h, w = x.shape[2:]
        x, (top, left) = _padded(x, 2 ** self.shape["depth"])
        seen = [self.down[0](x)]
        for block in self.down[1:]:
            seen.append(block(max_pool2d(seen[-1], 2)))
        x = seen.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            x = merge(torch.cat([seen.pop(), up(x)], dim=1))
        logits: Tensor = self.head(x[:, :, top : top + h, left : left + w])
        return logits


VISION: dict[str, type[SmallCnn] | type[WideResNet] | type[UNet]] = {
    "small_cnn": SmallCnn,
    "wide_resnet": WideResNet,
    "unet": UNet,
}
"""Classes of the networks, by the name that saved models hold."""


def require_at_least(**numbers: tuple[int, int]) -> None:
    """Check numbers, given by name as pairs of a value and its least value.

    Raises:
        ValueError: a value is too small.
    """
    for name, (value, least) in numbers.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}, got {value}")


def _conv(before: int, after: int, size: int = 3, stride: int = 1) -> nn.Conv2d:
    """A convolution without bias, since a norm with a bias follows."""
    return nn.Conv2d(before, after, size, stride, padding=size // 2, bias=False)


def _norm(kind: NormName, channels: int) -> nn.Module:
    """Normalisation layer of a name; "group" has 8 groups, or as many as divide both 8 and the channels."""
    if kind not in ("batch", "group"):
        raise ValueError(f'norm must be "batch" or "group", got {kind!r}')
    return nn.BatchNorm2d(channels) if kind == "batch" else nn.GroupNorm(gcd(8, channels), channels)


def _twice(before: int, after: int, norm: NormName) -> nn.Sequential:
    """Two convolutions, each with norm and ReLU."""
    layers: list[nn.Module] = []
    for channels in (before, after):
        layers += [_conv(channels, after), _norm(norm, after), nn.ReLU()]
    return nn.Sequential(*layers)


def _initialise(net: nn.Module, slope: float = 0.0) -> None:
    """Draw initial weights: He's normal, by fan out, for convolutions without bias; Glorot's for linear layers."""
    for m in net.modules():
        if isinstance(m, nn.Conv2d) and m.bias is None:
            nn.init.kaiming_normal_(m.weight, a=slope, mode="fan_out")
        if isinstance(m, nn.Linear):
            nn.init.xavier_normal_(m.weight)
            nn.init.zeros_(m.bias)


def _padded(x: Tensor, multiple: int) -> tuple[Tensor, tuple[int, int]]:
    """Images padded by their border pixels to multiples of a size, and the row and column where the originals begin."""
    rows, columns = (-n % multiple for n in x.shape[2:])
    top, left = rows // 2, columns // 2
    if rows or columns:
        x = pad(x, (left, columns - left, top, rows - top), mode="replicate")
    return x, (top, left)
