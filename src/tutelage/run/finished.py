"""A finished run, read from its folder to predict or to score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutelage import model
from tutelage.files import read_json
from tutelage.files.described import Summary
from tutelage.fit.verdict import percent, reference_says, words_of
from tutelage.kinds.base import Kind
from tutelage.kinds.saved import kind_of, require_finished
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
        allow_encoder: name of an encoder that may be loaded from outside the run, see `model.load`.
    """

    model: Model
    kind: Kind
    folder: Path
    trust: bool = False
    allow_encoder: str | None = None

    def reference(self) -> Model | None:
        """The labels-only model; None where it is the one that was returned, or the run of an earlier version."""
        place = self.folder / REFERENCE
        return model.load(place, self.trust, self.allow_encoder) if (place / "model.json").exists() else None

    def side_by_side(self, reference: Mapping[str, Any], returned: Mapping[str, Any]) -> str:
        """Scores of the labels-only model and of the returned one in words, where these are two.

        Args:
            reference, returned: their scores, as `Kind.score` gives them.
        """
        summary = read_json(self.folder / "summary.json", Summary)
        both = ((reference_says(summary), reference), (words_of(summary).label, returned))
        return ", ".join(f"{says} {percent(found, self.model.task.score)}" for says, found in both)

    @staticmethod
    def read(
        folder: Path, trust: bool = False, say: Say | None = None, allow_encoder: str | None = None, **changed: Any
    ) -> Finished:
        """The finished run of a folder.

        Args:
            folder: folder of the run.
            trust: whether code of the user's own that the run names, such as the class of a network, is imported.
            say: told what code is imported.
            allow_encoder: name of an encoder that may be loaded from outside the run, see `model.load`.
            changed: options of the kind that replace those of the run, such as the column of the items.

        Raises:
            FileNotFoundError: there is no such run.
            UntrustedError: the run's model names code of the user's own, or an encoder that is not in the run, and it
                is not trusted.
            BadFileError: a file of the run is damaged.
            ValueError: the kind has no such option.
        """
        if not folder.exists():
            raise FileNotFoundError(f"{folder}: no such folder")
        kind = kind_of(folder, **changed)
        if trust and say is not None and (code := model.code_of(folder / "model")):
            say(f"Imported, as you trust it: {', '.join(code)}.")
        require_finished(folder, "summary.json", "model/manifest.json", f"{REFERENCE}/manifest.json")
        return Finished(model.load(folder / "model", trust, allow_encoder), kind, folder, trust, allow_encoder)
