"""Fingerprints of runs: a line of results counts only as long as nothing that it depends on has changed."""

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

from tutelage.bench import curves, fits, learners
from tutelage.bench.protocol import DataSet, Protocol, Setting
from tutelage.bench.sets import kind_for
from tutelage.fit.auto import CANDIDATES, Auto
from tutelage.kinds import KINDS
from tutelage.methods import Method, class_named
from tutelage.methods.fields import Open, Ramp
from tutelage.methods.own import code_of
from tutelage.train import ENGINE


def fingerprint(parts: Mapping[str, Any]) -> str:
    """Hash of plain values, 12 hexadecimal digits.

    The order of keys does not matter, nor whether a whole number is written 1 or 1.0.

    Args:
        parts: plain values by name.

    >>> fingerprint({"a": 1, "b": [0.5]}) == fingerprint({"b": (0.5,), "a": 1.0})
    True
    """
    text = json.dumps(_canonical(parts), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _canonical(value: Any) -> Any:
    """Plain values of which equal ones have the same JSON."""
    if isinstance(value, Mapping):
        return {str(k): _canonical(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def plain(value: Any) -> Any:
    """A table of a protocol, or a dataclass, as plain values.

    A field is left out if it has its default and the default is off or empty (None, False, 0, ""). So a fingerprint
    does not change when an option is added that is off by default, or whose field says that a later version added it.

    Args:
        value: the table or dataclass; other values are given as they are, mappings and lists with plain entries.

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
    """Name, value and default of each field; a field without a default gets the default True."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            default = field.get_default(call_default_factory=True)
            yield name, getattr(value, name), True if default is PydanticUndefined else default
    else:
        for f in dataclasses.fields(value):
            made = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
            chosen = _chosen(getattr(value, f.name))
            if not (f.metadata.get("later") and chosen == made):
                yield f.name, chosen, True if made is dataclasses.MISSING else _chosen(made)


def _chosen(value: Any) -> Any:
    """The value of a field of a method; None for one that is left open, and a ramp as text."""
    return None if isinstance(value, Open) else str(value) if isinstance(value, Ramp) else value


def version_of(method: Method | Auto) -> int:
    """Sum of the versions of a method's class and of all classes it inherits from: it grows when one is raised."""
    return sum(vars(c).get("version", 0) for c in type(method).__mro__)


def described(method: Method | Auto) -> dict[str, Any]:
    """A method as plain values: its name, its version, its hyper-parameters, and of one's own the hash of its file."""
    found = {"method": method.name, "version": version_of(method), "fields": plain(method)}
    return found | {name: value for name, value in code_of(method).items() if name == "content"}


def cell_key(protocol: Protocol, data: DataSet, setting: Setting) -> str:
    """Fingerprint of the splits, labels and features of a cell.

    Args:
        protocol: the protocol.
        data: the data set.
        setting: how much is known of the labels.
    """
    return fingerprint(
        {
            "data": plain(data), "setting": plain(setting.model_copy(update={"only": ()})),
            "network": protocol.steps.network, "version": KINDS[data.kind].version,
        }
    )  # fmt: skip


def key_of(protocol: Protocol, data: DataSet, setting: Setting, learner: str) -> str:
    """Fingerprint of all that a run depends on, except the seed.

    Args:
        protocol: the protocol.
        data: the data set.
        setting: how much is known of the labels.
        learner: name of the learner.
    """
    default = kind_for(data, protocol.steps.network).defaults
    parts = {
        "cell": cell_key(protocol, data, setting), "learner": learner,
        "version": learners.VERSIONS.get(learner, learners.VERSIONS["method"]), "engine": ENGINE,
        "steps": plain(protocol.steps), "tuning": plain(protocol.tuning), "training": plain(default.training),
        "candidates": [described(m) for m in protocol.candidates(learner)],
    }  # fmt: skip
    whole = protocol.whole_fit(learner)
    if whole is not None:
        parts |= {"fit": plain(whole), "fits": fits.VERSION, "plan": plain(default.plan)}
        parts["candidates"] = [] if whole.method == Auto.name else [described(class_named(whole.method)())]
    loop = protocol.loop(learner)
    if loop is not None:
        parts |= {"loop": plain(loop), "curves": curves.VERSION}
        parts["candidates"] = [] if loop.method is None else [described(class_named(loop.method)())]
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
    """The recorded gains that "auto" uses: of its candidates, on other data sets of this kind.

    Data sets of other kinds count where the gains of all candidates are recorded.

    Args:
        data: name of the data set that is left out.
        kind: name of the kind, as in `learners.kind_of`.
    """
    found = []
    for record in _records():
        gains = {name: gain for name, gain in record["gains"].items() if name in CANDIDATES}
        if record["data"] != data and gains and (record["kind"] == kind or len(gains) == len(CANDIDATES)):
            found.append([record["data"], record["kind"], gains])
    return found


@cache
def _records() -> Sequence[dict[str, Any]]:
    """The packaged records of gains."""
    found: list[dict[str, Any]] = json.loads(resources.files("tutelage.fit").joinpath("records/gains.json").read_text())
    return found
