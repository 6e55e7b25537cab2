"""Masks that Label Studio's brush paints, as images whose pixels are class numbers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import numpy as np

CHANNELS = 4
"""Number of channels of a painted image: red, green, blue and how much is painted."""
MOST = 64_000_000
"""Number of pixels of a mask, at most."""


class _Bits:
    """Bits of bytes, read from the first one on."""

    def __init__(self, data: bytes) -> None:
        self.bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8))
        self.at = 0

    def words(self, count: int, size: int) -> np.ndarray:
        """The next whole numbers, (count,), of ``size`` bits each; ValueError where the bits are too few."""
        end = self.at + count * size
        if end > len(self.bits):
            raise ValueError("the run lengths of a brush end too early")
        found = self.bits[self.at : end].reshape(count, size) @ (1 << np.arange(size - 1, -1, -1, dtype=np.int64))
        self.at = end
        return np.asarray(found, dtype=np.int64)

    def word(self, size: int) -> int:
        """The next whole number of ``size`` bits."""
        return int(self.words(1, size)[0])


def decoded(rle: Sequence[int]) -> np.ndarray:
    """Numbers that run lengths stand for, (n,), uint8.

    The bits hold n in 32 bits, the size of a number less 1 in 5 and four sizes of lengths less 1 in 4 each. A block
    follows: a bit that says whether it is a run, 2 bits that choose a size, a length less 1, and the run's one number
    or the block's numbers.

    Args:
        rle: bytes, each in [0, 255].

    Raises:
        ValueError: the bytes are no such run lengths, or are of more than 64 million pixels.

    >>> decoded([0, 0, 0, 8, 57, 27, 252, 255, 224]).tolist()
    [255, 255, 255, 255, 255, 255, 255, 255]
    """
    bits = _Bits(bytes(rle))
    total, size = bits.word(32), bits.word(5) + 1
    if total > MOST * CHANNELS or size > 8:
        raise ValueError(f"a brush has {total // CHANNELS:,} pixels of {size} bits; at most {MOST:,} of 8 are read")
    lengths, out, done = [bits.word(4) + 1 for _ in range(4)], np.zeros(total, dtype=np.uint8), 0
    while done < total:
        is_run = bits.word(1)
        end = done + 1 + bits.word(lengths[bits.word(2)])
        out[done:end] = bits.word(size) if is_run else bits.words(end - done, size)[: total - done]
        done = end
    return out


def mask_of(regions: Sequence[tuple[str, Mapping[str, object]]], numbers: Mapping[str, int]) -> bytes:
    """Mask of the painted regions of an image, as PNG; a later region lies over an earlier one, and 0 is none.

    Args:
        regions: class and value of each region, with "rle", "original_width" and "original_height".
        numbers: number of each class, in [1, 255].

    Raises:
        ValueError: a region has no size or another one than the first, or its run lengths are broken.
    """
    from PIL import Image

    mask: np.ndarray | None = None
    for name, value in regions:
        painted = _painted(value)
        mask = np.zeros(painted.shape, dtype=np.uint8) if mask is None else mask
        if painted.shape != mask.shape:
            raise ValueError("two brushes of an image have different sizes")
        mask[painted] = numbers[name]
    file = io.BytesIO()
    Image.fromarray(np.zeros((0, 0), dtype=np.uint8) if mask is None else mask).save(file, "png")
    return file.getvalue()


def _painted(value: Mapping[str, object]) -> np.ndarray:
    """Whether each pixel is painted, (h, w)."""
    rle, size = value.get("rle"), (value.get("original_height"), value.get("original_width"))
    if not isinstance(rle, list) or not all(isinstance(byte, int) and 0 <= byte < 256 for byte in rle):
        raise ValueError("the run lengths of a brush must be a list of bytes")
    if not all(isinstance(side, int) and side > 0 for side in size):
        raise ValueError("a brush has no original_width and original_height")
    numbers, (h, w) = decoded(rle), size
    if len(numbers) != int(str(h)) * int(str(w)) * CHANNELS:
        raise ValueError(f"a brush has {len(numbers) // CHANNELS:,} pixels, but its image is {h} x {w}")
    painted: np.ndarray = numbers.reshape(int(str(h)), int(str(w)), CHANNELS)[:, :, CHANNELS - 1] > 0
    return painted
