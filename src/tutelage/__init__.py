"""Tutelage: learning with a teacher and a student."""

from tutelage.audit import Audit, find_label_errors
from tutelage.data.words import TfidfReplacement
from tutelage.distiller import SelfDistiller
from tutelage.estimators import Classifier
from tutelage.evidence import Evidence
from tutelage.methods import (
    AdaMatch,
    Auto,
    BalancedSelfTraining,
    Bond,
    Cbst,
    Cosine,
    CoTeaching,
    CoTraining,
    CurriculumLabelling,
    CutmixMeanTeacher,
    DeepCoTraining,
    DivideMix,
    Dmt,
    Drift,
    Dst,
    Elr,
    FixMatch,
    FlexMatch,
    FreeMatch,
    Gce,
    LabelPropagation,
    LabelSpreading,
    MeanTeacher,
    MetaPseudoLabels,
    Method,
    MixMatch,
    NoisyStudent,
    PartialLabel,
    PiModel,
    PoissonLearning,
    ReMixMatch,
    Sce,
    SelfDistillation,
    SelfTraining,
    SoftMatch,
    Supervised,
    TemporalEnsembling,
    TriTraining,
    Uda,
    Vat,
)
from tutelage.saving import Model, load
from tutelage.segmenter import Segmenter
from tutelage.tagger import Tagger

__version__ = "0.1.0"
__all__ = [
    "AdaMatch", "Audit", "Auto", "BalancedSelfTraining", "Bond", "Cbst", "Classifier", "CoTeaching", "CoTraining",
    "Cosine", "CurriculumLabelling", "CutmixMeanTeacher", "DeepCoTraining", "DivideMix", "Dmt", "Drift", "Dst", "Elr",
    "Evidence", "FixMatch", "FlexMatch", "FreeMatch", "Gce", "LabelPropagation", "LabelSpreading", "MeanTeacher",
    "MetaPseudoLabels", "Method", "MixMatch", "Model", "NoisyStudent", "PartialLabel", "PiModel", "PoissonLearning",
    "ReMixMatch", "Sce", "Segmenter", "SelfDistillation", "SelfDistiller", "SelfTraining", "SoftMatch", "Supervised",
    "Tagger", "TemporalEnsembling", "TfidfReplacement", "TriTraining", "Uda", "Vat", "find_label_errors", "load",
]  # fmt: skip
