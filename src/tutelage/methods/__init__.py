"""One paper, one file. To add a method: its file, its test, and a line here."""

from tutelage.methods.base import Method
from tutelage.methods.bond import Bond
from tutelage.methods.cbst import Cbst
from tutelage.methods.co_teaching import CoTeaching
from tutelage.methods.cosine import Cosine
from tutelage.methods.curriculum_labelling import CurriculumLabelling
from tutelage.methods.cutmix_mean_teacher import CutmixMeanTeacher
from tutelage.methods.dividemix import DivideMix
from tutelage.methods.dmt import Dmt
from tutelage.methods.drift import Drift
from tutelage.methods.dst import Dst
from tutelage.methods.elr import Elr
from tutelage.methods.fixmatch import FixMatch
from tutelage.methods.gce import Gce
from tutelage.methods.mean_teacher import MeanTeacher
from tutelage.methods.partial_label import PartialLabel
from tutelage.methods.sce import Sce
from tutelage.methods.self_distillation import SelfDistillation
from tutelage.methods.self_training import SelfTraining
from tutelage.methods.supervised import Supervised
from tutelage.methods.uda import Uda
from tutelage.methods.vat import Vat

METHODS: dict[str, type[Method]] = {
    m.name: m
    for m in (
        Supervised, SelfTraining, MeanTeacher, Vat, Uda, FixMatch, CutmixMeanTeacher, Cosine, Bond, Drift,
        CurriculumLabelling, Cbst, Dst, Dmt,
        SelfDistillation, PartialLabel, Gce, Sce, CoTeaching, Elr, DivideMix,
    )
}  # fmt: skip
"""The methods by the name the command line and the estimator know; the last line's are for noisy labels."""

__all__ = [
    "METHODS", "Bond", "Cbst", "CoTeaching", "Cosine", "CurriculumLabelling", "CutmixMeanTeacher", "DivideMix", "Dmt",
    "Drift", "Dst", "Elr", "FixMatch", "Gce", "MeanTeacher", "Method", "PartialLabel", "Sce", "SelfDistillation",
    "SelfTraining", "Supervised", "Uda", "Vat",
]  # fmt: skip
