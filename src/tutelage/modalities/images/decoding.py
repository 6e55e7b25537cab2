"""Opening, checking and decoding of one image of any format, by Pillow, into RGB."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, UnidentifiedImageError

Source = bytes | str | Path
"""One encoded image, or the path of its file."""
Encoded = io.BytesIO | io.BufferedReader
"""Open file of an encoded image."""
Size = tuple[int, int]
"""Height and width in pixels."""

MAX_PIXELS = 64_000_000
"""Number of pixels of an image, at most; a larger one is refused before it is decoded."""
SMALL = 1_000_000
"""Number of pixels of a JPEG, at most, that a check decodes."""
KINDS = {
    "grey": "grey",
    "alpha": "transparent, and laid over white",
    "palette": "of a palette",
    "16-bit": "of 16 bits, and brought to 8",
    "CMYK": "CMYK",
    "turned": "turned upright as their EXIF says",
    "frames": "of several frames, of which the first is read",
}
"""Kinds of images other than plain RGB, with their words in messages."""
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""Transposition that turns an image upright, by EXIF orientation; from 5 on, it exchanges width and height."""


class ImageError(ValueError):
    """A fault of one image; the message does not name the image."""


@contextmanager
def opened(source: Source, max_pixels: int) -> Iterator[tuple[Encoded, Image.Image]]:
    """Context with an image's open file and the image, not yet decoded.

    Args:
        source: encoded image, or its path.
        max_pixels: number of pixels of the image, at most.

    Raises:
        ImageError: the image cannot be opened or is too large, or reading it within the block fails.
    """
    try:
        with _file(source) as file, _image(file) as image:
            if image.width * image.height > max_pixels:
                raise ImageError(_too_large(f"{image.width:,} x {image.height:,}", max_pixels))
            yield file, image
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as e:  # Pillow's own limit
        raise ImageError(_too_large(f"{int(re.findall('[0-9]+', str(e))[0]):,}", max_pixels)) from e
    except ImageError:
        raise
    except Exception as e:  # decoders raise what they like: SyntaxError, struct.error, IndexError
        raise ImageError(f"cut off or damaged ({e or type(e).__name__})") from e


def _image(file: Encoded) -> Image.Image:
    try:
        return Image.open(file)
    except UnidentifiedImageError as e:
        file.seek(0)
        raise ImageError(f"not an image, or damaged at its beginning: {file.read(16)!r}") from e


def _too_large(pixels: str, most: int) -> str:
    return f"{pixels} pixels are more than max_pixels = {most:,}"


def _file(source: Source) -> Encoded:
    if isinstance(source, bytes):
        if not source:
            raise ImageError("no image (0 bytes)")
        return io.BytesIO(source)
    try:
        found = Path(source).stat()
        if stat.S_ISDIR(found.st_mode):
            raise ImageError("a folder, not an image")
        if not stat.S_ISREG(found.st_mode):
            raise ImageError("neither a file nor a folder")
        if not found.st_size:
            raise ImageError("the file is empty (0 bytes)")
        return open(source, "rb")
    except (FileNotFoundError, NotADirectoryError) as e:
        raise ImageError("a link to a file that is not there" if Path(source).is_symlink() else "no such file") from e
    except ValueError as e:
        if isinstance(e, ImageError):
            raise
        raise ImageError(f"no path ({e})") from e  # it holds a zero, or half a character
    except OSError as e:
        raise ImageError(f"the file cannot be opened ({e.strerror})") from e


def decode(source: Source, size: Size, max_pixels: int = MAX_PIXELS) -> UInt8[np.ndarray, "h w 3"]:
    """Pixels of an image in RGB, upright and resized, (h, w, 3), uint8.

    The image is resized (bilinear, antialiased) without keeping its proportions: so nothing at its edges is lost, and
    a mask of the image is resized in the same way. A JPEG is decoded at a half, quarter or eighth of its size where
    this is still at least twice the wanted one. Transparent pixels are laid over white; 16 bits become 8.

    Args:
        source: encoded image, or its path.
        size: height and width of the result, in pixels.
        max_pixels: number of pixels of the stored image, at most.

    Raises:
        ImageError: the image is too large, damaged, empty or missing, or is no image.

    >>> file = io.BytesIO()
    >>> Image.new("L", (4, 3), 7).save(file, "png")
    >>> decode(file.getvalue(), (2, 1)).tolist()
    [[[7, 7, 7]], [[7, 7, 7]]]
    """
    with opened(source, max_pixels) as (_, image):
        image.draft(None, (2 * max(size), 2 * max(size)))
        image.load()
        turn = orientation(image)
        plain = resized(_plain(image), size[::-1] if turn > 4 else size)
        if turn in UPRIGHT:
            plain = plain.transpose(UPRIGHT[turn])
        return np.asarray(plain.convert("RGB"))


def resized(image: Image.Image, size: Size) -> Image.Image:
    """The image, resized to a height and width, bilinear."""
    return image if image.size == size[::-1] else image.resize(size[::-1], Image.Resampling.BILINEAR)


def orientation(image: Image.Image) -> int:
    """EXIF orientation of a decoded image, 1 to 8: 1 is upright, for the others see `UPRIGHT`."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF says nothing of the image itself
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """The image in grey or RGB, of 8 bits."""
    if "16-bit" in _kinds(image):
        wide = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _kinds(image: Image.Image) -> list[str]:
    """Those of KINDS that an image's mode tells; ImageError where its values have no known range."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return ["grey", "16-bit"]
    if image.mode in ("I", "F"):
        raise ImageError("values of 32 bits, or with a sign, have no known range; save the image with 8 or 16 bits")
    kinds = {"grey": image.mode in ("1", "L", "LA", "La"), "palette": image.mode in ("P", "PA")}
    kinds |= {"alpha": image.has_transparency_data, "CMYK": image.mode == "CMYK"}
    return [kind for kind, true in kinds.items() if true]


def inspect(source: Source, max_pixels: int = MAX_PIXELS) -> tuple[Size, list[str]]:
    """Upright height and width of an image, in pixels, and its kinds, after a check that the file is whole.

    A PNG is checked by its checksums, and a JPEG of more than `SMALL` pixels by its end. Other images, and a PNG with
    EXIF, are decoded; a JPEG is decoded at an eighth of its size.

    Args:
        source: encoded image, or its path.
        max_pixels: number of pixels of the image, at most.

    Raises:
        ImageError: as `decode`; or the end of the file is missing.
    """
    with opened(source, max_pixels) as (file, image):
        kinds = _kinds(image)
        if image.format in ("GIF", "PNG", "TIFF", "WEBP") and getattr(image, "is_animated", False):
            kinds.append("frames")
        width, height = image.size
        if image.format in ("JPEG", "MPO"):
            _require_whole(file, image)
            turn = orientation(image)
        elif image.format == "PNG" and not _has_exif(file):
            image.verify()
            turn = 1
        else:
            image.load()
            (width, height), turn = image.size, orientation(image)
        if turn in UPRIGHT:
            kinds.append("turned")
        return ((width, height) if turn > 4 else (height, width)), kinds


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
