"""Pictures of items, made so small that a page of them stays small."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

from PIL import Image

ROOM = 1_200_000
"""Characters that all pictures of a page take together, at most."""

SIDES = (480, 320, 240, 160, 120, 80)
"""Longer sides that a picture is shrunk to, in pixels, until it fits."""

LEAST = 6_000
"""Characters that a picture may always take, so that thumbnails stay as they are."""

SHOWN = ("image", "guess", "truth")
"""Names of an item's pictures in a record."""


def with_small_pictures(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose pictures take at most `ROOM` together: what is too large is shrunk.

    Args:
        record: records of a run, with "least_sure" and "shown" items.
    """
    parts = {name: record.get(name) or [] for name in ("least_sure", "shown")}
    count = sum(name in row for rows in parts.values() for row in rows for name in SHOWN)
    room = max(ROOM // max(count, 1), LEAST)

    def small(row: Mapping[str, Any]) -> dict[str, Any]:
        return {**row, **{name: shrunk(row[name], room) for name in SHOWN if name in row}}

    return {**record, **{name: [small(row) for row in rows] for name, rows in parts.items() if name in record}}


def shrunk(picture: str, room: int) -> str:
    """A picture in base64 that takes at most ``room`` characters, as far as a side of 80 pixels allows.

    Args:
        picture: PNG in base64; it is returned as it is where it fits.
        room: number of characters.
    """
    if len(picture) <= room:
        return picture
    with Image.open(io.BytesIO(base64.b64decode(picture))) as whole:
        image = whole.convert("RGB")
    per_pixel = len(picture) / (image.width * image.height) / 4  # of 64 colours; a picture that is smoother takes less
    for side in SIDES:
        image.thumbnail((side, side))
        if side != SIDES[-1] and per_pixel * image.width * image.height > 2 * room:
            continue  # it is hopeless, and counting colours takes time
        file = io.BytesIO()
        image.quantize(64).save(file, "png", optimize=True)
        picture = base64.b64encode(file.getvalue()).decode()
        if len(picture) <= room:
            break
    return picture
