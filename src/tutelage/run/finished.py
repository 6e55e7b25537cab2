"""Predict with, and score, the model of a finished run."""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tutelage import kinds, model
from tutelage.files import BadFileError, read_json
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.model import Model


@dataclass(frozen=True)
class Finished:
    """A finished run: its model, and its kind of data with the options of the run."""

    model: Model
    kind: Kind

    @staticmethod
    def read(folder: Path, **changed: Any) -> Finished:
        """The run in a folder.

        Args:
            changed: options of its kind that are now others, such as the column of the items.

        Raises:
            FileNotFoundError: there is none.
            BadFileError: its files are damaged.
            ValueError: an option that its kind has not.
        """
        if not folder.exists():
            raise FileNotFoundError(f"{folder}: no such folder")
        kind = kind_of(folder, **changed)
        return Finished(model.load(folder / "model"), kind)


def kind_of(folder: Path, **changed: Any) -> Kind:
    """The kind of data of a run, with the options that it was asked with; also of version 0.1.

    Raises:
        FileNotFoundError, BadFileError: there is no run, or its run.json is damaged.
        ValueError: an option that the kind has not.
    """
    asked = read_json(folder / "run.json", "method")
    try:
        kind = KINDS[kinds.named(str(asked.get("kind") or asked["task"]))]
        known = {f.name: f for f in fields(kind) if f.metadata.get("command_line", True)}
        if "kind" in asked:
            options = {name: _tuple(asked[f"kind.{name}"]) for name in known if f"kind.{name}" in asked}
        else:
            options = {name: _read(str(asked[name]), str(f.type)) for name, f in known.items() if name in asked}
    except (KeyError, ValueError) as e:
        raise BadFileError(f"{folder / 'run.json'}: not written by tutelage, or damaged ({e})") from e
    unknown = [name for name in changed if name not in known]
    if unknown:
        raise ValueError(f"--{unknown[0].replace('_', '-')} is not for a run of --kind {kind.name}")
    return kind(**options | changed)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _read(written: str, annotation: str) -> Any:
    """An option as version 0.1 wrote it, by its field's annotation: texts are left as they are, but for "None"."""
    if written == "None":
        return None
    if annotation.startswith("str"):
        return written
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return written
