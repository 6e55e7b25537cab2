"""Small images and masks, whole and broken, as bytes."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

from faulty.case import Draw

FAULTS = (
    "cut", "none", "tiny", "turned", "16 bits", "palette", "transparent", "cmyk", "frames", "text", "float", "huge",
    "plain",
    "web page", "bitten", "grey", "wide", "1 bit", "tail", "pointer", "icc",
)  # fmt: skip
"""Faults and habits of an image."""
ENDINGS = {"png": "PNG", "jpg": "JPEG", "gif": "GIF", "bmp": "BMP", "tif": "TIFF", "webp": "WEBP", "ppm": "PPM"}
"""Formats of images by the endings of their names."""


def encoded(image: Image.Image, form: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **more)
    return file.getvalue()


def pixels(draw: Draw, h: int = 9, w: int = 12) -> np.ndarray:
    """Noise, (h, w, 3)."""
    return draw.numpy().integers(0, 255, (h, w, 3), dtype=np.uint8)


def picture(draw: Draw, ending: str, turn: int = 1) -> bytes:
    """A good image, perhaps turned by its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = turn
    more = {"exif": exif} if turn > 1 and ending in ("jpg", "png", "webp") else {}
    return encoded(Image.fromarray(pixels(draw)), ENDINGS[ending], **more)


def _huge() -> bytes:
    """A PNG that says that it has 50,000 x 50,000 pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head)) + b"\0" * 60


def faulty(draw: Draw, fault: str) -> bytes:
    """An image with a fault, or of a form that few have."""
    noise = pixels(draw)
    image, data = Image.fromarray(noise), encoded(Image.fromarray(noise))
    if fault == "cut":
        return data[: draw.whole(1, len(data) - 1)]
    if fault == "bitten":
        at = draw.whole(8, len(data) - 1)
        return data[:at] + bytes([draw.whole(0, 255)]) + data[at + 1 :]
    if fault == "frames":
        return encoded(image.convert("P"), "GIF", save_all=True, append_images=[image.convert("P").rotate(90)])
    if fault in ("none", "text", "huge", "web page", "tail", "pointer"):
        return {
            "none": b"", "text": b"not an image", "huge": _huge(), "web page": b"<!DOCTYPE html><html></html>",
            "tail": data + b"\0" * 9, "pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        }[fault]  # fmt: skip
    made: dict[str, tuple[Image.Image, str]] = {
        "tiny": (image.resize((1, 1)), "PNG"), "turned": (image, "JPEG"), "palette": (image.convert("P"), "PNG"),
        "16 bits": (Image.fromarray(noise[..., 0].astype(np.uint16) * 257), "PNG"),
        "plain": (Image.new("RGB", (9, 9)), "PNG"),
        "transparent": (image.convert("RGBA").putalpha(90) or image.convert("LA"), "PNG"),
        "cmyk": (image.convert("CMYK"), "JPEG"),
        "float": (Image.fromarray(noise[..., 0].astype(np.float32)), "TIFF"), "grey": (image.convert("L"), "JPEG"),
        "wide": (image.resize((400, 2)), "PNG"), "1 bit": (image.convert("1"), "TIFF"), "icc": (image, "PNG"),
    }  # fmt: skip
    more: dict[str, Any] = {"icc_profile": b"broken"} if fault == "icc" else {}
    if fault == "turned":
        exif = Image.Exif()
        exif[0x0112] = draw.one([3, 6, 8, 0, 99])
        more["exif"] = exif
    return encoded(made[fault][0], made[fault][1], **more)
