"""Two models that answer together: the labels-only model and the method's student, each calibrated, in shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import nn

from tutelage.fit.calibration import LOWEST, by_repeat
from tutelage.fit.class_bias import ClassBias, calibrate
from tutelage.fit.held_out import FoldPredictions
from tutelage.modalities.head import Head
from tutelage.train.mixture import Mixture
from tutelage.train.run import body_of

PRIOR = (3.0, 2.0)
"""Parameters of the Beta distribution of the student's share before a label is looked at: 0.6 on average."""


@dataclass(frozen=True)
class Answer:
    """What two models say together: (1 - share) p_reference + share p_student, each calibrated.

    Attributes:
        share: share of the student, in [0, 1].
        reference: calibration of the labels-only model.
        student: calibration of the student.
    """

    share: float
    reference: ClassBias
    student: ClassBias

    def of(self, reference: np.ndarray, student: np.ndarray) -> np.ndarray:
        """Probabilities of both together, (..., c), from those of each."""
        return (1 - self.share) * self.reference.of(reference) + self.share * self.student.of(student)


def best_share(reference: np.ndarray, student: np.ndarray, y: np.ndarray, weight: np.ndarray | None = None) -> float:
    """The likeliest share of the student, drawn towards what is expected of it, see `PRIOR`.

    Args:
        reference, student: calibrated probabilities, (r, n, c).
        y: class numbers of the units, (n,).
        weight: how much each unit counts, (n,); None counts each once.

    >>> right, wrong = np.tile([0.9, 0.1], (1, 50, 1)), np.tile([0.1, 0.9], (1, 50, 1))
    >>> best_share(wrong, right, np.zeros(50, dtype=int)) > 0.95
    True
    """
    units, w = np.arange(len(y)), np.ones(len(y)) if weight is None else weight
    a, b = reference[:, units, y], student[:, units, y]

    def cost(share: float) -> float:
        likely = np.log(((1 - share) * a + share * b).clip(LOWEST))
        prior = (PRIOR[0] - 1) * np.log(share) + (PRIOR[1] - 1) * np.log1p(-share)
        return float(-(w * likely).sum() / len(reference) - prior)

    return float(minimize_scalar(cost, bounds=(1e-3, 1 - 1e-3), method="bounded").x)


@dataclass(frozen=True)
class Both:
    """The labels-only model and a student, which answer together, moved to the pool's shares where these are known.

    Attributes:
        reference: labels-only model; None where the student answers alone, since it reads other features.
        student: network of the student.
        honest: honest held-out predictions of the labels-only model and of the student, one repeat after the other; of
            the student alone where it answers alone. Empty where no label was held out.
        own: the same by the very models that were chosen, by which these are calibrated.
        y: class numbers of the labelled units, (units,); -1 is unknown.
        ratio: how many times as common each class is in the pool as among the labels, (c,).
        weight: how much each unit counts, (units,); None counts each once.
    """

    reference: nn.Module | None
    student: nn.Module
    honest: Sequence[FoldPredictions]
    own: Sequence[FoldPredictions]
    y: np.ndarray
    ratio: np.ndarray
    weight: np.ndarray | None = None

    def _answer(self, held: Sequence[np.ndarray], units: np.ndarray) -> Answer:
        """The answer by the labels of some units, moved to the pool's shares.

        Args:
            held: held-out probabilities of each model, (r, units, c) each.
            units: mask of the units whose labels are looked at, (units,).
        """
        known = units & (self.y >= 0)
        said, y = [p[:, known] for p in held], self.y[known]
        weight = None if self.weight is None else self.weight[known]
        each = [calibrate(p, y, weight).towards(self.ratio) for p in said]
        if self.reference is None:
            return Answer(1.0, each[-1], each[-1])
        common = self.ratio[y] * (1 if weight is None else weight)
        share = best_share(each[0].of(said[0]), each[1].of(said[1]), y, common / common.mean())
        return Answer(share, *each)

    @cached_property
    def answer(self) -> Answer:
        """The answer by all labels."""
        if not self.own[-1]:
            as_it_is = ClassBias(1.0, np.zeros(len(self.ratio))).towards(self.ratio)
            return Answer(1.0, as_it_is, as_it_is)
        held = [by_repeat(parts, len(self.y)) for parts in self.own]
        return self._answer(held, np.ones(len(self.y), dtype=bool))

    def held_out(self) -> FoldPredictions:
        """Honest held-out predictions: each fold's shares and calibrations are chosen without the labels it holds out.

        They are also what the network is calibrated by.
        """
        honest: FoldPredictions = []
        held = [by_repeat(parts, len(self.y)) for parts in self.honest]
        for parts in zip(*self.honest, strict=True):
            units, keep = parts[0][0], np.ones(len(self.y), dtype=bool)
            keep[units] = False
            of = self._answer(held, keep)
            p = of.of(parts[0][1]["probabilities"], parts[-1][1]["probabilities"])
            honest.append((units, {"probabilities": p}))
        return honest

    def network(self) -> Mixture:
        """One network that answers as both do."""
        of = self.answer
        if self.reference is None:
            return mixture([self.student], [1.0], [of.student])
        return mixture([self.reference, self.student], [1 - of.share, of.share], [of.reference, of.student])


def mixture(networks: Sequence[nn.Module], shares: Sequence[float], each: Sequence[ClassBias]) -> Mixture:
    """One network of several, each calibrated, with their shares."""
    biases = [torch.as_tensor(c.bias, dtype=torch.float32) for c in each]
    made = Mixture(networks, shares, [c.temperature for c in each], biases)
    return made.to(next(networks[-1].parameters()).device).eval()


def is_head(network: nn.Module) -> bool:
    """Whether a network is small enough to be kept twice: a head on fixed features."""
    return isinstance(body_of(network), Head)
