"""Tutelage: learning with a teacher and a student."""

from tutelage.audit import Audit, find_label_errors
from tutelage.distiller import SelfDistiller
from tutelage.estimators import Classifier
from tutelage.evidence import Evidence
from tutelage.methods import (
    Bond,
    Cbst,
    Cosine,
    CoTeaching,
    CurriculumLabelling,
    CutmixMeanTeacher,
    DivideMix,
    Dmt,
    Drift,
    Dst,
    Elr,
    FixMatch,
    Gce,
    MeanTeacher,
    Method,
    PartialLabel,
    Sce,
    SelfDistillation,
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
    "Audit", "Bond", "Cbst", "Classifier", "CoTeaching", "Cosine", "CurriculumLabelling", "CutmixMeanTeacher",
    "DivideMix", "Dmt", "Drift", "Dst", "Elr", "Evidence", "FixMatch", "Gce", "MeanTeacher", "Method", "Model",
    "PartialLabel", "Sce", "Segmenter", "SelfDistillation", "SelfDistiller", "SelfTraining", "Supervised", "Tagger",
    "Uda", "Vat", "find_label_errors", "load",
]  # fmt: skip
