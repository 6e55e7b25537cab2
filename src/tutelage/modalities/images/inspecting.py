"""Check of one image: its size, its kinds, and whether its file is whole."""

from __future__ import annotations

import hashlib
import os
from typing import NamedTuple

import numpy as np
from PIL import Image

from tutelage.modalities.images.decoding import (
    FORMATS,
    MAX_PIXELS,
    UPRIGHT,
    Encoded,
    ImageError,
    Size,
    Source,
    kinds_of,
    opened,
    orientation,
)

SMALL = 1_000_000
"""Number of pixels of a JPEG, at most, that a check decodes."""
TAIL = 64
"""Number of bytes at the end of a file that tell it from others."""


class Inspected(NamedTuple):
    """What a check says of a whole image.

    Attributes:
        size: upright height and width, in pixels.
        kinds: those of `KINDS` that the image is of.
        turn: EXIF orientation of the stored image, 1 to 8: 1 is upright, for the others see `UPRIGHT`.
        plain: whether all pixels have one colour.
        mark: number made of the file's length and its last bytes, which differs between most files that differ.
    """

    size: Size
    kinds: list[str]
    turn: int = 1
    plain: bool = False
    mark: int = 0


def inspect(source: Source, max_pixels: int = MAX_PIXELS) -> Inspected:
    """What a check says of an image, after it has made sure that the file is whole.

    A PNG is checked by its checksums, and a JPEG of more than `SMALL` pixels by its end. Other images, and a PNG with
    EXIF, are decoded; a JPEG is decoded at an eighth of its size. An image is decoded in full, too, where its file is
    so small that its pixels may all be alike.

    Args:
        source: encoded image, or its path.
        max_pixels: number of pixels of the image, at most.

    Raises:
        ImageError: as `decode`; or the end of the file is missing.
    """
    with opened(source, max_pixels) as (file, image):
        kinds = kinds_of(image)
        if image.format in ("GIF", "PNG", "TIFF", "WEBP") and getattr(image, "is_animated", False):
            kinds.append("frames")
        height, width, turn = _whole(file, image)
        if turn in UPRIGHT:
            kinds.append("turned")
        return Inspected((height, width), kinds, turn, _plain(file, width * height), _mark(file))


def _whole(file: Encoded, image: Image.Image) -> tuple[int, int, int]:
    """Upright height and width of an image, and its EXIF orientation, after a check that the file is whole."""
    width, height = image.size
    if image.format in ("JPEG", "MPO"):
        _require_whole(file, image)
        turn = orientation(image)
    elif image.format == "PNG" and not _has_exif(file):
        image.verify()
        turn = 1
    elif image.format == "TIFF":
        turn = orientation(image)
        image.load()  # turns it
        return image.height, image.width, turn
    else:
        image.load()
        (width, height), turn = image.size, orientation(image)
    return (width, height, turn) if turn > 4 else (height, width, turn)


def _plain(file: Encoded, pixels: int) -> bool:
    """Whether all pixels have one colour, of a file that is small enough for it; of one pixel nothing can be said."""
    if pixels < 2 or file.seek(0, os.SEEK_END) > 1024 + pixels // 50:
        return False
    file.seek(0)
    with Image.open(file, formats=FORMATS) as image:
        values = np.asarray(image)
    return bool((values == values[0, 0]).all())


def _mark(file: Encoded) -> int:
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - TAIL))
    digest = hashlib.blake2b(length.to_bytes(8, "big") + file.read(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _has_exif(png: Encoded) -> bool:
    png.seek(0)
    data = png.read()
    return any(mark in data for mark in (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp"))


def _require_whole(jpeg: Encoded, image: Image.Image) -> None:
    """Raise ImageError where the end of a JPEG is missing, also where a broken download is filled up with zeros."""
    ends = _ends(jpeg)
    if not ends or image.width * image.height <= SMALL:
        image.draft(None, (1, 1))
        image.load()
    if not ends:
        raise ImageError("cut off or damaged (its end is missing)")


def _ends(jpeg: Encoded) -> bool:
    """Whether the pixels of a JPEG are complete. A camera may put a thumbnail before them, or a film after them."""
    end, scan = b"\xd9", b"\xda"
    jpeg.seek(max(0, jpeg.seek(0, os.SEEK_END) - 4096))
    if jpeg.read().rstrip(b"\0").endswith(b"\xff" + end):
        return True
    jpeg.seek(0)
    data, at = jpeg.read(), 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] != scan:
        at += 1 if data[at + 1 : at + 2] == b"\xff" else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return data.find(b"\xff" + end, at) >= 0
