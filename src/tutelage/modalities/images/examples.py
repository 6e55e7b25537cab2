"""Images in memory or on disk, checked at once and decoded as they are taken; errors say the file and the row."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from tutelage.data.examples import Single
from tutelage.data.tables import DataError
from tutelage.modalities.images.decoding import KINDS, MAX_PIXELS, ImageError, Size, Source, decode, inspect, resized

WORKERS = min(8, os.cpu_count() or 1)
A_TURN = 16
"""Images that a thread works on before it asks for more."""
A_TOKEN = 16
"""Pixels that take about as much of a network's memory as a token does."""
S = TypeVar("S")
T = TypeVar("T")


def in_threads(work: Callable[[S], T], items: Sequence[S], workers: int = WORKERS) -> list[T]:
    """``work`` of each item, in their order, by several threads where there is enough of it.

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


def attempted(
    work: Callable[[S], T], items: Sequence[S], workers: int = WORKERS
) -> tuple[dict[int, T], dict[int, ImageError]]:
    """As `in_threads`, by number: what ``work`` gives, and the errors of the others."""

    def attempt(item: S) -> T | ImageError:
        try:
            return work(item)
        except ImageError as error:
            return error

    found, bad = {}, {}
    for number, result in enumerate(in_threads(attempt, items, workers)):
        if isinstance(result, ImageError):
            bad[number] = result
        else:
            found[number] = result
    return found, bad


def raise_first(faults: dict[int, str], count: int, what: str) -> None:
    """DataError of the first fault, where there is one."""
    for fault in faults.values():
        raise DataError(fault + (f" ({len(faults):,} of {count:,} {what} are bad)" if len(faults) > 1 else ""))


def place(
    sources: Sequence[Source | np.ndarray | None] | np.ndarray, rows: Sequence[int] | None, file: str, number: int
) -> str:
    """Where an image is, as errors say it: its file and row, and its path; its path alone where the file is a folder.

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
    """A path as it can be printed: its end where it is very long, and no bytes that are no text."""
    text = str(path).encode(errors="replace").decode()
    return text if len(text) <= 300 else f"...{text[-300:]}"


@dataclass(frozen=True)
class ImageReport:
    """What checking found.

    Attributes:
        file: where the images are from.
        sizes: heights and widths, (n, 2), upright; 0 where the image is bad.
        kinds: how many good images are of each of KINDS.
        faults: of the bad images, by number from 0, place and fault.
    """

    file: str
    sizes: np.ndarray
    kinds: dict[str, int]
    faults: dict[int, str]

    @property
    def good(self) -> np.ndarray:
        """The mask of the images that can be learnt from, (n,)."""
        good = np.ones(len(self.sizes), dtype=bool)
        good[list(self.faults)] = False
        return good

    def words(self) -> list[str]:
        """What a user should know: what is left out, and what was turned into RGB."""
        n, good = len(self.sizes), len(self.sizes) - len(self.faults)
        said = [f"{count} of {good} images of {self.file} are {KINDS[kind]}." for kind, count in self.kinds.items()]
        if self.faults:
            said.insert(0, f"Left out: {len(self.faults)} of {n} images; {some(list(self.faults.values()))}.")
        return said


def some(items: Sequence[str], most: int = 5) -> str:
    """A few of many things, and how many more there are.

    >>> some(["a", "b", "c"], most=2)
    'a; b; and 1 more'
    """
    rest = [f"and {len(items) - most} more"] if len(items) > most else []
    return "; ".join([*items[:most], *rest])


def check_images(
    sources: Sequence[Source],
    rows: Sequence[int] | None = None,
    file: str = "",
    *,
    skip_bad: bool = False,
    max_pixels: int = MAX_PIXELS,
    workers: int = WORKERS,
) -> ImageReport:
    """Look at every image once, in threads: its size, its kind, whether it is whole (see `inspect`).

    Args:
        rows, file: where the images are from, for errors.
        skip_bad: bad images are in the report; without, they are an error.
        workers: threads, at least 1.

    Raises:
        DataError: the first bad image, unless ``skip_bad``; or every image is bad.
    """
    found, bad = attempted(partial(inspect, max_pixels=max_pixels), sources, workers)
    faults = {i: f"{place(sources, rows, file, i)}: {error}" for i, error in bad.items()}
    if not skip_bad or not found:
        raise_first(faults, len(sources), "images")
    sizes = np.zeros((len(sources), 2), dtype=np.int64)
    for i, (size, _) in found.items():
        sizes[i] = size
    kinds = Counter(kind for _, kinds in found.values() for kind in kinds)
    return ImageReport(file, sizes, {kind: kinds[kind] for kind in KINDS if kinds[kind]}, faults)


@dataclass(frozen=True)
class Images(Single):
    """Images of one size, decoded as they are taken: memory stays that of what is encoded.

    Args:
        sources: encoded images, or paths; or an array, (n, h, w, 3) or (n, h, w) of uint8, which may be a memory map.
        size: height and width that `take` gives; see `decode` for how images of another size come to it.
        rows, file: where the images are from, for errors.
        cache: bytes of decoded images to keep, those that come first; subsets share them.
        max_pixels: of an image as it is stored.
        workers: threads that decode, at least 1.
        index: the numbers of the sources that these examples are, (n,); all by default.

    Raises:
        ValueError: an argument that is not as said above.

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
        """The numbers of the sources, (n,)."""
        assert self.index is not None
        return self.index

    def __len__(self) -> int:
        return len(self.numbers)

    def lengths(self) -> np.ndarray:
        """How much of a batch an image fills: as much as one token for 16 pixels."""
        return np.full(len(self), -(-self.size[0] * self.size[1] // A_TOKEN))

    def subset(self, index: np.ndarray) -> Self:
        return replace(self, index=self.numbers[index])

    def take(self, index: np.ndarray) -> Float[Tensor, "b 3 h w"]:
        """The images ``index``, RGB in [0, 1]; DataError says where the one is that cannot be read."""
        pixels = torch.from_numpy(self._pixels(self.numbers[index])).to(self.device)
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
    """ValueError where an array is not one of images, with what to do."""
    wanted = "an array of images must be uint8 of shape (n, h, w, 3) or (n, h, w)"
    if pixels.dtype != np.uint8:
        hint = "; where values are in [0, 1], give (255 * x).round().astype('uint8')" * (pixels.dtype.kind == "f")
        raise ValueError(f"{wanted}, got {pixels.dtype}{hint}")
    if pixels.ndim not in (3, 4) or (pixels.ndim == 4 and pixels.shape[-1] != 3):
        hint = "; move the channels with x.transpose(0, 2, 3, 1)" * (pixels.ndim == 4 and pixels.shape[1] == 3)
        raise ValueError(f"{wanted}, got shape {pixels.shape}{hint}")


class SegmentImages(Images):
    """Images of which each pixel is a unit, row by row.

    >>> SegmentImages(np.zeros((2, 1, 2), dtype=np.uint8), (1, 2)).units(np.array([1, 0])).tolist()
    [2, 3, 0, 1]
    """

    def counts(self) -> np.ndarray:
        return np.full(len(self), self.size[0] * self.size[1])

    def units(self, index: np.ndarray) -> np.ndarray:
        pixels = self.size[0] * self.size[1]
        units: np.ndarray = (np.asarray(index)[:, None] * pixels + np.arange(pixels)).ravel()
        return units
