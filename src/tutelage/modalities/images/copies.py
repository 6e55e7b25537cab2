"""Copies among images: equal pixels, or nearly equal ones, as after another encoding or resizing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from jaxtyping import Float, Int, UInt8, UInt64
from PIL import Image
from scipy.fft import dctn

from tutelage.copies.exact import groups_of, joined_groups
from tutelage.copies.hashes import near_hashes
from tutelage.copies.prints import Prints, one_number_each
from tutelage.modalities.images.decoding import (
    MAX_PIXELS,
    ImageError,
    Source,
    decode,
    opened,
    upright,
    upright_size,
)
from tutelage.modalities.images.examples import in_threads

Picture = Source | np.ndarray
"""An encoded image, the path of its file, or its pixels, (h, w, 3) or (h, w)."""

SIDE = 32
"""Height and width, in pixels, to which an image is shrunk for its print."""

CELLS = 8
"""Height and width of the grid of mean colours in a print."""

SMALL = 24
"""Height or width, in pixels, below which an image has no copies but those of the same pixels."""

PLAIN = 2.0
"""Standard deviation of the colours of a print, from 0 to 255, below which the same holds of an image."""

BITS_APART = 6
"""Bits of 64, at most, in which the hashes of nearly equal images differ."""

CELL_APART = 10.0
"""Difference of a cell's mean colour, at most, of nearly equal images, from 0 to 255."""

GRID_APART = 0.12
"""Root of the mean squared difference of the cells of nearly equal images, at most, over their standard deviation."""

SHAPE_APART = 0.06
"""Difference of the logarithms of width over height, at most, of nearly equal images."""

LOWEST = np.array([(row, total - row) for total in range(1, 12) for row in range(total + 1)][:64]).T
"""Frequencies of a print's hash, the lowest first, without the mean, (2, 64)."""


class _Print(NamedTuple):
    """Key of one image, its shrunk pixels, None where it has no hash, and the logarithm of its width over height."""

    key: bytes
    small: UInt8[np.ndarray, "h w 3"] | None
    shape: float


@dataclass(frozen=True)
class PicturePrints(Prints):
    """Prints of n images.

    Images are copies where they have the same pixels, and nearly equal ones where they also have nearly the same shape,
    a perceptual hash that differs in at most BITS_APART bits, and mean colours in a grid of CELLS x CELLS cells that
    differ by at most CELL_APART, and by little beside the contrast of the image. A hash has the signs of the 64 lowest
    frequencies of the image in grey, SIDE x SIDE pixels, about their median. Small and plain images have no hash.

    Attributes:
        keys: hash of the pixels of each image, (n,): of a small or plain one all, of others shrunk ones.
        hashes: perceptual hash of each image, (n,).
        grids: mean colours of the cells, (n, CELLS * CELLS * 3).
        shapes: logarithm of width over height, (n,); NaN where an image has no hash.
    """

    keys: UInt64[np.ndarray, " n"]
    hashes: UInt64[np.ndarray, " n"]
    grids: UInt8[np.ndarray, "n cells"]
    shapes: Float[np.ndarray, " n"]

    @classmethod
    def of(cls, pictures: Sequence[Picture] | np.ndarray) -> Self:
        """Prints of images; of one that cannot be read the key of its bytes or path alone."""
        each = in_threads(_print, list(pictures))
        keys = np.array([int.from_bytes(one.key, "big") for one in each], dtype=np.uint64)
        shapes = np.array([one.shape for one in each], dtype=np.float32)
        hashes, grids = np.zeros(len(each), dtype=np.uint64), np.zeros((len(each), CELLS * CELLS * 3), dtype=np.uint8)
        there = {i: one.small for i, one in enumerate(each) if one.small is not None}
        if there:
            some, small = list(there), np.stack(list(there.values()))
            hashes[some], grids[some] = perceptual(small), cells(small)
        return cls(keys, hashes, grids, shapes)

    def __len__(self) -> int:
        return len(self.keys)

    def groups(self) -> Int[np.ndarray, " n"]:
        equal = groups_of(self.keys)
        first = np.unique(equal, return_index=True)[1]
        hashed = first[~np.isnan(self.shapes[first])]
        one, two = (hashed[side] for side in near_hashes(self.hashes[hashed], BITS_APART))
        alike = self._alike(one, two)
        found: np.ndarray = joined_groups(len(first), equal[one[alike]], equal[two[alike]])[equal]
        return found

    def take(self, index: np.ndarray) -> Self:
        return type(self)(*(values[index] for values in vars(self).values()))

    def plain(self, mask: np.ndarray) -> Self:
        return replace(self, shapes=np.where(mask, np.float32(np.nan), self.shapes))

    def matched(self, known: Self) -> np.ndarray:
        found: np.ndarray = np.isin(self.keys, known.keys)
        both, k = known.and_those_of(self), len(known)
        first = np.unique(known.keys, return_index=True)[1]
        own = k + np.unique(self.keys, return_index=True)[1]
        hashed = np.r_[first, own]
        hashed = hashed[~np.isnan(both.shapes[hashed])]
        one, two = (hashed[side] for side in near_hashes(both.hashes[hashed], BITS_APART))
        across = (one < k) != (two < k)
        one, two = one[across], two[across]
        alike = both._alike(one, two)
        near = np.r_[one[alike], two[alike]]
        found |= np.isin(self.keys, both.keys[near[near >= k]])
        return found

    def _alike(self, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        """Whether shapes and grids of images are nearly equal, for each pair, (m,)."""
        found: np.ndarray = np.abs(self.shapes[one] - self.shapes[two]) <= SHAPE_APART
        for part in np.array_split(np.flatnonzero(found), len(one) // 100_000 + 1):
            first, second = (self.grids[side[part]].astype(np.float32) for side in (one, two))
            apart = first - second
            least = np.minimum(first.std(1), second.std(1))
            found[part] = (np.abs(apart).max(1) <= CELL_APART) & (np.sqrt((apart**2).mean(1)) <= GRID_APART * least)
        return found

    def and_those_of(self, others: Self) -> Self:
        pairs = zip(vars(self).values(), vars(others).values(), strict=True)
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    def kept(self) -> dict[str, np.ndarray]:
        whole = {"keys": self.keys.view(np.int64), "hashes": self.hashes.view(np.int64)}
        return whole | {"grids": self.grids, "shapes": self.shapes}

    @classmethod
    def read(cls, kept: Mapping[str, np.ndarray]) -> Self:
        keys, hashes = (one_number_each(kept, name).view(np.uint64) for name in ("keys", "hashes"))
        grids, shapes = kept.get("grids"), kept.get("shapes")
        if grids is None or shapes is None or grids.shape != (len(keys), CELLS * CELLS * 3):
            raise ValueError("grids must have a row for each key")
        if not len(hashes) == len(shapes) == len(keys):
            raise ValueError("keys, hashes and shapes must be of the same images")
        return cls(keys, hashes, grids, shapes)


def same_pictures(pictures: Sequence[Picture] | np.ndarray) -> Int[np.ndarray, " n"]:
    """Group number of each image, int64, (n,): equal for copies, numbered by first occurrence; see `PicturePrints`.

    >>> import io
    >>> png, bmp = io.BytesIO(), io.BytesIO()
    >>> Image.new("L", (4, 3), 7).save(png, "png"), Image.new("RGB", (4, 3), (7, 7, 7)).save(bmp, "bmp")
    (None, None)
    >>> same_pictures([png.getvalue(), bmp.getvalue(), np.full((3, 4), 8, np.uint8)]).tolist()
    [0, 0, 1]
    """
    return PicturePrints.of(pictures).groups()


def perceptual(small: UInt8[np.ndarray, "n h w 3"]) -> UInt64[np.ndarray, " n"]:
    """Perceptual hash of shrunk images, (n,)."""
    grey = small.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    waves = dctn(grey, axes=(1, 2), norm="ortho")[:, LOWEST[0], LOWEST[1]]
    bits = np.packbits(waves > np.median(waves, axis=1, keepdims=True), axis=1)
    found: np.ndarray = np.ascontiguousarray(bits).view(">u8").ravel().astype(np.uint64)
    return found


def cells(small: UInt8[np.ndarray, "n h w 3"]) -> UInt8[np.ndarray, "n cells"]:
    """Mean colours of the cells of shrunk images, (n, CELLS * CELLS * 3)."""
    each = SIDE // CELLS
    found: np.ndarray = small.reshape(len(small), CELLS, each, CELLS, each, 3).mean((2, 4)).round().astype(np.uint8)
    return found.reshape(len(small), -1)


def _print(picture: Picture) -> _Print:
    try:
        return _of_pixels(picture) if isinstance(picture, np.ndarray) else _of_file(picture)
    except ImageError:
        return _Print(_key(picture if isinstance(picture, bytes) else str(picture)), None, np.nan)


def _of_pixels(picture: np.ndarray) -> _Print:
    pixels = np.repeat(picture[..., None], 3, axis=-1) if picture.ndim == 2 else picture
    height, width = pixels.shape[:2]
    if min(height, width) < SMALL or pixels.dtype != np.uint8 or pixels.shape[2:] != (3,):
        return _Print(_key(pixels), None, np.nan)
    image = Image.fromarray(pixels)
    return _shrunk(np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)), pixels, width / height)


def _of_file(picture: Source) -> _Print:
    with opened(picture, MAX_PIXELS) as (_, image):
        if min(image.size) < SMALL:
            return _Print(_key(np.asarray(upright(image).convert("RGB"))), None, np.nan)
        width, height = upright_size(image)
    small = decode(picture, (SIDE, SIDE))
    if not _plain(small):
        return _shrunk(small, small, width / height)
    with opened(picture, MAX_PIXELS) as (_, image):
        return _Print(_key(np.asarray(upright(image).convert("RGB"))), None, np.nan)


def _shrunk(small: np.ndarray, whole: np.ndarray, shape: float) -> _Print:
    if _plain(small):
        return _Print(_key(whole), None, np.nan)
    return _Print(_key(small), small, float(np.log(shape)))


def _plain(small: np.ndarray) -> bool:
    """Whether a shrunk image has nearly one colour."""
    return bool(small.reshape(-1, 3).std(0).max() < PLAIN)


def _key(data: Any) -> bytes:
    """Hash of pixels, bytes or a path."""
    if isinstance(data, np.ndarray):
        data = str(data.shape).encode() + data.tobytes()
    elif isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=8).digest()
