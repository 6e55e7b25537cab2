"""Tutelage: learning with a teacher and a student.

Names are imported when they are first asked for, so that ``import tutelage`` is quick and needs no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tutelage import methods

if TYPE_CHECKING:
    from tutelage import plots as plots
    from tutelage import weights as weights
    from tutelage.audit import Audit as Audit
    from tutelage.audit import find_label_errors as find_label_errors
    from tutelage.estimators.adapt import adapt as adapt
    from tutelage.estimators.classifier import Classifier as Classifier
    from tutelage.estimators.folds import LabelledFolds as LabelledFolds
    from tutelage.estimators.look import look as look
    from tutelage.estimators.segmenter import Segmenter as Segmenter
    from tutelage.estimators.self_distiller import SelfDistiller as SelfDistiller
    from tutelage.estimators.tagger import Tagger as Tagger
    from tutelage.fit.auto import Auto as Auto
    from tutelage.fit.evidence import Evidence as Evidence
    from tutelage.methods import *  # noqa: F403
    from tutelage.modalities.text.replacement import TfidfReplacement as TfidfReplacement
    from tutelage.model import Model as Model
    from tutelage.model import load as load

__version__ = "0.3.0"
"""Version of the library."""

_HOMES = {
    "Audit": "tutelage.audit",
    "Auto": "tutelage.fit.auto",
    "Classifier": "tutelage.estimators.classifier",
    "Evidence": "tutelage.fit.evidence",
    "LabelledFolds": "tutelage.estimators.folds",
    "Model": "tutelage.model",
    "Segmenter": "tutelage.estimators.segmenter",
    "SelfDistiller": "tutelage.estimators.self_distiller",
    "Tagger": "tutelage.estimators.tagger",
    "adapt": "tutelage.estimators.adapt",
    "TfidfReplacement": "tutelage.modalities.text.replacement",
    "find_label_errors": "tutelage.audit",
    "load": "tutelage.model",
    "look": "tutelage.estimators.look",
} | dict.fromkeys(("METHODS", *methods.CLASSES), "tutelage.methods")
"""Module that defines each public name, by name."""

if not TYPE_CHECKING:  # a type checker reads the imports above, and lets no misspelt name pass
    __all__ = list(_HOMES)

    def __getattr__(name: str) -> Any:
        if name in ("ask", "plots", "weights"):
            return import_module(f"tutelage.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
