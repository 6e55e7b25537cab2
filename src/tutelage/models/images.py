"""What reads the user's images for a network: frozen features, or the images to train on."""

from __future__ import annotations

import numpy as np

from tutelage.data.decoding import Size

BACKBONE = "efficientnet-lite0"
LONGEST = {BACKBONE: 128, "small_cnn": 64, "wide_resnet": 64, "unet": 160}
"""The most pixels that a side of the images has by default, for what they are shown to."""


def size_for(network: str, sizes: np.ndarray) -> Size:
    """The height and width that images are brought to: their median, made smaller where its longer side is too long.

    The backbone wants a square.

    Args:
        network: one of `LONGEST`.
        sizes: heights and widths, (n, 2); rows of 0 are bad images and do not count.

    >>> size_for("unet", np.array([[180, 240]])), size_for("small_cnn", np.array([[28, 28]]))
    ((120, 160), (28, 28))
    """
    longest = LONGEST[network]
    if network == BACKBONE:
        return longest, longest
    h, w = np.median(sizes[sizes.min(1) > 0], axis=0)
    shrunk = min(1.0, longest / max(h, w))
    least = 16 if network == "unet" else 8
    return max(round(h * shrunk), least), max(round(w * shrunk), least)
