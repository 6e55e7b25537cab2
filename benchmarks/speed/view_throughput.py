"""Images a second of the batched views against the usual pipeline, one image at a time with Pillow.

    python benchmarks/speed/view_throughput.py

writes benchmarks/results/view_throughput.json. Both sides start at decoded pixels in memory (uint8) and end at a float
batch of 64. With one thread both run in this process; with two, the usual pipeline is a DataLoader with two workers,
and the views are drawn once by two workers of their own, once by two torch threads in this process. The sides take
turns, block by block; the figure is the median of the ratios of paired blocks, above 1 where batched views are faster.
Threads that wait for each other lose much where other work runs beside, so the load is recorded.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageEnhance, ImageOps
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from tutelage.modalities.images.views import Strong, Weak

OUT = Path(__file__).parents[1] / "results" / "view_throughput.json"
BATCH, POOL, BLOCKS = 64, 512, 21
SIZES = {"32 x 32": (32, 32, 48), "160 x 120": (120, 160, 16)}
"""Height, width, batches a block."""

uniform = random.uniform


def affine(image: Image.Image, *matrix: float) -> Image.Image:
    return image.transform(image.size, Image.Transform.AFFINE, matrix)


OPERATIONS: tuple[Callable[[Image.Image], Image.Image], ...] = (
    ImageOps.autocontrast,
    lambda i: ImageEnhance.Brightness(i).enhance(uniform(0.05, 0.95)),
    lambda i: ImageEnhance.Color(i).enhance(uniform(0.05, 0.95)),
    lambda i: ImageEnhance.Contrast(i).enhance(uniform(0.05, 0.95)),
    ImageOps.equalize,
    lambda i: i,
    lambda i: ImageOps.posterize(i, random.randint(4, 8)),
    lambda i: i.rotate(uniform(-30, 30)),
    lambda i: ImageEnhance.Sharpness(i).enhance(uniform(0.05, 0.95)),
    lambda i: affine(i, 1, uniform(-0.3, 0.3), 0, 0, 1, 0),
    lambda i: affine(i, 1, 0, 0, uniform(-0.3, 0.3), 1, 0),
    lambda i: ImageOps.solarize(i, random.randint(0, 255)),
    lambda i: affine(i, 1, 0, uniform(-0.3, 0.3) * i.width, 0, 1, 0),
    lambda i: affine(i, 1, 0, 0, 0, 1, uniform(-0.3, 0.3) * i.height),
)


def weak(image: Image.Image) -> Image.Image:
    (w, h), left, top = image.size, image.width // 8, image.height // 8
    padded = Image.fromarray(np.pad(np.asarray(image), ((top, top), (left, left), (0, 0)), mode="reflect"))
    x, y = random.randint(0, 2 * left), random.randint(0, 2 * top)
    image = padded.crop((x, y, x + w, y + h))
    return ImageOps.mirror(image) if random.random() < 0.5 else image


def strong(image: Image.Image) -> Image.Image:
    image = weak(image)
    for operation in random.choices(OPERATIONS, k=2):
        image = operation(image)
    half, x, y = uniform(0, 0.25) * min(image.size), uniform(0, image.width), uniform(0, image.height)
    image = image.copy()
    ImageDraw.Draw(image).rectangle((x - half, y - half, x + half, y + half), (127, 127, 127))
    return image


class OneByOne(Dataset):
    """The usual pipeline: an image, its view, a tensor."""

    def __init__(self, pixels: np.ndarray, view: Callable[[Image.Image], Image.Image], count: int) -> None:
        self.images, self.view, self.count = [Image.fromarray(p) for p in pixels], view, count * BATCH

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> Tensor:
        seen = np.array(self.view(self.images[i % len(self.images)]))
        return torch.from_numpy(seen).permute(2, 0, 1).contiguous().float().div(255)


class Batched(Dataset):
    """The batched views: the bytes of a batch, turned to floats in a buffer that is used again, and their view."""

    def __init__(self, pixels: np.ndarray, view: Weak | Strong, count: int) -> None:
        self.pixels, self.view, self.count = torch.from_numpy(pixels).permute(0, 3, 1, 2).split(BATCH), view, count
        self.buffer = torch.empty(self.pixels[0].shape)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, i: int) -> Tensor:
        images = self.buffer.copy_(self.pixels[i % len(self.pixels)]).div_(255)
        return self.view(images, seed=random.getrandbits(32)).images


def seconds(batches: DataLoader) -> float:
    """Of one whole pass, after which no worker has anything left to do."""
    start = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - start


def compared(ours: DataLoader, usual: DataLoader, count: int) -> dict[str, float]:
    """Median and quartiles of time(usual) / time(ours) over paired blocks, the order turned each time."""
    seconds(ours), seconds(usual)
    times = {"ours": [], "usual": []}
    for i in range(BLOCKS):
        for name, batches in (("ours", ours), ("usual", usual))[:: 1 if i % 2 else -1]:
            times[name].append(seconds(batches))
    low, middle, high = statistics.quantiles([u / o for u, o in zip(times["usual"], times["ours"], strict=True)], n=4)
    speed = {name: round(count * BATCH / statistics.median(t)) for name, t in times.items()}
    return {
        "times as fast, median": round(middle, 2),
        "lower_quartile": round(low, 2),
        "upper_quartile": round(high, 2),
        "blocks": BLOCKS,
        "images a second, batched views": speed["ours"],
        "images a second, usual": speed["usual"],
    }


def main() -> None:
    result: dict[str, object] = {"load of the machine's 2 cores before": os.getloadavg()[0]}
    for size, (h, w, count) in SIZES.items():
        pixels = np.random.default_rng(0).integers(0, 256, (POOL, h, w, 3), dtype=np.uint8)
        for name, view, per_image in (("weak", Weak(), weak), ("strong", Strong(), strong)):
            one, whole = OneByOne(pixels, per_image, count), Batched(pixels, view, count)
            two = {"num_workers": 2, "persistent_workers": True}
            pairs = {
                "1 thread": (1, DataLoader(whole, None), DataLoader(one, BATCH)),
                "2 workers": (1, DataLoader(whole, None, **two), DataLoader(one, BATCH, **two)),
                "2 threads over 2 workers": (2, DataLoader(whole, None), DataLoader(one, BATCH, **two)),
            }
            for name_of_pair, (threads, ours, usual) in pairs.items():
                torch.set_num_threads(threads)
                key = f"{size}, {name}, {name_of_pair}"
                result[key] = compared(ours, usual, count)
                print(key, result[key], flush=True)
            torch.set_num_threads(1)
    OUT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
