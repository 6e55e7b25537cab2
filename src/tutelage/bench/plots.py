"""Plots of a comparison, as PNG or SVG by the path's ending."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from scipy.optimize import isotonic_regression

from tutelage.bench import summary
from tutelage.bench.summary import Rows
from tutelage.ops import checks
from tutelage.report.figures import COLOURS, STYLE

METADATA: dict[str, dict[str, Any]] = {".png": {"Software": None}, ".svg": {"Date": None}}
"""Metadata that are left out of a plot's file, by ending, so that the same plot gives the same file."""
SHORTEST = 1e-3
"""Shortest time that is drawn, in seconds, since the axis is logarithmic; quicker runs are drawn there."""
TICKS = (0.5, 1, 2, 5, 10, 20, 50)
"""Ticks of the axis of gains, in points, above 0 and, negative, below."""


@contextmanager
def _drawn(path: Path, width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of this width and height, in inches, that is saved at the end."""
    checks.one_of("the ending of a plot", path.suffix, tuple(METADATA))
    with plt.rc_context(STYLE | {"svg.hashsalt": "tutelage", "savefig.bbox": "tight"}):
        figure, axes = plt.subplots(figsize=(width, height))
        try:
            yield figure, axes
            path.parent.mkdir(parents=True, exist_ok=True)
            figure.savefig(path, metadata=METADATA[path.suffix])
        finally:
            plt.close(figure)


def critical_difference(rows: Rows, path: Path, score_name: str) -> None:
    """Plot mean ranks on a line; bars join methods that Nemenyi's test does not tell apart (Demšar, 2006).

    Args:
        rows: lines of results of one protocol.
        path: file of the plot.
        score_name: name of the score, for the title.

    Raises:
        ImportError: scikit-posthocs is missing.
        ValueError: fewer than two methods have all seeds everywhere.
    """
    try:
        import scikit_posthocs  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError as e:
        raise checks.lacking("the critical-difference diagram", "bench", e) from e
    rank = summary.ranks(rows)
    if rank.each.shape[1] < 2:
        raise ValueError("a critical-difference diagram needs two methods that have a score everywhere")
    alike = scikit_posthocs.posthoc_nemenyi_friedman(rank.each)
    colours = [COLOURS[i % len(COLOURS)] for i in range(rank.each.shape[1])]
    with _drawn(path, 8, 4) as (figure, axes):
        scikit_posthocs.critical_difference_diagram(
            rank.mean, alike, alpha=summary.ALPHA, ax=axes, color_palette=colours,
            text_h_margin=0.01 * float(np.ptp(rank.mean)),
            label_fmt_left="{label}  {rank:.1f}", label_fmt_right="{rank:.1f}  {label}",
            label_props={"fontsize": 8}, marker_props={"s": 12}, elbow_props={"linewidth": 0.7},
        )  # fmt: skip
        axes.grid(visible=False)
        difference = f"critical difference {rank.critical_difference:.2f}"
        axes.set_title(f"Mean rank by {score_name} on {len(rank.each)} data sets, 1 = best; {difference}", pad=24)
        low, high = axes.get_ylim()
        figure.set_figheight(0.5 + 0.17 * (high - low))


def cost(rows: Rows, path: Path, baseline: str = "labels only") -> None:
    """Plot the mean difference to the baseline, with its interval over the data sets, against the median time of a run.

    Args:
        rows: lines of results of one protocol.
        path: file of the plot.
        baseline: method that the others are compared with.
    """
    rows = list(rows)
    found = summary.wins(rows, baseline)[["difference", "half_width"]]
    found.loc[baseline] = 0.0
    runs, _ = summary.cells(rows)
    found["seconds"] = runs.groupby("method").seconds.median().clip(lower=SHORTEST)
    found = found.dropna(subset="seconds").sort_values("difference", kind="stable")
    height = max(3.4, 0.19 * len(found))
    with _drawn(path, 7, height) as (_, axes):
        x, y, half = (found[c].to_numpy() for c in ("seconds", "difference", "half_width"))
        axes.axhline(0, color="#889", linewidth=0.8)
        axes.errorbar(x, y, np.nan_to_num(half), fmt="none", ecolor=COLOURS[0], alpha=0.2)
        axes.scatter(x, y, s=14, color=COLOURS[0], zorder=3)
        axes.set_xscale("log")
        axes.set_yscale("asinh", linear_width=2)
        low, high = axes.get_ylim()
        ticks = [t for t in (*(-t for t in TICKS), 0, *TICKS) if low <= t <= high]
        axes.set_yticks(ticks, [f"{t:+g}".replace("-", "−") if t else "0" for t in ticks])
        axes.set_yticks([], minor=True)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("{x:g}" if x.max() < 10 * x.min() else NullFormatter())
        axes.set(
            title="Cost and gain, 90 % intervals over settings",
            xlabel="median seconds of a run", ylabel=f"points above {baseline}",
        )  # fmt: skip
        _label(axes, found.index, x, y, 0.15 / height)


def _label(axes: Axes, names: pd.Index[str], x: np.ndarray, y: np.ndarray, gap: float) -> None:
    """Write names to the right of the axes, each with a line to its point; y must ascend.

    Args:
        names: names of the points, (n,).
        x, y: coordinates of the points, (n,) each.
        gap: least distance of two names, as a share of the axes' height.
    """
    at = axes.transAxes.inverted().transform(axes.transData.transform(np.column_stack([x, y])))[:, 1]
    places = apart(at, gap)
    for name, point, place in zip(names, zip(x, y, strict=True), places, strict=True):
        axes.annotate(
            name, point, (1.05, place), textcoords="axes fraction", fontsize=8, va="center", annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "#99a", "linewidth": 0.4, "shrinkB": 2, "relpos": (0, 0.5)},
        )  # fmt: skip


def apart(at: np.ndarray, gap: float) -> np.ndarray:
    """Places in [0, 1], (n,), that are nearest to ``at`` and at least ``gap`` apart.

    Args:
        at: wanted places, (n,), ascending.
        gap: least distance of two neighbours.

    >>> apart(np.array([0.1, 0.5, 0.5]), 0.2).round(2).tolist()
    [0.1, 0.4, 0.6]
    """
    # less a staircase of gaps, the places only have to ascend, which isotonic regression sees to
    steps = gap * np.arange(len(at))
    return np.asarray(isotonic_regression(at - steps).x.clip(0, max(1 - gap * (len(at) - 1), 0)) + steps)


def gains(rows: Rows, baseline: str, path: Path) -> None:
    """Plot the mean paired differences to the baseline, with intervals, by method and (data, setting).

    Differences whose interval does not hold 0 are bold.

    Args:
        rows: lines of results of one protocol.
        baseline: method that the others are compared with.
        path: file of the plot.

    Raises:
        ValueError: no method shares a seed with the baseline.
    """
    rows = list(rows)
    each = summary.paired(rows, baseline)
    each = each[each.seeds > 0]
    if each.empty:
        raise ValueError(f"no method shares a seed with {baseline!r}")
    columns = summary.blocks(each)
    names = [name for name in summary.order(rows, baseline) if name in set(each.method)]
    values = np.full((len(names), len(columns)), np.nan)
    shown = each.to_dict("records")
    for e in shown:
        values[names.index(e["method"]), columns.index((e["data"], e["setting"]))] = e["difference"]
    limit = max(1.0, float(np.quantile(each.difference.abs(), 0.9)))  # a few disasters shall not pale the rest
    with _drawn(path, 1.6 + 0.95 * len(columns), 0.8 + 0.24 * len(names)) as (figure, axes):
        image = axes.imshow(values, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
        for e in shown:
            half = "" if np.isnan(e["half_width"]) else f" ±{e['half_width']:.1f}"
            axes.text(
                columns.index((e["data"], e["setting"])), names.index(e["method"]),
                f"{e['difference']:+.1f}".replace("-", "−") + half, ha="center", va="center", fontsize=7,
                fontweight="bold" if e["above"] or e["below"] else "normal",
                color="white" if abs(e["difference"]) > 0.65 * limit else "#223",
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set_xticks(
            range(len(columns)),
            ["\n".join(c) for c in columns],
            fontsize=8,
            rotation=40,
            ha="left",
            rotation_mode="anchor",
        )
        axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
        axes.set_title(f"Points above {baseline} on the same seeds, ± 90 % interval; bold is clear", pad=8)
        bar = figure.colorbar(image, ax=axes, extend="both", pad=0.02, fraction=0.03)
        bar.outline.set_visible(False)
