"""Figures of a report: their look, and what stands in for them where nobody sees them."""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Mapping
from html import escape
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tutelage.pages.colours import LIGHT, PLOTTED

INK, SOFT, GRID = LIGHT["ink"], LIGHT["soft"], LIGHT["grid"]
"""Colours of letters, of axes, and of the lines behind a plot."""

COLOURS = tuple(LIGHT[name] for name in PLOTTED)
"""Colours of the lines of a plot, in order."""

STYLE: Any = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "grid.color": GRID, "grid.linewidth": 0.6, "axes.edgecolor": SOFT, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": SOFT, "ytick.color": SOFT, "xtick.labelcolor": INK, "ytick.labelcolor": INK, "font.size": 10.5,
    "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left", "legend.frameon": False,
    "legend.fontsize": 10, "figure.dpi": 144, "text.parse_math": False,
}  # fmt: skip
"""Matplotlib's settings for all plots."""

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
"""Dashes of the lines of a plot, in order, so that no line is told by its colour alone."""

WIDTH = 4.7
"""Width of a plot, in inches: 338 points, so that its letters are not shrunk on a page of 390 pixels."""


class Plot(Figure):
    """A matplotlib figure that a screen reader can read.

    Attributes:
        alt: what the plot shows, in sentences made of its numbers.
        caption: what is drawn, and how it is read.
    """

    alt: str = ""
    caption: str = ""

    def savefig(self, *args: Any, **options: Any) -> None:
        """Write the plot as matplotlib does; letters that its font lacks are boxes, without a warning of each."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            super().savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        """The plot as PNG, for notebooks without a backend of their own."""
        file = io.BytesIO()
        self.savefig(file, format="png", metadata={"Software": None})
        return file.getvalue()

    def _repr_html_(self) -> str:
        """The plot for a notebook, with its alternative text."""
        data = base64.b64encode(self._repr_png_()).decode()
        return f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{data}" style="max-width: 100%">'


def plot(title: str, x: str, y: str, height: float = 3.0, width: float = WIDTH) -> tuple[Plot, Axes]:
    """An empty plot and its axes.

    Args:
        title: title above the axes.
        x, y: labels of the axes.
        height, width: size in inches.
    """
    figure = Plot(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def series(record: Mapping[str, Any], key: str) -> tuple[list[float], list[float]]:
    """Steps and values of a number in a run's history, where it was kept.

    >>> series({"history": [{"step": 1, "loss.pool": 0.5}, {"step": 2}]}, "loss.pool")
    ([1], [0.5])
    """
    points = [(point["step"], point[key]) for point in record["history"] if key in point]
    return [step for step, _ in points], [value for _, value in points]


def mark_rounds(record: Mapping[str, Any], axes: Axes) -> str:
    """Draw a thin line at each step where a training round begins, and return words on it; empty where none does."""
    steps = [(point["step"], point["round"]) for point in record["history"]]
    begun = [step for (_, before), (step, after) in zip(steps, steps[1:], strict=False) if after != before]
    for step in begun:
        axes.axvline(step, color=SOFT, linewidth=0.7, linestyle=":")
    return " Dotted upright lines begin a round." if begun else ""


def listed(parts: list[str], most: int = 6) -> str:
    """Parts of a sentence with semicolons between, and how many are left out.

    >>> listed(["a", "b", "c"], 2)
    'a; b; and 1 more'
    """
    rest = [f"and {len(parts) - most} more"] if len(parts) > most else []
    return "; ".join([*parts[:most], *rest])
