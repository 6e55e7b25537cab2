"""What a tracker is told of a fit: its parameters before it, and the numbers of its summary behind it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from importlib.metadata import version
from numbers import Real
from pathlib import Path
from typing import Any

from tutelage.fit.defaults import Asked
from tutelage.fit.fit import settings
from tutelage.kinds.base import Kind
from tutelage.kinds.dataset import Dataset
from tutelage.kinds.saved import plain_options
from tutelage.track.base import Outcome

ENDS = ("low", "high")
"""Names of the ends of an interval."""

LONGEST = 500
"""Number of characters of a parameter, at most."""


def parameters_of(kind: Kind, data: Dataset, method: Any, asked: Asked, reads: str = "") -> dict[str, str]:
    """Parameters of a fit, by name: the method's, how it trains, options that are not their defaults, and counts.

    No path is told.

    Args:
        kind: kind of the data, with its options.
        data: what is learnt.
        method: the method, settled, or "auto".
        asked: the user's wishes for training and evidence.
        reads: name of the encoder or network for people; empty where it is not known yet.
    """
    plain = plain_options(kind)
    usual = {f.name: f.default for f in fields(kind) if f.default is not MISSING}
    of_kind = {n: v for n, v in plain.items() if not isinstance(getattr(kind, n), Path) and v != usual.get(n)}
    counts = {"labelled": data.items.labels, "unlabelled": len(data.items.pool), "test": len(data.test)}
    wishes = {name: value for name, value in vars(asked).items() if name not in ("checkpoint_seconds", "in_python")}
    found = {"method": method.name} | {f"method.{name}": value for name, value in settings(method).items()} | wishes
    found |= {"kind": kind.name} | {f"kind.{n}": _named(v) for n, v in of_kind.items()} | counts
    training = kind.how(asked).training
    found |= {f"training.{name}": getattr(training, name) for name in ("steps", "lr", "weight_decay", "optimiser")}
    found |= {"classes": len(data.classes), "reads": _named(reads), "tutelage": version("tutelage")}
    return {n: str(v)[:LONGEST] for n, v in found.items() if v not in (None, "", [], {})}


def _named(value: Any) -> Any:
    """Value of an option; of a text that is a path its last name alone."""
    if isinstance(value, str) and (Path(value).is_absolute() or os.path.isdir(value)):  # noqa: PTH112, never raises
        return Path(value).name
    return value


def outcome_of(summary: Mapping[str, Any], folder: Path | None = None) -> Outcome:
    """What a finished fit leaves with a tracker.

    Args:
        summary: summary of the fit.
        folder: folder of the run; None where there is none.
    """
    evidence = (summary.get("evidence") or {}).get("words") or ""
    words = {"returned": str(summary["returned"]), "evidence": evidence, "note": str(summary.get("note") or "")}
    report = None if folder is None or not (folder / "report.html").exists() else folder / "report.html"
    return Outcome(dict(_scores(summary)), {k: v for k, v in words.items() if v}, report, folder)


def _scores(summary: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Numbers of a summary by name, each interval by its ends.

    >>> found = {"score": "accuracy", "test": {"accuracy": 0.9, "interval": [0.8, 0.95], "rows": 40}, "seconds": 3.0}
    >>> dict(_scores(found))
    {'test.accuracy': 0.9, 'test.rows': 40.0, 'test.low': 0.8, 'test.high': 0.95, 'seconds': 3.0}
    """
    held_out = {f"held_out.{name}": summary.get(name) for name in ("reference", "candidate")}
    on_test = {f"test.{name}": summary.get(f"test_{name}") for name in ("reference", "candidate")}
    for name, found in (held_out | {"test": summary.get("test")} | on_test).items():
        yield from ((f"{name}.{key}", float(value)) for key, value in (found or {}).items() if _is_number(value))
        if interval := (found or {}).get("interval"):
            yield from zip((f"{name}.{end}" for end in ENDS), map(float, interval), strict=True)
    evidence = summary.get("evidence") or {}
    yield from ((f"evidence.{k}", float(evidence[k])) for k in ("difference", *ENDS, "harm") if k in evidence)
    yield from ((name, float(summary[name])) for name in ("seconds", "peak_memory_mb") if _is_number(summary.get(name)))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)
