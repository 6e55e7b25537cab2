"""One fit: the labels-only reference, the candidate that uses the pool, and the evidence between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from tutelage.fit.after_weak_labels import Beside, train_beside
from tutelage.fit.auto import ALONE, MEMBERS, PATIENCE, Attempt, Auto, possible, select
from tutelage.fit.contender import Contender
from tutelage.fit.evidence import Evidence, Prior, weigh
from tutelage.fit.held_out import Folds, HeldOut, Parts, choose
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Gains
from tutelage.fit.store import Store, Unstored
from tutelage.methods import Committee, Method, Supervised
from tutelage.methods.taught import Taught
from tutelage.tasks import Segmentation
from tutelage.train import Training, predict
from tutelage.types import Tick

Knows = Callable[[Sequence[str]], Gains]
"""Says of methods, by name, what they gain over the labels alone before a label is looked at."""


@dataclass(frozen=True)
class Outcome:
    """What a fit leaves behind. Without evidence, that is None and what is held out is empty.

    ``method`` has nothing left open.
    ``stage_one`` is what learnt the weak labels alone, where there were any; ``tried`` what "auto" tried, and
    ``shares`` how much each of the best counted.
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
    method: Method,
    training: Training,
    prior: Prior,
    plan: Plan,
    store: Store | None = None,
    tick: Tick | None = None,
    gains: Knows = Gains.recorded,
) -> Outcome:
    """Fit reference and candidate, gather the evidence, and choose.

    Args:
        gains: what "auto" knows of candidates, given by name, before it looks at a label.

    Raises:
        ValueError: a class has fewer than two labels and the plan does not skip the evidence; "auto" without it.
    """
    with threads(problem.threads):
        return _fit(problem, method, training, prior, plan, store, tick, gains)


@contextmanager
def threads(most: int | None) -> Iterator[None]:
    """Let torch and the linear algebra beneath scikit-learn use at most so many threads."""
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
class _Found:
    """The candidate: its method, with nothing left open, its network, and what it said of held-out labels."""

    method: Method
    network: nn.Module
    history: list[dict[str, float]]
    predictions: Parts
    curve: list[tuple[float, float]]
    tried: list[Attempt] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)


def _fit(
    problem: Problem,
    method: Method,
    training: Training,
    prior: Prior,
    plan: Plan,
    store: Store | None,
    tick: Tick | None,
    gains: Knows,
) -> Outcome:
    method = method.settled(problem.task, problem.weak is not None)
    if isinstance(method, Auto):
        if plan.skip:
            raise ValueError("auto chooses by the evidence from the labels: it cannot be without it")
        plan = replace(plan, repeats=1)  # its budget is better spent on more methods
    store, tick = store or Unstored(), tick or (lambda what, done, total: None)
    method.ready(problem.pool, tick)
    parts = problem.folds(plan, training.seed)
    started = None if problem.weak is None else _stage_one(problem, method, training, store, tick)
    stage_one = None if started is None else started.network
    reference, alone, choice = reference_model(problem, training, parts, stage_one, store, tick)
    if started is not None:
        found = _after(started, problem, method, training, store, tick)
    elif isinstance(method, Auto):
        found = _chosen(problem, method, training, reference, alone, parts, store, tick, gains)
    else:
        contender = Contender("candidate", problem, method, training, store, tick)
        predictions, curve = contender.held_out(parts)
        found = _Found(method, *contender.network(), predictions, curve)

    if not parts:
        return Outcome(
            found.method, found.network, reference, found.network, choice, None, _nothing(), found.history, [],
            "candidate", stage_one,
        )  # fmt: skip
    held_out, of_candidate = problem.scored(alone), problem.scored(found.predictions)
    share = float(np.mean([len(out) / len(problem.labelled) for _, out in parts]))
    right = held_out.right
    apart = float(right.std()) if isinstance(problem.task, Segmentation) else 1.0  # images never differ by a whole IoU
    tried: Literal["pool", "method"] = "pool" if found.method.uses_pool else "method"
    evidence = weigh(right, of_candidate.right, prior, share, plan.harm_limit, problem.task.measure, apart, tried)
    kept = evidence.returned == "candidate"
    return Outcome(
        found.method, found.network if kept else reference, reference, found.network, choice, evidence,
        of_candidate if kept else held_out, found.history, found.curve, evidence.returned, stage_one, found.tried,
        found.shares,
    )  # fmt: skip


def _chosen(
    problem: Problem, auto: Auto, training: Training, reference: nn.Module, alone: Parts, parts: Folds, store: Store,
    tick: Tick, gains: Knows,
) -> _Found:  # fmt: skip
    """A student of the methods that the labels speak for, or the one of them; what they say alone where for none.

    What is held out are those methods' predictions together: the student, who learns these, is not held out itself.
    """

    def contender(name: str, method: Method) -> Contender:
        steps = training.steps * (PATIENCE if isinstance(method, Committee) else 1)
        return Contender(name, problem, method, replace(training, steps=steps), store, tick)

    candidates = possible(problem, tick)
    known = gains(list(candidates))
    most = 1 if isinstance(problem.task, Segmentation) else MEMBERS  # what is said of all pixels would fill the memory
    selection = select(problem, candidates, known, alone, parts, training, auto.budget, store, tick, most)
    shares = selection.shares
    if list(shares) == [ALONE]:
        return _Found(Supervised(), reference, [], selection.predictions, [], selection.tried, shares)
    if most == 1:
        (name,) = shares
        method, (network, history) = candidates[name], contender("candidate", candidates[name]).network()
        return _Found(method, network, history, selection.predictions, [], selection.tried, shares)

    def said(name: str) -> torch.Tensor:
        """What one of them says of the pool: a teacher that is no network itself, not its student."""
        method = candidates.get(name)
        if isinstance(method, Taught):
            return method.remembers(problem.loader(seed=training.seed), problem.task)["taught"].to(problem.device)
        network = reference if method is None else contender(name, method).student()
        return predict(network.to(problem.device), problem.task, problem.pool).softmax(-1)

    together = torch.stack([share * said(name) for name, share in shares.items()]).sum(0)
    method = Committee(tuple(shares), together)
    network, history = contender("candidate", method).network()
    return _Found(method, network, history, selection.predictions, [], selection.tried, shares)


def _after(started: Beside, problem: Problem, method: Method, training: Training, store: Store, tick: Tick) -> _Found:
    """The game that begins where the weak labels are learnt; what learnt them, where the method is of labels alone."""
    found = _game(problem, method, started, training, store, tick) if method.uses_pool else started
    curve = [(h["step"], h["held_out"]) for h in found.history if "held_out" in h]
    return _Found(method, found.network, found.history, found.predictions, curve)


def _stage_one(problem: Problem, method: Method, training: Training, store: Store, tick: Tick) -> Beside:
    """A network that has learnt the weak labels: by the method itself where it learns from labels alone."""
    p, training = problem, replace(training, seed=training.seed * 1000)
    learner = Supervised() if method.uses_pool else method
    network = p.network(training.seed)
    return train_beside("stage I: weak labels", p, learner, network, p.stage_one(training.seed), training, store, tick)


def _game(problem: Problem, method: Method, started: Beside, training: Training, store: Store, tick: Tick) -> Beside:
    """The method's game, from where stage I ended."""
    training = replace(training, seed=training.seed * 1000)
    loader = problem.game(method.anchored, training.seed)
    return train_beside("candidate", problem, method, started.network, loader, training, store, tick)


def reference_model(
    problem: Problem, training: Training, parts: Folds, started: nn.Module | None, store: Store, tick: Tick
) -> tuple[nn.Module, Parts, str]:
    """The best labels-only model by cross-validation, and honest predictions of it; the first one without folds.

    Where there are no clean labels at all, what learnt the weak ones.
    """
    if not len(problem.labelled):
        assert started is not None
        return started, [], "stage I: the weak labels alone"
    tried: dict[str, Parts] = {}
    make: dict[str, Callable[[], nn.Module]] = {}
    units = [(problem.labelled.units(a), problem.labelled.units(b)) for a, b in parts]
    if problem.probe is not None:
        choices = problem.probe.choices if parts else (("", 1e-2),)
        for i, choice in enumerate(choices):
            tick("labels-only reference", i, len(choices))
            scaling, strength = choice
            name = ", ".join(filter(None, (f"logistic regression, C = {strength:g}", scaling)))
            tried[name] = problem.probe.held_out(units, choice)
            make[name] = partial(problem.probe.network, choice)
        tick("labels-only reference", len(choices), len(choices))
    for decay in problem.decays if parts or not make else ():
        name = f"labels-only network, weight decay {decay:g}"
        alone = Contender(name, problem, Supervised(), replace(training, weight_decay=decay), store, tick)
        tried[name] = alone.held_out(parts)[0]
        make[name] = alone.student
    if not parts:
        name = next(iter(make))
        return make[name](), [], name
    name, honest = choose(tried, problem.y)
    return make[name](), honest, name


def _nothing() -> HeldOut:
    return HeldOut(np.empty((0, 0)), np.empty(0))


def without_pool(method: Method, pool: Sized) -> Method:
    """The method itself, or labels only where there is no pool for it to learn from."""
    return method if len(pool) or not method.uses_pool else Supervised()


def settings(value: Any) -> dict[str, Any]:
    """A dataclass's fields as plain values, for a summary."""
    plain = (int, float, str, bool, type(None))
    there = {k: v for k, v in vars(value).items() if not isinstance(v, torch.Tensor)}
    return {k: v if isinstance(v, plain) else repr(v) for k, v in there.items()}
