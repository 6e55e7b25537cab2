"""How well a model tells the classes: precision and recall of each, the confusion matrix, and the calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from tutelage.report.figures import COLOURS, SOFT, Plot, listed, plot

COUNTED = 12
"""Number of classes up to which a confusion matrix has its counts in its cells."""

SHADED = 40
"""Number of classes up to which each cell of a confusion matrix is drawn by itself, and its classes are named."""

DARKEST = 0.5
"""Opacity of the fullest cell, such that letters in it can be read on a light page and on a dark one."""

WEAK, BELOW, ENOUGH = 0.6, 0.15, 5
"""Recall below which a class is named as weak, where it is also so far below that of all, and has so many items."""


def by_class(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Precision and recall of each class, as plain values; empty where nothing was scored.

    Args:
        record: records of a run.

    Returns:
        The "name" of each class, how many are truly of it ("true"), how many were "said" to be, how many of both
        ("both"), and "precision" and "recall", which are None where nothing was said, or nothing is true.

    >>> record = {"confusion": [[3, 1], [0, 0]], "summary": {"classes": ["ham", "spam"]}}
    >>> by_class(record)[0]
    {'name': 'ham', 'true': 4, 'said': 3, 'both': 3, 'precision': 1.0, 'recall': 0.75}
    >>> by_class(record)[1]["recall"] is None
    True
    """
    if "confusion" not in record:
        return []
    counts = np.array(record["confusion"])
    true, said, both = counts.sum(1).tolist(), counts.sum(0).tolist(), counts.diagonal().tolist()
    return [
        {
            "name": name,
            "true": t,
            "said": s,
            "both": b,
            "precision": b / s if s else None,
            "recall": b / t if t else None,
        }
        for name, t, s, b in zip(record["summary"]["classes"], true, said, both, strict=True)
    ]


def weakest(record: Mapping[str, Any]) -> str:
    """Sentence on the class that the model misses most; empty where none is much worse than all together.

    Args:
        record: records of a run.

    >>> record = {"rows": "test", "confusion": [[30, 1], [4, 2]], "summary": {"classes": ["ham", "spam"]}}
    >>> weakest(record)
    'It finds only 2 of 6 of the class “spam” (on the test).'
    """
    rows = [row for row in by_class(record) if row["true"] >= ENOUGH]
    if not rows:
        return ""
    overall = sum(row["both"] for row in rows) / sum(row["true"] for row in rows)
    worst = min(rows, key=lambda row: row["recall"])
    if worst["recall"] >= min(WEAK, overall - BELOW):
        return ""
    found = f"{worst['both']:,} of {worst['true']:,} of the class “{worst['name']}”"
    return f"It finds only {found} ({where(record)})."


def where(record: Mapping[str, Any]) -> str:
    """Words on what the classes were counted on."""
    return {"test": "on the test"}.get(record.get("rows", ""), "on held-out labels")


def mistakes(record: Mapping[str, Any], most: int = 5) -> list[tuple[str, str, int]]:
    """The commonest mistakes: the true class, what it was taken for, and how often.

    Args:
        record: records of a run.
        most: number of mistakes, at most.

    >>> mistakes({"confusion": [[3, 1], [2, 0]], "summary": {"classes": ["ham", "spam"]}})
    [('spam', 'ham', 2), ('ham', 'spam', 1)]
    """
    counts, names = np.array(record["confusion"]), record["summary"]["classes"]
    off = counts - np.diag(counts.diagonal())
    order = np.argsort(-off, axis=None, kind="stable")[:most].tolist()
    pairs = [divmod(i, len(names)) for i in order]
    return [(names[i], names[j], int(off[i, j])) for i, j in pairs if off[i, j]]


def confusion(record: Mapping[str, Any]) -> Plot | None:
    """Plot of the confusion matrix: shares of each true class, with counts where there is room; None where unscored."""
    if "confusion" not in record:
        return None
    counts, classes = np.array(record["confusion"]), record["summary"]["classes"]
    c = len(classes)
    height = min(1.5 + 0.4 * c, 4.6)
    figure, axes = plot("What is taken for what", "what the model says", "the truth", height)
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    if c <= SHADED:
        for i, j in zip(*np.nonzero(counts), strict=True):
            shade = DARKEST * float(share[i, j])
            axes.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, facecolor=COLOURS[0], alpha=shade, edgecolor="none"))
            if c <= COUNTED:
                axes.text(j, i, short(counts[i, j]), ha="center", va="center", fontsize=9.5)
        names = [name if len(name) <= 14 else name[:13] + "…" for name in classes]
        size = 10 if c <= COUNTED else 7
        slanted: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(range(c), names, fontsize=size, **(slanted if max(map(len, names)) > 2 else {}))
        axes.set_yticks(range(c), names, fontsize=size)
    else:  # one picture, since so many cells would make a large page
        shades = np.tile(to_rgba(COLOURS[0]), (c, c, 1))
        shades[..., 3] = share
        axes.imshow(shades, interpolation="nearest", aspect="auto")
    axes.set(xlim=(-0.5, c - 0.5), ylim=(c - 0.5, -0.5))
    axes.grid(visible=False)
    right = f"{counts.trace():,} of {counts.sum():,} right {where(record)}."
    taken = [f"{true} for {said} ({count:,})" for true, said, count in mistakes(record)]
    figure.alt = right + (f" Most often taken for another: {listed(taken)}." if taken else " No mistakes.")
    counted = " The number in a cell is a count." if c <= COUNTED else ""
    figure.caption = (
        "Each row is a true class, each column what the model says of it; the stronger its colour, the larger the "
        f"share of its row.{counted} On the diagonal the model is right. Counted {where(record)}."
    )
    return figure


def calibration(record: Mapping[str, Any]) -> Plot | None:
    """Plot of the share of right predictions over the predicted probability; None where nothing was scored."""
    if "calibration" not in record or not record["calibration"]["bins"]:
        return None
    bins, error = record["calibration"]["bins"], record["calibration"]["error"]
    title = "Can its probabilities be believed?"
    figure, axes = plot(title, "probability that it states", f"share right, {where(record)}")
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=1, linestyle="--")
    x, y = [b["probability"] for b in bins], [b["right"] for b in bins]
    most = max(b["count"] for b in bins)
    axes.scatter(x, y, s=[12 + 160 * b["count"] / most for b in bins], color=COLOURS[0], alpha=0.75, zorder=3)
    axes.plot(x, y, color=COLOURS[0], linewidth=1)
    axes.set(xlim=(0, 1.03), ylim=(0, 1.05))
    told = [f"{100 * b['probability']:.0f} % stated, {100 * b['right']:.0f} % right ({b['count']:,})" for b in bins]
    figure.alt = f"{listed(told, 10)}. On average stated and right differ by {100 * error:.1f} points."
    figure.caption = (
        "When the model says 80 %, is it right 80 % of the time? Then its dot is on the dashed line; below it, the "
        "model is too sure, above it not sure enough. Larger dots stand for more answers. On average the two differ by "
        f"{100 * error:.1f} points."
    )
    return figure


def short(count: int) -> str:
    """A count in at most five characters.

    >>> short(950), short(12_345), short(2_345_678)
    ('950', '12k', '2.3M')
    """
    return str(count) if count < 10_000 else f"{count / 1e3:.0f}k" if count < 1e6 else f"{count / 1e6:.1f}M"
