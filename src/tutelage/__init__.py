"""Tutelage: learning with a teacher and a student."""

from tutelage.distiller import SelfDistiller
from tutelage.estimators import Classifier
from tutelage.evidence import Evidence
from tutelage.methods import (
    Bond,
    Cbst,
    Cosine,
    CurriculumLabelling,
    CutmixMeanTeacher,
    Dmt,
    Drift,
    Dst,
    FixMatch,
    MeanTeacher,
    Method,
    SelfTraining,
    Supervised,
    Uda,
    Vat,
)
from tutelage.saving import Model, load
from tutelage.segmenter import Segmenter
from tutelage.tagger import Tagger

__version__ = "0.1.0"
__all__ = [
    "Bond", "Cbst", "Classifier", "Cosine", "CurriculumLabelling", "CutmixMeanTeacher", "Dmt", "Drift", "Dst",
    "Evidence", "FixMatch", "MeanTeacher", "Method", "Model", "Segmenter", "SelfDistiller", "SelfTraining",
    "Supervised", "Tagger", "Uda", "Vat", "load",
]  # fmt: skip
