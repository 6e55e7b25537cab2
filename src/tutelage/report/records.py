"""The numbers behind a report, as one JSON value; nothing in it depends on the clock."""

from __future__ import annotations

from typing import Any

from tutelage.fit.fit_rows import Fitted
from tutelage.kinds.base import Dataset, Kind
from tutelage.kinds.tallies import Tally
from tutelage.model import Model


def collect(model: Model, kind: Kind, data: Dataset, fitted: Fitted) -> dict[str, Any]:
    """Histories, held-out predictions, and the items of the pool that the model is least sure of."""
    outcome, classes = fitted.outcome, [str(c) for c in data.classes]
    record: dict[str, Any] = {"history": outcome.history, "curve": outcome.curve} | kind.legend(classes)
    if outcome.evidence is not None:
        p = outcome.held_out.probabilities
        record |= Tally(len(classes)).add(data.items.y, p.argmax(1), p.max(1)).record("held out")
        record |= kind.shown_held_out(data, p)
    if len(data.items.pool):
        record |= kind.shown_pool(model, fitted.problem.pool, data)
    return record
