"""A cascade foreseen: a student answers what it is sure of, a teacher the rest, by labels that both were judged on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from tutelage.fit.abstention import Promise, promise
from tutelage.fit.evidence import Estimate, exact

SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
"""Shares of the rows that the teacher is asked about at the steps of the curve."""

FEWEST = 10
"""Labels, at least, that the teacher answered, too, for anything to be foreseen of it."""


@dataclass(frozen=True)
class Step:
    """A step of the curve of accuracy over cost.

    Attributes:
        asked: share of the rows that the teacher is asked about, those of which the student is least sure.
        accuracy: share of right labels among all rows, with its 90 % interval.
    """

    asked: float
    accuracy: Estimate


@dataclass(frozen=True)
class Foreseen:
    """What is foreseen of a cascade.

    Attributes:
        promised: what is promised of the rows that the student answers.
        kept: share of the rows that the student answers; NaN without held-out labels.
        teacher: how often the teacher is right on the rows that are left to it, with a 90 % interval; None where
            fewer than FEWEST labels tell.
        labels: number of labels that tell of the teacher on the rows that are left to it.
        common: number of labels that the teacher answered, too.
        curve: steps of accuracy over cost; empty where fewer than FEWEST labels tell.
    """

    promised: Promise
    kept: float
    teacher: Estimate | None
    labels: float
    common: int
    curve: tuple[Step, ...]

    def words(self) -> list[str]:
        """Sentences for people, said before the rows are answered."""
        lines = [self.promised.words()]
        if self.promised.threshold is None:
            lines.append("So the teacher is asked about every row.")
        else:
            lines.append(f"The student answers about {100 * self.kept:.0f} % of rows that are drawn like the labels.")
        if self.teacher is None:
            few = f"{self.labels:.0f} of the labels are left to it and have its answer; {FEWEST} are the least"
            return [*lines, f"How often the teacher is right on the rest is not known: {few}."]
        low, high = 100 * (1 - self.teacher.high), 100 * (1 - self.teacher.low)
        wrong = f"{100 * (1 - self.teacher.score):.1f} % ({low:.1f} to {high:.1f})"
        return [
            *lines,
            f"The teacher is wrong on {wrong} of the rows that are left to it, by {self.labels:.0f} labels.",
        ]

    def plain(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        kept = None if np.isnan(self.kept) else self.kept
        return asdict(self) | {"kept": kept, "words": self.words()}


def foreseen(held_out: Mapping[str, np.ndarray], right: Float[np.ndarray, " n"], error: float) -> Foreseen:
    """What a cascade will do, by n labels, each predicted by a student that has not seen it.

    The student answers where its promise allows it. The teacher is judged on the other labels alone, which are the hard
    ones: over all labels it would look better than it is there.

    Args:
        held_out: what the model keeps of its held-out labels, see `tutelage.fit.abstention.kept`.
        right: whether the teacher is right on each of these labels, 1 or 0; NaN where it did not answer, (n,).
        error: largest share of wrong labels among those that the student gives, in (0, 1).

    >>> sure = {"confidence": np.linspace(0.5, 1, 60)[None], "right": np.arange(60)[None] >= 20}
    >>> found = foreseen(sure, np.ones(60), 0.05)
    >>> round(found.kept, 2), found.teacher.score, [round(step.accuracy.score, 2) for step in found.curve]
    (0.67, 1.0, [0.67, 0.77, 0.92, 1.0, 1.0, 1.0])
    """
    promised = promise(held_out, error)
    spoken = ~np.isnan(right)
    if not held_out or not held_out["confidence"].size:
        return Foreseen(promised, np.nan, None, 0, 0, ())
    confidence, by_student = held_out["confidence"], held_out["right"].astype(float)
    weight = np.asarray(held_out.get("weight", np.ones(confidence.shape[1])), dtype=np.float64)
    answers = promised.answers(confidence)
    kept = float((weight * answers.mean(0)).sum() / weight.sum())
    left = weight * (1 - answers.mean(0)) * spoken
    labels = _count(left)
    teacher = exact(float((left * np.nan_to_num(right)).sum() / left.sum()), labels) if labels >= FEWEST else None
    curve: tuple[Step, ...] = ()
    if _count(weight * spoken) >= FEWEST:
        weight, right = weight[spoken], right[spoken]
        curve = tuple(_step(s, confidence[:, spoken], by_student[:, spoken], right, weight) for s in SHARES)
    return Foreseen(promised, kept, teacher, labels, int(spoken.sum()), curve)


def _step(
    share: float, confidence: Float[np.ndarray, "r n"], by_student: Float[np.ndarray, "r n"],
    by_teacher: Float[np.ndarray, " n"], weight: Float[np.ndarray, " n"],
) -> Step:  # fmt: skip
    """The accuracy where the teacher is asked about a share of the labels, those of the least probability."""
    asked = np.stack([_least(row, share, weight) for row in confidence])
    right = np.where(asked, by_teacher, by_student).mean(0)
    return Step(share, exact(float((weight * right).sum() / weight.sum()), _count(weight)))


def _least(
    confidence: Float[np.ndarray, " n"], share: float, weight: Float[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Mask of the labels of the least probability whose weight is a share of all of it."""
    order = np.argsort(confidence, kind="stable")
    before = np.cumsum(weight[order]) - weight[order]
    found = np.zeros(len(order), dtype=bool)
    found[order] = before < share * weight.sum() * (1 - 1e-12)
    return found


def _count(weight: Float[np.ndarray, " n"]) -> float:
    """How many labels weights are worth: no more than their sum, and fewer where they differ much (Kish, 1965)."""
    total = float(weight.sum())
    return min(total, total**2 / float((weight**2).sum())) if total else 0.0
