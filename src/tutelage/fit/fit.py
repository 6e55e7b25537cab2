"""One fit: the labels-only reference, the candidate that uses the pool, and the evidence between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from tutelage.fit import after_weak_labels
from tutelage.fit.after_weak_labels import LookedAt
from tutelage.fit.auto import Attempt, Auto
from tutelage.fit.auto_student import AutoStudent, PriorGains
from tutelage.fit.calibration import NONE, Calibration, calibrated
from tutelage.fit.contender import Contender
from tutelage.fit.evidence import Evidence, Prior, Tried, weigh
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Gains
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.rivals import Judged, Rival, judge
from tutelage.fit.setup import Setup, Store, Unstored, silent
from tutelage.fit.teacher_paths import learnable, learning, looking
from tutelage.methods import METHODS, Method, Supervised
from tutelage.methods.distil import no_teacher
from tutelage.methods.fields import Open, Ramp
from tutelage.train import Training
from tutelage.types import Tick

STANDARD = "drift"
"""Method that "auto" plays after a brought teacher, and whose step is timed for all that it may try."""


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
        held_out: held-out predictions of the returned model; empty without evidence.
        history: of the candidate's training, see `train`.
        curve: (step, mean held-out score) of the candidate over its trainings.
        returned: "reference", "candidate", "teacher" (the brought teacher alone), or "adapted" (the labels alone on an
            adapted encoder).
        problem: the problem whose features the returned network reads.
        candidate_problem: the problem whose features the candidate reads.
        stage_one: the network that learnt the weak labels alone; None without weak labels.
        looked_at: the network of the game after the weak labels in which clean labels are looked at; None without it.
        tried: the attempts of "auto", the best first.
        shares: how much each of the best methods counted in "auto", by name; they sum to 1.
        rivals: the models that were compared with the reference, as they were judged; empty where there was one.
        calibration: temperature of the returned model, by its predictions of held-out labels.
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
    problem: Problem
    candidate_problem: Problem
    stage_one: nn.Module | None = None
    looked_at: nn.Module | None = None
    tried: list[Attempt] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)
    rivals: list[Judged] = field(default_factory=list)
    calibration: Calibration = NONE


def fit(
    problem: Problem,
    method: Method | Auto,
    training: Training,
    prior: Prior,
    plan: Plan,
    store: Store | None = None,
    tick: Tick | None = None,
    gains: PriorGains = Gains.recorded,
    adapted: Adapted | None = None,
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
        adapted: the same problem on the features of an encoder that is adapted to the labels; None does not try it.

    Raises:
        ValueError: the method cannot learn the task, or needs a teacher that was not brought; a class has fewer than
            two labels and the plan does not skip the evidence; "auto" without evidence.
    """
    with threads(problem.threads):
        setup = Setup(problem, training, store or Unstored(), tick or silent)
        return _outcome(Fit(setup, method, prior, plan, gains, adapted))


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


ADAPTING = Prior(mean=0.08, spread=0.08)
"""Expected change of the labels-only score by adapting the encoder."""


@dataclass(frozen=True)
class Adapted:
    """Problems on the features of an encoder that is adapted to the labels, each made when it is asked for.

    In both, each fold has the features of an encoder that was adapted to this fold's labels alone (`Problem.by_fold`).

    Attributes:
        labels: function that gives the problem of the labelled examples, with an empty pool.
        whole: function that gives the problem with the pool.
    """

    labels: Callable[[], Problem]
    whole: Callable[[], Problem]


@dataclass(frozen=True)
class _Best:
    """The rival that is chosen, trained on all labels.

    Attributes:
        rival: the rival.
        network, history: its network, and the history of its training.
        held: honest held-out predictions; None where nothing was held out.
        own: held-out predictions of the rival itself, by which it is calibrated.
        curve: held-out score by step.
        judged: all rivals as they were judged.
    """

    rival: Rival
    network: nn.Module
    history: list[dict[str, float]]
    held: HeldOut | None
    own: FoldPredictions
    curve: list[tuple[float, float]]
    judged: list[Judged]


class Fit:
    """The parts of a fit: method, folds, labels-only reference, and what is compared with it.

    Attributes:
        setup: problem on the features of the encoder as it is, and the training.
        method: method, settled, or the automatic choice.
        game: method that is played after a brought teacher.
        started: stage I; None without a teacher.
        reference: labels-only model.
    """

    def __init__(
        self, setup: Setup, method: Method | Auto, prior: Prior, plan: Plan, gains: PriorGains, adapted: Adapted | None
    ) -> None:
        problem = setup.problem
        self.setup, self.prior, self.gains, self.adapted = setup, prior, gains, adapted
        self.asked = method
        self.teacher = problem.weak is not None
        self.learns = learnable(problem)
        self.method = method.settled(problem.task, self.teacher)
        self.plan = method.plan(plan) if isinstance(method, Auto) else plan
        require_teacher(self.method, self.teacher, self.learns)
        if not isinstance(self.method, Auto):
            self.method.ready(problem.pool, setup.tick)
        self.played = METHODS[STANDARD]() if isinstance(method, Auto) else method
        self.game = self.played.settled(problem.task, self.teacher)
        looks = self.teacher and not self.learns
        self.folds: Folds = [] if looks else problem.folds(self.plan, setup.training.seed)
        if isinstance(self.method, Auto) and not self.teacher and not self.folds:
            raise ValueError("auto chooses by the labels: it needs some, or a teacher that is brought")
        self.started = after_weak_labels.stage_one(setup, self.game, self.folds) if self.teacher else None
        stage_one = self.started.network()[0] if self.started is not None and not len(problem.labelled) else None
        self.reference = LabelsOnly("labels only", setup, self.folds, stage_one)
        self.held = problem.scored(self.reference.model.honest) if self.folds else None

    def rivals(self) -> Iterator[Rival]:
        """All models that may be returned in place of the reference."""
        if self.started is not None:
            yield from looking(self.setup, self.game, self.started)
        features = [("", self.reference)]
        if self.adapted is not None and self.held is not None:
            better = self._adapted(self.adapted, self.held)
            if better is not None:
                yield Rival("adapted", "labels only, encoder adapted", better, ADAPTING)
                features.append(("adapted, ", better))
        if isinstance(self.method, Auto) and self.folds:
            before, alone = features[-1]
            free = alone.setup.on(alone.setup.problem.without_teacher())
            student = AutoStudent(f"{before}candidate", free, self.method, self.gains, alone)
            yield Rival("candidate", f"{before}auto", student, self.prior)
        for before, alone in features:
            if self.teacher and self.learns:
                yield from learning(before, alone.setup, self.played, self.prior)
            elif not self.teacher and (not isinstance(self.method, Auto) or before != features[-1][0]):
                contender = Contender(f"{before}candidate", self.played.settled(self.setup.problem.task), alone.setup)
                yield Rival("candidate", f"{before}{self.played.name}", contender, self.prior)

    def _adapted(self, adapted: Adapted, held: HeldOut) -> LabelsOnly | None:
        """The labels-only model on the adapted encoder, the pool encoded anew; None where it is expected to lose."""
        problem, name = self.setup.problem, "labels only, adapted"
        labels = LabelsOnly(name, self.setup.on(adapted.labels()), self.folds)
        rival = Rival("adapted", name, labels, ADAPTING)
        found = labels.setup.problem.scored(labels.held_out(self.folds)[0])
        _, _, (told,) = judge(held, [rival], [found], problem.task, problem.labelled, self.folds)
        return LabelsOnly(name, self.setup.on(adapted.whole()), self.folds) if told.gain > 0 else None

    def best(self, rivals: Sequence[Rival]) -> _Best:
        """The best rival by the folds; the first one where no labels can tell."""
        problem = self.setup.problem
        if len(rivals) == 1 or self.held is None:
            predictions, curve = rivals[0].trains.held_out(self.folds)
            held = problem.scored(predictions) if predictions else None
            return _Best(rivals[0], *rivals[0].trains.network(), held, rivals[0].trains.own(predictions), curve, [])
        told = [r.trains.held_out(self.folds) for r in rivals]
        found = [problem.scored(predictions) for predictions, _ in told]
        number, honest, judged = judge(self.held, rivals, found, problem.task, problem.labelled, self.folds)
        trains, curve = rivals[number].trains, told[number][1]
        return _Best(rivals[number], *trains.network(), honest, trains.own(told[number][0]), curve, judged)


def _outcome(asked: Fit) -> Outcome:
    """Train, compare, and return the best model."""
    rivals = list(asked.rivals())
    best, reference, auto = asked.best(rivals), asked.reference, None
    evidence = _weighed(asked, best)
    returned = "reference" if evidence is not None and evidence.returned == "reference" else best.rival.role
    held = asked.held if returned == "reference" else best.held
    looked_at = None
    for rival in rivals:
        if isinstance(rival.trains, LookedAt) and rival.role == "candidate":
            looked_at = rival.trains.network()[0]
        auto = rival.trains if isinstance(rival.trains, AutoStudent) else auto
    of_candidate = best.rival.trains.setup.problem
    own = reference.own([]) if returned == "reference" else best.own
    return Outcome(
        method=best.rival.trains.method,
        network=reference.model.network if returned == "reference" else best.network,
        reference=reference.model.network,
        candidate=best.network,
        reference_choice=reference.model.name,
        evidence=evidence,
        held_out=held if evidence is not None and held is not None else NOTHING_HELD_OUT,
        history=best.history,
        curve=best.curve if asked.folds or asked.teacher else [],
        returned=returned,
        problem=asked.setup.problem if returned == "reference" else of_candidate,
        candidate_problem=of_candidate,
        looked_at=looked_at,
        stage_one=asked.started.network()[0] if asked.started is not None else None,
        tried=auto.selection.tried if auto is not None else [],
        shares=auto.selection.shares if auto is not None else {},
        rivals=best.judged,
        calibration=_calibration(asked.setup.problem, own) if evidence is not None else NONE,
    )


def _calibration(problem: Problem, parts: FoldPredictions) -> Calibration:
    """The temperature of the returned model; none of tasks of very many units, whose probabilities are not stated."""
    return NONE if problem.task.dense or not parts else calibrated(parts, problem.y)


NOTHING_HELD_OUT = HeldOut({"probabilities": np.empty((0, 0))}, np.empty(0))
"""Held-out predictions of no labels."""


def _weighed(asked: Fit, best: _Best) -> Evidence | None:
    """The evidence between the best rival and the reference; None where nothing was held out."""
    if asked.held is None or best.held is None:
        return None
    problem, rival = asked.setup.problem, best.rival
    share = float(np.mean([len(out) / len(problem.labelled) for _, out in asked.folds]))
    by_role: dict[str, Tried] = {"teacher": "teacher", "adapted": "adapting"}
    tried = by_role.get(rival.role, "pool" if rival.trains.method.uses_pool else "method")
    return weigh(asked.held.right, best.held.right, rival.prior, share, asked.plan.harm_limit, problem.task, tried)


def require_teacher(method: Method | Auto, teacher: bool, learns: bool) -> None:
    """Check that there is what a method learns from.

    Args:
        method: the method.
        teacher: whether a teacher was brought.
        learns: whether there are clean labels enough to be learnt.

    Raises:
        ValueError: the method needs a teacher, or labels, and there are none.
    """
    if isinstance(method, Auto):
        return
    if method.needs_teacher and not teacher:
        raise ValueError(no_teacher(method.name))
    if method.needs_labels and teacher and not learns:
        raise ValueError(f"{method.name} needs clean labels, at least two of each class that has any, beside a teacher")


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
