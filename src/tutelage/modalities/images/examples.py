"""Images in memory or on disk, as examples: each is decoded when it is taken. Errors name the file and the row."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from tutelage.data.examples import Single
from tutelage.data.placing import placed
from tutelage.modalities.images.decoding import MAX_PIXELS, ImageError, Size, Source, decode, resized
from tutelage.ops.visible import visible
from tutelage.tables import DataError

WORKERS = min(8, os.cpu_count() or 1)
"""Number of threads that read images."""
A_TURN = 16
"""Number of images that a thread takes at once."""
A_TOKEN = 16
"""Number of pixels that take about as much of a network's memory as a token."""
S = TypeVar("S")
"""Type of an item."""
T = TypeVar("T")
"""Type of a result."""


def in_threads(work: Callable[[S], T], items: Sequence[S], workers: int = WORKERS) -> list[T]:
    """Results of ``work`` for each item, in the items' order; many items are shared among threads.

    Args:
        work: function of an item.
        items: the items.
        workers: number of threads, at most.

    >>> in_threads(abs, [-1, 2])
    [1, 2]
    """
    turns = [items[i : i + A_TURN] for i in range(0, len(items), A_TURN)]
    Image.init()  # not safe in threads
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow: what is odd but can be read, and sizes, which are judged here
        if min(workers, len(turns)) < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(workers) as pool:
            return [done for turn in pool.map(lambda turn: [work(item) for item in turn], turns) for done in turn]


def place(
    sources: Sequence[Source | np.ndarray | None] | np.ndarray, rows: Sequence[int] | None, file: str, number: int
) -> str:
    """Name of an image's place, for errors: file, row and path; the path alone where the file is a folder.

    Args:
        sources: images or masks.
        rows: number of each one's row in the file; None counts the images.
        file: table or folder of the images.
        number: number of the image, from 0.

    >>> place(["cats/1.jpg"], [7], "pets.csv", 0), place(["pets/cats/1.jpg"], [7], "pets", 0), place([b""], None, "", 0)
    ('pets.csv, row 7 (cats/1.jpg)', 'pets/cats/1.jpg', 'image 1')
    """
    source = None if isinstance(sources, np.ndarray) else sources[number]
    path = shown(source) if isinstance(source, (str, Path)) else ""
    if path and (rows is None or Path(shown(file)) in Path(path).parents):
        return path
    row = f"image {number + 1}" if rows is None else f"row {rows[number]}"
    return ", ".join(filter(None, [shown(file), row])) + (f" ({path})" if path else "")


def shown(path: str | Path) -> str:
    """Path that can be printed: of a very long one the end, and with bytes that are no text written out."""
    text = visible(str(path))
    return text if len(text) <= 300 else f"...{text[-300:]}"


def some(items: Sequence[str], most: int = 5) -> str:
    """List of the first ``most`` items in one phrase, with the number of the others.

    >>> some(["a", "b", "c"], most=2)
    'a; b; and 1 more'
    """
    rest = [f"and {len(items) - most} more"] if len(items) > most else []
    return "; ".join([*items[:most], *rest])


@dataclass(frozen=True)
class Images(Single):
    """Images of one size, decoded when they are taken, so that memory holds them encoded.

    Args:
        sources: encoded images, or paths; or an array of uint8, (n, h, w, 3) or (n, h, w), which may be a memory map.
        size: height and width, in pixels, that images are resized to, see `decode`.
        rows: number of each image's row in the file, for errors; None counts the images.
        file: table or folder of the images, for errors.
        cache: number of bytes of decoded images that are kept, at most: those that are taken first. Subsets share them.
        max_pixels: number of pixels of a stored image, at most.
        workers: number of threads that decode, at least 1.
        device: device of the batches.
        index: numbers of the sources that are examples, (n,); None takes all.

    Raises:
        ValueError: an argument has another form or range.

    >>> Images(np.full((2, 4, 4, 3), 255, dtype=np.uint8), (2, 2)).take(np.array([1])).shape
    torch.Size([1, 3, 2, 2])
    """

    sources: Sequence[Source] | np.ndarray
    size: Size
    rows: Sequence[int] | None = None
    file: str = ""
    cache: int = 0
    max_pixels: int = MAX_PIXELS
    workers: int = WORKERS
    device: torch.device | str = "cpu"
    index: np.ndarray | None = None
    _kept: dict[int, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.sources, np.ndarray):
            require_pixels(self.sources)
        elif isinstance(self.sources, (str, bytes)):
            raise ValueError(f"sources must be a list of images, got one of {type(self.sources).__name__}")
        if len(self.size) != 2 or min(self.size) < 1:
            raise ValueError(f"size must be a height and a width of at least 1 pixel, got {self.size}")
        if self.rows is not None and len(self.rows) != len(self.sources):
            raise ValueError(f"rows must be as many as sources, {len(self.sources)}, got {len(self.rows)}")
        if self.index is None:
            object.__setattr__(self, "index", np.arange(len(self.sources)))

    @property
    def numbers(self) -> np.ndarray:
        """Numbers of the sources that are examples, (n,)."""
        assert self.index is not None
        return self.index

    def __len__(self) -> int:
        return len(self.numbers)

    def lengths(self) -> np.ndarray:
        """Size of each image in tokens, (n,): A_TOKEN pixels count as one token."""
        return np.full(len(self), -(-self.size[0] * self.size[1] // A_TOKEN))

    def subset(self, index: np.ndarray) -> Self:
        return replace(self, index=self.numbers[index])

    def take(self, index: np.ndarray) -> Float[Tensor, "b 3 h w"]:
        """Images with the numbers ``index``, (b,), in RGB, (b, 3, h, w), in [0, 1].

        Raises:
            DataError: an image cannot be read; the message names its place.
        """
        pixels = placed(torch.from_numpy(self._pixels(self.numbers[index])), self.device)
        return pixels.permute(0, 3, 1, 2).contiguous().float() / 255

    def _pixels(self, numbers: np.ndarray) -> UInt8[np.ndarray, "b h w 3"]:
        if isinstance(self.sources, np.ndarray) and self.sources.shape[1:] == (*self.size, 3):
            return np.asarray(self.sources[numbers])
        images = in_threads(self._one, numbers.tolist(), self.workers)
        for number, image in zip(numbers.tolist(), images, strict=True):
            if (len(self._kept) + 1) * image.nbytes > self.cache:
                break
            self._kept[number] = image
        return np.stack(images) if images else np.empty((0, *self.size, 3), dtype=np.uint8)

    def _one(self, number: int) -> UInt8[np.ndarray, "h w 3"]:
        if number in self._kept:
            return self._kept[number]
        if isinstance(self.sources, np.ndarray):
            return np.asarray(resized(Image.fromarray(self.sources[number]), self.size).convert("RGB"))
        try:
            return decode(self.sources[number], self.size, self.max_pixels)
        except ImageError as fault:
            raise DataError(f"{place(self.sources, self.rows, self.file, number)}: {fault}") from fault


def require_pixels(pixels: np.ndarray) -> None:
    """Check that an array holds images.

    Raises:
        ValueError: it is not uint8 of shape (n, h, w, 3) or (n, h, w); the message says how to convert it.
    """
    wanted = "an array of images must be uint8 of shape (n, h, w, 3) or (n, h, w)"
    if pixels.dtype != np.uint8:
        hint = "; where values are in [0, 1], give (255 * x).round().astype('uint8')" * (pixels.dtype.kind == "f")
        raise ValueError(f"{wanted}, got {pixels.dtype}{hint}")
    if pixels.ndim not in (3, 4) or (pixels.ndim == 4 and pixels.shape[-1] != 3):
        hint = "; move the channels with x.transpose(0, 2, 3, 1)" * (pixels.ndim == 4 and pixels.shape[1] == 3)
        raise ValueError(f"{wanted}, got shape {pixels.shape}{hint}")


class SegmentImages(Images):
    """Images whose pixels are the units, row by row.

    >>> SegmentImages(np.zeros((2, 1, 2), dtype=np.uint8), (1, 2)).units(np.array([1, 0])).tolist()
    [2, 3, 0, 1]
    """

    def counts(self) -> np.ndarray:
        """Number of pixels of each image, (n,)."""
        return np.full(len(self), self.size[0] * self.size[1])

    def units(self, index: np.ndarray) -> np.ndarray:
        """Numbers of the pixels of the images numbered ``index``, (pixels,)."""
        pixels = self.size[0] * self.size[1]
        units: np.ndarray = (np.asarray(index)[:, None] * pixels + np.arange(pixels)).ravel()
        return units
