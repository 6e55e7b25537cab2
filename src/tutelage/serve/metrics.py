"""Numbers on what is served, in the text format of Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from tutelage.serve.served import Served

NUMBERS = "text/plain; version=0.0.4; charset=utf-8"
"""Type of the content of the text format of Prometheus."""

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Bounds of the histogram of seconds."""

ITEMS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Bounds of the histogram of items that the model reads together."""


class Metrics:
    """Counts of requests, rows, errors and loaded models, and times.

    Attributes:
        requests: requests, by path and status.
        errors: requests that were answered with a status of 400 and more.
        rows: rows that were answered.
        seconds: seconds that a prediction took, from its first byte to its answer.
        batch: items that the model read together.
        waiting: requests that are read or wait for the model.
        loaded: models that were to take the place of the one that is served, by "done" or "refused".
    """

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        ProcessCollector(registry=own)
        self.requests = Counter("tutelage_requests", "Requests.", ["path", "status"], registry=own)
        self.errors = Counter("tutelage_errors", "Requests answered with a status of 400 and more.", registry=own)
        self.rows = Counter("tutelage_rows", "Rows that were answered.", registry=own)
        self.seconds = Histogram("tutelage_predict_seconds", "Seconds of a prediction.", buckets=SECONDS, registry=own)
        self.batch = Histogram("tutelage_batch_items", "Items read together.", buckets=ITEMS, registry=own)
        self.waiting = Gauge("tutelage_waiting", "Requests that are read or wait for the model.", registry=own)
        self.loaded = Counter("tutelage_reloads", "Models loaded again, or refused.", ["outcome"], registry=own)
        for outcome in ("done", "refused"):
            self.loaded.labels(outcome)
        self._model = Gauge("tutelage_model_info", "The model.", ["name", "kind", "fingerprint"], registry=own)

    def text(self, served: Served) -> bytes:
        """All numbers, with the name of the model that is served."""
        self._model.clear()
        self._model.labels(served.name, served.run.kind.name, served.fingerprint).set(1)
        return generate_latest(self._registry)
