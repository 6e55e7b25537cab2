"""A look at the pool: where two models disagree about it, and whether held-out labels could have shown that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import beta

from tutelage.fit.calibration import by_repeat
from tutelage.fit.held_out import FoldPredictions
from tutelage.fit.prevalence import Prevalence, distance, shares_of

SURE = 0.99
"""Probability of the bound on how often two models disagree."""

FAR_MORE = 0.1
"""How much oftener than that bound two models must disagree about the pool, for the candidate to be refused."""

FAR = 0.1
"""Distance in total variation from which on the labels' shares may mislead a method."""

SEEMS = 0.08
"""Distance beyond which 95 of 100 redrawn sets of labels must lie for that, too."""

LEANS = 0.03
"""How much nearer to the labels' shares the candidate's must be than the reference's, for it to lean on them."""


@dataclass(frozen=True)
class PoolLook:
    """What the pool shows of two models. Shares are in [0, 1].

    Attributes:
        disagree: share of the pool on which the likeliest classes of the two differ.
        held_out: the same share of the held-out labels.
        allowed: the largest share of such items that the held-out labels let expect, with probability `SURE`.
        labels: share of each class among the labels, (c,).
        reference: share of each class in the pool, as the labels-only model labels it, (c,).
        candidate: the same as the candidate labels it, (c,).
        far: whether the labels' shares are far from the pool's.
        observed: difference of the two models' held-out scores.
    """

    disagree: float
    held_out: float
    allowed: float
    labels: np.ndarray
    reference: np.ndarray
    candidate: np.ndarray
    far: bool = False
    observed: float = 0.0

    @property
    def diverged(self) -> bool:
        """Whether the models disagree about the pool far more than held-out labels allow."""
        return self.disagree > self.allowed + FAR_MORE

    @property
    def leans(self) -> bool:
        """Whether the candidate moves the pool to the labels' shares, which are not the pool's, and gains nothing."""
        nearer = distance(self.reference, self.labels) - distance(self.candidate, self.labels)
        return self.far and nearer > LEANS and self.observed <= 0

    @property
    def refused(self) -> bool:
        """Whether the labels-only model is to be returned, whatever the held-out labels say."""
        return self.diverged or self.leans

    def as_dict(self, classes: Sequence[Any]) -> dict[str, Any]:
        """Plain values for a summary, by the names of the classes."""
        each = {"labels": self.labels, "reference": self.reference, "candidate": self.candidate}
        by_class = {str(name): {of: float(shares[k]) for of, shares in each.items()} for k, name in enumerate(classes)}
        return {
            "disagree": self.disagree, "held_out": self.held_out, "allowed": self.allowed, "far": self.far,
            "diverged": self.diverged, "leans": self.leans, "refused": self.refused, "classes": by_class,
        }  # fmt: skip


def look_at_pool(
    reference: np.ndarray, candidate: np.ndarray, own: FoldPredictions, other: FoldPredictions, y: np.ndarray,
    prevalence: Prevalence | None, observed: float = 0.0, each: np.ndarray | None = None,
) -> PoolLook:  # fmt: skip
    """What the pool shows of two models.

    Args:
        reference: probabilities of the pool's items by the labels-only model, (m, c).
        candidate: the same by the other model.
        own: held-out predictions by the labels-only model.
        other: the same by the other model.
        y: class numbers of the labels, (n,).
        prevalence: shares of the classes in the pool; None where they are not known.
        observed: difference of the two models' held-out scores, the candidate's minus the other's.
        each: how much each label counts, (n,); None counts each once.
    """
    classes = reference.shape[1]
    first, second = reference.argmax(1), candidate.argmax(1)
    differ = (by_repeat(own, len(y)).argmax(-1) != by_repeat(other, len(y)).argmax(-1)).mean(0)
    each = np.ones(len(y)) if each is None else each
    weight = each if prevalence is None or not prevalence.moved else each * prevalence.ratio[y]
    seen = float(np.average(differ, weights=weight))
    worth = weight.sum() ** 2 / (weight**2 / each).sum()
    allowed = float(beta.ppf(SURE, seen * worth + 0.5, (1 - seen) * worth + 0.5))
    labels = shares_of(y, classes, each)
    far = prevalence is not None and prevalence.apart >= FAR and prevalence.least >= SEEMS
    return PoolLook(
        float((first != second).mean()), seen, allowed, labels, shares_of(first, classes), shares_of(second, classes),
        far, observed,
    )  # fmt: skip


def why(look: PoolLook | None) -> str:
    """Sentence on why a look at the pool refuses the candidate; empty where it does not."""
    if look is None or not look.refused:
        return ""
    if look.diverged:
        return (
            f"The two models disagree about {100 * look.disagree:.0f} % of the pool, and about "
            f"{100 * look.held_out:.0f} % of the held-out labels, which let at most {100 * look.allowed:.0f} % expect: "
            "labels like these cannot judge a model that differs where they are not."
        )
    return (
        "The classes are not as common in the pool as among the labels, the method moved the pool towards the labels' "
        "shares, and held-out labels show no gain."
    )
