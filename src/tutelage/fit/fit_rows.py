"""The one way from items to a fitted model: the command, the estimators, the demo and the benchmark take it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from tutelage.fit import outlook
from tutelage.fit.auto import Auto
from tutelage.fit.build import Augment, Build, Items, require_logits
from tutelage.fit.defaults import How
from tutelage.fit.fit import Outcome, fit, without_pool
from tutelage.fit.problem import Problem
from tutelage.fit.recorded import Gains, recorded_prior
from tutelage.fit.setup import silent
from tutelage.fit.store import Store
from tutelage.methods import Method
from tutelage.modalities.base import Reader
from tutelage.train import Training
from tutelage.types import Say, Tick


@dataclass(frozen=True)
class Wiring:
    """How items become a problem, whatever their kind.

    Attributes:
        reader: reads the items.
        how: training, evidence and examples a step.
        whole: train a network on the items themselves, not a head on an encoder's features.
        record: the name under which benchmarks of such fits are recorded.
        things: what the items are, in words, such as "texts".
        own_network: the network is the user's own, so that its outputs are looked at first.
    """

    reader: Reader
    how: How
    whole: bool
    record: str
    things: str
    own_network: bool = False

    def build(
        self, views: Collection[str], cache: Path, device: torch.device | str = "cpu", augment: Augment | None = None
    ) -> Build:
        """What makes a problem of items."""
        return Build(self.reader.to(device), views, self.how.defaults, self.whole, cache, device, augment)


@dataclass(frozen=True)
class Fitted:
    """A fit that was done, and the problem that it was done on."""

    outcome: Outcome
    problem: Problem
    training: Training


def fit_rows(
    items: Items, wiring: Wiring, method: Method | Auto, cache: Path, *, device: torch.device | str = "cpu",
    augment: Augment | None = None, store: Store | None = None, tick: Tick | None = None, say: Say | None = None,
    without: Collection[str] = (),
) -> Fitted:  # fmt: skip
    """Fit a method on items.

    Args:
        method: with its hyper-parameters, some of which may be left open.
        cache: folder for features.
        augment: makes a strong view of a list of items; None drops words or numbers at random.
        store: keeps finished parts, so that a stopped fit goes on where it was.
        tick: told the progress.
        say: told in sentences what is about to be done; without it nothing is timed.
        without: data sets whose records the automatic choice may not know.

    Raises:
        ValueError: the method cannot learn such a task; a class has fewer than two labels and evidence is wanted.
    """
    settled = method.settled(items.task, items.weak)
    chosen = without_pool(settled, items.pool)
    if say and settled.uses_pool and not chosen.uses_pool:
        say(f"There are no unlabelled {wiring.things}: only the labels are learnt from.")
    if say and items.weak and not len(items.labelled):
        say("No row has a clean label: nothing can measure whether this helps. Some 30 labels a class would.")
    building = wiring.build(chosen.views, cache, device, augment).of(items)
    if say:
        say(outlook.of_reading(building, wiring.things))
    problem = building.problem(tick)
    if wiring.own_network:
        require_logits(problem)
    training = wiring.how.long_enough(chosen, problem)
    if say:
        say(outlook.of_training(chosen, problem, training, wiring.how.plan, tick or silent))
    outcome = fit(
        problem, chosen, training, recorded_prior(chosen.name, wiring.record), wiring.how.plan, store, tick,
        partial(Gains.recorded, kind=wiring.record, without=without),
    )  # fmt: skip
    return Fitted(outcome, problem, training)
