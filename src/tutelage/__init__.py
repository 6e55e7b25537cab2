"""Tutelage: learning with a teacher and a student."""

from tutelage.estimators import Classifier
from tutelage.evidence import Evidence
from tutelage.methods import Bond, Cosine, Drift, MeanTeacher, Method, SelfTraining, Supervised, Uda, Vat
from tutelage.saving import Model, load
from tutelage.tagger import Tagger

__version__ = "0.1.0"
__all__ = [
    "Bond", "Classifier", "Cosine", "Drift", "Evidence", "MeanTeacher", "Method", "Model", "SelfTraining",
    "Supervised", "Tagger", "Uda", "Vat", "load",
]  # fmt: skip
