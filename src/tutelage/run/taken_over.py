"""What a fit that goes on from a finished run takes over from it: kind, options and method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any

from tutelage.files import read_json
from tutelage.files.described import Asked, Summary
from tutelage.fit.auto import Auto
from tutelage.fit.onward import LABELS_ALONE
from tutelage.fit.shares import LABELS_ONLY
from tutelage.kinds.base import Kind
from tutelage.kinds.saved import kind_of, require_finished
from tutelage.methods import METHODS, Method, Supervised
from tutelage.methods.fields import ramps_read
from tutelage.ops.own import CODE, OF_METHOD
from tutelage.ops.written import plain_read
from tutelage.run.options import Options
from tutelage.types import Say

ANEW = "or fit anew, without --from"
"""What else can be done, for messages."""


def taken_over(kind: Kind, options: Options) -> Kind:
    """The kind with what it does not name taken over from the run that the fit goes on from.

    Options on columns and labels, and those that change no network, may be others than the run's.

    Args:
        kind: kind of the data, with its options.
        options: other options of the fit; without ``start`` the kind stays as it is.

    Raises:
        FileNotFoundError, BadFileError: there is no such run, it is not finished, or damaged.
        ValueError: the kind is another than the run's, or an option contradicts it; or the run learnt weak labels.
    """
    folder = options.start
    if folder is None:
        return kind
    if not folder.exists():
        raise FileNotFoundError(f"--from {folder}: no such folder")
    require_finished(folder, "summary.json")
    before, summary = kind_of(folder), read_json(folder / "summary.json", Summary)
    if type(before) is not type(kind):
        raise ValueError(
            f"--from {folder} is a run of --kind {before.name}, but the kind is {kind.name}: name that, {ANEW}"
        )
    if before.weak or kind.weak:
        raise ValueError(
            f"--from {folder}: rules, votes, descriptions and teachers are learnt by a fit that begins anew; leave out "
            "--from"
        )
    size = summary.get("size")
    before = before.onward(None if size is None else (int(size[0]), int(size[1])))
    changed: dict[str, Any] = {}
    for field in fields(kind):
        value, was = getattr(kind, field.name), getattr(before, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if not field.metadata.get("command_line", True) or value in (default, was):
            continue
        if field.name in kind.shaping and str(value) not in (str(was), summary.get("encoder")):
            option = f"--{field.name.replace('_', '-')}"
            has = "does not name it" if was is None else f"has {was}"
            raise ValueError(f"{option} {value} contradicts --from {folder}, which {has}: leave it out, {ANEW}")
        if field.name == "shares":
            raise ValueError(f"--shares are weighed by a fit that begins anew: leave it out, {ANEW}")
        changed[field.name] = value
    return replace(before, **changed)


def method_of(method: Method | Auto, folder: Path, say: Say) -> Method:
    """The method by which a fit goes on: hyper-parameters that are not named are those of the run.

    Args:
        method: method that was asked for; "auto" takes that of the run, or the one that counted most in its own choice.
        folder: folder of the run.
        say: told where the run was trained by another method.

    Raises:
        ValueError: the run's method is not known here.
    """
    asked, summary = read_json(folder / "run.json", Asked), read_json(folder / "summary.json", Summary)
    if summary["returned"] in LABELS_ALONE:
        return Supervised()
    name = _name_of(asked, summary)
    if not isinstance(method, Auto) and method.name != name:
        say(f"{folder.name} was trained by {name}; it goes on by {method.name}.")
        return method
    if f"{OF_METHOD}{CODE}" in asked:  # of one's own: as it was asked for
        if isinstance(method, Auto):
            address = asked[f"{OF_METHOD}{CODE}"]
            raise ValueError(f"--from {folder}: its method is code of one's own, {address}; name it in place of auto")
        return method
    kind = METHODS.get(name) if isinstance(method, Auto) else type(method)
    if kind is None:
        raise ValueError(f"--from {folder}: its method, {name}, is not known here; name another in place of auto")
    written = {k.removeprefix("method."): v for k, v in asked.items() if k.startswith("method.")}
    if asked["method"] != name:
        written = dict(summary.get("settings") or {}) if summary["method"] == name else {}
    there = {f.name: f for f in fields(kind) if f.init}
    own = {k: plain_read(v) for k, v in written.items() if k in there}
    base = kind(**ramps_read(kind, {k: v for k, v in own.items() if v is not None}))
    if isinstance(method, Auto):
        return base
    named = {n: getattr(method, n) for n, f in there.items() if getattr(method, n) != _default(f)}
    return replace(base, **named)


def _name_of(asked: Mapping[str, Any], summary: Mapping[str, Any]) -> str:
    """Name of the method of a run; of the automatic choice the one that counted most, or as which it went on."""
    shares = {name: share for name, share in (summary.get("shares") or {}).items() if name != LABELS_ONLY}
    return max(shares, key=lambda name: shares[name]) if shares else str(summary["method"])


def _default(field: Any) -> Any:
    return field.default_factory() if field.default_factory is not MISSING else field.default
