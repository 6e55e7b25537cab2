"""What every task says of itself, and the plainest one: a label for each example."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from tutelage.ops.losses import cross_entropy, mean
from tutelage.types import Inputs, Labels, Logits, Probs, Scalar, Weight


@runtime_checkable
class Task(Protocol):
    """Turns outputs and targets into units: rows of class logits, of probabilities, of weights.

    All that differs between tasks is said here, so that nobody needs to ask which task it is.
    """

    @property
    def name(self) -> str:
        """The task's key in `TASKS`."""

    @property
    def classes(self) -> int:
        """Number of classes of a unit, at least 1."""

    @property
    def measure(self) -> str:
        """Name of the score, for people: "accuracy"."""

    @property
    def score(self) -> str:
        """The measure as a key of summaries."""

    @property
    def binary(self) -> bool:
        """Whether the score of an example is 0 or 1, so that the mean score is a share."""

    @property
    def labelled_by(self) -> str:
        """What people give to label examples, for counting them: "labels" or "masks"."""

    @property
    def dense(self) -> bool:
        """Whether an example has very many units, as an image has pixels.

        Probabilities of dense tasks are kept in float32, and those of several models are not held at once.
        """

    @property
    def sequential(self) -> bool:
        """Whether an example's units follow each other, as the words of a sentence do."""

    @property
    def moves(self) -> bool:
        """Whether another view of an example shows its units elsewhere, so that nothing can be remembered of each."""

    def disagreement(self, right: np.ndarray) -> float:
        """How far apart two models' scores of an example typically are where they disagree on it.

        Args:
            right: scores of the examples by one model, (n,), as `right` gives them.
        """

    def units(self, out: Tensor) -> Logits:
        """Logits of the units, (units, c), in a network's output."""

    def target(self, y: Tensor) -> tuple[Probs, Weight]:
        """Targets of units as rows of probabilities, (units, c), and their weights, (units,): 0 where unknown."""

    def say(self, out: Tensor) -> tuple[Labels, Weight]:
        """The label of each unit in a network's output, (units,), and its probability, (units,), in [0, 1]."""

    def fit(self, out: Tensor, target: Tensor, weight: Weight | None = None) -> Scalar:
        """The loss of a network's output on targets, a mean over the units.

        Args:
            target: as of `Batch`; units whose target is unknown weigh nothing, but count in the mean.
            weight: of the units, (units,), besides.
        """

    def carry(self, values: Tensor, images: Inputs, source: Tensor | None, to: Tensor | None) -> tuple[Tensor, Weight]:
        """Bring values of units, (n, ...), from one view of images into another, each given by its geometry.

        Also 1 where the other view saw the unit, else 0, (n,). None is the original's geometry.
        """

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Give the score of each example, (n,), whose mean is the task's.

        Args:
            guess, y: class numbers of the units, (units,).
            counts: units of each example, (n,).
        """


@dataclass(frozen=True)
class Classification:
    """Each example is one unit; the score is accuracy.

    Args:
        classes: number of classes.

    >>> Classification(2).target(torch.tensor([1, -1]))[1].tolist()
    [1.0, 0.0]
    """

    name: ClassVar[str] = "classification"
    measure: ClassVar[str] = "accuracy"
    score: ClassVar[str] = "accuracy"
    binary: ClassVar[bool] = True
    labelled_by: ClassVar[str] = "labels"
    dense: ClassVar[bool] = False
    sequential: ClassVar[bool] = False
    moves: ClassVar[bool] = False
    classes: int

    @classmethod
    def of(cls, classes: Sequence[str]) -> Classification:
        """The task of classes with these names, in the order of their numbers.

        >>> Classification.of(["ham", "spam"])
        Classification(classes=2)
        """
        return cls(len(classes))

    def disagreement(self, right: np.ndarray) -> float:
        """1: one model is right and the other wrong."""
        return 1.0

    def units(self, out: Tensor) -> Logits:
        """Give the logits, (n, c): the output itself."""
        return out

    def target(self, y: Tensor) -> tuple[Probs, Weight]:
        """Rows of probabilities and weights: class numbers one-hot, -1 = unknown weighs 0."""
        if y.is_floating_point():
            return y, torch.ones(len(y), dtype=y.dtype, device=y.device)
        dtype = torch.get_default_dtype()
        return one_hot(y.clamp(min=0), self.classes).to(dtype), (y >= 0).to(dtype)

    def say(self, out: Tensor) -> tuple[Labels, Weight]:
        """The likeliest class of each unit, (units,), and its probability, (units,).

        >>> [t.tolist() for t in Classification(2).say(torch.tensor([[0.0, 0.0], [0.0, 99.0]]))]
        [[0, 1], [0.5, 1.0]]
        """
        confidence, label = self.units(out).softmax(dim=-1).max(dim=-1)
        return label, confidence

    def fit(self, out: Tensor, target: Tensor, weight: Weight | None = None) -> Scalar:
        """``(1/n) sum_i w_i CE(y_i, softmax(z_i))`` over n units, w = 0 where the target is unknown."""
        y, known = self.target(target)
        return mean(cross_entropy(y, self.units(out)), known if weight is None else known * weight)

    def carry(self, values: Tensor, images: Inputs, source: Tensor | None, to: Tensor | None) -> tuple[Tensor, Weight]:
        """Leave the values alone: what an image shows does not depend on the view of it."""
        return values, torch.ones(len(values), dtype=torch.get_default_dtype(), device=values.device)

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """1 where the class is right, else 0, (n,)."""
        right: np.ndarray = (guess == y).astype(float)
        return right


ACCURACY: Task = Classification(2)
"""The plainest task, whose score is the share of right answers."""
