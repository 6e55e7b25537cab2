"""Tutelage: learning with a teacher and a student."""

from tutelage import methods
from tutelage.audit import Audit, find_label_errors
from tutelage.estimators.classifier import Classifier
from tutelage.estimators.segmenter import Segmenter
from tutelage.estimators.self_distiller import SelfDistiller
from tutelage.estimators.tagger import Tagger
from tutelage.fit.auto import Auto
from tutelage.fit.evidence import Evidence
from tutelage.methods import *  # noqa: F403
from tutelage.modalities.text.replacement import TfidfReplacement
from tutelage.model import Model, load

__version__ = "0.1.0"
__all__ = [
    "Audit",
    "Auto",
    "Classifier",
    "Evidence",
    "Model",
    "Segmenter",
    "SelfDistiller",
    "Tagger",
    "TfidfReplacement",
    "find_label_errors",
    "load",
]  # fmt: skip
__all__ += methods.__all__
