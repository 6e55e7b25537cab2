"""The records of a fit: plain values that its report and its plots are drawn from."""

from __future__ import annotations

from typing import Any

from tutelage.fit.calibration import tempered
from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.tallies import Tally
from tutelage.model import Model


def on_device(data: Dataset, fitted: Fitted) -> Model:
    """The fitted model on the device where it was trained, to read the pool and the test with.

    Args:
        data: dataset that was learnt.
        fitted: outcome of the fit.
    """
    outcome = fitted.outcome
    found = Model(list(data.classes), outcome.network.to(fitted.problem.device), fitted.reader, data.items.task)
    found.temperature = outcome.calibration.temperature
    return found


def collect(model: Model, kind: Kind, data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Records of a fit, as plain values: history, held-out predictions, and the pool's least sure items.

    Args:
        model: fitted model.
        kind: kind of the data.
        data: dataset that was learnt.
        fitted: outcome of the fit.
    """
    outcome, classes = fitted.outcome, [str(c) for c in data.classes]
    record: dict[str, Any] = {"history": outcome.history, "curve": outcome.curve} | kind.legend(classes)
    if outcome.evidence is not None:
        p = outcome.held_out.probabilities
        p = p if data.items.task.dense else tempered(p, outcome.calibration.temperature)
        groups, y = data.items.grouped, data.items.y
        if groups is not None and len(y) == len(data.items.labelled):  # of copies one is counted
            y, p = y[groups.first(y)], p[groups.first(y)]
        record |= Tally(len(classes)).add(y, p.argmax(1), p.max(1)).record("held out")
        record |= kind.shown_held_out(data, p)
    if len(data.items.pool) and len(outcome.problem.pool):  # a fit that was stopped read none
        record |= kind.shown_pool(model, outcome.problem.pool, data)
    return record
