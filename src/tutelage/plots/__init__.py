"""The pictures of a report, as matplotlib figures for a notebook, a paper or a page of one's own.

Each function takes a run: its folder, a fitted estimator, or what records.json holds. It returns a
`matplotlib.figure.Figure` with two attributes more: ``alt``, what it shows in sentences made of its numbers, and
``caption``, how it is read. ``figure.savefig("a.svg")`` writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tutelage.report import classes, plots
from tutelage.report.figures import Plot
from tutelage.report.records import read_records

__all__ = ["Plot", "anticipation", "calibration", "confusion", "curve", "losses", "pseudo_labels", "scores"]


@runtime_checkable
class Recorded(Protocol):
    """A fit that keeps its records, such as a fitted `Classifier`."""

    def records(self) -> Mapping[str, Any]:
        """Records of the fit."""


Run = str | Path | Recorded | Mapping[str, Any]
"""A run: its folder, a fitted estimator, or its records."""


def scores(run: Run) -> Plot:
    """The scores of both models, on held-out labels and on the test, with intervals that hold with 90 %.

    Args:
        run: folder of a run, a fitted estimator, or the records of a run.

    Raises:
        ValueError: the run has no score.

    >>> summary = {"score": "accuracy", "measure": "accuracy", "labelled": 9, "tried": "pool", "evidence": None}
    >>> scores({"summary": summary | {"test": {"accuracy": 0.9, "interval": [0.8, 0.95]}}}).alt
    'accuracy with 90 % intervals. returned model, on the test 90.0 % (80.0 to 95.0)'
    """
    return _drawn(run, plots.scores, "scores")


def confusion(run: Run) -> Plot:
    """The confusion matrix: which classes are taken for which, on the test, or on held-out labels where there is none.

    Args:
        run: folder of a run, a fitted estimator, or the records of a run.

    Raises:
        ValueError: nothing was scored.

    >>> confusion({"rows": "test", "confusion": [[3, 1], [0, 4]], "summary": {"classes": ["ham", "spam"]}}).alt
    '7 of 8 right on the test. Most often taken for another: ham for spam (1).'
    """
    return _drawn(run, classes.confusion, "confusion matrix")


def calibration(run: Run) -> Plot:
    """The share of right answers over the probability that the model states.

    Args:
        run: folder of a run, a fitted estimator, or the records of a run.

    Raises:
        ValueError: nothing was scored.

    >>> bins = [{"probability": 0.9, "right": 0.8, "count": 50}]
    >>> calibration({"rows": "test", "calibration": {"bins": bins, "error": 0.1}}).alt
    '90 % stated, 80 % right (50). On average stated and right differ by 10.0 points.'
    """
    return _drawn(run, classes.calibration, "calibration")


def curve(run: Run) -> Plot:
    """The candidate's score on held-out labels over the steps of the training, a mean over the folds.

    Args:
        run: folder of a run, a fitted estimator, or the records of a run.

    Raises:
        ValueError: the run gathered no evidence.

    >>> summary = {"measure": "accuracy", "score": "accuracy", "tried": "pool", "labelled": 9}
    >>> summary |= {"reference": {"accuracy": 0.7}}
    >>> curve({"curve": [[1, 0.5], [2, 0.8]], "history": [], "summary": summary}).alt
    'The accuracy with the pool goes from 50.0 % at step 1 to 80.0 % at step 2; the highest is 80.0 % at step 2. Labels
    only: 70.0 %.'
    """
    return _drawn(run, plots.curve, "curve of held-out scores")


def losses(run: Run) -> Plot:
    """The terms of the loss over the steps of the final training, in nats.

    Args:
        run: folder of a run, a fitted estimator, or the records of a run.

    Raises:
        ValueError: the run kept no loss.

    >>> points = [{"step": 1, "round": 0, "loss.supervised": 0.7}, {"step": 2, "round": 0, "loss.supervised": 0.3}]
    >>> losses({"history": points}).alt
    'Losses over 2 steps: “supervised” goes from 0.70 to 0.30.'
    """
    return _drawn(run, plots.losses, "losses")


def pseudo_labels(run: Run) -> Plot:
    """The labels that the model gave the pool: the share in use, their mean weight, and how often they are right.

    Args:
        run: folder of a run, a fitted estimator, or the records of a run.

    Raises:
        ValueError: the method has no pseudo-labels.

    >>> points = [{"step": 1, "round": 0, "coverage": 0.2}, {"step": 2, "round": 0, "coverage": 1.0}]
    >>> pseudo_labels({"history": points}).alt
    'share of the pool in use: from 20 % to 100 %.'
    """
    return _drawn(run, plots.pseudo_labels, "pseudo-labels")


def anticipation(run: Run) -> Plot:
    """The norm of the gradient through the teacher's response over that of the direct gradient.

    Args:
        run: folder of a run, a fitted estimator, or the records of a run.

    Raises:
        ValueError: the method anticipates nothing.

    >>> anticipation({"history": [{"step": 1, "anticipating": 0.3, "direct": 0.6}]}).alt
    'The ratio goes from 0.50 at step 1 to 0.50 at step 1, and is at most 0.50.'
    """
    return _drawn(run, plots.anticipation, "anticipating gradient")


def _drawn(run: Run, draw: Callable[[plots.Record], Plot | None], what: str) -> Plot:
    figure = plots.drawn(draw, _records(run))
    if figure is None:
        raise ValueError(f"run: its records have no {what}; it is drawn only where a fit measured it")
    return figure


def _records(run: Run) -> Mapping[str, Any]:
    """Records of a run.

    Raises:
        FileNotFoundError: the folder holds no finished run.
        TypeError: it is no run.
    """
    if isinstance(run, Mapping):
        return run
    if isinstance(run, str | Path):
        return read_records(Path(run))
    if isinstance(run, Recorded):
        return run.records()
    raise TypeError(f"run must be the folder of a run, a fitted estimator or records, got {type(run).__name__}")
