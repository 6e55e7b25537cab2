"""Pixels of one stored mask: the numbers or the colours that it holds, upright, and how often each of them occurs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Int, UInt
from PIL import Image

from tutelage.modalities.images.decoding import ImageError, Size, Source, opened, orientation

LOSSLESS = ("PNG", "GIF", "BMP", "DIB", "TIFF", "PPM", "TGA", "PCX", "ICO")
"""Formats that keep every number as it is."""
MODES = ("1", "L", "P", "I", "I;16", "I;16B")
"""Modes, in Pillow's names, of images with one number in each pixel."""
STRETCHED = {"L;2": 85, "L;4": 17}
"""Factors by which Pillow stretches grey of 2 and 4 bits to 0 .. 255, by stored mode."""
INVERTED = ("L;I", "1;I", "L;2I", "L;4I")
"""Beginnings of the stored modes whose smallest number is white."""
VALUES = 2**16
"""Number of values that a pixel of a mask may have."""
NONE = VALUES - 1
"""Value that stands for -1, or not a number, of an array while it is read."""
RARE = 2
"""Colour, as one number, that stands for all rare ones of a mask of very many colours; no file has it."""
KEPT = 4096
"""Number of colours of a mask that are counted one by one, at most."""
FEW_INNER = 0.1
"""Share of a value's pixels with four equal neighbours below which it counts as lying on edges only."""
SEVERAL = 3
"""Number of values of a mask from which on it is looked at whether some of them lie on edges only."""

Form = Literal["numbers", "palette", "colours"]
"""What the pixels of a mask hold: numbers; numbers of colours in a palette; or colours."""


@dataclass(frozen=True)
class Stored:
    """Pixels of one stored mask.

    Attributes:
        codes: number of each pixel, in [0, 65535], or its colour as red, green, blue and opacity in the four bytes of a
            number; 0 for one that is transparent, (h, w).
        form: what the pixels hold.
        palette: colours that the numbers of a palette stand for, (k,); of other forms empty.
        lossy: name of a format that changes numbers a little, such as JPEG; empty for others.
        inverted: whether the file stores grey with white as its smallest number; it is read as it is shown.
        upright: whether the mask was turned by its own EXIF.
        frames: whether the file has several frames, of which the first is read.
    """

    codes: UInt[np.ndarray, "h w"]
    form: Form = "numbers"
    palette: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.uint32))
    lossy: str = ""
    inverted: bool = False
    upright: bool = False
    frames: bool = False

    def turned(self, turn: int) -> Stored:
        """The mask, turned as its image is by an EXIF orientation, 1 to 8."""
        return replace(self, codes=turned(self.codes, turn))


def stored_mask(source: Source, max_pixels: int) -> Stored:
    """Pixels of an encoded mask.

    Args:
        source: encoded mask, or its path.
        max_pixels: number of pixels, at most.

    Raises:
        ImageError: the mask cannot be read, or has numbers that are not whole or not from 0 to 65535.
    """
    with opened(source, max_pixels) as (_, image):
        frames = bool(getattr(image, "is_animated", False))
        kind, lossy = _raw_mode(image), "" if image.format in LOSSLESS else str(image.format)
        own = orientation(image) if image.format == "TIFF" else 1  # Pillow turns a TIFF when it decodes it
        image.load()
        turn = orientation(image)
        if image.mode in MODES or image.mode == "F":
            codes = _numbers(np.asarray(image)) // np.uint16(STRETCHED.get(kind, 1))
            form: Form = "palette" if image.mode == "P" else "numbers"
        else:
            codes, form = colour_codes(np.asarray(image.convert("RGBA"))), "colours"
        upright, inverted = max(own, turn) > 1, kind.startswith(INVERTED)
        return Stored(turned(codes, turn), form, _palette(image), lossy, inverted, upright, frames)


def array_mask(mask: np.ndarray) -> Stored:
    """Pixels of a mask given as an array, with `NONE` for -1 and for what is not a number.

    Args:
        mask: whole numbers, also as floats, (h, w), (h, w, 1) or (1, h, w); or colours of uint8, (h, w, 3 or 4).

    Raises:
        ImageError: the array has another shape or type, or a number that is not from -1 to 65534.
    """
    if mask.ndim == 3 and 1 in (mask.shape[0], mask.shape[2]):
        mask = mask[..., 0] if mask.shape[2] == 1 else mask[0]
    if mask.ndim == 3 and mask.shape[2] in (3, 4) and mask.dtype == np.uint8:
        opaque = np.full((*mask.shape[:2], 1), 255, dtype=np.uint8)
        return Stored(colour_codes(np.concatenate([mask, opaque], axis=2)[..., :4]), "colours")
    if mask.ndim != 2 or mask.dtype.kind not in "iubf":
        raise ImageError(f"it is {mask.dtype} of shape {mask.shape}, not whole numbers (h, w)")
    return Stored(_numbers(mask, -1, NONE - 1))


def _numbers(stored: np.ndarray, low: int = 0, high: int = VALUES - 1) -> UInt[np.ndarray, "h w"]:
    """Whole numbers of a mask, (h, w), with `NONE` for -1 and for what is not a number; ImageError for others."""
    if stored.dtype in (np.uint8, np.bool_):
        return stored.astype(np.uint16)
    if stored.dtype.kind == "f":
        stored = np.where(np.isnan(stored), low, stored) if low < 0 else stored
        if not (np.isfinite(stored) & (stored % 1 == 0)).all():
            raise ImageError("it holds numbers with a fraction; save whole ones, the numbers of the classes")
    numbers = stored.astype(np.int64)
    wrong = numbers[(numbers < low) | (numbers > high)]
    if len(wrong):
        raise ImageError(f"value {wrong[0]} on {(wrong == wrong[0]).sum():,} pixels is not from {low} to {high}")
    return np.where(numbers < 0, NONE, numbers).astype(np.uint16)


def colour_codes(pixels: UInt[np.ndarray, "*n 4"]) -> UInt[np.ndarray, "*n"]:
    """Colours, (..., 4) in red, green, blue and opacity, each as one number; 0 for those that are transparent.

    >>> hex(colour_codes(np.array([255, 128, 0, 255], dtype=np.uint8)))
    '0xff8000ff'
    """
    codes = np.ascontiguousarray(pixels, dtype=np.uint8).view(">u4")[..., 0].astype(np.uint32)
    codes[codes & 255 == 0] = 0
    return codes


def _palette(image: Image.Image) -> np.ndarray:
    if image.mode != "P":
        return np.empty(0, dtype=np.uint32)
    image.apply_transparency()
    colours = np.array(image.getpalette("RGBA") or [], dtype=np.uint8)
    return colour_codes(colours.reshape(-1, 4))


def _raw_mode(image: Image.Image) -> str:
    """Mode in which the pixels are stored, in Pillow's names."""
    tiles = getattr(image, "tile", None)
    stored = tiles[0].args if tiles else ""
    return str(stored[0] if isinstance(stored, tuple) and stored else stored)


def turned(codes: np.ndarray, turn: int) -> np.ndarray:
    """Pixels, (h, w), turned upright by an EXIF orientation, 1 to 8.

    >>> turned(np.array([[1, 2], [3, 4]]), 6).tolist()
    [[3, 1], [4, 2]]
    """
    flat = codes.T if turn > 4 else codes
    if turn in (3, 4, 7, 8):
        flat = flat[::-1]
    return flat[:, ::-1] if turn in (2, 3, 6, 7) else flat


def nearest(stored: Int[np.ndarray, "h w"], size: Size) -> Int[np.ndarray, "rows columns"]:
    """A mask, (h, w), resized by the nearest pixel.

    Args:
        stored: class numbers.
        size: height and width of the result, in pixels.
    """
    h, w = (((np.arange(new) + 0.5) * old / new).astype(np.int64) for new, old in zip(size, stored.shape, strict=True))
    near: np.ndarray = stored[h[:, None], w]
    return near


@dataclass(frozen=True)
class Counts:
    """How often each value occurs in masks, and how often it lies on edges.

    Attributes:
        values: numbers or colours that occur, in rising order, (v,).
        sums: for each of them the number of its pixels; of those that do not touch the mask's border, where edges were
            looked at; of those among them whose four neighbours have the same value; and of those whose value lies
            between those of two opposite neighbours, (4, v).
        steps: number of pairs of neighbours that differ; 0 where edges were not looked at.
    """

    values: np.ndarray
    sums: np.ndarray
    steps: int = 0

    @property
    def pixels(self) -> np.ndarray:
        """Number of pixels of each value, (v,)."""
        row: np.ndarray = self.sums[0]
        return row

    @property
    def within(self) -> np.ndarray:
        """Number of pixels of each value that do not touch the mask's border, (v,)."""
        row: np.ndarray = self.sums[1]
        return row

    @property
    def inner(self) -> np.ndarray:
        """Number of those whose four neighbours have the same value, (v,)."""
        row: np.ndarray = self.sums[2]
        return row

    @property
    def between(self) -> np.ndarray:
        """Number of those whose value lies between those of two opposite neighbours, (v,)."""
        row: np.ndarray = self.sums[3]
        return row

    @property
    def on_edges(self) -> np.ndarray:
        """Mask of the values that lie on edges only, (v,), as far as edges were looked at."""
        return (self.within > 0) & (self.inner < FEW_INNER * self.within)

    def where(self, keep: np.ndarray) -> Counts:
        """Counts of the values that the mask ``keep``, (v,), selects."""
        return replace(self, values=self.values[keep], sums=self.sums[:, keep])

    def renamed(self, values: np.ndarray) -> Counts:
        """Counts of other values, (v,), that stand for these, perhaps some of them equal."""
        every, which = np.unique(values, return_inverse=True)
        sums = np.zeros((4, len(every)), dtype=np.int64)
        np.add.at(sums.T, which, self.sums.T)
        return Counts(every, sums, self.steps)


def counts_of(codes: UInt[np.ndarray, "h w"]) -> Counts:
    """How often each value occurs in a mask, and, where there are `SEVERAL`, how often it lies on edges.

    Args:
        codes: numbers or colours of the mask's pixels.
    """
    if codes.dtype == np.uint16:
        all_counts = np.bincount(codes.ravel())
        values = np.flatnonzero(all_counts)
        pixels = all_counts[values]
    else:
        values, pixels = _commonest(*_counted_in_runs(codes.ravel()))
    sums = np.zeros((4, len(values)), dtype=np.int64)
    sums[0] = pixels
    if not SEVERAL <= len(values) <= KEPT or min(codes.shape) < 3:
        return Counts(values, sums)
    right, down = codes[:, 1:] != codes[:, :-1], codes[1:] != codes[:-1]
    left_or_right = right[1:-1, :-1] | right[1:-1, 1:]
    inner = ~(left_or_right | down[:-1, 1:-1] | down[1:, 1:-1])
    middle = codes[1:-1, 1:-1]
    lines = (right[1:-1, :-1] & right[1:-1, 1:], down[:-1, 1:-1] & down[1:, 1:-1])  # both neighbours differ
    beside = ((codes[1:-1, :-2], codes[1:-1, 2:]), (codes[:-2, 1:-1], codes[2:, 1:-1]))
    between = np.zeros_like(inner)
    for both, (one, other) in zip(lines, beside, strict=True):
        between[both] |= (one[both] < middle[both]) == (middle[both] < other[both])
    for i, part in enumerate((middle.ravel(), middle[inner], middle[between]), start=1):
        sums[i] = _counted(part, values)
    return Counts(values, sums, int(right.sum() + down.sum()))


def _counted(codes: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Number of the codes, (n,), that are each of the values, (v,); all are one of them."""
    small = codes.dtype == np.uint16
    every = np.bincount(
        codes if small else np.searchsorted(values, codes), minlength=int(values[-1]) + 1 if small else 0
    )
    found: np.ndarray = every[values] if small else np.pad(every, (0, len(values) - len(every)))
    return found


def _counted_in_runs(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values of a row of pixels, (n,), and their counts; runs of one value are counted at once."""
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    lengths = np.diff(np.append(starts, len(codes)))
    values, which = np.unique(codes[starts], return_inverse=True)
    return values, np.bincount(which, weights=lengths).astype(np.int64)


def _commonest(values: np.ndarray, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The `KEPT` commonest values, in rising order, and their counts; the others, as of a photo, count as `RARE`."""
    if len(values) <= KEPT:
        return values, pixels
    rest = np.append(RARE, np.sort(values[(-pixels).argsort(kind="stable")[:KEPT]]))
    kept = np.isin(values, rest)
    return rest.astype(values.dtype), np.append(pixels[~kept].sum(), pixels[kept])
