"""What is to be learnt, and how the evidence about it is gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Examples, Groups, Loader
from tutelage.data.heard import Heard
from tutelage.data.view_loader import Augmentation, ViewLoader
from tutelage.fit.dependence import dependence
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut, grouped_folds, repeated_folds
from tutelage.fit.labels_only import Probe
from tutelage.modalities.base import Reader
from tutelage.ops.checks import in_range
from tutelage.tasks import Task
from tutelage.types import Inputs


@dataclass(frozen=True)
class WeakLabels:
    """Labels from rules, votes or distant matching: stage I learns them before the method's game begins.

    Attributes:
        examples: the examples that have weak labels.
        target: weak labels of their units, as rows of probabilities, (units, c), or as class numbers with -1 = unknown,
            (units,).
        index: numbers of these examples in the pool, (k,).
        heard: what brought teachers said beyond these labels; None: nothing is known.
    """

    examples: Examples
    target: Tensor
    index: np.ndarray
    heard: Heard | None = None


def folds_of(y: np.ndarray, counts: np.ndarray, plan: Plan, seed: int, groups: Groups | None = None) -> Folds:
    """Folds of labelled examples, stratified by class where an example is one unit; none if the plan skips.

    Copies of an item, and items of a cluster, lie in one fold.

    Args:
        y: class numbers of the units, (units,).
        counts: number of units of each example, (n,).
        plan: plan of the evidence.
        seed: seed of the folds.
        groups: which examples are copies of an item, and which items belong together; None: each is by itself.

    Raises:
        ValueError: a class has one label only, or the labels of a class are all of one cluster.
    """
    strata = y if (counts == 1).all() else np.zeros(len(counts), dtype=np.int64)
    if plan.skip or not len(counts):
        return []
    if groups is None or groups.apart:
        return repeated_folds(strata, plan.folds, plan.repeats, seed)
    return grouped_folds(strata, groups, plan.folds, plan.repeats, seed)


class Calibrates(Protocol):
    """A brought teacher that can be calibrated on labels, see `tutelage.fit.teacher.BroughtTeacher`."""

    def calibrated(self, problem: Problem) -> Problem:
        """The problem with the teacher calibrated on all labels, and in each fold on that fold's labels alone."""


@dataclass(frozen=True)
class Problem:
    """What is to be learnt.

    Attributes:
        task: what is answered of each unit.
        labelled: examples with labels.
        y: targets of their units, class numbers (units,), or what else the task takes, taken by numbers of units.
        pool: examples without labels; may be empty.
        network: makes the candidate's network from the seed of its random weights.
        probe: a linear model of the labels, the first contender for the labels-only model; None without fixed features.
        decays: weight decays of the candidate's network trained on the labels alone: the other contenders.
        truth: class numbers of the pool's units where known, -1 elsewhere; for the report only.
        batch_labelled: labelled examples a step.
        batch_unlabelled: examples of the pool a step.
        device: where the network is trained.
        threads: threads of the CPU, at most, that training uses. A small network gains nothing from a second thread,
            and loses much when another process wants it. None sets no limit.
        strong: disturbed copies of the pool's examples, for methods that read a strong view.
        weak: labels of the pool by rules, votes or a brought teacher; they are learnt before the method's game.
        views: of images: what makes each view, by its name; see `ViewLoader`.
        by_fold: function that gives the problem of a fold, from the numbers of the labelled examples that the fold may
            learn: the same examples with features, and weak labels, that no held-out label had a part in. None: nothing
            of this problem was made with a label, so that it serves every fold.
        teacher: teacher that was brought, which can be calibrated on labels; None where there is none, or where its
            labels are taken as they are.
        pool_rows: numbers of the pool's examples in the pool of the whole fit, (k,); None: they are all of it.
        reader: reader whose features the examples are; None where the problem was made of rows by hand.
        shares: share of each class in the pool, (c,), as the user declared them; None: they are not declared.
        groups: which labelled examples are copies of one item, and which items belong together; None: each example is
            an item, and by itself.
        selected: whether a selector chose the labelled examples: then they do not tell how common the classes are.
    """

    task: Task
    labelled: Examples
    y: np.ndarray
    pool: Examples
    network: Callable[[int], nn.Module]
    probe: Probe | None
    decays: tuple[float, ...] = ()
    truth: np.ndarray | None = None
    batch_labelled: int = 64
    batch_unlabelled: int = 128
    device: torch.device | str = "cpu"
    threads: int | None = None
    strong: Sequence[Examples] = ()
    weak: WeakLabels | None = None
    views: Mapping[str, Augmentation] = field(default_factory=dict)
    by_fold: Callable[[np.ndarray], Problem] | None = None
    teacher: Calibrates | None = None
    pool_rows: np.ndarray | None = None
    reader: Reader | None = None
    shares: np.ndarray | None = None
    groups: Groups | None = None
    selected: bool = False

    @property
    def labels(self) -> int:
        """Number of labelled items; copies of an item count once."""
        return len(self.labelled) if self.groups is None else self.groups.items

    @property
    def labels_a_class(self) -> float:
        """Mean number of labelled items of each class."""
        return self.labels / self.task.classes

    @property
    def labels_of_each(self) -> np.ndarray:
        """Number of labelled examples of each class, (classes,), of which those that share folds count once."""
        if self.groups is None:
            return np.bincount(self.y, minlength=self.task.classes)
        return self.groups.clusters_of(self.y, self.task.classes)

    @cached_property
    def unit_weights(self) -> np.ndarray | None:
        """Weight of each labelled unit, (units,): copies of an item share its vote. None weighs all alike."""
        if self.groups is None or not self.groups.weighs:
            return None
        return np.repeat(self.groups.weight, self.labelled.counts())

    def of_items(self, values: np.ndarray) -> np.ndarray:
        """Mean of the labelled examples' values, (n,), over each item, (items,)."""
        return values if self.groups is None else self.groups.mean(values)

    def mean_of(self, values: np.ndarray, index: np.ndarray | None = None) -> float:
        """Mean of the labelled examples' values, (n,), or of some of them, in which copies of an item count once."""
        index = np.arange(len(values)) if index is None else index
        groups = None if self.groups is None else self.groups.subset(index)
        if groups is None:
            return float(values[index].mean())
        return float(np.average(groups.mean(values[index]), weights=groups.importance))

    def items_of(self, index: np.ndarray) -> np.ndarray:
        """Numbers of the items of the labelled examples ``index``, (k,)."""
        return index if self.groups is None else self.groups.items_of(index)

    @property
    def clusters(self) -> np.ndarray | None:
        """Number of the cluster of each item, (items,); None where each item is by itself."""
        return None if self.groups is None or self.groups.clusters == self.groups.items else self.groups.cluster

    def dependence(self, scores: np.ndarray) -> float:
        """How much less than as many independent answers the scores of the items, (items,), say; see `dependence`."""
        return dependence(scores, self.clusters)

    def for_fold(self, index: np.ndarray) -> Problem:
        """Problem that a training on some of the labels may see; nothing in it was made with another label.

        Args:
            index: numbers of the labelled examples that may be learnt, (k,).
        """
        if self.by_fold is None or len(index) == len(self.labelled):
            return self
        key = index.tobytes()
        if key not in self._last:
            self._last.clear()  # each may hold features of its own
            self._last[key] = self.by_fold(index)
        return self._last[key]

    @cached_property
    def _last(self) -> dict[bytes, Problem]:
        """The fold's problem that was asked for last, by its labelled examples: a training asks for it often."""
        return {}

    @cached_property
    def said(self) -> Tensor | None:
        """Probabilities of the pool's units by the weak labels, (units, c); rows of NaN where they are silent."""
        if self.weak is None:
            return None
        target, classes = self.weak.target, self.task.classes
        if not target.is_floating_point():
            known = (target >= 0)[:, None]
            target = torch.where(known, torch.nn.functional.one_hot(target.clamp(min=0), classes).float(), torch.nan)
        said = torch.full((int(self.pool.counts().sum()), classes), torch.nan, dtype=target.dtype, device=target.device)
        said[torch.as_tensor(self.pool.units(self.weak.index), device=target.device)] = target
        return said

    def loader(self, index: np.ndarray | None = None, seed: int = 0) -> Loader:
        """A loader of labelled examples and of the pool.

        Args:
            index: numbers of the labelled examples; None takes all.
            seed: of the batches.
        """
        index = np.arange(len(self.labelled)) if index is None else index
        units = self.labelled.units(index)
        y = self.y[units]
        target = torch.as_tensor(y, device=self.device) if isinstance(y, np.ndarray) else y
        groups = None if self.groups is None else self.groups.subset(index)
        heard = None if self.weak is None or self.weak.heard is None else self.weak.heard.among(units)
        return self._beside_pool(self.labelled.subset(index), target, seed, groups, heard)

    def game(self, anchored: bool, seed: int = 0) -> Loader:
        """A loader of the pool for the game after stage I, with the weak labels where the method is ``anchored``.

        Raises:
            ValueError: there are no weak labels.
        """
        weak = self._weak()
        examples = weak.examples if anchored else weak.examples.subset(np.arange(0))
        units = self.pool.units(weak.index if anchored else weak.index[:0])
        heard = None if weak.heard is None else weak.heard.in_pool(units)
        return self._beside_pool(examples, weak.target if anchored else weak.target[:0], seed, heard=heard)

    def stage_one(self, seed: int = 0) -> Loader:
        """A loader of the examples that have weak labels, without a pool.

        Raises:
            ValueError: there are none.
        """
        weak = self._weak()
        none = weak.examples.subset(np.arange(0))
        return Loader(weak.examples, weak.target, none, self.batch_labelled, self.batch_unlabelled, seed)

    def without_teacher(self) -> Problem:
        """The same problem without its weak labels."""
        if self.by_fold is None:
            return replace(self, weak=None, teacher=None)
        by_fold = self.by_fold
        return replace(self, weak=None, teacher=None, by_fold=lambda index: by_fold(index).without_teacher())

    def calibrated(self) -> Problem:
        """The same problem with the brought teacher calibrated on the labels; itself where it cannot be."""
        return self if self.teacher is None else self.teacher.calibrated(self)

    def _weak(self) -> WeakLabels:
        if self.weak is None:
            raise ValueError("the problem has no weak labels")
        return self.weak

    def _beside_pool(
        self, labelled: Examples, target: Tensor, seed: int, groups: Groups | None = None, heard: Heard | None = None
    ) -> Loader:
        parts = (labelled, target, self.pool, self.batch_labelled, self.batch_unlabelled, seed, self.strong)
        if self.views:
            return ViewLoader(*parts, self.views, self._carry, said=self.said, heard=heard, groups=groups)
        return Loader(*parts, said=self.said, heard=heard, groups=groups)

    def _carry(self, target: Tensor, images: Inputs, geometry: Tensor) -> Tensor:
        """Class numbers as a view of the images shows them, -1 where it shows nothing of the original."""
        moved, inside = self.task.carry(target, images, None, geometry)
        return torch.where(inside > 0, moved, -1) if moved.ndim == 1 else moved  # rows are of whole images

    def folds(self, plan: Plan, seed: int) -> Folds:
        """Folds of the labelled examples, stratified by class where an example is one unit; none if the plan skips."""
        return folds_of(self.y, self.labelled.counts(), plan, seed, self.groups)

    def scored(self, parts: FoldPredictions) -> HeldOut:
        """Held-out predictions of the labelled examples, averaged over the repeats, and the score of each item.

        The score of an item whose copies have different labels is its expected score, by the labels' shares; that of an
        item that counts more than others is as much larger, so that the mean over the items is the weighted one.
        """
        found = HeldOut.average(self.task, self.y, self.labelled.counts(), parts)
        if self.groups is None:
            return found
        right, importance = self.of_items(found.right), self.groups.importance
        return replace(found, right=right if importance is None else right * importance)


@dataclass(frozen=True)
class Plan:
    """How the evidence is gathered.

    Args:
        folds: number of folds of the stratified cross-validation, at least 2; fewer where a class has fewer labels.
        repeats: how often the cross-validation is repeated on new folds, at least 1.
        skip: gather no evidence and return the candidate.
        harm_limit: return the reference when harm is more probable than this, in [0, 1].

    Raises:
        ValueError: a value is out of its range.
    """

    folds: int = 5
    repeats: int = 2
    skip: bool = False
    harm_limit: float = 0.5

    def __post_init__(self) -> None:
        in_range("folds", self.folds, 2)
        in_range("repeats", self.repeats, 1)
        in_range("harm_limit", self.harm_limit, 0, 1)
