"""Masks: images that hold a class number in each pixel. Errors name the file, the row and the number of pixels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int, Int16, Int64, UInt16
from PIL import Image

from tutelage.data.tables import DataError
from tutelage.modalities.images.decoding import MAX_PIXELS, UPRIGHT, ImageError, Size, Source, opened, orientation
from tutelage.modalities.images.examples import WORKERS, attempted, place, raise_first, some

FORMATS = ("PNG", "GIF", "BMP", "TIFF")
"""Formats of masks: they keep every number as it is."""
MODES = ("1", "L", "P", "I", "I;16", "I;16B")
"""Modes, in Pillow's names, of images with one number in each pixel."""
STRETCHED = {"L;2": 85, "L;4": 17}
"""Factors by which Pillow stretches grey of 2 and 4 bits to 0 .. 255, by stored mode."""
VALUES = 2**16
"""Number of values that a pixel of a mask may have."""
NONE = VALUES - 1
"""Value that stands for -1 of an array while it is read."""
LARGEST = 2**15 - 1
"""Largest class number."""
VOID_OF_OLD = (255, VALUES - 1)
"""Largest values of 8 and 16 bits, which by custom mean void more often than a class."""


@dataclass(frozen=True)
class Masks:
    """Masks of n images, resized.

    Attributes:
        ids: class number of each pixel, (n, h, w); -1 is void, or an image without a mask.
        classes: number of classes c.
        pixels: number of pixels of each class in all stored masks, (c,).
        faults: place and fault of each mask that cannot be read, by its number, from 0; such a mask is void.
    """

    ids: Int16[np.ndarray, "n h w"]
    classes: int
    pixels: Int64[np.ndarray, " c"]
    faults: dict[int, str] = field(default_factory=dict)

    def targets(self) -> Int64[np.ndarray, " pixels"]:
        """Class numbers in the order of the units of `SegmentImages`, (n h w,); -1 is unknown."""
        return self.ids.ravel().astype(np.int64)

    def words(self) -> list[str]:
        """Sentences for the user: classes without a pixel."""
        none = [str(number) for number in np.flatnonzero(self.pixels == 0)]
        return [f"{len(none)} of {self.classes} classes are in no mask: {some(none)}."] if none else []


@dataclass(frozen=True)
class _Counted:
    """Counts of the values of one mask.

    Attributes:
        at: place of the mask, for messages.
        values: values that occur, without void ones, in rising order, (v,).
        pixels: number of pixels of each of them, (v,).
    """

    at: str
    values: np.ndarray
    pixels: np.ndarray

    @classmethod
    def of(cls, at: str, stored: np.ndarray, void: Collection[int]) -> _Counted:
        """Counts of a stored mask, (h, w)."""
        counts = np.bincount(stored.ravel())
        counts[[value for value in void if value < len(counts)]] = 0
        values = np.flatnonzero(counts)
        return cls(at, values, counts[values])

    @property
    def largest(self) -> str:
        """Words that name the place of the largest value and its number of pixels."""
        return f"{self.at}: value {self.values[-1]} on {self.pixels[-1]:,} pixels"


def read_masks(
    sources: Sequence[Source | np.ndarray | None],
    size: Size,
    rows: Sequence[int] | None = None,
    file: str = "",
    *,
    sizes: Int[np.ndarray, "n 2"] | None = None,
    void: Collection[int] = (),
    classes: int | None = None,
    skip_bad: bool = False,
    max_pixels: int = MAX_PIXELS,
    workers: int = WORKERS,
    named: Callable[[int], str] | None = None,
) -> Masks:
    """Masks, whose values are class numbers, read and resized to one size by the nearest pixel.

    Args:
        sources: n masks: PNG files (also GIF, BMP, TIFF) of one channel, or of a palette, whose numbers count and not
            the colours; or arrays of whole numbers, (h, w), -1 is void. None is an image without a mask.
        size: height and width that masks are resized to, in pixels.
        rows: number of each mask's row in the file, for errors; None counts the masks.
        file: table or folder of the masks, for errors.
        sizes: heights and widths of the images, (n, 2), which the masks must have; None checks none.
        void: values that mean an unknown class, in [0, 65535].
        classes: number of classes, at least 1; None is one more than the largest value that is not void.
        skip_bad: whether a mask that cannot be read, or differs from its image in size, becomes void and is in
            ``faults``; else it is an error.
        max_pixels: number of pixels of a stored mask, at most.
        workers: number of threads, at least 1.
        named: function that gives the name of the i-th mask's place, in place of ``rows`` and ``file``.

    Raises:
        DataError: a mask cannot be read, holds colours, differs from its image in size, or has a value that is neither
            void nor below ``classes``; or no mask has a pixel that is not void.
        ValueError: ``void`` or ``classes`` is out of its range.
    """
    _require_arguments(void, classes)
    if any(isinstance(source, np.ndarray) for source in sources):
        void = {*void, NONE}
    ids = np.full((len(sources), *size), -1, dtype=np.int16)
    given = [i for i, source in enumerate(sources) if source is not None]
    named = named or (lambda i: f"{place(sources, rows, file, i)}, mask")
    places = [named(i) for i in given]

    def read(at: tuple[int, str]) -> _Counted:
        number, where = at
        source = sources[number]
        stored = _of_array(source) if isinstance(source, np.ndarray) else _stored(source or b"", max_pixels)
        _require_size(stored, None if sizes is None else sizes[number])
        ids[number] = _without_void(nearest(stored, size), void)
        return _Counted.of(where, stored, void)

    found, bad = attempted(read, list(zip(given, places, strict=True)), workers)
    faults = {i: f"{places[i]}: {error}" for i, error in bad.items()}
    if not skip_bad:
        raise_first(faults, len(given), "masks")
    counted = [one for one in found.values() if len(one.values)]
    if not counted:
        raise DataError(f"{file or 'masks'}: no mask has a pixel of a class")
    if classes is None:
        _refuse_void_of_old(counted)
    _require_below(classes or LARGEST + 1, counted)
    pixels = np.zeros(classes or max(int(one.values[-1]) for one in counted) + 1, dtype=np.int64)
    for one in counted:
        pixels[one.values] += one.pixels
    return Masks(ids, len(pixels), pixels, {given[i]: fault for i, fault in faults.items()})


def _require_arguments(void: Collection[int], classes: int | None) -> None:
    for value in void:
        if not 0 <= value < VALUES:
            raise ValueError(f"void must be in [0, {VALUES - 1}], got {value}")
    if classes is not None and not 1 <= classes <= LARGEST + 1:
        raise ValueError(f"classes must be in [1, {LARGEST + 1}], got {classes}")


def _stored(source: Source, max_pixels: int) -> UInt16[np.ndarray, "h w"]:
    """Values of a stored mask, upright, (h, w); ImageError where they cannot be class numbers."""
    with opened(source, max_pixels) as (_, image):
        if image.format not in FORMATS:
            raise ImageError(f"{image.format} does not keep numbers as they are; save masks as PNG")
        kind = _raw_mode(image)
        if kind.startswith(("L;I", "1;I", "L;2I", "L;4I")):
            raise ImageError("its grey is stored inverted; save masks as PNG")
        image.load()
        if image.mode not in MODES:
            raise ImageError(_colours(image))
        turn = orientation(image)
        numbers = np.asarray(image.transpose(UPRIGHT[turn]) if turn in UPRIGHT else image).astype(np.int64)
    wrong = numbers[(numbers < 0) | (numbers >= VALUES)]
    if len(wrong):
        raise ImageError(f"value {wrong[0]} on {(wrong == wrong[0]).sum():,} pixels is not from 0 to {VALUES - 1}")
    return (numbers // STRETCHED.get(kind, 1)).astype(np.uint16)


def _of_array(mask: np.ndarray) -> UInt16[np.ndarray, "h w"]:
    """Values of a mask given as an array, (h, w), with NONE for -1; ImageError where they are no class numbers."""
    if mask.ndim != 2 or mask.dtype.kind not in "iub":
        raise ImageError(f"it is {mask.dtype} of shape {mask.shape}, not whole numbers (h, w)")
    numbers = mask.astype(np.int64)
    wrong = numbers[(numbers < -1) | (numbers >= NONE)]
    if len(wrong):
        raise ImageError(f"value {wrong[0]} on {(wrong == wrong[0]).sum():,} pixels is not from -1 to {NONE - 1}")
    return np.where(numbers < 0, NONE, numbers).astype(np.uint16)


def _raw_mode(image: Image.Image) -> str:
    """Mode in which the pixels are stored, in Pillow's names."""
    tiles = getattr(image, "tile", None)
    stored = tiles[0].args if tiles else ""
    return str(stored[0] if isinstance(stored, tuple) else stored)


def _colours(image: Image.Image) -> str:
    if image.mode == "F":
        return "it is F, numbers with a fraction; save whole ones"
    bands = np.asarray(image.convert("RGB"))
    if (bands == bands[..., :1]).all():
        return f"it is {image.mode} with equal channels; save one: image.convert('RGB').getchannel(0)"
    return (
        f"it is {image.mode}, colours and not class numbers; with the colours of the classes in an array (c, 3), "
        "save (rgb[:, :, None] == colours).all(-1).argmax(-1).astype('uint8') as PNG"
    )


def _require_size(stored: np.ndarray, of_image: np.ndarray | None) -> None:
    if of_image is not None and stored.shape != tuple(of_image):
        (h, w), (height, width) = stored.shape, of_image
        raise ImageError(f"it is {w} x {h} pixels, but its image is {width} x {height}")


def nearest(stored: Int[np.ndarray, "h w"], size: Size) -> Int[np.ndarray, "rows columns"]:
    """A mask, (h, w), resized by the nearest pixel.

    Args:
        stored: class numbers.
        size: height and width of the result, in pixels.
    """
    h, w = (((np.arange(new) + 0.5) * old / new).astype(np.int64) for new, old in zip(size, stored.shape, strict=True))
    near: np.ndarray = stored[h[:, None], w]
    return near


def _without_void(numbers: UInt16[np.ndarray, "h w"], void: Collection[int]) -> Int16[np.ndarray, "h w"]:
    classes = numbers.astype(np.int16)
    for value in void:
        classes[numbers == value] = -1
    return classes


def _refuse_void_of_old(counted: list[_Counted]) -> None:
    """Raise DataError where the largest value is one of VOID_OF_OLD and does not follow on the others."""
    there = sorted({int(value) for one in counted for value in one.values})
    last, before = there[-1], there[-2] if len(there) > 1 else 0
    if last in VOID_OF_OLD and before < last - 1:
        first = next(one for one in counted if one.values[-1] == last)
        raise DataError(
            f"{first.largest}, where others end at {before}; if nothing is known there, name {last} void; "
            f"if it is a class of a mask of 0 and {last}, save it as 1; or give the number of classes"
        )


def _require_below(classes: int, counted: list[_Counted]) -> None:
    for one in counted:
        if one.values[-1] >= classes:
            raise DataError(
                f"{one.largest} is not from 0 to {classes - 1}; name it void if nothing is known there, "
                "or give more classes"
            )
