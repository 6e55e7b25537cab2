"""One paper, one file. To add a method: its file, its test, and a line here."""

from tutelage.methods.adamatch import AdaMatch
from tutelage.methods.balanced_self_training import BalancedSelfTraining
from tutelage.methods.base import Method
from tutelage.methods.bond import Bond
from tutelage.methods.cbst import Cbst
from tutelage.methods.co_teaching import CoTeaching
from tutelage.methods.co_training import CoTraining
from tutelage.methods.committee import Committee
from tutelage.methods.cosine import Cosine
from tutelage.methods.curriculum_labelling import CurriculumLabelling
from tutelage.methods.cutmix_mean_teacher import CutmixMeanTeacher
from tutelage.methods.deep_co_training import DeepCoTraining
from tutelage.methods.dividemix import DivideMix
from tutelage.methods.dmt import Dmt
from tutelage.methods.drift import Drift
from tutelage.methods.dst import Dst
from tutelage.methods.elr import Elr
from tutelage.methods.fixmatch import FixMatch
from tutelage.methods.flexmatch import FlexMatch
from tutelage.methods.freematch import FreeMatch
from tutelage.methods.gce import Gce
from tutelage.methods.label_propagation import LabelPropagation
from tutelage.methods.label_spreading import LabelSpreading
from tutelage.methods.mean_teacher import MeanTeacher
from tutelage.methods.meta_pseudo_labels import MetaPseudoLabels
from tutelage.methods.mixmatch import MixMatch
from tutelage.methods.noisy_student import NoisyStudent
from tutelage.methods.partial_label import PartialLabel
from tutelage.methods.pi_model import PiModel
from tutelage.methods.poisson_learning import PoissonLearning
from tutelage.methods.remixmatch import ReMixMatch
from tutelage.methods.sce import Sce
from tutelage.methods.self_distillation import SelfDistillation
from tutelage.methods.self_training import SelfTraining
from tutelage.methods.softmatch import SoftMatch
from tutelage.methods.supervised import Supervised
from tutelage.methods.temporal_ensembling import TemporalEnsembling
from tutelage.methods.tri_training import TriTraining
from tutelage.methods.uda import Uda
from tutelage.methods.vat import Vat

METHODS: dict[str, type[Method]] = {
    m.name: m
    for m in (
        Supervised, SelfTraining, MeanTeacher, Vat, Uda, FixMatch, CutmixMeanTeacher, Cosine, Bond, Drift,
        PiModel, TemporalEnsembling, FlexMatch, FreeMatch, SoftMatch, AdaMatch, MixMatch, ReMixMatch,
        NoisyStudent, MetaPseudoLabels, DeepCoTraining,
        LabelPropagation, LabelSpreading, PoissonLearning, TriTraining, CoTraining, BalancedSelfTraining,
        CurriculumLabelling, Cbst, Dst, Dmt,
        SelfDistillation, PartialLabel, Gce, Sce, CoTeaching, Elr, DivideMix,
    )
}  # fmt: skip
"""The methods by the name the command line and the estimator know; the last line's are for noisy labels."""

__all__ = [
    "METHODS",
    "AdaMatch",
    "BalancedSelfTraining",
    "Bond",
    "Cbst",
    "CoTeaching",
    "CoTraining",
    "Committee",
    "Cosine",
    "CurriculumLabelling",
    "CutmixMeanTeacher",
    "DeepCoTraining",
    "DivideMix",
    "Dmt",
    "Drift",
    "Dst",
    "Elr",
    "FixMatch",
    "FlexMatch",
    "FreeMatch",
    "Gce",
    "LabelPropagation",
    "LabelSpreading",
    "MeanTeacher",
    "MetaPseudoLabels",
    "Method",
    "MixMatch",
    "NoisyStudent",
    "PartialLabel",
    "PiModel",
    "PoissonLearning",
    "ReMixMatch",
    "Sce",
    "SelfDistillation",
    "SelfTraining",
    "SoftMatch",
    "Supervised",
    "TemporalEnsembling",
    "TriTraining",
    "Uda",
    "Vat",
]  # fmt: skip
