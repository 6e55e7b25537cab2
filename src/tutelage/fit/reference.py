"""The labels-only reference of a problem: the best of logistic regressions and of networks without a pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import NamedTuple

from torch import nn

from tutelage.fit.contender import Contender
from tutelage.fit.forecast import LABELS
from tutelage.fit.held_out import FoldPredictions, Folds, choose
from tutelage.fit.labels_only import Choice, Probe
from tutelage.fit.problem import Problem
from tutelage.fit.setup import Setup
from tutelage.methods import Supervised
from tutelage.ops.meter import stage


class Reference(NamedTuple):
    """The labels-only model.

    Attributes:
        network: the network, fitted on all labels.
        honest: held-out predictions in which the choice of the model is held out, too; see `choose`.
        name: the choice, in words.
        own: held-out predictions of the chosen model alone, by which it is calibrated: those of different choices
            differ in how sure they are, and the network is of one.
    """

    network: nn.Module
    honest: FoldPredictions
    name: str
    own: FoldPredictions


def reference_model(setup: Setup, folds: Folds, stage_one: nn.Module | None, before: str = "") -> Reference:
    """The best labels-only model by cross-validation.

    Without folds it is the first model that would be tried; without clean labels it is the stage I network.

    Args:
        setup: problem and training.
        folds: folds of the labelled examples; may be empty.
        stage_one: network that learnt the weak labels, for a problem without clean ones.
        before: beginning of the names of parts in the store, which says on which features.

    Raises:
        ValueError: there are neither clean labels nor a stage I network.
    """
    problem, tick = setup.problem, setup.tick
    if not len(problem.labelled):
        if stage_one is None:
            raise ValueError("there is no label to learn from, clean or weak")
        return Reference(stage_one, [], "stage I: the weak labels alone", [])
    tried: dict[str, FoldPredictions] = {}
    make: dict[str, Callable[[], nn.Module]] = {}
    if problem.probe is not None:
        choices = problem.probe.choices if folds else (("", 1e-2),)
        for i, choice in enumerate(choices):
            tick("labels-only reference", i, len(choices))
            name = name_of(choice)
            tried[name] = probed(problem, folds, choice)
            make[name] = partial(problem.probe.network, choice)
        tick("labels-only reference", len(choices), len(choices))
    named = {name_of_decay(d): d for d in problem.decays if folds or not make}
    networks = [Contender(f"{before}{n}", Supervised(), setup.trained(weight_decay=d)) for n, d in named.items()]
    for name, network in zip(named, networks, strict=True):
        tried[name] = replace(network, beside=networks).held_out(folds)[0]
        make[name] = network.student
    if not folds:
        name = next(iter(make))
        return Reference(make[name](), [], name, [])
    name, honest = choose(tried, problem.y, problem.unit_weights)
    return Reference(make[name](), honest, name, tried[name])


def name_of(choice: Choice) -> str:
    """The name of a logistic regression for people.

    >>> name_of(("", 0.01))
    'logistic regression, C = 0.01'
    """
    scaling, strength = choice
    return ", ".join(filter(None, (f"logistic regression, C = {strength:g}", scaling)))


def name_of_decay(decay: float) -> str:
    """The name of a network that learns labels alone, by its weight decay, for people."""
    return f"labels-only network, weight decay {decay:g}"


def named_model(setup: Setup, name: str, start: nn.Module | None) -> Reference:
    """The labels-only model of a name, fitted on all labels; without one of this name that which is tried first.

    Args:
        setup: problem and training.
        name: name of the model, see `Reference`.
        start: network from which a network goes on; None begins with random weights.
    """
    problem = setup.problem
    for choice in () if problem.probe is None else problem.probe.choices:
        if problem.probe is not None and name_of(choice) == name:
            return Reference(problem.probe.network(choice), [], name, [])
    for decay in problem.decays:
        if name_of_decay(decay) == name:
            alone = Contender(name, Supervised(), setup.trained(weight_decay=decay), start=start)
            return Reference(alone.student(), [], name, [])
    return reference_model(setup, [], None)


def probed(problem: Problem, folds: Folds, choice: Choice) -> FoldPredictions:
    """Predictions of each fold by a linear model of the other labels, on features that this fold may see.

    Args:
        problem: problem with a linear model of its labels.
        folds: of each fold the numbers of the examples to learn, and of those held out.
        choice: scaling and strength of the penalty.
    """
    found: FoldPredictions = []
    for index, out in folds:
        probe = problem.for_fold(index).probe
        assert isinstance(probe, Probe)
        found += probe.held_out([(problem.labelled.units(index), problem.labelled.units(out))], choice)
    return found


@dataclass(frozen=True)
class LabelsOnly:
    """The labels-only model of a problem, as a training that is compared with others.

    Attributes:
        before: beginning of the names of its parts in the store, which says on which features.
        setup: problem and training.
        folds: folds of the labelled examples.
        stage_one: network that learnt the weak labels, for a problem without clean ones.
    """

    before: str
    setup: Setup
    folds: Folds
    stage_one: nn.Module | None = None

    @property
    def method(self) -> Supervised:
        """Method that learns labels alone."""
        return Supervised()

    @cached_property
    def model(self) -> Reference:
        """The best labels-only model."""
        with stage(LABELS):
            return reference_model(self.setup, self.folds, self.stage_one, self.before)

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Honest held-out predictions; there is no curve."""
        return self.model.honest, []

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions of the chosen model alone."""
        return self.model.own

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The model; there is no history."""
        return self.model.network, []
