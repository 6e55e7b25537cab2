"""Tutelage: learning with a teacher and a student."""

from tutelage import methods
from tutelage.audit import Audit, find_label_errors
from tutelage.data.words import TfidfReplacement
from tutelage.distiller import SelfDistiller
from tutelage.estimators import Classifier
from tutelage.evidence import Evidence
from tutelage.methods import *  # noqa: F403
from tutelage.saving import Model, load
from tutelage.segmenter import Segmenter
from tutelage.tagger import Tagger

__version__ = "0.1.0"
__all__ = [
    "Audit",
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
