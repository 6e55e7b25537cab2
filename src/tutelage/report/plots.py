"""Plots of a run's records: the scores, and the course of the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib import rc_context

from tutelage.files import written
from tutelage.fit.verdict import on_the_test, percent, reference_says, words_of
from tutelage.report.classes import calibration, confusion
from tutelage.report.figures import COLOURS, DASHES, STYLE, Plot, listed, mark_rounds, plot, series
from tutelage.report.records import to_show

Record = Mapping[str, Any]
"""Records of a run, as records.json holds them."""


def scores(record: Record) -> Plot | None:
    """Plot of the scores of both models with their 90 % intervals; None where there is no score."""
    summary = record["summary"]
    score, measure = summary["score"], summary["measure"]
    rows: list[tuple[str, Mapping[str, Any]]] = []
    both = (reference_says(summary), words_of(summary).label)
    if summary["evidence"]:
        pairs = zip(both, (summary["reference"], summary["candidate"]), strict=True)
        rows += [(f"{says}, on held-out labels", found) for says, found in pairs]
    if summary.get("test"):
        pairs = zip(both, on_the_test(summary), strict=True)
        known = [(says, found) for says, found in pairs if found.get("interval")]
        rows += [(f"{says}, on the test", found) for says, found in known or [("returned model", summary["test"])]]
    rows = [(says, found) for says, found in rows if found.get(score) is not None and found.get("interval")]
    if not rows:
        return None
    figure, axes = plot(
        f"{measure[:1].upper()}{measure[1:]} and its interval", f"{measure}, %", "", 0.95 + 0.5 * len(rows)
    )
    for i, (says, found) in enumerate(rows):
        low, high = (100 * v for v in found["interval"])
        colour = COLOURS[0 if says.startswith(both[1]) else 1]
        axes.plot([low, high], [i, i], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot(100 * found[score], i, "o", color=colour, markersize=8)
        axes.text(0, i - 0.32, f"{says}: {100 * found[score]:.1f}", transform=axes.get_yaxis_transform(), va="center")
    axes.set(ylim=(len(rows) - 0.6, -0.7), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False, axis="y")
    figure.alt = f"{measure} with 90 % intervals. " + "; ".join(
        f"{says} {percent(found, score)}" for says, found in rows
    )
    figure.caption = "Dots are scores; the truth lies on the line beside a dot in nine of ten cases."
    return figure


def curve(record: Record) -> Plot | None:
    """Plot of the candidate's held-out score over the steps, a mean over the folds; None without evidence."""
    if not record.get("curve"):
        return None
    summary = record["summary"]
    figure, axes = plot("Score on held-out labels while it learnt", "step of the training", f"{summary['measure']}, %")
    steps, values = (np.array(v, dtype=float) for v in zip(*record["curve"], strict=True))
    values *= 100
    label = words_of(summary).label
    axes.plot(steps, values, color=COLOURS[0], label=label)
    reference = summary["reference"][summary["score"]]
    beside = ""
    if reference is not None:  # clean labels that are only looked at give no evidence
        axes.axhline(100 * reference, color=COLOURS[1], linestyle="--", label=reference_says(summary))
        beside = f" {reference_says(summary).capitalize()}: {100 * reference:.1f} %."
    rounds = mark_rounds(record, axes)
    axes.legend()
    best = int(values.argmax())
    figure.alt = (
        f"The {summary['measure']} {label} goes from {values[0]:.1f} % at step {steps[0]:.0f} to {values[-1]:.1f} % "
        f"at step {steps[-1]:.0f}; the highest is {values[best]:.1f} % at step {steps[best]:.0f}.{beside}"
    )
    figure.caption = f"The {summary['measure']} on labels that the model had not seen, as it learnt.{rounds}"
    return figure


def losses(record: Record) -> Plot | None:
    """Plot of each term of the loss over the steps; None where none was kept."""
    names = sorted({k for point in record["history"] for k in point if k.startswith("loss.")}, reverse=True)
    if not names:
        return None
    figure, axes = plot("Losses of the final training", "step", "loss, nats")
    told = []
    for i, name in enumerate(names):
        steps, values = series(record, name)
        says = name.removeprefix("loss.")
        axes.plot(steps, values, color=COLOURS[i % 5], linestyle=DASHES[i % 5], label=says)
        told.append(f"“{says}” goes from {values[0]:.2f} to {values[-1]:.2f}")
    rounds = mark_rounds(record, axes)
    axes.legend()
    pool = " “pool” is what the unlabelled items ask for." if any("loss.pool" in name for name in names) else ""
    figure.alt = f"Losses over {record['history'][-1]['step']:.0f} steps: {listed(told)}."
    figure.caption = f"The terms of the loss.{pool}{rounds}"
    return figure


def pseudo_labels(record: Record) -> Plot | None:
    """Plot of the pseudo-labels: share of the pool in use, mean weight, and precision where the labels are known.

    None where the method has no pseudo-labels.
    """
    lines = (
        ("coverage", "share of the pool in use"), ("weight", "mean weight"), ("precision", "share right (truth known)"),
    )  # fmt: skip
    there = [(says, *series(record, key)) for key, says in lines if series(record, key)[0]]
    if not there:
        return None
    figure, axes = plot("Labels that the model gave the pool", "step", "share")
    for i, (says, steps, values) in enumerate(there):
        axes.plot(steps, values, color=COLOURS[i], linestyle=DASHES[i], label=says)
    rounds = mark_rounds(record, axes)
    axes.set_ylim(0, 1.02)
    axes.legend()
    figure.alt = "; ".join(f"{says}: from {100 * v[0]:.0f} % to {100 * v[-1]:.0f} %" for says, _, v in there) + "."
    figure.caption = f"Labels that the model gave unlabelled items while it learnt from them.{rounds}"
    return figure


def anticipation(record: Record) -> Plot | None:
    """Plot of the anticipating gradient's norm over the direct gradient's norm; None where nothing is anticipated."""
    steps, through = series(record, "anticipating")
    if not steps:
        return None
    ratio = np.array(through) / np.maximum(series(record, "direct")[1], 1e-12)
    figure, axes = plot("Anticipating over direct gradient", "step", "ratio of norms")
    axes.plot(steps, ratio, color=COLOURS[3])
    axes.set_ylim(bottom=0)
    figure.alt = (
        f"The ratio goes from {ratio[0]:.2f} at step {steps[0]:.0f} to {ratio[-1]:.2f} at step {steps[-1]:.0f}, and is "
        f"at most {ratio.max():.2f}."
    )
    figure.caption = "How large the gradient is that flows through the teacher's response, beside the direct one."
    return figure


class Drawing(NamedTuple):
    """A plot of the report.

    Attributes:
        name: name of its file, without the ending.
        draw: function that draws it of the records; None where they lack its numbers.
        expert: whether it is for experts.
    """

    name: str
    draw: Callable[[Record], Plot | None]
    expert: bool = False


PLOTS = (
    Drawing("evidence", scores), Drawing("confusion", confusion), Drawing("calibration", calibration),
    Drawing("accuracy", curve, True), Drawing("losses", losses, True), Drawing("pseudo_labels", pseudo_labels, True),
    Drawing("anticipation", anticipation, True),
)  # fmt: skip
"""The plots, in the order of the report."""


def drawn(draw: Callable[[Record], Plot | None], record: Record) -> Plot | None:
    """A plot in the library's style; None where the records lack its numbers.

    Args:
        draw: function that draws it.
        record: records of a run.
    """
    with rc_context(STYLE):
        return draw(to_show(record))


def draw_all(record: Record, folder: Path) -> list[tuple[Drawing, Plot]]:
    """Draw every plot that the records have numbers for, and write each as PNG.

    Args:
        record: records of a run.
        folder: folder for the PNG files, made where it is missing.

    Returns:
        Each plot that was drawn, in order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for each in PLOTS:
        figure = drawn(each.draw, record)
        if figure is not None:
            with rc_context(STYLE), written(folder / f"{each.name}.png") as part:
                figure.savefig(part, format="png", metadata={"Software": None})
            found.append((each, figure))
    return found
