"""What every task says of itself, and the plainest task: a label for each example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

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
        """What a labelled example carries, in the plural: "labels" or "masks"."""

    @property
    def dense(self) -> bool:
        """Whether an example has very many units, as an image has pixels.

        Their predictions are kept in float32, and those of several models are not held at once.
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
            out: the network's output.
            target: targets of the units, as in `Batch`; units whose target is unknown weigh nothing, but count in the
                mean.
            weight: another weight of each unit, (units,); None weighs all alike.
        """

    def predictions(self, logits: Logits) -> dict[str, Tensor]:
        """Predictions as they are kept of held-out units: tensors by name, whose first dimension counts units."""

    def labels_of(self, said: Mapping[str, np.ndarray]) -> np.ndarray:
        """The labels that such predictions mean, as `right` takes them."""

    def decode(
        self, guess: np.ndarray, classes: Sequence[Any], counts: np.ndarray, size: tuple[int, int] | None = None
    ) -> Any:
        """Predictions of examples as users read them, from the class numbers of their units.

        Args:
            guess: class number of every unit, (units,).
            classes: names of the classes, in the order of their numbers.
            counts: number of units of each example, (n,).
            size: height and width of images, where units are pixels.
        """

    def carry(self, values: Tensor, images: Inputs, source: Tensor | None, to: Tensor | None) -> tuple[Tensor, Weight]:
        """Bring values of units from one view of images into another.

        Args:
            values: of the units of the view ``source``, (n, ...).
            images: inputs of either view; their size alone counts.
            source, to: geometries of the two views, (b, 3, 3); None is that of the originals.

        Returns:
            Values of the units of the view ``to``, (n, ...), and 1 where ``source`` shows the unit, else 0, (n,).
        """

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Score of each example, (n,); their mean is the score of all.

        Args:
            guess: predicted labels of all units, (units,), see `labels_of`.
            y: their true labels, (units,), -1 = unknown.
            counts: number of units of each example, (n,).
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
        """1.0: where two models disagree, one of them is right and the other wrong."""
        return 1.0

    def units(self, out: Tensor) -> Logits:
        """The logits, (n, c): the output itself."""
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

    def predictions(self, logits: Logits) -> dict[str, Tensor]:
        """The "probabilities" of the classes, (units, c); in float64, of dense tasks in float32."""
        p = logits.softmax(-1)
        return {"probabilities": p.float() if self.dense else p.double()}

    def labels_of(self, said: Mapping[str, np.ndarray]) -> np.ndarray:
        """The likeliest class of each unit, (units,)."""
        label: np.ndarray = said["probabilities"].argmax(1)
        return label

    def decode(
        self, guess: np.ndarray, classes: Sequence[Any], counts: np.ndarray, size: tuple[int, int] | None = None
    ) -> Any:
        """The name of each unit's class, (n,)."""
        return np.array(classes)[guess]

    def carry(self, values: Tensor, images: Inputs, source: Tensor | None, to: Tensor | None) -> tuple[Tensor, Weight]:
        """The values as they are: the label of an image does not depend on the view of it."""
        return values, torch.ones(len(values), dtype=torch.get_default_dtype(), device=values.device)

    def right(self, guess: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """1 where the class is right, else 0, (n,)."""
        right: np.ndarray = (guess == y).astype(float)
        return right


ACCURACY: Task = Classification(2)
"""The plainest task, whose score is the share of right answers."""
