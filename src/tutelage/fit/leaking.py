"""What the score would have read if copies, or items of one group, had lain on both sides of a split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tutelage.data import Groups
from tutelage.fit.held_out import HeldOut, repeated_folds
from tutelage.fit.labels_only import Probe
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.reference import name_of


@dataclass(frozen=True)
class Leaking:
    """Held-out scores of one logistic regression on the labels, by two ways of dealing the folds.

    Attributes:
        measure: name of the score, such as "accuracy".
        leaking: score where each labelled row is dealt by itself, in [0, 1].
        honest: score where copies, and items of a group, are held out together, in [0, 1].
    """

    measure: str
    leaking: float
    honest: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a summary."""
        return {"leaking": self.leaking, "honest": self.honest, "words": self.words()}

    def words(self) -> str:
        """One sentence for people; empty where leaking would not have flattered.

        >>> Leaking("accuracy", 0.93, 0.61).words()
        'With the rows split at random, held-out accuracy of a logistic regression would have read 32.0 points more.'
        """
        if self.leaking <= self.honest:
            return ""
        more = f"{100 * (self.leaking - self.honest):.1f} points more"
        return (
            f"With the rows split at random, held-out {self.measure} of a logistic regression would have read {more}."
        )


def leaking(problem: Problem, groups: Groups, chosen: str, plan: Plan, seed: int) -> Leaking | None:
    """What leaking would have flattered the labels-only model by; None where nothing can be said.

    It is measured with the logistic regression that the labels chose; where they chose another model, with the first
    one that would be tried.

    Args:
        problem: problem with features.
        groups: which labelled examples are copies, with the number of equal ones that each stands for.
        chosen: name of the labels-only model that was chosen.
        plan: plan of the folds.
        seed: seed of the folds.
    """
    probe = problem.probe
    if probe is None or plan.skip or not len(problem.labelled):
        return None
    choice = next((c for c in probe.choices if name_of(c) == chosen), probe.choices[0])
    counts, task = problem.labelled.counts(), problem.task
    units = problem.labelled.units
    folds = [(units(index), units(out)) for index, out in problem.folds(plan, seed)]
    honest = problem.scored(probe.held_out(folds, choice)).right.mean()
    rows = np.repeat(np.arange(len(problem.labelled)), groups.times)
    every = np.concatenate([units(np.array([row])) for row in rows])
    ends = np.cumsum(counts[rows])
    each = [np.arange(end - count, end) for end, count in zip(ends, counts[rows], strict=True)]
    strata = problem.y[every] if (counts == 1).all() else np.zeros(len(rows), dtype=np.int64)
    told = []
    for index, out in repeated_folds(strata, plan.folds, plan.repeats, seed):
        learnt, asked = (np.concatenate([each[i] for i in part]) for part in (index, out))
        plain = Probe(probe.x[every], problem.y[every], probe.blanks)
        told += plain.held_out([(learnt, asked)], choice)
    flattered = HeldOut.average(task, problem.y[every], counts[rows], told).right.mean()
    return Leaking(task.measure, float(flattered), float(honest))
