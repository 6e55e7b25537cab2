"""The commonest class of labels, beside which every accuracy stands: saying nothing else needs no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tutelage.tables.cells import quoted


def commonest_of(
    classes: Sequence[Any], y: np.ndarray, weight: np.ndarray | None = None
) -> dict[str, Any] | None:  # fmt: skip
    """The commonest "class" of labels, and its "share", which always saying it is right; None without labels.

    Args:
        classes: names of the classes.
        y: class numbers, (n,); -1 is none of the classes, and counts in the share.
        weight: how much each label counts, (n,), as it does in the scores beside; None counts each once.

    >>> commonest_of(["ham", "spam"], np.array([0, 1, 0, -1]))
    {'class': 'ham', 'share': 0.5}
    """
    if not (y >= 0).any():
        return None
    weight = np.ones(len(y)) if weight is None else weight
    counts = np.bincount(y[y >= 0], weight[y >= 0], minlength=len(classes))
    return {"class": str(classes[int(counts.argmax())]), "share": float(counts.max() / weight.sum())}


def saying(commonest: Mapping[str, Any]) -> str:
    """Words for a model that always says the commonest class.

    Args:
        commonest: what `commonest_of` gave.

    >>> saying({"class": "ham", "share": 0.866})
    "always saying 'ham'"
    """
    return f"always saying {quoted(commonest['class'])}"


def always(commonest: Mapping[str, Any]) -> str:
    """Words for the accuracy of always saying the commonest class.

    Args:
        commonest: what `commonest_of` gave.

    >>> always({"class": "ham", "share": 0.866})
    "always saying 'ham' 86.6 %"
    """
    return f"{saying(commonest)} {100 * commonest['share']:.1f} %"
