"""What a file is that holds no image which can be read, told by its first bytes."""

from __future__ import annotations

import re

DRAWING = rb"\s*(<\?xml[^>]*>)?\s*(<!--.*?-->|<!DOCTYPE svg[^>]*>|\s)*<svg"
"""Pattern of the beginning of a drawing in SVG."""
BEGINNINGS = {
    rb"....ftyp(heic|heix|heim|heis|hevc|hevx|mif1|msf1)": "an HEIC photo, which is not read; save it as JPEG or PNG",
    rb"....ftyp": "a film (MP4), not an image; save its frames as images",
    rb"version https://git-lfs": "a pointer of Git LFS, not the image itself; fetch it with git lfs pull",
    DRAWING: "a drawing (SVG), which has no pixels; save it as PNG",
    rb"\s*(<!DOCTYPE html|<html|<head|<body)": "a web page (HTML), as of a download that failed",
    rb"\s*<\?xml": "an XML file, not an image",
    rb"\s*[\[{]\s*[\"\[{\]}]": "a JSON file, not an image",
    rb"%!PS|\xc5\xd0\xd3\xc6": "a page in PostScript, which is a program and is not run; save it as PNG",
    rb"%PDF": "a PDF, not an image; save its pages as PNG",
    rb"PK\x03\x04": "a zip file, not an image; unpack it",
    rb"\x1f\x8b": "a gzip file, not an image; unpack it",
    rb"\x93NUMPY": "an array of numpy, not an image; save it as PNG",
    rb".{128}DICM": "a DICOM file, which is not read; save it as PNG",
}
"""Words for what a file is, by the pattern of its beginning; the first one that fits counts."""


def kind_of_file(head: bytes) -> str | None:
    """Words for what a file is that is no image; None where its beginning tells nothing.

    Args:
        head: first bytes of the file, some hundred of them.

    >>> kind_of_file(b"<!DOCTYPE html><title>404</title>")
    'a web page (HTML), as of a download that failed'
    """
    plain = head.removeprefix(b"\xef\xbb\xbf")
    for pattern, words in BEGINNINGS.items():
        if re.match(pattern, plain, re.DOTALL | re.IGNORECASE):
            return words
    return None
