"""One paper, one file. To add a method: its file, its test, a row of `catalogue`, and a line below for type checkers.

A class is imported when it is first asked for, so that listing the methods needs no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tutelage.data.nearest import did_you_mean
from tutelage.methods import catalogue, own
from tutelage.ops.own import is_address

if TYPE_CHECKING:
    from tutelage.methods.actune import AcTune as AcTune
    from tutelage.methods.adamatch import AdaMatch as AdaMatch
    from tutelage.methods.alm_kd import AlmKd as AlmKd
    from tutelage.methods.balanced_self_training import BalancedSelfTraining as BalancedSelfTraining
    from tutelage.methods.base import Method as Method
    from tutelage.methods.bond import Bond as Bond
    from tutelage.methods.cbst import Cbst as Cbst
    from tutelage.methods.co_teaching import CoTeaching as CoTeaching
    from tutelage.methods.co_training import CoTraining as CoTraining
    from tutelage.methods.committee import Committee as Committee
    from tutelage.methods.cosine import Cosine as Cosine
    from tutelage.methods.curriculum_labelling import CurriculumLabelling as CurriculumLabelling
    from tutelage.methods.cutmix_mean_teacher import CutmixMeanTeacher as CutmixMeanTeacher
    from tutelage.methods.debiased import Debiased as Debiased
    from tutelage.methods.deep_co_training import DeepCoTraining as DeepCoTraining
    from tutelage.methods.dho import Dho as Dho
    from tutelage.methods.diffkd import DiffKd as DiffKd
    from tutelage.methods.distil import Distil as Distil
    from tutelage.methods.dividemix import DivideMix as DivideMix
    from tutelage.methods.dmt import Dmt as Dmt
    from tutelage.methods.dp_ssl import DpSsl as DpSsl
    from tutelage.methods.drift import Drift as Drift
    from tutelage.methods.dst import Dst as Dst
    from tutelage.methods.elr import Elr as Elr
    from tutelage.methods.ensemble import Ensemble as Ensemble
    from tutelage.methods.fixmatch import FixMatch as FixMatch
    from tutelage.methods.flexmatch import FlexMatch as FlexMatch
    from tutelage.methods.freematch import FreeMatch as FreeMatch
    from tutelage.methods.gce import Gce as Gce
    from tutelage.methods.grip import Grip as Grip
    from tutelage.methods.hast import Hast as Hast
    from tutelage.methods.label_propagation import LabelPropagation as LabelPropagation
    from tutelage.methods.label_spreading import LabelSpreading as LabelSpreading
    from tutelage.methods.lelp import Lelp as Lelp
    from tutelage.methods.mean_teacher import MeanTeacher as MeanTeacher
    from tutelage.methods.meta_pseudo_labels import MetaPseudoLabels as MetaPseudoLabels
    from tutelage.methods.mixmatch import MixMatch as MixMatch
    from tutelage.methods.multi_teacher import MultiTeacher as MultiTeacher
    from tutelage.methods.nd import Nd as Nd
    from tutelage.methods.nest import Nest as Nest
    from tutelage.methods.noisy_student import NoisyStudent as NoisyStudent
    from tutelage.methods.partial_label import PartialLabel as PartialLabel
    from tutelage.methods.pi_model import PiModel as PiModel
    from tutelage.methods.poisson_learning import PoissonLearning as PoissonLearning
    from tutelage.methods.prompt_kd import PromptKd as PromptKd
    from tutelage.methods.remixmatch import ReMixMatch as ReMixMatch
    from tutelage.methods.sce import Sce as Sce
    from tutelage.methods.self_distillation import SelfDistillation as SelfDistillation
    from tutelage.methods.self_training import SelfTraining as SelfTraining
    from tutelage.methods.slam import Slam as Slam
    from tutelage.methods.softmatch import SoftMatch as SoftMatch
    from tutelage.methods.spl import Spl as Spl
    from tutelage.methods.ssld import Ssld as Ssld
    from tutelage.methods.supervised import Supervised as Supervised
    from tutelage.methods.temporal_ensembling import TemporalEnsembling as TemporalEnsembling
    from tutelage.methods.tri_training import TriTraining as TriTraining
    from tutelage.methods.uda import Uda as Uda
    from tutelage.methods.ust import Ust as Ust
    from tutelage.methods.vat import Vat as Vat
    from tutelage.methods.verips import Verips as Verips


class _Methods(Mapping[str, "type[Method]"]):
    """The classes by the methods' names, of this library and of installed packages, each imported when asked for."""

    def __getitem__(self, name: str) -> type[Method]:
        if name in own.plugged():
            return own.of_package(name)
        entry = catalogue.TABLE[name]
        method: type[Method] = getattr(import_module(entry.module), entry.class_name)
        return method

    def __iter__(self) -> Iterator[str]:
        return iter((*catalogue.TABLE, *own.plugged()))

    def __len__(self) -> int:
        return len(catalogue.TABLE) + len(own.plugged())

    def __contains__(self, name: object) -> bool:
        return name in catalogue.TABLE or name in own.plugged()


METHODS: Mapping[str, type[Method]] = _Methods()
"""The methods by the name that the command line and the estimators know."""


def class_named(word: str) -> type[Method]:
    """Class of the method that a user names: by its name, or by the address of code of one's own, which is imported.

    Args:
        word: name of a method, or an address such as "my_method.py:Mine"; never one that a file names.

    Raises:
        ValueError: there is no such method; the message lists the names.

    >>> class_named("drift").__name__
    'Drift'
    """
    if word in METHODS:
        return METHODS[word]
    if is_address(word):
        return own.at_address(word)
    raise ValueError(
        f"method must be one of {', '.join(METHODS)}, or FILE.py:NAME, got {word!r}{did_you_mean(word, METHODS)}"
    )


CLASSES = {entry.class_name: entry.module for entry in catalogue.TABLE.values()} | {
    "Committee": "tutelage.methods.committee",
    "Method": "tutelage.methods.base",
}
"""Where each class lies."""

if not TYPE_CHECKING:  # a type checker reads the imports above, and lets no misspelt name pass
    __all__ = ["METHODS", "class_named", *CLASSES]  # noqa: PLE0604 (they are strings)

    def __getattr__(name: str) -> Any:
        if name not in CLASSES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(CLASSES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *CLASSES})
