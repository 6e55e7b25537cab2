"""One page with every component of Tutelage's pages, to look at them.

    python tools/components.py [FILE]

Writes components.html, or FILE. tools/components.html is its template, and shows how each is written.
"""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tutelage.pages.templating import environment

CLASSES = ("delivery", "billing", "a rather long name of a class, with a comma", "الطقس", "天気", "other", "refund")


def components() -> str:
    """HTML of the page."""
    y, x = np.mgrid[-90:90, -160:160]
    file = io.BytesIO()
    Image.fromarray((127 + 120 * np.cos(np.hypot(x, y) / 9)).astype(np.uint8)).save(file, "png")
    template = (Path(__file__).parent / "components.html").read_text(encoding="utf-8")
    picture = base64.b64encode(file.getvalue()).decode()
    return environment("tutelage.report").from_string(template).render(classes=CLASSES, image=picture)


if __name__ == "__main__":
    Path(*(sys.argv[1:] or ["components.html"])).write_text(components(), encoding="utf-8")
