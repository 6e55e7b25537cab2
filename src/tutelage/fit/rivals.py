"""The models that a fit may return: which of them is the best, by the folds and by what was expected beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from torch import nn

from tutelage.data import Examples
from tutelage.fit.evidence import Estimate, Prior, estimate
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut
from tutelage.fit.recorded import Gains, error_of
from tutelage.fit.setup import Setup
from tutelage.methods import Method
from tutelage.tasks import Task

Role = Literal["candidate", "teacher", "adapted"]
"""Kind of a rival: the method's student, the brought teacher alone, or the labels alone on an adapted encoder."""

TOGETHER = 0.5
"""Correlation of the gains that are expected of two rivals, since what makes data easy for one helps the other."""


@runtime_checkable
class Trains(Protocol):
    """A training that gives held-out predictions, and a network that learnt all labels."""

    @property
    def method(self) -> Method: ...

    @property
    def setup(self) -> Setup: ...

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of each fold, and the held-out score by step."""

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions by which the network is calibrated, given the honest ones, which mix several choices."""

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The network, and the history of its training."""


@dataclass(frozen=True)
class Rival:
    """A model that may be returned in place of the labels-only reference.

    Attributes:
        role: what it is.
        says: its description for people, such as "drift after the teacher, labels beside".
        trains: training that gives it.
        prior: expected change of the score by it, against the reference.
        way: way in which a brought teacher is used, see `teacher_paths`; empty without one.
    """

    role: Role
    says: str
    trains: Trains
    prior: Prior
    way: str = ""


@dataclass(frozen=True)
class Judged:
    """A rival, and what the folds say of it.

    Attributes:
        says: description for people.
        role: what it is; "reference" is the labels-only model.
        score: held-out score with its interval.
        gain: expected change of the score against the reference, after the folds; 0 of the reference itself.
        spread: standard deviation of that change.
        chosen: whether it is the best of the rivals.
    """

    says: str
    role: str
    score: Estimate
    gain: float
    spread: float
    chosen: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary."""
        interval = [self.score.low, self.score.high]
        return {
            "says": self.says, "role": self.role, "score": self.score.score, "interval": interval, "gain": self.gain,
            "spread": self.spread, "chosen": self.chosen,
        }  # fmt: skip


def judge(
    reference: HeldOut, rivals: Sequence[Rival], held: Sequence[HeldOut], task: Task, labelled: Examples, parts: Folds
) -> tuple[int, HeldOut, list[Judged]]:
    """The rival of the highest expected gain over the reference, honest predictions of it, and what is said of each.

    Held-out gains are weighed against what was expected, by Bayes' rule on all gains at once. The honest predictions of
    a fold are those of the rival that is best on the other folds' labels.

    Args:
        reference: held-out predictions of the labels-only model.
        rivals: the rivals, at least one.
        held: their held-out predictions, in the same order.
        task: task of the scores.
        labelled: the labelled examples.
        parts: folds of the labelled examples; only those of the first repeat count.

    Returns:
        Number of the best rival; its honest predictions; descriptions of all rivals, in their order.
    """
    gains = expected([r.prior for r in rivals])
    change = np.stack([h.right - reference.right for h in held], axis=1)
    mean, covariance = _posterior(gains, change)
    best = int(mean.argmax())
    told = [
        Judged(r.says, r.role, estimate(h.right, task.binary), float(m), float(np.sqrt(v)), i == best)
        for i, (r, h, m, v) in enumerate(zip(rivals, held, mean, np.diag(covariance), strict=True))
    ]
    return best, _honest(gains, change, held, labelled, parts) if len(rivals) > 1 else held[0], told


def expected(priors: Sequence[Prior]) -> Gains:
    """Joint normal distribution of the gains that are expected of rivals, of their own means and spreads."""
    spread = np.array([p.spread for p in priors])
    covariance = np.outer(spread, spread) * (TOGETHER + (1 - TOGETHER) * np.eye(len(spread)))
    return Gains(np.array([p.mean for p in priors]), covariance)


def _posterior(gains: Gains, change: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return gains.posterior(change.mean(0), error_of(change), np.arange(change.shape[1]))


def _honest(gains: Gains, change: np.ndarray, held: Sequence[HeldOut], labelled: Examples, parts: Folds) -> HeldOut:
    """Predictions of each fold by the rival that is best without its labels."""
    right, said = held[0].right.copy(), {name: value.copy() for name, value in held[0].said.items()}
    done = np.zeros(len(right), dtype=bool)
    for _, out in parts:
        if done[out].any():  # the next repeat begins
            break
        done[out] = True
        kept = np.setdiff1d(np.arange(len(right)), out)
        best = held[int(_posterior(gains, change[kept])[0].argmax())]
        right[out] = best.right[out]
        units = labelled.units(out)
        for name, values in said.items():
            values[units] = best.said[name][units]
    return HeldOut(said, right)
