"""Teachers for the protocol `teacher`: what each says of every row, beside the rows themselves.

    python benchmarks/brought_teachers.py     writes fsdd.npz and cifar10.parquet, into the folder it is read from

Spoken digits (fsdd): logistic regression on the features of benchmarks/signals.py, learnt from three speakers, says
which digit the other three speak. CIFAR-10: a ResNet-20 that was trained on its training part says what the images of
the test part show; the protocol learns and scores on the test part alone, which the teacher has not seen. Weights and
architecture are those of Idelbayev's "Proper ResNet implementation for CIFAR10/CIFAR100 in PyTorch" (after He et al.,
Deep residual learning for image recognition, CVPR 2016, section 4.2).
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from safetensors.torch import load_file
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from signals import FILES, features_of
from tutelage.bench.protocol import data_root
from tutelage.data.sources import cache_folder

HEARD = ("george", "jackson", "lucas")
"""Speakers whom the teacher of the digits has learnt."""

MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Means and standard deviations of the colours, as the network was trained with."""


class Block(nn.Module):
    """Two convolutions beside a shortcut, which passes every second pixel on and adds empty channels.

    Args:
        before, after: numbers of channels.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.stride = after // before
        self.conv1 = nn.Conv2d(before, after, 3, self.stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)

    def forward(self, x: Tensor) -> Tensor:
        found = self.bn2(self.conv2(nn.functional.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            empty = (found.shape[1] - x.shape[1]) // 2
            x = nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, empty, empty))
        return nn.functional.relu(found + x)


class ResNet20(nn.Module):
    """The network of 20 layers for images of 32 x 32 pixels and ten classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        widths = (16, 16, 32, 64)
        for k in (1, 2, 3):
            blocks = [Block(widths[k - 1] if i == 0 else widths[k], widths[k]) for i in range(3)]
            self.add_module(f"layer{k}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.relu(self.bn1(self.conv1(x)))
        for k in (1, 2, 3):
            x = self.get_submodule(f"layer{k}")(x)
        found: Tensor = self.linear(x.mean((2, 3)))
        return found


def digits(root: Path) -> dict[str, np.ndarray]:
    """Features "x", digits "y" and the teacher's probabilities "said" of the clips by speakers it has not heard."""
    table = pd.read_parquet(root / FILES["fsdd"][0])
    rows, y = features_of("fsdd", table), table.label.to_numpy(dtype=np.int64)
    heard = table.speaker.isin(HEARD).to_numpy()
    teacher = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(rows[heard], y[heard])
    return {"x": rows[~heard], "y": y[~heard], "said": teacher.predict_proba(rows[~heard])}


def images(root: Path) -> pd.DataFrame:
    """The images of CIFAR-10's test part, "image" and "label", with the teacher's probabilities, "said"."""
    table = pd.read_parquet(root / "cifar10" / "test.parquet")
    network = ResNet20().eval()
    network.load_state_dict(load_file(root.parent / "models" / "cifar10_resnet" / "resnet20.safetensors"))
    said = []
    with torch.no_grad():
        for start in range(0, len(table), 500):
            cells = table.image[start : start + 500]
            pixels = np.stack([np.asarray(Image.open(io.BytesIO(cell)).convert("RGB")) for cell in cells]) / 255
            x = torch.as_tensor((pixels - MEAN) / SPREAD, dtype=torch.float32).permute(0, 3, 1, 2)
            said += list(network(x).double().softmax(-1).numpy())
    return table[["image", "label"]].assign(said=said)


def main() -> None:
    folder, root = cache_folder() / "teachers", data_root(Path(__file__))
    folder.mkdir(parents=True, exist_ok=True)
    heard = digits(root)
    np.savez(folder / "fsdd.npz", **heard)
    print(folder / "fsdd.npz", f"{(heard['said'].argmax(1) == heard['y']).mean():.3f} right of {len(heard['y']):,}")
    seen = images(root)
    seen.to_parquet(folder / "cifar10.parquet")
    right = np.mean([p.argmax() == y for p, y in zip(seen.said, seen.label, strict=True)])
    print(folder / "cifar10.parquet", f"{right:.3f} right of {len(seen):,}")


if __name__ == "__main__":
    main()
