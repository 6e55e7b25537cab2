"""What every part of a fit is done with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tutelage.fit.problem import Problem
from tutelage.fit.store import Store, Unstored
from tutelage.train import Training
from tutelage.types import Tick


def silent(what: str, done: int, total: int) -> None:
    """A `Tick` that tells nobody."""


@dataclass(frozen=True)
class Setup:
    """The problem, how a network is trained on it, where finished parts are kept, and who is told of progress."""

    problem: Problem
    training: Training
    store: Store = field(default_factory=Unstored)
    tick: Tick = silent

    def trained(self, **changes: Any) -> Setup:
        """The same with changes to the training, such as fewer steps.

        Raises:
            ValueError: one is out of its range.
        """
        return replace(self, training=replace(self.training, **changes))
