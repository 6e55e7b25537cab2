"""A finished run, read from its folder to predict or to score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage import model
from tutelage.files import read_json
from tutelage.fit.verdict import percent, reference_says, words_of
from tutelage.kinds.base import Kind
from tutelage.kinds.saved import kind_of
from tutelage.model import Model
from tutelage.report.sentences import REFERENCE
from tutelage.types import Say


@dataclass(frozen=True)
class Finished:
    """A finished run.

    Attributes:
        model: fitted model.
        kind: kind of the data, with the options of the run.
        folder: folder of the run.
        trust: whether code of the user's own that the run names is imported.
    """

    model: Model
    kind: Kind
    folder: Path
    trust: bool = False

    def reference(self) -> Model | None:
        """The labels-only model; None where it is the one that was returned, or the run of an earlier version."""
        place = self.folder / REFERENCE
        return model.load(place, self.trust) if (place / "model.json").exists() else None

    def side_by_side(self, reference: Mapping[str, Any], returned: Mapping[str, Any]) -> str:
        """Scores of the labels-only model and of the returned one in words, where these are two.

        Args:
            reference, returned: their scores, as `Kind.score` gives them.
        """
        summary = read_json(self.folder / "summary.json", "evidence")
        both = ((reference_says(summary), reference), (words_of(summary).label, returned))
        return ", ".join(f"{says} {percent(found, self.model.task.score)}" for says, found in both)

    @staticmethod
    def read(folder: Path, trust: bool = False, say: Say | None = None, **changed: Any) -> Finished:
        """The finished run of a folder.

        Args:
            folder: folder of the run.
            trust: whether code of the user's own that the run names, such as the class of a network, is imported.
            say: told what code is imported.
            changed: options of the kind that replace those of the run, such as the column of the items.

        Raises:
            FileNotFoundError: there is no such run.
            UntrustedError: the run's model names code of the user's own, and it is not trusted.
            BadFileError: a file of the run is damaged.
            ValueError: the kind has no such option.
        """
        if not folder.exists():
            raise FileNotFoundError(f"{folder}: no such folder")
        kind = kind_of(folder, **changed)
        if trust and say is not None and (code := model.code_of(folder / "model")):
            say(f"Imported, as you trust it: {', '.join(code)}.")
        return Finished(model.load(folder / "model", trust), kind, folder, trust)
