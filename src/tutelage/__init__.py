"""Tutelage: learning with a teacher and a student."""

from tutelage.estimators import Classifier
from tutelage.evidence import Evidence
from tutelage.methods import Drift, MeanTeacher, Method, SelfTraining, Supervised
from tutelage.saving import Model, load

__version__ = "0.1.0"
__all__ = [
    "Classifier", "Drift", "Evidence", "MeanTeacher", "Method", "Model", "SelfTraining", "Supervised", "load",
]  # fmt: skip
