"""The parts of the study, and how each gets its trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from injected.errors import errors
from injected.flips import TARGETS, flips
from injected.kills import kills
from injected.limits import LIMITS, limits
from injected.mutations import FORMS, mutations
from injected.scenarios import ALL
from injected.together import TOGETHER, together
from injected.verdicts import Undisturbed, Verdict


@dataclass(frozen=True)
class Part:
    """A part of the study.

    Attributes:
        names: names of what harm is done to.
        verdicts: function that gives the verdicts on one of them: its name, results to compare with, and the number of
            trials to pass over.
        usual: number of trials without --count; None does all.
        numbered: whether the key of a verdict holds the number of its trial, so that it can be repeated by itself.
    """

    names: Sequence[str]
    verdicts: Callable[[str, Undisturbed, int], Iterator[Verdict]]
    usual: int | None
    numbered: bool = False


PARTS = {
    "kills": Part(tuple(ALL), lambda name, undisturbed, skip: kills(ALL[name], undisturbed, skip), 1_000),
    "faults": Part(tuple(ALL), lambda name, undisturbed, skip: errors(ALL[name], undisturbed, skip), None),
    "flips": Part(
        tuple(TARGETS), lambda name, undisturbed, skip: flips(TARGETS[name], undisturbed, skip), 10_000, True
    ),
    "mutations": Part(FORMS, mutations, 100_000, numbered=True),
    "limits": Part(tuple(LIMITS), limits, None),
    "together": Part(tuple(TOGETHER), together, None),
}
"""The parts, by name."""
