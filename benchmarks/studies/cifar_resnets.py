"""Residual networks for CIFAR-10 whose weights are staged beside the data: 20 and 56 layers, both 64 wide at last."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, pad, relu

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two convolutions beside a shortcut that adds channels of zeros where there are more (option A of the paper)."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside)
        self.conv2, self.bn2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False), nn.BatchNorm2d(outside)
        self.stride, self.more = stride, (outside - inside) // 2

    def forward(self, x: Tensor) -> Tensor:
        beside = pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more, self.more))
        return relu(self.bn2(self.conv2(relu(self.bn1(self.conv1(x))))) + beside)


class ResNet(nn.Module):
    """A residual network of 6 ``blocks`` + 2 layers on images, (n, 3, 32, 32).

    Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, Section 4.2.
    """

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.conv1, self.bn1, inside = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), 16
        for stage, width in enumerate((16, 32, 64), start=1):
            strides = [1 + (stage > 1)] + [1] * (blocks - 1)
            made = [Block(inside if i == 0 else width, width, stride) for i, stride in enumerate(strides)]
            setattr(self, f"layer{stage}", nn.Sequential(*made))
            inside = width
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer3(self.layer2(self.layer1(relu(self.bn1(self.conv1(x))))))
        return self.linear(adaptive_avg_pool2d(x, 1).flatten(1))


def staged(layers: int, folder: Path) -> ResNet:
    """The network of 20 or of 56 layers with its staged weights.

    Args:
        layers: 20 or 56.
        folder: folder of the weights.
    """
    network = ResNet((layers - 2) // 6)
    network.load_state_dict(load_file(folder / f"resnet{layers}.safetensors"))
    return network.eval()


def images(file: Path, count: int, seed: int) -> tuple[Tensor, np.ndarray]:
    """Normalised images, (count, 3, 32, 32), that a seed draws of a table, and their class numbers, (count,)."""
    table = pd.read_parquet(file).sample(count, random_state=seed)
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(cell)).convert("RGB")) for cell in table.image])
    x = torch.as_tensor(pixels, dtype=torch.float32).permute(0, 3, 1, 2) / 255
    centre, scale = (torch.tensor(v)[:, None, None] for v in (MEAN, SPREAD))
    return (x - centre) / scale, table.label.to_numpy(dtype=np.int64)
