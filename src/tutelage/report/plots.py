"""Plots of a run's records, each a PNG file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tutelage.report.sentences import reference_says, words_of

STYLE: Any = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
    "axes.edgecolor": "#667", "axes.labelcolor": "#334", "xtick.color": "#445", "ytick.color": "#445",
    "font.size": 10, "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "legend.frameon": False, "figure.dpi": 144, "savefig.bbox": "tight",
}  # fmt: skip
"""Matplotlib's settings for all plots."""

COLOURS = ("#0b6e99", "#c1502e", "#5b8c2a", "#7a4ea3", "#99762c")
"""Colours of the lines of a plot, in order."""


def draw_all(record: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    """Draw every plot that the records have numbers for.

    Args:
        record: records of a run.
        folder: folder for the PNG files, made where it is missing.

    Returns:
        File name and caption of each plot, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, caption, draw in PLOTS:
        with plt.rc_context(STYLE):
            figure = draw(record)
            if figure is None:
                continue
            figure.savefig(folder / f"{name}.png", metadata={"Software": None})
            plt.close(figure)
        drawn.append((f"{name}.png", caption if isinstance(caption, str) else caption(record)))
    return drawn


def _series(record: dict[str, Any], key: str) -> tuple[list[float], list[float]]:
    points = [(h["step"], h[key]) for h in record["history"] if key in h]
    return [p[0] for p in points], [p[1] for p in points]


def _axes(title: str, x: str, y: str, width: float = 5.2) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(width, 3.1))
    axes.set(title=title, xlabel=x, ylabel=y)
    return figure, axes


def _rounds(record: dict[str, Any], axes: Axes) -> None:
    """Draw a thin line at each step where a training round begins."""
    steps = [(h["step"], h["round"]) for h in record["history"]]
    for (_, before), (step, after) in zip(steps, steps[1:], strict=False):
        if after != before:
            axes.axvline(step, color="#889", linewidth=0.6, linestyle=":")


def evidence(record: dict[str, Any]) -> Figure | None:
    """Plot of the held-out scores with their intervals, and of the test score; None where there is no score."""
    summary = record["summary"]
    score, measure = _score(summary)
    rows = []
    if summary["evidence"]:
        rows = [(f"{reference_says(summary)}\n(held out)", summary["reference"])]
        rows += [(f"{_tried(summary)}\n(held out)", summary["candidate"])]
    if summary.get("test"):
        rows += [(f"{says}\n(test)", found) for says, found in _tested(summary)]
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(5.2, 0.6 + 0.62 * len(rows)))
    for i, (_, e) in enumerate(rows):
        low, high = (100 * v for v in e["interval"])
        axes.plot([low, high], [i, i], color=COLOURS[i % 2], linewidth=3, solid_capstyle="round")
        axes.plot(100 * e[score], i, "o", color=COLOURS[i % 2], markersize=8)
        axes.annotate(f"{100 * e[score]:.1f}", (100 * e[score], i), (0, 7), textcoords="offset points", ha="center")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(
        title=f"{measure[:1].upper()}{measure[1:]}, 90 % intervals",
        xlabel=f"{measure}, %",
        ylim=(len(rows) - 0.5, -0.6),
    )
    return figure


def _tested(summary: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Test scores of the labels-only model and of the candidate; of an earlier version that of the returned model."""
    both = [(reference_says(summary), "test_reference"), (_tried(summary), "test_candidate")]
    found = [(says, summary[name]) for says, name in both if summary.get(name)]
    return found or [("returned model", summary["test"])]


def _of_scores(record: dict[str, Any]) -> str:
    """Caption of the plot of the scores, which names what it shows."""
    summary = record["summary"]
    parts = ["on labels that each model had not seen"] * bool(summary["evidence"])
    parts += ["on the test items"] * bool(summary.get("test"))
    return f"The score {', and '.join(parts)}."


def _of_losses(record: dict[str, Any]) -> str:
    """Caption of the plot of the losses."""
    pool = any("loss.pool" in point for point in record["history"])
    return f"The terms of the loss{'; “pool” is what the unlabelled items ask for' if pool else ''}."


def _of_curve(record: dict[str, Any]) -> str:
    """Caption of the plot of the held-out score over the steps."""
    rounds = len({point["round"] for point in record["history"]}) > 1
    return f"The score on held-out labels during training{'; dotted lines begin a round' if rounds else ''}."


def _score(summary: dict[str, Any]) -> tuple[str, str]:
    """Key of the score in a summary, and its name for people."""
    return summary["score"], summary["measure"]


def _tried(summary: dict[str, Any]) -> str:
    """Words that tell the candidate from the labels-only model."""
    return words_of(summary).label


def losses(record: dict[str, Any]) -> Figure | None:
    """Plot of each term of the loss over the steps."""
    names = sorted({k for h in record["history"] for k in h if k.startswith("loss.")}, reverse=True)
    figure, axes = _axes("Losses of the final training", "step", "loss, nats")
    for name, colour in zip(names, COLOURS, strict=False):
        axes.plot(*_series(record, name), color=colour, label=name.removeprefix("loss."))
    _rounds(record, axes)
    axes.legend()
    return figure


def accuracy(record: dict[str, Any]) -> Figure | None:
    """Plot of the candidate's held-out score over the steps, a mean over the folds; None without evidence."""
    if not record["curve"]:
        return None
    score, measure = _score(record["summary"])
    figure, axes = _axes("Held-out labels while training", "step", f"{measure}, %")
    steps, values = zip(*record["curve"], strict=True)
    axes.plot(steps, 100 * np.array(values), color=COLOURS[0], label=_tried(record["summary"]))
    reference = record["summary"]["reference"][score]
    if reference is not None:  # clean labels that are only looked at give no evidence
        axes.axhline(100 * reference, color=COLOURS[1], linestyle="--", label="labels only")
    _rounds(record, axes)
    axes.legend()
    return figure


def pseudo_labels(record: dict[str, Any]) -> Figure | None:
    """Plot of the pseudo-labels: share of the pool in use, mean weight, and precision where the labels are known.

    None where the method has no pseudo-labels.
    """
    figure, axes = _axes("Pseudo-labels", "step", "share")
    lines = (
        ("coverage", "coverage: share of the pool in use"),
        ("weight", "mean weight"),
        ("precision", "precision (truth known)"),
    )
    any_line = False
    for (key, label), colour in zip(lines, COLOURS, strict=False):
        steps, values = _series(record, key)
        if steps:
            axes.plot(steps, values, color=colour, label=label)
            any_line = True
    if not any_line:
        plt.close(figure)
        return None
    _rounds(record, axes)
    axes.set_ylim(0, 1.02)
    axes.legend()
    return figure


def anticipation(record: dict[str, Any]) -> Figure | None:
    """Plot of the anticipating gradient's norm over the direct gradient's norm; None where nothing is anticipated."""
    steps, through = _series(record, "anticipating")
    if not steps:
        return None
    direct = np.array(_series(record, "direct")[1])
    figure, axes = _axes("Anticipating over direct gradient", "step", "ratio of norms")
    axes.plot(steps, np.array(through) / np.maximum(direct, 1e-12), color=COLOURS[3])
    axes.set_ylim(bottom=0)
    return figure


def calibration(record: dict[str, Any]) -> Figure | None:
    """Plot of the share of right predictions over the predicted probability; None where nothing was scored."""
    if "calibration" not in record:
        return None
    found = record["calibration"]
    figure, axes = _axes(
        f"Calibration ({record['rows']}), error {100 * found['error']:.1f} points", "stated probability", "share right"
    )
    axes.plot([0, 1], [0, 1], color="#99a", linewidth=1, linestyle="--")
    x, y = [b["probability"] for b in found["bins"]], [b["right"] for b in found["bins"]]
    size = [12 + 160 * b["count"] / max(c["count"] for c in found["bins"]) for b in found["bins"]]
    axes.scatter(x, y, s=size, color=COLOURS[0], alpha=0.75, zorder=3)
    axes.plot(x, y, color=COLOURS[0], linewidth=1)
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    return figure


def confusion(record: dict[str, Any]) -> Figure | None:
    """Plot of the confusion matrix: counts, shaded by their share of the true class; None where nothing was scored."""
    if "confusion" not in record:
        return None
    counts, classes = np.array(record["confusion"]), record["summary"]["classes"]
    side = min(2.2 + 0.42 * len(classes), 9)
    figure, axes = plt.subplots(figsize=(side + 0.6, side))
    share = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    names = [c if len(c) <= 18 else c[:17] + "…" for c in classes]
    axes.set_xticks(range(len(classes)), names, rotation=45, ha="right")
    axes.set_yticks(range(len(classes)), names)
    axes.set(title=f"Confusion ({record['rows']})", xlabel="predicted", ylabel="true")
    axes.grid(visible=False)
    if len(classes) <= 25:
        for i, j in zip(*np.nonzero(counts), strict=True):
            axes.text(
                j,
                i,
                _short(counts[i, j]),
                ha="center",
                va="center",
                fontsize=8,
                color="white" if share[i, j] > 0.6 else "#223",
            )
    return figure


def _short(count: int) -> str:
    """A count in at most five characters.

    >>> _short(950), _short(12_345), _short(2_345_678)
    ('950', '12k', '2.3M')
    """
    return str(count) if count < 10_000 else f"{count / 1e3:.0f}k" if count < 1e6 else f"{count / 1e6:.1f}M"


Draw = Callable[[dict[str, Any]], Figure | None]
"""Function that draws one plot of the records; None where they lack its numbers."""

Caption = str | Callable[[dict[str, Any]], str]
"""Caption of a plot, or function that makes it of the records."""

PLOTS: tuple[tuple[str, Caption, Draw], ...] = (
    ("evidence", _of_scores, evidence),
    ("accuracy", _of_curve, accuracy),
    ("losses", _of_losses, losses),
    ("pseudo_labels", "How much of the pool is learnt from; how often its labels are right.", pseudo_labels),
    ("anticipation", "How large the gradient is that flows through the teacher's response.", anticipation),
    ("calibration", "When the model says 80 %, is it right 80 % of the time? Larger dots hold more.", calibration),
    ("confusion", "Which classes are taken for which.", confusion),
)
"""Name, caption and function of each plot, in the order of the report."""
