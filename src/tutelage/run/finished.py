"""A finished run, read from its folder to predict or to score."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tutelage import kinds, model
from tutelage.files import BadFileError, read_json
from tutelage.fit.verdict import percent, reference_says, words_of
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.model import Model
from tutelage.report.sentences import REFERENCE
from tutelage.tables.name_lists import Names


@dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        model: fitted model.
        kind: kind of the data, with the options of the run.
        folder: folder of the run.
    """

    model: Model
    kind: Kind
    folder: Path

    def reference(self) -> Model | None:
        """The labels-only model; None where it is the one that was returned, or the run of an earlier version."""
        place = self.folder / REFERENCE
        return model.load(place) if (place / "model.json").exists() else None

    def side_by_side(self, reference: Mapping[str, Any], returned: Mapping[str, Any]) -> str:
        """Scores of the labels-only model and of the returned one in words, where these are two.

        Args:
            reference, returned: their scores, as `Kind.score` gives them.
        """
        summary = read_json(self.folder / "summary.json", "evidence")
        both = ((reference_says(summary), reference), (words_of(summary).label, returned))
        return ", ".join(f"{says} {percent(found, self.model.task.score)}" for says, found in both)

    @staticmethod
    def read(folder: Path, **changed: Any) -> Finished:
        """The finished run of a folder.

        Args:
            folder: folder of the run.
            changed: options of the kind that replace those of the run, such as the column of the items.

        Raises:
            FileNotFoundError: there is no such run.
            BadFileError: a file of the run is damaged.
            ValueError: the kind has no such option.
        """
        if not folder.exists():
            raise FileNotFoundError(f"{folder}: no such folder")
        kind = kind_of(folder, **changed)
        return Finished(model.load(folder / "model"), kind, folder)


def kind_of(folder: Path, **changed: Any) -> Kind:
    """Kind of data of a run, with the options of the run; also of a run of version 0.1.

    Args:
        folder: folder of the run.
        changed: options of the kind that replace those of the run.

    Raises:
        FileNotFoundError, BadFileError: there is no run, or its run.json is damaged.
        ValueError: the kind has no such option.
    """
    if not (folder / "run.json").exists():
        if (folder / "model.json").exists():
            hint = "a model, not a run; name the folder that tutelage fit wrote, or use the model from Python"
        else:
            hint = "no run of tutelage fit there (run.json is missing)"
        raise FileNotFoundError(f"{folder}: {hint}")
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
    options.pop("skip_bad", None)  # what was left out of the training is no word on other files
    unknown = [name for name in changed if name not in known]
    if unknown:
        raise ValueError(f"--{unknown[0].replace('_', '-')} is not for a run of --kind {kind.name}")
    return kind(**options).again(**changed)


def _tuple(value: Any) -> Any:
    return Names(value) if isinstance(value, list) else value


def _read(written: str, annotation: str) -> Any:
    """Value of an option as version 0.1 wrote it. A field of type str keeps its text; "None" is None for all types."""
    if written == "None":
        return None
    if annotation.startswith("str"):
        return written
    try:
        return ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return written
