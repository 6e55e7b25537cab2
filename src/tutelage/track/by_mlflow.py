"""MLflow as a tracker: its own client, its own stores; the finished model is a model of its flavour pyfunc.

The client is asked by the id of a run alone: no state of the process is changed, and neither a user's name, a path nor
an environment variable goes along, as MLflow's own `start_run` would send them.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from tutelage.track.base import FINAL, MARK, Outcome, Point, shown
from tutelage.track.pyfunc import columns_of, lay_out, served

URI = re.compile(r"[A-Za-z][\w+.-]+:|databricks")
"""Pattern of the beginning of a URI; drives of one letter are none."""

EXPERIMENT = "tutelage"
"""Name of the experiment, where MLFLOW_EXPERIMENT_NAME names no other."""

PATIENCE = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_DISABLE_TELEMETRY": "true",
}  # fmt: skip
"""Environment variables by which a server that is silent holds nothing up, and MLflow tells nobody how it is used."""

AT_ONCE = 1000
"""Numbers that MLflow takes in one message, at most."""

MODEL = "model"
"""Name of the folder of the model among a run's files."""


@contextmanager
def patient() -> Iterator[None]:
    """Context in which MLflow gives up soon, keeps its log off the screen, and reports to nobody."""
    before = {name: os.environ.get(name) for name in PATIENCE}
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    os.environ.update({name: value for name, value in PATIENCE.items() if before[name] is None})
    try:
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in (name for name, value in before.items() if value is None):
            os.environ.pop(name, None)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


class Store:
    """A store of MLflow: a server, a data base, or a folder in which a small data base lies.

    Args:
        to: a URI or a folder; None is what MLFLOW_TRACKING_URI names, or the usual folder.
        usual: the usual folder.
    """

    def __init__(self, to: str | None, usual: Path) -> None:
        to = to or os.environ.get("MLFLOW_TRACKING_URI") or str(usual)
        self.folder = None if URI.match(to) else Path(to).absolute()
        self.uri = to if self.folder is None else f"sqlite:///{self.folder / 'mlflow.db'}"
        self.place = shown(to)
        self._client: Any = None
        self._run = self._experiment = ""

    def open(self) -> None:
        """Open the store, and make its experiment."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        elif self.uri.startswith("sqlite:///"):
            place = Path(self.uri.removeprefix("sqlite:///").partition("?")[0]).parent
            if not place.is_dir():
                raise FileNotFoundError(f"no such folder: {place}")
            with tempfile.TemporaryFile(dir=place):
                pass
        with patient():
            from mlflow import MlflowClient  # which sets up its log

        with patient():
            self._client = MlflowClient(tracking_uri=self.uri)
            name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or EXPERIMENT
            found = self._client.get_experiment_by_name(name)
            files = None if self.folder is None else (self.folder / "artifacts").as_uri()
            self._experiment = self._client.create_experiment(name, files) if found is None else found.experiment_id

    def begin(self, known: str | None, name: str, parameters: Mapping[str, str]) -> str:
        """Begin a run, or set one that was stopped running again."""
        from mlflow.entities import Param
        from mlflow.exceptions import MlflowException

        with patient():
            if known is not None:
                try:
                    self._run = self._client.get_run(known).info.run_id
                    return self._run
                except MlflowException as e:  # of another store, or removed from this one
                    if not self._absent(e):
                        raise
            tags = {"tutelage.version": importlib.metadata.version("tutelage")}
            self._run = self._client.create_run(self._experiment, run_name=name, tags=tags).info.run_id
            self._client.log_batch(self._run, params=[Param(key, value) for key, value in parameters.items()])
        return self._run

    def last(self) -> dict[str, int]:
        """The last step of each training, as the store has it; a run that goes on is set running."""
        with patient():
            self._client.update_run(self._run, status="RUNNING")
            names = [name for name in self._client.get_run(self._run).data.metrics if name.endswith(f"/{MARK}")]
            steps = {n: [m.step for m in self._client.get_metric_history(self._run, n)] for n in names}
        return {name.removesuffix(f"/{MARK}"): max(found) for name, found in steps.items()}

    def points(self, points: Sequence[Point]) -> None:
        """Send points, at most `AT_ONCE` a message."""
        from mlflow.entities import Metric

        now, rest = int(1000 * time.time()), iter(points)
        with patient():
            while some := list(islice(rest, AT_ONCE)):
                self._client.log_batch(self._run, metrics=[Metric(p.name, p.value, now, p.step) for p in some])

    def concluded(self, known: str) -> bool:
        """Whether a run is marked as finished, or not in the store."""
        from mlflow.exceptions import MlflowException

        with patient():
            try:
                return str(self._client.get_run(known).info.status) == "FINISHED"
            except MlflowException as e:
                if not self._absent(e):
                    raise
                return True

    @staticmethod
    def _absent(error: Any) -> bool:
        """Whether an error of MLflow says that there is no such run."""
        return str(error.error_code) == "RESOURCE_DOES_NOT_EXIST"

    def conclude(self, outcome: Outcome) -> None:
        """Send the final numbers and sentences, the report and the model, and mark the run as finished."""
        self.points([Point(f"{FINAL}/{name}", 0, value) for name, value in outcome.scores.items()])
        with patient():
            for heading, words in outcome.words.items():
                self._client.set_tag(self._run, f"tutelage.{heading}", words)
            if outcome.report is not None:
                self._client.log_artifact(self._run, str(outcome.report))
            if outcome.model is not None and served(outcome.model):
                self._log_model(outcome.model)
            self._client.set_terminated(self._run, "FINISHED")

    def _log_model(self, folder: Path) -> None:
        from mlflow import pyfunc
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema

        columns = columns_of(folder)
        types = {float: DataType.double, str: DataType.string}
        schema = Schema([ColSpec(types[kind], name) for name, kind in columns.items()])
        with tempfile.TemporaryDirectory(prefix="tutelage-") as scratch:
            data = Path(scratch) / "run"
            lay_out(folder, data)
            pyfunc.save_model(
                str(Path(scratch) / MODEL), loader_module=pyfunc_module(), data_path=str(data),
                pip_requirements=[f"tutelage=={importlib.metadata.version('tutelage')}"],
                signature=ModelSignature(inputs=schema) if columns else None,
            )  # fmt: skip
            self._client.log_artifacts(self._run, str(Path(scratch) / MODEL), MODEL)

    def stop(self) -> None:
        """Mark the run as stopped."""
        with patient():
            self._client.set_terminated(self._run, "KILLED")


def pyfunc_module() -> str:
    """Name of the module by which MLflow loads a model."""
    return served.__module__
