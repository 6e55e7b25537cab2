"""What is to be learnt, and how the evidence about it is gathered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Examples, Loader
from tutelage.data.view_loader import Augmentation, ViewLoader
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut, repeated_folds
from tutelage.fit.labels_only import Probe
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
    """

    examples: Examples
    target: Tensor


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
        weak: labels that are learnt first; then ``labelled`` only choose the stopping point and give the evidence.
        views: of images: what makes each view, by its name; see `ViewLoader`.
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

    def loader(self, index: np.ndarray | None = None, seed: int = 0) -> Loader:
        """A loader of labelled examples and of the pool.

        Args:
            index: numbers of the labelled examples; None takes all.
            seed: of the batches.
        """
        index = np.arange(len(self.labelled)) if index is None else index
        y = self.y[self.labelled.units(index)]
        target = torch.as_tensor(y, device=self.device) if isinstance(y, np.ndarray) else y
        return self._beside_pool(self.labelled.subset(index), target, seed)

    def game(self, anchored: bool, seed: int = 0) -> Loader:
        """A loader of the pool for the game after stage I, with the weak labels where the method is ``anchored``.

        Raises:
            ValueError: there are no weak labels.
        """
        weak = self._weak()
        examples = weak.examples if anchored else weak.examples.subset(np.arange(0))
        return self._beside_pool(examples, weak.target if anchored else weak.target[:0], seed)

    def stage_one(self, seed: int = 0) -> Loader:
        """A loader of the examples that have weak labels, without a pool.

        Raises:
            ValueError: there are none.
        """
        weak = self._weak()
        none = weak.examples.subset(np.arange(0))
        return Loader(weak.examples, weak.target, none, self.batch_labelled, self.batch_unlabelled, seed)

    def _weak(self) -> WeakLabels:
        if self.weak is None:
            raise ValueError("the problem has no weak labels")
        return self.weak

    def _beside_pool(self, labelled: Examples, target: Tensor, seed: int) -> Loader:
        parts = (labelled, target, self.pool, self.batch_labelled, self.batch_unlabelled, seed, self.strong)
        return ViewLoader(*parts, self.views, self._carry) if self.views else Loader(*parts)

    def _carry(self, target: Tensor, images: Inputs, geometry: Tensor) -> Tensor:
        """Class numbers as a view of the images shows them, -1 where it shows nothing of the original."""
        moved, inside = self.task.carry(target, images, None, geometry)
        return torch.where(inside > 0, moved, -1) if moved.ndim == 1 else moved  # rows are of whole images

    def folds(self, plan: Plan, seed: int) -> Folds:
        """Folds of the labelled examples, stratified by class where an example is one unit; none if the plan skips."""
        counts = self.labelled.counts()
        strata = self.y if (counts == 1).all() else np.zeros(len(counts), dtype=np.int64)
        return [] if plan.skip or not len(counts) else repeated_folds(strata, plan.folds, plan.repeats, seed)

    def scored(self, parts: FoldPredictions) -> HeldOut:
        """Held-out predictions of the labelled examples, averaged over the repeats and scored."""
        return HeldOut.average(self.task, self.y, self.labelled.counts(), parts)


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
