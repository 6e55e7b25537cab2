"""One fit: the labels-only reference, the candidate that uses the pool, and the evidence between them."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from tutelage.fit.after_weak_labels import LookedAt
from tutelage.fit.answers import Answers, answers
from tutelage.fit.auto import Attempt, Auto
from tutelage.fit.auto_student import AutoStudent
from tutelage.fit.calibration import NONE, Calibration, calibrated
from tutelage.fit.comparison import Adapted, Best, Comparison
from tutelage.fit.evidence import Evidence, Prior, weigh
from tutelage.fit.forecast import WEIGHING
from tutelage.fit.held_out import FoldPredictions, HeldOut
from tutelage.fit.pool_look import PoolLook, why
from tutelage.fit.prevalence import Prevalence
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import ALL_RECORDS, Records
from tutelage.fit.rivals import Judged, Rival
from tutelage.fit.setup import MemoryStore, Setup, Store, silent
from tutelage.fit.teacher_paths import TAUGHT
from tutelage.fit.together import Together
from tutelage.fit.tried import Tried, idle
from tutelage.methods import Method, Supervised
from tutelage.methods.fields import Open, Ramp
from tutelage.ops.meter import stage
from tutelage.train import Training
from tutelage.types import Tick


@dataclass(frozen=True)
class Outcome:
    """What a fit leaves behind.

    Attributes:
        method: the candidate's, settled; of "auto" the one that trained the student, and of several models that
            teach one student together the one that was asked for.
        network: the model that is returned: the candidate's or the reference's.
        reference: the labels-only model.
        candidate: what may be returned in its place: the student of the method, or the student and the labels-only
            model, which answer together.
        student: the student of the method itself.
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
        rivals: the models that might have been returned in place of the reference.
        judged: what the folds said of each of them; empty where there was one.
        calibration: temperature of the returned model, by its predictions of held-out labels.
        reference_calibration: the same of the labels-only model.
        note: sentence on what nobody would expect; empty where there is none.
        share: how much the student counts beside the labels-only model in the candidate, in [0, 1]; None: the student
            is the candidate.
        prevalence: shares of the classes in the pool; None where they are not known.
        look: what the pool shows of both models; None where there was nothing to look at.
    """

    method: Method
    network: nn.Module
    reference: nn.Module
    candidate: nn.Module
    student: nn.Module
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
    rivals: list[Rival] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    calibration: Calibration = NONE
    reference_calibration: Calibration = NONE
    note: str = ""
    share: float | None = None
    prevalence: Prevalence | None = None
    look: PoolLook | None = None


def fit(
    problem: Problem,
    method: Method | Auto,
    training: Training,
    prior: Prior,
    plan: Plan,
    store: Store | None = None,
    tick: Tick | None = None,
    records: Records = ALL_RECORDS,
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
        records: records of benchmarks that the choices may know.
        adapted: the same problem on the features of an encoder that is adapted to the labels; None does not try it.

    Raises:
        ValueError: the method cannot learn the task, or needs a teacher that was not brought; a class has fewer than
            two labels and the plan does not skip the evidence; "auto" without evidence.
    """
    with threads(problem.threads):
        setup = Setup(problem, training, store or MemoryStore(), tick or silent)
        return _outcome(Comparison(setup, method, prior, plan, records, adapted))


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


def _outcome(models: Comparison) -> Outcome:
    """Train, compare, and return the best model."""
    rivals = list(models.rivals())
    best, reference, auto = models.best(rivals), models.reference, None
    with stage(WEIGHING):
        spoken = answers(models, best)
        evidence = _weighed(models, best, spoken)
    returned = "reference" if evidence is not None and evidence.returned == "reference" else best.rival.role
    said = spoken.reference if returned == "reference" else spoken.candidate
    looked_at = None
    for rival in rivals:
        if isinstance(rival.trains, LookedAt) and rival.role == "candidate":
            looked_at = rival.trains.network()[0]
        auto = rival.trains if isinstance(rival.trains, AutoStudent) else auto
    problem, of_candidate = models.setup.problem, best.rival.trains.setup.problem
    method = best.rival.trains.method
    if isinstance(best.rival.trains, Together) and not isinstance(models.method, Auto):
        method = models.method
    weight = spoken.weight(problem)
    with stage(WEIGHING):
        calibration, reference_calibration = (
            NONE if evidence is None else _calibration(problem, own, weight) for own in (said.own, spoken.reference.own)
        )
    return Outcome(
        method=method,
        network=said.network,
        reference=spoken.reference.network,
        candidate=spoken.candidate.network,
        student=best.network,
        reference_choice=reference.model.name,
        evidence=evidence,
        held_out=said.held if evidence is not None and said.held is not None else NOTHING_HELD_OUT,
        history=best.history,
        curve=best.curve if models.folds or models.teacher else [],
        returned=returned,
        problem=problem if returned == "reference" else of_candidate,
        candidate_problem=of_candidate,
        looked_at=looked_at,
        stage_one=models.started.network()[0] if models.started is not None else None,
        tried=auto.selection.tried if auto is not None else [],
        shares=auto.selection.shares if auto is not None else {},
        rivals=rivals,
        judged=best.judged,
        calibration=calibration,
        reference_calibration=reference_calibration,
        note=best.note,
        share=spoken.share,
        prevalence=spoken.prevalence,
        look=spoken.look,
    )


def _calibration(problem: Problem, parts: FoldPredictions, weight: np.ndarray | None) -> Calibration:
    """The temperature of the returned model; none of tasks of very many units, whose probabilities are not stated."""
    return NONE if problem.task.dense or not parts else calibrated(parts, problem.y, weight)


NOTHING_HELD_OUT = HeldOut({"probabilities": np.empty((0, 0))}, np.empty(0))
"""Held-out predictions of no labels."""


def _weighed(models: Comparison, best: Best, spoken: Answers) -> Evidence | None:
    """The evidence between the best rival and the reference; None where nothing was held out."""
    if spoken.reference.held is None or spoken.candidate.held is None:
        return None
    problem, rival = models.setup.problem, best.rival
    share = float(np.mean([len(out) / len(problem.labelled) for _, out in models.folds]))
    by_role: dict[str, Tried] = {"teacher": "teacher", "adapted": "adapting"}
    if isinstance(rival.trains, Together):
        by_role["candidate"] = "together"
    of_pool = rival.trains.method.uses_pool and not idle(best.history)
    learnt: Tried = "taught" if rival.way in TAUGHT else "pool" if of_pool else "method"
    prior = rival.prior
    if spoken.share is not None:
        prior = models.records.beside(rival.trains.method.name) or prior
    called = "" if problem.groups is None else problem.groups.called
    return weigh(
        spoken.reference.held.right, spoken.candidate.held.right, prior, share, models.plan.harm_limit, problem.task,
        by_role.get(rival.role, learnt), problem.clusters, called, spoken.counts(problem), why(spoken.look),
    )  # fmt: skip


def without_pool(method: Method | Auto, pool: Sized) -> Method | Auto:
    """The method itself; `Supervised` where the method learns from the pool and the pool is empty."""
    return method if len(pool) or not method.uses_pool else Supervised()


def settings(value: Any) -> dict[str, Any]:
    """A dataclass's fields as plain values, for a summary: None of those that are left open, text of ramps.

    A field that a later version added, see `tutelage.train.loop.LATER`, is left out while it has its default.

    >>> from tutelage.methods import MeanTeacher
    >>> [settings(MeanTeacher(weight=Ramp(0.0, 1.0)))[name] for name in ("decay", "weight", "ramp")]
    [None, '0.0:1.0', 0.2]
    """
    plain = (int, float, str, bool, type(None))
    later = {f.name for f in fields(value) if f.metadata.get("later") and getattr(value, f.name) == f.default}
    there = {k: v for k, v in vars(value).items() if not isinstance(v, torch.Tensor) and k not in later}
    there |= {k: None if isinstance(v, Open) else str(v) for k, v in there.items() if isinstance(v, Open | Ramp)}
    return {k: v if isinstance(v, plain) else repr(v) for k, v in there.items()}
