"""Opening, checking and decoding of one image of any format, by Pillow, into RGB."""

from __future__ import annotations

import errno
import io
import logging
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import ExifTags, Image, UnidentifiedImageError

from tutelage.data.errors import damage
from tutelage.files import naming
from tutelage.modalities.images.beginnings import kind_of_file

Source = bytes | str | Path
"""One encoded image, or the path of its file."""
Encoded = io.BytesIO | io.BufferedReader
"""Open file of an encoded image."""
Size = tuple[int, int]
"""Height and width in pixels."""

MAX_PIXELS = 64_000_000
"""Number of pixels of an image, at most; a larger one is refused before it is decoded."""
FORMATS = (
    "PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "AVIF", "TIFF", "PPM", "JPEG2000", "TGA", "PCX", "ICO", "CUR", "ICNS",
    "PSD", "QOI", "SGI", "DDS", "SUN", "DCX", "MSP", "XBM", "XPM",
)  # fmt: skip
"""Formats of images that are read: not PostScript, whose files are programs that another program would run."""
HEAD = 512
"""Number of bytes at the beginning of a file that tell what it is."""
DETAILS = re.compile(r"( \(|: |; ).*", re.DOTALL)
"""Pattern of the details of a fault, which differ from image to image."""
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


logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its log of damaged files would be printed


OF_THE_MOMENT = (errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ESTALE)
"""Numbers of errors of the system that may be over when the file is read again."""


class ImageError(ValueError):
    """A fault of one image; the message does not name the image."""

    @property
    def kind(self) -> str:
        """The fault without its details, the same for all images with this kind of fault.

        >>> ImageError("cut off or damaged (its end is missing)").kind, ImageError("8 x 6 pixels are too many").kind
        ('cut off or damaged', 'N x N pixels are too many')
        """
        return re.sub("[0-9][0-9,]*", "N", DETAILS.sub("", str(self)))


@contextmanager
def opened(source: Source, max_pixels: int) -> Iterator[tuple[Encoded, Image.Image]]:
    """Context with an image's open file and the image, not yet decoded.

    Args:
        source: encoded image, or its path.
        max_pixels: number of pixels of the image, at most.

    Raises:
        ImageError: the image cannot be opened or is too large, or reading it within the block fails.
        OSError: the system could not read it at this moment; the error names it.
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
        require_read("an image" if isinstance(source, bytes) else source, e)
        raise ImageError(f"cut off or damaged ({damage(e)})") from e


def _image(file: Encoded) -> Image.Image:
    try:
        return Image.open(file, formats=FORMATS)
    except UnidentifiedImageError as e:
        file.seek(0)
        what = kind_of_file(file.read(HEAD))  # none of its bytes: a table may name any file of the machine
        raise ImageError(what or "not an image, or damaged at its beginning") from e


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


def require_read(source: object, error: BaseException | None) -> None:
    """Raise an error of the disk or of the system again, with the file's name: of the image it says nothing.

    Args:
        source: encoded image, or its path.
        error: why it could not be read.

    Raises:
        OSError: the system could not read the file at this moment.
    """
    if isinstance(error, OSError) and error.errno in OF_THE_MOMENT:
        raise OSError(error.errno, error.strerror or os.strerror(error.errno), str(source)) from error


def bytes_of(source: Source) -> bytes:
    """Bytes of an encoded image, or of its file.

    Raises:
        OSError: the file cannot be read; the error names it.
    """
    if isinstance(source, bytes):
        return source
    with naming(Path(source)):
        return Path(source).read_bytes()


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
        return np.asarray((plain.transpose(UPRIGHT[turn]) if turn in UPRIGHT else plain).convert("RGB"))


def upright(image: Image.Image) -> Image.Image:
    """An opened image, decoded at its own size, of 8 bits, over white and upright; see `decode`."""
    image.load()
    turn, plain = orientation(image), _plain(image)
    return plain.transpose(UPRIGHT[turn]) if turn in UPRIGHT else plain


def upright_size(image: Image.Image) -> Size:
    """Width and height of an opened image, in pixels, as it is upright."""
    return (image.height, image.width) if orientation(image) > 4 else image.size


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
    if "16-bit" in kinds_of(image):
        wide = np.asarray(image).astype(np.uint32)
        return Image.fromarray(((wide + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", over.size, "white"), over).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def kinds_of(image: Image.Image) -> list[str]:
    """Those of KINDS that an image's mode tells; ImageError where its values have no known range."""
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return ["grey", "16-bit"]
    if image.mode in ("I", "F"):
        raise ImageError("values of 32 bits, or with a sign, have no known range; save the image with 8 or 16 bits")
    kinds = {"grey": image.mode in ("1", "L", "LA", "La"), "palette": image.mode in ("P", "PA")}
    kinds |= {"alpha": image.has_transparency_data, "CMYK": image.mode == "CMYK"}
    return [kind for kind, true in kinds.items() if true]
