"""The one way from items to a fitted model, and what it says beforehand: what will be done, and for how long."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tutelage.fit.auto import Auto
from tutelage.fit.build import Augment, Build, Building, Items, require_logits
from tutelage.fit.defaults import How
from tutelage.fit.fit import Outcome, fit, threads, without_pool
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Gains, recorded_prior
from tutelage.fit.setup import Store, silent
from tutelage.methods import METHODS, Method
from tutelage.methods.base import labels_kept
from tutelage.modalities.base import Reader
from tutelage.train import Training, predict, time_a_step
from tutelage.types import Say, Tick

STANDARD = "drift"
"""Method whose step is timed for all methods that "auto" may try."""

SAMPLE = 64
"""Items of the pool whose prediction is timed."""


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
        say(about_reading(building, wiring.things))
    problem = building.problem(tick)
    if wiring.own_network:
        require_logits(problem)
    training = wiring.how.long_enough(chosen, problem)
    if say:
        say(about_training(chosen, problem, training, wiring.how.plan, tick or silent))
    outcome = fit(
        problem, chosen, training, recorded_prior(chosen.name, wiring.record), wiring.how.plan, store, tick,
        partial(Gains.recorded, kind=wiring.record, without=without),
    )  # fmt: skip
    return Fitted(outcome, problem, training)


def about_reading(building: Building, things: str) -> str:
    """How the items are read; for an encoder how many are to be encoded, and about how long that takes."""
    reader, device, encoding = building.build.reader, building.build.device, building.encoding
    if encoding is None:
        h, w = getattr(reader, "size", (0, 0))
        return f"Training {reader.says} from nothing on images of {w} x {h} pixels, on {device}."
    if not getattr(reader, "encodes", False):
        return f"Reading {things} as they are, on {device}."
    count = encoding.missing
    left = f"{count} {things} to encode, about {duration(encoding.seconds())}" if count else ""
    return f"Reading with {reader.says} on {device}: {left or 'all features are in the cache'}."


def about_training(method: Method | Auto, problem: Problem, training: Training, plan: Plan, tick: Tick) -> str:
    """The trainings that a fit takes, and about how long they take together."""
    if isinstance(method, Auto):
        return _about_auto(method, problem, training)
    method.ready(problem.pool, tick)  # a step is timed
    return _about_one(method, problem, training, plan)


def _about_auto(auto: Auto, problem: Problem, training: Training) -> str:
    with threads(problem.threads):
        method, network = METHODS[STANDARD](), problem.network(0).to(problem.device)
        standard: Any = method.settled(problem.task, False)
        seconds = time_a_step(standard, problem.task, network, problem.loader(), training) * training.steps
    return (
        f"Choosing a method for {len(problem.labelled)} labels and a pool of {len(problem.pool)}: at most "
        f"{auto.budget:g} trainings of {training.steps} steps, about {duration(seconds * auto.budget)}."
    )


def _about_one(method: Method, problem: Problem, training: Training, plan: Plan) -> str:
    network = problem.network(0).to(problem.device)
    with threads(problem.threads):
        loader = (
            problem.loader() if problem.weak is None
            else problem.game(method.anchored) if method.uses_pool
            else problem.stage_one()
        )  # fmt: skip
        per_step = time_a_step(method, problem.task, network, loader, training)
        start = time.perf_counter()
        sample = np.arange(min(len(problem.pool), SAMPLE))
        predict(network, problem.task, problem.pool.subset(sample))
        per_row = (time.perf_counter() - start) / max(len(sample), 1)
    labellings = (method.training_rounds - 1) * len(method.rule.movers) * labels_kept(method)
    relabelling = per_row * len(problem.pool) * labellings
    count, weak = len(problem.labelled), problem.weak is not None
    folds = len(problem.folds(plan, training.seed))
    fits = 1 + folds * (not weak)
    check = f"{folds} of them on parts of the labels, for the evidence" if folds else "no evidence gathered"
    if weak:
        check = "stage I comes before; the clean labels are only looked at"
    contenders = 1 + len(problem.decays) * (folds > 0)
    seconds = (per_step * training.steps + relabelling) * fits * contenders * (1 + weak)
    each = np.unique(problem.y, return_counts=True)[1]
    some = f"{each.min()} to {each.max()}" if count and each.min() < each.max() else each.max(initial=0)
    spread = f"{some} a class, " if len(problem.y) == count > 0 else ""
    return (
        f"Training {method.name} on {count} labels ({spread}{problem.task.classes} classes) and a pool of "
        f"{len(problem.pool)}: {fits} training{'s' * (fits > 1)} of {training.steps} steps ({check}), "
        f"about {duration(seconds)}."
    )


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(4), duration(100), duration(7000)
    ('4 seconds', '2 minutes', '1.9 hours')
    """
    if seconds < 90:
        count = max(round(seconds), 1)
        return f"{count} second{'s' * (count > 1)}"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
