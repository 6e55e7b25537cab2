"""Fingerprints of runs: a line of results counts only as long as everything that it depends on is as it was."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tutelage.bench import learners
from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.sets import kind_for
from tutelage.fit.auto import CANDIDATES, Auto
from tutelage.kinds import KINDS
from tutelage.methods import Method
from tutelage.methods.fields import Open
from tutelage.train import ENGINE


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Hash plain values: the order of keys does not matter, nor whether a whole number is written 1 or 1.0.

    >>> fingerprint({"a": 1, "b": [0.5]}) == fingerprint({"b": (0.5,), "a": 1.0})
    True
    """
    text = json.dumps(_canonical(parts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _canonical(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plain(value: Any) -> Any:
    """Turn a model of a protocol, or a dataclass, into plain values.

    A field that has its default is left out where that default is off or empty (None, False, 0, ""), so that keys stay
    as they are when an option is added that is off by default.

    >>> from tutelage.methods import Drift
    >>> sorted(plain(Drift()).keys() - plain(Drift(decay=0.5)).keys()), plain(Drift(decay=0.0))["decay"]
    ([], 0.0)
    """
    if isinstance(value, BaseModel) or (dataclasses.is_dataclass(value) and not isinstance(value, type)):
        return {name: plain(v) for name, v, default in _fields(value) if default or v != default}
    if isinstance(value, Mapping):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    return value


def _fields(value: Any) -> Iterator[tuple[str, Any, Any]]:
    """Name, value and default of each field; a field that must be given has the default True."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            default = field.get_default(call_default_factory=True)
            yield name, getattr(value, name), True if default is PydanticUndefined else default
    else:
        for f in dataclasses.fields(value):
            made = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
            yield f.name, _chosen(getattr(value, f.name)), True if made is dataclasses.MISSING else _chosen(made)


def _chosen(value: Any) -> Any:
    return None if isinstance(value, Open) else value


def version_of(method: Method | Auto) -> int:
    """The versions of a method's class and of those it is made of, added up: it grows when one of them is raised."""
    return sum(vars(c).get("version", 0) for c in type(method).__mro__)


def described(method: Method | Auto) -> dict[str, Any]:
    """A method as plain values: its name, its version and its hyper-parameters."""
    return {"method": method.name, "version": version_of(method), "fields": plain(method)}


def cell_key(protocol: Protocol, data: DataSet, setting: Setting) -> str:
    """A fingerprint of the splits, labels and features of a cell."""
    return fingerprint(
        {
            "data": plain(data), "setting": plain(setting.model_copy(update={"only": ()})),
            "network": protocol.steps.network, "version": KINDS[data.kind].version,
        }
    )  # fmt: skip


def key_of(protocol: Protocol, data: DataSet, setting: Setting, learner: str) -> str:
    """A fingerprint of all that a run depends on but its seed."""
    default = kind_for(data, protocol.steps.network).defaults
    parts = {
        "cell": cell_key(protocol, data, setting), "learner": learner,
        "version": learners.VERSIONS.get(learner, learners.VERSIONS["method"]), "engine": ENGINE,
        "steps": plain(protocol.steps), "tuning": plain(protocol.tuning), "training": plain(default.training),
        "candidates": [described(m) for m in protocol.candidates(learner)],
    }  # fmt: skip
    if learner == Auto.name or protocol.tuning.evidence:
        parts["plan"] = plain(default.plan)
    if learner == Auto.name:
        parts |= {
            "auto": described(learners.auto_of(protocol)),
            "tries": {name: described(m) for name, m in CANDIDATES.items()},
            "knows": known(data.name, learners.kind_of(data, setting, protocol.steps)),
        }  # fmt: skip
    return fingerprint(parts)


def known(data: str, kind: str) -> list[Any]:
    """What is recorded of all candidates of "auto", or of some of them on this kind, but not on this data set."""
    found = []
    for record in _records():
        gains = {name: gain for name, gain in record["gains"].items() if name in CANDIDATES}
        if record["data"] != data and gains and (record["kind"] == kind or len(gains) == len(CANDIDATES)):
            found.append([record["data"], record["kind"], gains])
    return found


@cache
def _records() -> Sequence[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(resources.files("tutelage.fit").joinpath("records/gains.json").read_text())
    return found
