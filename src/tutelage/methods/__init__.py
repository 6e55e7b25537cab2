"""One paper, one file. To add a method: its file, its test, and a line here."""

from tutelage.methods.base import Method
from tutelage.methods.bond import Bond
from tutelage.methods.cbst import Cbst
from tutelage.methods.cosine import Cosine
from tutelage.methods.curriculum_labelling import CurriculumLabelling
from tutelage.methods.cutmix_mean_teacher import CutmixMeanTeacher
from tutelage.methods.dmt import Dmt
from tutelage.methods.drift import Drift
from tutelage.methods.dst import Dst
from tutelage.methods.fixmatch import FixMatch
from tutelage.methods.mean_teacher import MeanTeacher
from tutelage.methods.self_training import SelfTraining
from tutelage.methods.supervised import Supervised
from tutelage.methods.uda import Uda
from tutelage.methods.vat import Vat

METHODS: dict[str, type[Method]] = {
    m.name: m
    for m in (
        Supervised, SelfTraining, MeanTeacher, Vat, Uda, FixMatch, CutmixMeanTeacher, Cosine, Bond, Drift,
        CurriculumLabelling, Cbst, Dst, Dmt,
    )
}  # fmt: skip
"""The methods by the name the command line and the estimator know."""

__all__ = [
    "METHODS", "Bond", "Cbst", "Cosine", "CurriculumLabelling", "CutmixMeanTeacher", "Dmt", "Drift", "Dst", "FixMatch",
    "MeanTeacher", "Method", "SelfTraining", "Supervised", "Uda", "Vat",
]  # fmt: skip
