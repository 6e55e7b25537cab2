"""A kind's options as a run keeps them in run.json: written, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from tutelage import kinds
from tutelage.data import cards
from tutelage.data.how import ReadAs
from tutelage.files import MANIFEST, BadFileError, is_sealed, read_json, require_sealed
from tutelage.files.described import Asked, fault_of
from tutelage.files.errors import VOUCHED
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.ops.written import plain_read
from tutelage.tables.name_lists import Names

DRAWN = ("report.html", "least_sure.csv", "contradictions.csv", "plots/")
"""Files, and the folder, of a run that are for people: nothing reads them, so that they may be edited or removed."""


def for_people(name: str) -> bool:
    """Whether a file of a run is for people, who may edit or remove it.

    >>> for_people("plots/accuracy.png"), for_people("summary.json"), for_people("model/README.md")
    (True, False, True)
    """
    return name.startswith(DRAWN) or name.endswith(cards.NAME)


def require_finished(folder: Path, *read: str) -> None:
    """Check that a run is finished, and that files of it are as they were written; an earlier version's is believed.

    Args:
        folder: folder of the run.
        read: names of the files.

    Raises:
        FileNotFoundError, BadFileError: there is no run, it is not finished, or a file is missing or damaged.
    """
    asked = _asked(folder)
    if int(asked.get("format", 1)) >= VOUCHED and not is_sealed(folder):
        raise FileNotFoundError(
            f"{folder}: the run is not finished, or its {MANIFEST} is lost; the command that began it goes on with "
            "--resume"
        )
    require_sealed(folder, int(asked.get("format", 1)), only=("run.json", *read))


def plain_options(kind: Kind) -> dict[str, Any]:
    """Values of a kind's options of the command line, by name, as values that JSON can hold."""
    named = {f.name: getattr(kind, f.name) for f in fields(kind) if f.metadata.get("command_line", True)}
    return {name: _plain(value) for name, value in named.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(_plain(k)): _plain(v) for k, v in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def kind_of(folder: Path, **changed: Any) -> Kind:
    """Kind of data of a run, with the options of the run; also of a run of version 0.1.

    Args:
        folder: folder of the run.
        changed: options of the kind that replace those of the run.

    Raises:
        FileNotFoundError, BadFileError: there is no run, or its run.json is damaged.
        ValueError: the kind has no such option.
    """
    asked = _asked(folder)
    try:
        kind = KINDS[kinds.named(str(asked.get("kind") or asked["task"]))]
        known = {f.name: f for f in fields(kind) if f.metadata.get("command_line", True)}
        if "kind" in asked:
            options = {name: _tuple(asked[f"kind.{name}"]) for name in known if f"kind.{name}" in asked}
            hints = get_type_hints(kind)
            for name, value in options.items():
                from_python = dict[str, float] | None if hints[name] == tuple[str, ...] else None  # such as shares
                if fault := fault_of(value, hints[name] | from_python):
                    raise ValueError(f"kind.{name}: {fault}")
        else:
            options = {name: _read(str(asked[name]), str(f.type)) for name, f in known.items() if name in asked}
        kind.require_kept(options)
    except (LookupError, ArithmeticError, AttributeError, ValueError, TypeError) as e:
        raise BadFileError(f"{folder / 'run.json'}: not written by tutelage, or damaged ({e})") from e
    options.pop("skip_bad", None)  # what was left out of the training is no word on other files
    unknown = [name for name in changed if name not in known]
    if unknown:
        raise ValueError(f"--{unknown[0].replace('_', '-')} is not for a run of --kind {kind.name}")
    return kind(**options).again(**changed)


def read_as(asked: Mapping[str, Any]) -> ReadAs:
    """How a run read its files.

    Args:
        asked: what its run.json holds.
    """
    plain = {"None": None, "True": True, "False": False}
    return ReadAs(**{f.name: plain.get(str(asked[f.name]), asked[f.name]) for f in fields(ReadAs) if f.name in asked})


def _asked(folder: Path) -> dict[str, Any]:
    """The run.json of a run.

    Raises:
        FileNotFoundError, BadFileError: there is no run, or its run.json is damaged.
    """
    if not (folder / "run.json").exists():
        if (folder / "model.json").exists():
            hint = "a model, not a run; name the folder that tutelage fit wrote, or load it in Python by tutelage.load"
        else:
            hint = "no run of tutelage fit there (run.json is missing)"
        raise FileNotFoundError(f"{folder}: {hint}")
    found: dict[str, Any] = read_json(folder / "run.json", Asked)
    return found


def _tuple(value: Any) -> Any:
    return Names(value) if isinstance(value, list) else value


def _read(written: str, annotation: str) -> Any:
    """Value of an option as version 0.1 wrote it. A field of type str keeps its text; "None" is None for all types."""
    if written == "None":
        return None
    if annotation.startswith("str"):
        return written
    return plain_read(written)
