"""Pictures for a report: thumbnails, and images with the classes of their pixels laid over them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image

from tutelage.data.errors import DataError
from tutelage.modalities.images.copies import Picture
from tutelage.modalities.images.decoding import ImageError, Size, decode, resized
from tutelage.modalities.images.inspecting import inspect

THUMBNAIL = 80
"""Longer side of a thumbnail, in pixels."""
SMALL = 65_536
"""Pixels of an image, at most, that is shown without loss."""
OVER = 0.55
"""Share of the class's colour in a pixel with a class laid over it."""


def thumbnail(picture: Picture) -> str:
    """Thumbnail of an image, encoded or an array, (h, w) or (h, w, 3): a PNG in base64."""
    with _named(picture):
        h, w = picture.shape[:2] if isinstance(picture, np.ndarray) else inspect(picture).size
    shrunk = THUMBNAIL / max(h, w)
    return png(pixels_of(picture, (max(round(h * shrunk), 1), max(round(w * shrunk), 1))))


def shown_whole(picture: Picture, side: int) -> bytes:
    """A picture for a page, of an image, encoded or an array: a PNG or, of many colours, a JPEG.

    Args:
        picture: the image, (h, w) or (h, w, 3) where it is an array.
        side: width and height, in pixels, at most; smaller images keep their size.

    Raises:
        DataError: the image cannot be read any more.
    """
    with _named(picture):
        h, w = picture.shape[:2] if isinstance(picture, np.ndarray) else inspect(picture).size
    shrunk = min(side / max(h, w), 1)
    made = Image.fromarray(pixels_of(picture, (max(round(h * shrunk), 1), max(round(w * shrunk), 1))))
    file = io.BytesIO()
    if made.width * made.height <= SMALL or made.getcolors(256) is not None:
        made.save(file, "png")
    else:
        made.save(file, "jpeg", quality=90)
    return file.getvalue()


def pixels_of(picture: Picture, size: Size) -> np.ndarray:
    """Pixels of an image, encoded or an array, (h, w) or (h, w, 3), in RGB and resized, (h, w, 3), uint8.

    Args:
        picture: the image.
        size: height and width of the result, in pixels.

    >>> pixels_of(np.full((4, 4), 7, dtype=np.uint8), (1, 2)).tolist()
    [[[7, 7, 7], [7, 7, 7]]]
    """
    if isinstance(picture, np.ndarray):
        return np.asarray(resized(Image.fromarray(picture).convert("RGB"), size))
    with _named(picture):
        return decode(picture, size)


@contextmanager
def _named(picture: Picture) -> Iterator[None]:
    """Context in which an image that cannot be read any more is named.

    Raises:
        DataError: it cannot.
    """
    try:
        yield
    except ImageError as e:
        raise DataError(f"{'an image' if isinstance(picture, bytes | np.ndarray) else picture}: {e}") from e


def overlay(pixels: np.ndarray, labels: np.ndarray, classes: int) -> str:
    """Image with the colours of its pixels' classes laid over it: a PNG in base64.

    Args:
        pixels: image, (h, w, 3), uint8.
        labels: class numbers, (h, w); -1 is void and stays plain.
        classes: number of classes.
    """
    wash = (255 * colours(classes))[labels.clip(min=0)]
    mixed = np.where(labels[..., None] >= 0, (1 - OVER) * pixels + OVER * wash, pixels)
    return png(mixed.round().astype(np.uint8))


def colours(classes: int) -> np.ndarray:
    """Colour of each class, (c, 3), in [0, 1]."""
    import matplotlib

    if classes <= 20:
        return np.asarray(matplotlib.colormaps["tab20"](np.arange(classes)))[:, :3]
    return np.asarray(matplotlib.colormaps["hsv"](np.linspace(0, 1, classes, endpoint=False)))[:, :3]


def hex_colours(classes: int) -> list[str]:
    """Colour of each class, as style sheets write it, such as "#1f77b4"."""
    from matplotlib.colors import to_hex

    return [to_hex(colour) for colour in colours(classes)]


def png(pixels: np.ndarray) -> str:
    """PNG, in base64, of an image, (h, w, 3), uint8."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()
