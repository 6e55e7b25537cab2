"""One fit: the labels-only reference, the candidate that uses the pool, and the evidence between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from tutelage.data import Examples, Loader
from tutelage.evidence import Evidence, Prior, folds, weigh
from tutelage.memory import Memory
from tutelage.methods import Method, Supervised
from tutelage.ops.checks import in_range
from tutelage.reference import Folds, HeldOut, Probe
from tutelage.store import Part, Store, Unstored
from tutelage.tasks import Task
from tutelage.train import Run, Training, predict, train
from tutelage.types import Logits

Tick = Callable[[str, int, int], None]
"""Told what is being done, and how many of how many steps of it are done."""


@dataclass(frozen=True)
class Problem:
    """What is to be learnt.

    Attributes:
        labelled, y: examples and their class numbers (labels,).
        pool: examples without labels; may be empty.
        network: makes the candidate's network, given the seed of its random weights.
        probe: a linear model of the labels, one contender for the reference.
        decays: weight decays of the network trained on the labels alone, the other contenders.
        threads: at most so many for training; a small network gains nothing from a second one and
            loses much when another process wants it. None leaves the number alone.
        truth: class numbers of the pool where known, -1 elsewhere; for the report only.
    """

    task: Task
    labelled: Examples
    y: np.ndarray
    pool: Examples
    network: Callable[[int], nn.Module]
    probe: Probe | None
    decays: tuple[float, ...] = ()
    truth: np.ndarray | None = None
    batch_labelled: int = 64
    batch_unlabelled: int = 128
    device: torch.device | str = "cpu"
    threads: int | None = None

    def loader(self, index: np.ndarray | None = None, seed: int = 0) -> Loader:
        """Batches of the labels at ``index`` (all by default) and of the pool."""
        index = np.arange(len(self.y)) if index is None else index
        y = torch.as_tensor(self.y[index], device=self.device)
        labelled = self.labelled.subset(index)
        return Loader(labelled, y, self.pool, self.batch_labelled, self.batch_unlabelled, seed)


@dataclass(frozen=True)
class Plan:
    """How the evidence is gathered.

    Args:
        folds: of the stratified cross-validation, at least 2; fewer when a class has fewer labels.
        repeats: how often it is repeated on new folds, at least 1.
        skip: gather none and return the candidate.
        harm_limit: return the reference when harm is more probable than this, in [0, 1].
    """

    folds: int = 5
    repeats: int = 2
    skip: bool = False
    harm_limit: float = 0.5

    def __post_init__(self) -> None:
        in_range("folds", self.folds, 2)
        in_range("repeats", self.repeats, 1)
        in_range("harm_limit", self.harm_limit, 0, 1)


@dataclass(frozen=True)
class Outcome:
    """What a fit leaves behind. Without evidence, that is None and what is held out is empty."""

    network: nn.Module
    reference: nn.Module
    candidate: nn.Module
    reference_choice: str
    evidence: Evidence | None
    held_out: HeldOut
    history: list[dict[str, float]]
    curve: list[tuple[float, float]]
    returned: str


def fit(
    problem: Problem,
    method: Method,
    training: Training,
    prior: Prior,
    plan: Plan,
    store: Store | None = None,
    tick: Tick | None = None,
) -> Outcome:
    """Fit reference and candidate, gather the evidence, and choose.

    Raises:
        ValueError: a class has fewer than two labels and the plan does not skip the evidence.
    """
    with threads(problem.threads):
        return _fit(problem, method, training, prior, plan, store, tick)


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


def _fit(
    problem: Problem,
    method: Method,
    training: Training,
    prior: Prior,
    plan: Plan,
    store: Store | None,
    tick: Tick | None,
) -> Outcome:
    store, tick = store or Unstored(), tick or (lambda what, done, total: None)
    seed = training.seed
    parts: Folds = [] if plan.skip else folds(problem.y, plan.folds, plan.repeats, seed)
    reference, reference_held_out, choice = _reference(problem, training, parts, store, tick)

    contender = _Contender("candidate", problem, method, training, store, tick)
    candidate_held_out, curve = contender.held_out(parts)
    candidate, history = contender.network()

    if not parts:
        return Outcome(candidate, reference, candidate, choice, None, _nothing(), history, [], "candidate")
    share = float(np.mean([len(out) / len(problem.y) for _, out in parts]))
    evidence = weigh(reference_held_out.right, candidate_held_out.right, prior, share, plan.harm_limit)
    kept = evidence.returned == "candidate"
    return Outcome(
        candidate if kept else reference, reference, candidate, choice, evidence,
        candidate_held_out if kept else reference_held_out, history, curve, evidence.returned,
    )  # fmt: skip


def _reference(
    problem: Problem, training: Training, parts: Folds, store: Store, tick: Tick
) -> tuple[nn.Module, HeldOut, str]:
    """The best labels-only model by cross-validation; the first contender without it."""
    contenders: list[tuple[Callable[[], nn.Module], HeldOut, str]] = []
    probe = problem.probe
    if probe is not None:
        tick("labels-only reference", 0, 1)
        strength, seen = probe.choose(parts, problem.task.classes) if parts else (1e-2, _nothing())
        contenders.append((partial(probe.network, strength), seen, f"logistic regression, C = {strength:g}"))
        tick("labels-only reference", 1, 1)
    for decay in problem.decays if parts or not contenders else ():
        name = f"labels-only network, weight decay {decay:g}"
        alone = _Contender(name, problem, Supervised(), replace(training, weight_decay=decay), store, tick)
        contenders.append((alone.student, alone.held_out(parts)[0], name))
    make, seen, words = max(contenders, key=lambda c: c[1].right.mean() if parts else 0)
    return make(), seen, words


def _nothing() -> HeldOut:
    return HeldOut(np.empty((0, 0)), np.empty(0))


@dataclass(frozen=True)
class _Contender:
    """A method on a problem: trained on all labels, or on all but each fold's."""

    name: str
    problem: Problem
    method: Method
    training: Training
    store: Store
    tick: Tick

    def held_out(self, parts: Folds) -> tuple[HeldOut, list[tuple[float, float]]]:
        """Held-out predictions, and the mean held-out accuracy by step."""
        p, predicted, curves = self.problem, [], []
        for i, (index, out) in enumerate(parts, start=1):
            fold = partial(
                self._fold, index, i, f"{self.name}, fold {i} of {len(parts)}", p.labelled.subset(out), p.y[out]
            )
            tensors, curve = self.store.once(f"{slug(self.name)}-fold{i:02d}", fold)
            predicted.append((out, tensors["probabilities"].numpy()))
            curves.append(curve)
        if not parts:
            return _nothing(), []
        mean = [(points[0][0], float(np.mean([v for _, v in points]))) for points in zip(*curves, strict=True)]
        return HeldOut.average(len(p.y), p.task.classes, p.y, predicted), mean

    def _fold(
        self, index: np.ndarray, number: int, what: str, examples: Examples, y: np.ndarray, path: Path | None
    ) -> Part:
        """Probabilities of one fold's examples, and their accuracy by step."""

        def logits(run: Run) -> Logits:
            return predict(run.seats["student"].module, self.problem.task, examples)

        def watch(run: Run) -> dict[str, float]:
            return {"held_out_accuracy": float((logits(run).argmax(1).cpu().numpy() == y).mean())}

        run = self._train(index, number, what, path, watch)
        curve = [(h["step"], h["held_out_accuracy"]) for h in run.history]
        return {"probabilities": logits(run).softmax(-1).double().cpu()}, curve

    def student(self) -> nn.Module:
        return self.network()[0]

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student trained on all labels, and the history of its training."""
        p = self.problem

        def watch(run: Run) -> dict[str, float]:
            return precision(run.memory, p.truth) if p.truth is not None else {}

        def compute(path: Path | None) -> Part:
            run = self._train(np.arange(len(p.y)), 0, self.name, path, watch)
            return run.seats["student"].module.state_dict(), run.history

        tensors, history = self.store.once(slug(self.name), compute)
        network = p.network(self._seed(0))
        network.load_state_dict(tensors)
        return network.eval(), history

    def _seed(self, fold: int) -> int:
        return self.training.seed * 1000 + fold

    def _train(
        self, index: np.ndarray, fold: int, what: str, path: Path | None, watch: Callable[[Run], dict[str, float]]
    ) -> Run:
        p, training = self.problem, replace(self.training, seed=self._seed(fold))
        network = p.network(training.seed).to(p.device)
        return train(
            self.method, p.task, network, p.loader(index, training.seed), training,
            path=path, watch=watch, tick=lambda done: self.tick(what, done, training.steps),
        )  # fmt: skip


def precision(memory: Memory, truth: np.ndarray) -> dict[str, float]:
    """Share of right labels among the pseudo-labels in use, where the truth is known (>= 0)."""
    label = memory.label.cpu().numpy()
    kept = (memory.weight.cpu().numpy() > 0) & (label >= 0) & (truth >= 0)
    return {"precision": float((label[kept] == truth[kept]).mean())} if kept.any() else {}


def slug(name: str) -> str:
    """A name as part of a file name."""
    return re.sub("[^a-z0-9]+", "-", name.lower())


def without_pool(method: Method, pool: Sized) -> Method:
    """The method itself, or labels only where there is no pool to learn from."""
    return method if len(pool) else Supervised()


def settings(value: Any) -> dict[str, Any]:
    """A dataclass's fields as plain values, for a summary."""
    return {k: v if isinstance(v, (int, float, str, bool, type(None))) else repr(v) for k, v in vars(value).items()}
