"""What is to be learnt, and how the evidence about it is gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Examples, Loader
from tutelage.data.view_loader import Augmentation, ViewLoader
from tutelage.fit.held_out import Folds, HeldOut, Parts, folds
from tutelage.fit.labels_only import Probe
from tutelage.ops.checks import in_range
from tutelage.tasks import Task
from tutelage.types import Inputs


@dataclass(frozen=True)
class Weak:
    """Labels from rules, votes or distant matching: stage I learns them before the method's game begins.

    Attributes:
        examples: those that have some.
        target: rows of probabilities (units, c), or class numbers with -1 = unknown (units,).
    """

    examples: Examples
    target: Tensor


@dataclass(frozen=True)
class Problem:
    """What is to be learnt.

    Attributes:
        labelled, y: examples and the class numbers of their units (units,).
        pool: examples without labels; may be empty.
        network: makes the candidate's network, given the seed of its random weights.
        probe: a linear model of the labels, one contender for the reference.
        decays: weight decays of the network trained on the labels alone, the other contenders.
        threads: at most so many for training; a small network gains nothing from a second one and
            loses much when another process wants it. None leaves the number alone.
        truth: class numbers of the pool where known, -1 elsewhere; for the report only.
        strong: other views of the pool's examples, for methods that read them.
        views: of images, by name, see `ViewLoader`.
        weak: labels learnt first; then ``labelled`` are only looked at, to stop early and for evidence.
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
    weak: Weak | None = None
    views: Mapping[str, Augmentation] = field(default_factory=dict)

    def loader(self, index: np.ndarray | None = None, seed: int = 0) -> Loader:
        """Batches of the labelled examples at ``index`` (all by default) and of the pool."""
        index = np.arange(len(self.labelled)) if index is None else index
        y = torch.as_tensor(self.y[self.labelled.units(index)], device=self.device)
        return self._beside_pool(self.labelled.subset(index), y, seed)

    def game(self, anchored: bool, seed: int = 0) -> Loader:
        """Batches of the pool after stage I, and where the method is ``anchored`` of the weak labels."""
        assert self.weak is not None
        examples = self.weak.examples if anchored else self.weak.examples.subset(np.arange(0))
        return self._beside_pool(examples, self.weak.target if anchored else self.weak.target[:0], seed)

    def stage_one(self, seed: int = 0) -> Loader:
        """Batches of the examples that have weak labels."""
        assert self.weak is not None
        none = self.weak.examples.subset(np.arange(0))
        return Loader(self.weak.examples, self.weak.target, none, self.batch_labelled, self.batch_unlabelled, seed)

    def _beside_pool(self, labelled: Examples, target: Tensor, seed: int) -> Loader:
        parts = (labelled, target, self.pool, self.batch_labelled, self.batch_unlabelled, seed, self.strong)
        return ViewLoader(*parts, self.views, self._carry) if self.views else Loader(*parts)

    def _carry(self, target: Tensor, images: Inputs, geometry: Tensor) -> Tensor:
        """Class numbers as a view of the images shows them, -1 where it shows nothing of the original."""
        moved, inside = self.task.carry(target, images, None, geometry)
        return torch.where(inside > 0, moved, -1) if moved.ndim == 1 else moved  # rows are of whole images

    def folds(self, plan: Plan, seed: int) -> Folds:
        """Folds of the labelled examples; stratified by class where an example has one."""
        counts = self.labelled.counts()
        strata = self.y if (counts == 1).all() else np.zeros(len(counts), dtype=np.int64)
        return [] if plan.skip or not len(counts) else folds(strata, plan.folds, plan.repeats, seed)

    def scored(self, parts: Parts) -> HeldOut:
        return HeldOut.average(self.task, self.y, self.labelled.counts(), parts)


@dataclass(frozen=True)
class Plan:
    """How the evidence is gathered.

    Args:
        folds: of the stratified cross-validation, at least 2; fewer when a class has fewer labels.
        repeats: how often it is repeated on new folds, at least 1.
        skip: gather none and return the candidate.
        harm_limit: return the reference when harm is more probable than this, in [0, 1].
    """

    folds: int = 5
    repeats: int = 2
    skip: bool = False
    harm_limit: float = 0.5

    def __post_init__(self) -> None:
        in_range("folds", self.folds, 2)
        in_range("repeats", self.repeats, 1)
        in_range("harm_limit", self.harm_limit, 0, 1)
