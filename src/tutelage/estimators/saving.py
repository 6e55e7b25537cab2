"""Estimators as folders: a run that the command predicts and scores with, and a run of the command as an estimator."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from tutelage import files, model
from tutelage.estimators.arguments import hints_of, require
from tutelage.estimators.method_settings import method_of
from tutelage.files import BadFileError
from tutelage.files.described import Asked, Records, Summary
from tutelage.fit.auto import Auto
from tutelage.fit.evidence import Evidence
from tutelage.fit.fit import settings
from tutelage.kinds.base import Kind
from tutelage.kinds.known_pool import POOL_KEYS, keep, kept
from tutelage.kinds.ledger import LEDGER, PLACES, KeptLedger
from tutelage.kinds.saved import kind_of, plain_options, require_finished
from tutelage.methods import METHODS, Method
from tutelage.methods.fields import ramps_read
from tutelage.methods.own import code_of, require_method
from tutelage.modalities.head import Head
from tutelage.model import Model
from tutelage.ops import own
from tutelage.ops.own import OF_METHOD
from tutelage.ops.said import WARNING, warn
from tutelage.ops.written import plain_read
from tutelage.report.card import told_of
from tutelage.report.least_sure import NAME as LEAST_SURE
from tutelage.report.sentences import REFERENCE
from tutelage.track.following import KEPT as TRACKED

if TYPE_CHECKING:
    from tutelage.estimators.base import Estimator

    AnEstimator = TypeVar("AnEstimator", bound=Estimator)

SAVING = ".saving-"
"""Beginning of the name of the folder in which a run is prepared."""

RUN = (
    files.MANIFEST, "model", REFERENCE, "plots", "parts", "run.json", "summary.json", "records.json", "report.html",
    LEAST_SURE, "contradictions.csv", POOL_KEYS, TRACKED, LEDGER, PLACES,
)  # fmt: skip
"""What the folder of a run may hold."""

ASKED = {"seed": "random_state"} | {name: name for name in ("steps", "lr", "folds", "repeats", "evidence")}
"""Names of the parameters that every estimator has, by their names in run.json."""


def save_run(estimator: Estimator, folder: Path) -> None:
    """Write a fitted estimator as a run, in the place of a run that is there; where that fails, the old run stays.

    Args:
        estimator: fitted estimator.
        folder: folder of the run, which is made where it is missing.

    Raises:
        TypeError: the network is the user's own, and cannot be imported and made again.
        FileExistsError: the folder is no run's, and holds something that would be overwritten.
    """
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with files.one_writer(folder):
            for left in folder.glob(f"{SAVING}*"):  # by a process that was killed
                shutil.rmtree(left, ignore_errors=True)
            scratch = Path(tempfile.mkdtemp(prefix=SAVING, dir=folder))
            try:
                fresh, old = scratch / "fresh", scratch / "old"
                fresh.mkdir()
                old.mkdir()
                _write(estimator, fresh)
                files.seal(fresh)
                _swap(folder, fresh, old)
            except BaseException:
                shutil.rmtree(scratch, ignore_errors=True)
                raise
            _clear(scratch)
    except BaseException:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def _clear(scratch: Path) -> None:
    """Remove what is left of the old run; where that fails, the new one is in its place all the same."""
    if why := files.remove_folder(scratch):
        warn(f"{scratch}: what is left of the run before could not be removed ({why}); remove it.", page="damaged")


def _swap(folder: Path, fresh: Path, old: Path) -> None:
    """Put the files of a new run in the place of those of an old one, which are put back where that fails.

    A kill leaves a run.json, so that the folder counts as a run's, and no manifest, so that it counts as unfinished.

    Args:
        folder: folder of the run.
        fresh: folder of the new files.
        old: empty folder for the old ones.

    Raises:
        FileExistsError: the folder is no run's, and holds something that would be overwritten.
    """
    written = sorted((path.name for path in fresh.iterdir()), key=_in_turn)
    another = (folder / "run.json").exists()
    strange = [] if another else [name for name in written if (folder / name).exists()]
    if strange:
        raise FileExistsError(f"{folder} is no run's, and holds {', '.join(strange)}: name another folder")
    there = sorted((name for name in RUN if another and (folder / name).exists()), key=_in_turn, reverse=True)
    try:
        for name in there:  # nothing of the old run may stand beside this one
            (folder / name).replace(old / name)
        for name in written:
            (fresh / name).replace(folder / name)
    except OSError:
        for name in there:
            if (old / name).exists():
                _remove(folder / name)
                (old / name).replace(folder / name)
        raise


def _in_turn(name: str) -> int:
    """Turn in which a file of a run is put in its place: its run.json first, its manifest last."""
    return {"run.json": 0, files.MANIFEST: 2}.get(name, 1)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write(estimator: Estimator, folder: Path) -> None:
    """Write the files of a run into an empty folder."""
    kind, method = estimator._fitted_kind, estimator._asked
    summary = estimator.summary()
    model.save(estimator._model, folder / "model", told_of(kind, summary))
    asked: dict[str, Any] = {"format": files.FORMAT, "kind": kind.name}
    asked |= {f"kind.{name}": value for name, value in plain_options(kind).items()}
    for names, columns in zip((kind.item_columns, kind.label_columns), estimator._columns, strict=True):
        if columns and asked.get(f"kind.{names[0]}") in (None, []):
            asked[f"kind.{names[0]}"] = columns if kind.of_numbers and names is kind.item_columns else columns[0]
    asked |= {name: str(getattr(estimator, own_name)) for name, own_name in ASKED.items()}
    asked |= {"seed": str(estimator._summary.get("seed", 0))}
    asked |= {"method": method.name} | {f"method.{k}": str(v) for k, v in settings(method).items()}
    if hasattr(estimator, "missing_label"):
        asked["missing_label"] = plain_label(estimator.missing_label)
    asked |= {f"{OF_METHOD}{name}": value for name, value in code_of(method).items()}
    if hasattr(estimator, "n_features_in_"):
        asked["n_features_in"] = int(estimator.n_features_in_)
    files.write_json(folder / "run.json", asked)
    files.write_json(folder / "summary.json", summary)
    if (remembered := getattr(estimator, "_remembered", None)) is not None:  # an earlier version pickled none
        keep(folder, remembered)
    if (ledger := getattr(estimator, "_ledger", None)) is not None:
        ledger.keep(folder)
    if estimator._record:  # runs of earlier versions may have none
        files.write_json(folder / "records.json", estimator.records())

        from tutelage.report.page import write_report  # with it the library that draws

        write_report(folder)


def plain_label(label: Any) -> Any:
    """A label as JSON holds it; NaN, which never is a class, as None.

    >>> plain_label(np.int64(-1)), plain_label(float("nan")), plain_label("?")
    (-1, None, '?')
    """
    value = label.item() if isinstance(label, np.generic) else label
    return None if isinstance(value, float) and np.isnan(value) else value


def load_run(of: type[AnEstimator], folder: Path, trust: bool, allow_encoder: str | None = None) -> AnEstimator:
    """A fitted estimator of a run.

    Args:
        of: class of the estimator.
        folder: folder of the run.
        trust: whether code of the user's own that the run names is imported.
        allow_encoder: name of an encoder that may be loaded from outside the run, see `model.load`.

    Raises:
        FileNotFoundError, BadFileError: there is no run, or one of its files is damaged.
        UntrustedError: the model names code of the user's own, or an encoder outside the run, and it is not trusted.
        ValueError: the run is of data for another estimator.
    """
    if not folder.exists():
        raise FileNotFoundError(f"{folder}: no such folder")
    kind = kind_of(folder)
    require_finished(folder, "summary.json", "records.json", f"model/{files.MANIFEST}", POOL_KEYS, LEDGER, PLACES)
    if kind.estimator not in (above.__name__ for above in of.__mro__):
        raise ValueError(f"{folder} holds a model of {kind.words.things}: load it by {kind.estimator}.load")
    asked, path = files.read_json(folder / "run.json", Asked), folder / "summary.json"
    summary = files.read_json(path, Summary) if path.exists() else {}
    found = model.load(folder, trust, allow_encoder)
    method = _method(asked, folder, trust)
    estimator = of(**_parameters(of, kind, asked, found) | {"method": method})
    _fill(estimator, kind, found, summary)
    path = folder / "records.json"
    record = files.read_json(path, Records) if path.exists() else {}
    estimator._record = {name: value for name, value in record.items() if name != "summary"}
    estimator.history_ = record.get("history", [])
    estimator._asked, estimator._remembered = method_of(method), kept(folder)
    estimator._ledger = KeptLedger.kept(folder)
    estimator.method_ = _trained_by(summary) or method_of(method)  # type: ignore[assignment]
    if kind.of_numbers:
        _count_features(estimator, kind, asked, found)
    return estimator


def _parameters(of: type[Any], kind: Kind, asked: Mapping[str, Any], found: Model) -> dict[str, Any]:
    """Values of the estimator's parameters that a run tells; those that the estimator cannot take are left out."""
    told = {f.name: getattr(kind, f.name) for f in fields(kind)}
    told |= {name: plain_read(asked[written]) for written, name in ASKED.items() if written in asked}
    if "missing_label" in asked:  # the command has none
        told["missing_label"] = asked["missing_label"]
    made = getattr(found.reader, "make", None)
    if made is not None:
        told["network"] = made
    hints, kept = hints_of(of), {}
    for f in fields(of):
        if f.name in told:
            with contextlib.suppress(TypeError, ValueError):
                require(f.name, told[f.name], hints[f.name])
                kept[f.name] = told[f.name]
    return kept


def _method(asked: Mapping[str, Any], folder: Path, trust: bool) -> Any:
    """The method of a run, with its hyper-parameters; the usual one, with a warning, where it is not known here."""
    values = {k.removeprefix("method."): v for k, v in asked.items() if k.startswith("method.")}
    about = {k.removeprefix(OF_METHOD): v for k, v in asked.items() if k.startswith(OF_METHOD)}
    name = str(asked["method"])
    if name == Auto.name:
        return Auto(**{k: plain_read(v) for k, v in values.items()})
    kind: type[Method] | None = None
    if own.CODE in about and trust:
        kind = require_method(own.imported(about), str(about[own.CODE]))
    elif not about and name in METHODS:
        kind = METHODS[name]
    if kind is None:
        which = f"{about[own.CODE]}, which is imported with trust=True alone" if own.CODE in about else "not known here"
        found = f"{folder} was fitted by the method {name}, {which}; it predicts, and a new fit would be by 'drift'"
        warn(found, page="own-code")
        return "drift"
    known = {f.name for f in fields(kind) if f.init}
    try:
        return kind(**ramps_read(kind, {k: plain_read(v) for k, v in values.items() if k in known}))
    except (TypeError, ValueError) as e:
        raise BadFileError(f"{folder / 'run.json'}: not written by tutelage, or damaged ({e})") from e


def _trained_by(summary: Mapping[str, Any]) -> Method | None:
    """The method that trained the candidate, as a summary tells it; None where that is not known here."""
    name = str(summary.get("method"))
    if name not in METHODS:
        return None
    with contextlib.suppress(TypeError, ValueError):  # of an earlier version, or with a setting that is no plain value
        return METHODS[name](**ramps_read(METHODS[name], summary["settings"]))
    return None


def _fill(estimator: Any, kind: Kind, found: Model, summary: dict[str, Any]) -> None:
    """Set the attributes of a fit that a run tells."""
    found.cache = estimator._cache() or False
    estimator._model, estimator._fitted_kind, estimator._summary = found, kind, summary
    estimator._columns = [], []
    estimator.classes_ = np.array(found.classes) if not found.task.dense else np.arange(len(found.classes))
    estimator.temperature_, estimator.returned_ = found.temperature, summary.get("returned")
    estimator.evidence_ = None
    with contextlib.suppress(KeyError, TypeError):  # an earlier version wrote less of it
        estimator.evidence_ = Evidence.of(summary["evidence"]) if summary.get("evidence") else None
    estimator.warnings_ = [line["words"] for line in summary.get("said", []) if line["kind"] == WARNING]
    estimator.partial_ = bool(summary.get("partial", False))
    estimator.copies_ = summary.get("copies", {})


def _count_features(estimator: Any, kind: Any, asked: Mapping[str, Any], found: Model) -> None:
    """Set the number of features, and their names where the run tells them."""
    body = found.body
    count = asked.get("n_features_in", body.width if isinstance(body, Head) else None)
    if count is not None:
        estimator.n_features_in_ = int(count)
        names = getattr(kind, kind.item_columns[0])
        if len(names) == count:
            estimator.feature_names_in_ = np.array(names, dtype=object)
