"""One fit: the labels-only reference, the candidate that uses the pool, and the evidence between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from tutelage.fit import after_weak_labels
from tutelage.fit.after_weak_labels import WatchedTraining
from tutelage.fit.auto import ALONE, MEMBERS, PATIENCE, Attempt, Auto, Search, possible
from tutelage.fit.contender import Contender
from tutelage.fit.evidence import Evidence, Prior, weigh
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut, choose
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Gains
from tutelage.fit.setup import Setup, Store, Unstored, silent
from tutelage.methods import Committee, Method, Supervised
from tutelage.methods.fields import Open, Ramp
from tutelage.methods.pool_teacher import PoolTeacher
from tutelage.train import Training, predict
from tutelage.types import Tick

PriorGains = Callable[[Sequence[str]], Gains]
"""Given names of methods, returns the prior over their gains on the labels-only model, from recorded benchmarks."""


@dataclass(frozen=True)
class Outcome:
    """What a fit leaves behind.

    Attributes:
        method: the candidate's, settled; of "auto" the one that trained the student.
        network: the model that is returned: the candidate's or the reference's.
        reference: the labels-only model.
        candidate: the student of the method.
        reference_choice: which labels-only model was chosen, in words.
        evidence: the difference between the two and what it is worth; None where none was gathered.
        held_out: what the returned model said of held-out labels; empty without evidence.
        history: of the candidate's training, see `train`.
        curve: (step, mean held-out score) of the candidate over its trainings.
        returned: "candidate" or "reference".
        stage_one: the network that learnt the weak labels alone; None without weak labels.
        tried: the attempts of "auto", the best first.
        shares: how much each of the best methods counted in "auto", by name; they sum to 1.
    """

    method: Method
    network: nn.Module
    reference: nn.Module
    candidate: nn.Module
    reference_choice: str
    evidence: Evidence | None
    held_out: HeldOut
    history: list[dict[str, float]]
    curve: list[tuple[float, float]]
    returned: str
    stage_one: nn.Module | None = None
    tried: list[Attempt] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)


def fit(
    problem: Problem,
    method: Method | Auto,
    training: Training,
    prior: Prior,
    plan: Plan,
    store: Store | None = None,
    tick: Tick | None = None,
    gains: PriorGains = Gains.recorded,
) -> Outcome:
    """Fit the labels-only reference and the candidate, gather the evidence, and return the better of the two.

    Args:
        problem: what is to be learnt.
        method: the candidate's method, or the automatic choice.
        training: of the candidate, all its steps.
        prior: what is expected of the method before a label is looked at.
        plan: how the evidence is gathered.
        store: keeps finished parts, so that a stopped fit goes on; None keeps nothing.
        tick: told of progress; None tells nobody.
        gains: the prior over the gains of candidates of "auto".

    Raises:
        ValueError: the method cannot learn the task; a class has fewer than two labels and the plan does not skip the
            evidence; "auto" without evidence.
    """
    with threads(problem.threads):
        return _fit(Setup(problem, training, store or Unstored(), tick or silent), method, prior, plan, gains)


@contextmanager
def threads(most: int | None) -> Iterator[None]:
    """Let torch and the linear algebra beneath scikit-learn use at most ``most`` threads; None sets no limit."""
    if most is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(min(most, before))
    try:
        with threadpool_limits(most):
            yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class _Candidate:
    """A settled method, its network, the history of its training, and what it said of held-out labels."""

    method: Method
    network: nn.Module
    history: list[dict[str, float]]
    predictions: FoldPredictions
    curve: list[tuple[float, float]] = field(default_factory=list)
    tried: list[Attempt] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)


def _fit(setup: Setup, method: Method | Auto, prior: Prior, plan: Plan, gains: PriorGains) -> Outcome:
    problem, started = setup.problem, None
    method = method.settled(problem.task, problem.weak is not None)
    if isinstance(method, Auto):
        plan = method.plan(plan)
        folds = problem.folds(plan, setup.training.seed)
    else:
        method.ready(problem.pool, setup.tick)
        folds = problem.folds(plan, setup.training.seed)
        started = None if problem.weak is None else after_weak_labels.stage_one(setup, method)
    stage_one = None if started is None else started.network
    reference, alone, choice = reference_model(setup, folds, stage_one)
    if isinstance(method, Auto):
        candidate = _chosen(setup, method, gains, reference, alone, folds)
    else:
        candidate = _played(setup, method, folds) if started is None else _after(setup, method, started)
    evidence, held_out = _weighed(problem, candidate, alone, folds, prior, plan.harm_limit)
    returned = "candidate" if evidence is None else evidence.returned
    return Outcome(
        method=candidate.method,
        network=candidate.network if returned == "candidate" else reference,
        reference=reference,
        candidate=candidate.network,
        reference_choice=choice,
        evidence=evidence,
        held_out=held_out,
        history=candidate.history,
        curve=candidate.curve if folds else [],
        returned=returned,
        stage_one=stage_one,
        tried=candidate.tried,
        shares=candidate.shares,
    )


def _weighed(
    problem: Problem, candidate: _Candidate, alone: FoldPredictions, folds: Folds, prior: Prior, harm_limit: float
) -> tuple[Evidence | None, HeldOut]:
    """The evidence, and what the returned model said of held-out labels; None and nothing without folds."""
    if not folds:
        return None, HeldOut({"probabilities": np.empty((0, 0))}, np.empty(0))
    of_reference, of_candidate = problem.scored(alone), problem.scored(candidate.predictions)
    share = float(np.mean([len(out) / len(problem.labelled) for _, out in folds]))
    tried: Literal["pool", "method"] = "pool" if candidate.method.uses_pool else "method"
    evidence = weigh(of_reference.right, of_candidate.right, prior, share, harm_limit, problem.task, tried)
    return evidence, of_candidate if evidence.returned == "candidate" else of_reference


def _played(setup: Setup, method: Method, folds: Folds) -> _Candidate:
    """One method, played on the labels and the pool."""
    contender = Contender("candidate", method, setup)
    predictions, curve = contender.held_out(folds)
    return _Candidate(method, *contender.network(), predictions, curve)


def _after(setup: Setup, method: Method, started: WatchedTraining) -> _Candidate:
    """The method played from the stage I network; a method without a pool *is* stage I, so its network is returned."""
    found = after_weak_labels.game(setup, method, started.network) if method.uses_pool else started
    curve = [(h["step"], h["held_out"]) for h in found.history if "held_out" in h]
    return _Candidate(method, found.network, found.history, found.predictions, curve)


def _chosen(
    setup: Setup, auto: Auto, gains: PriorGains, reference: nn.Module, alone: FoldPredictions, folds: Folds
) -> _Candidate:
    """The student that the automatic choice ends with.

    Several methods teach one student together; a single one is trained itself; where the labels-only model is the best,
    it is returned. Held-out predictions are those of the chosen methods together: the student, which learns them, is
    not held out itself.
    """
    candidates = possible(setup)
    most = 1 if setup.problem.task.dense else MEMBERS  # what is said of all pixels would fill the memory
    search = Search(setup, candidates, gains(list(candidates)), alone, folds, most)
    selection = search.run(auto.budget)
    shares = selection.shares
    method: Method
    history: list[dict[str, float]]
    if list(shares) == [ALONE]:
        method, network, history = Supervised(), reference, []
    elif most == 1:
        (name,) = shares
        method = candidates[name]
        network, history = Contender("candidate", method, setup).network()
    else:
        together = torch.stack([s * _said(setup, n, candidates.get(n), reference) for n, s in shares.items()]).sum(0)
        method, longer = Committee(tuple(shares), together), setup.trained(steps=setup.training.steps * PATIENCE)
        network, history = Contender("candidate", method, longer).network()
    return _Candidate(method, network, history, selection.predictions, tried=selection.tried, shares=shares)


def _said(setup: Setup, name: str, method: Method | None, reference: nn.Module) -> torch.Tensor:
    """Probabilities of the pool's units, (units, c), by a method trained on all labels; without one by the reference.

    Where the method's teacher is no network, the teacher's own probabilities are taken, not its student's.
    """
    problem = setup.problem
    if isinstance(method, PoolTeacher):
        loader = problem.loader(seed=setup.training.seed)
        return method.remembers(loader, problem.task)["taught"].to(problem.device)
    network = reference if method is None else Contender(name, method, setup).student()
    return predict(network.to(problem.device), problem.task, problem.pool).softmax(-1)


def reference_model(setup: Setup, folds: Folds, stage_one: nn.Module | None) -> tuple[nn.Module, FoldPredictions, str]:
    """The best labels-only model by cross-validation, honest predictions of it, and its name.

    Without folds it is the first model that would be tried; without clean labels it is the stage I network.

    Args:
        folds: of the labelled examples; may be empty.
        stage_one: the network that learnt the weak labels, where there are any.

    Raises:
        ValueError: there are neither clean labels nor a stage I network.
    """
    problem, tick = setup.problem, setup.tick
    if not len(problem.labelled):
        if stage_one is None:
            raise ValueError("there is no label to learn from, clean or weak")
        return stage_one, [], "stage I: the weak labels alone"
    tried: dict[str, FoldPredictions] = {}
    make: dict[str, Callable[[], nn.Module]] = {}
    units = [(problem.labelled.units(a), problem.labelled.units(b)) for a, b in folds]
    if problem.probe is not None:
        choices = problem.probe.choices if folds else (("", 1e-2),)
        for i, choice in enumerate(choices):
            tick("labels-only reference", i, len(choices))
            scaling, strength = choice
            name = ", ".join(filter(None, (f"logistic regression, C = {strength:g}", scaling)))
            tried[name] = problem.probe.held_out(units, choice)
            make[name] = partial(problem.probe.network, choice)
        tick("labels-only reference", len(choices), len(choices))
    for decay in problem.decays if folds or not make else ():
        name = f"labels-only network, weight decay {decay:g}"
        alone = Contender(name, Supervised(), setup.trained(weight_decay=decay))
        tried[name] = alone.held_out(folds)[0]
        make[name] = alone.student
    if not folds:
        name = next(iter(make))
        return make[name](), [], name
    name, honest = choose(tried, problem.y)
    return make[name](), honest, name


def without_pool(method: Method | Auto, pool: Sized) -> Method | Auto:
    """The method itself; `Supervised` where the method learns from the pool and the pool is empty."""
    return method if len(pool) or not method.uses_pool else Supervised()


def settings(value: Any) -> dict[str, Any]:
    """A dataclass's fields as plain values, for a summary: None of those that are left open, text of ramps.

    >>> from tutelage.methods import MeanTeacher
    >>> [settings(MeanTeacher(weight=Ramp(0.0, 1.0)))[name] for name in ("decay", "weight", "ramp")]
    [None, '0.0:1.0', 0.2]
    """
    plain = (int, float, str, bool, type(None))
    there = {k: v for k, v in vars(value).items() if not isinstance(v, torch.Tensor)}
    there |= {k: None if isinstance(v, Open) else str(v) for k, v in there.items() if isinstance(v, Open | Ramp)}
    return {k: v if isinstance(v, plain) else repr(v) for k, v in there.items()}
