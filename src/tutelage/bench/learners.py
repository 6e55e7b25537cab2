"""Learners, which are the rows of a table: a method, its hyper-parameters chosen on the labels, or a trivial rival."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch

from tutelage.bench import sets
from tutelage.bench.cells import Cell, Predictions
from tutelage.bench.protocol import DataSet, Protocol, Setting, Steps
from tutelage.bench.sets import kind_for
from tutelage.estimators.self_distiller import SelfDistiller
from tutelage.fit.auto import Auto
from tutelage.fit.build import rows_of
from tutelage.fit.contender import Contender
from tutelage.fit.evidence import Prior
from tutelage.fit.fit import Outcome, fit, settings, threads
from tutelage.fit.held_out import HeldOut, choose
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Records
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup, silent
from tutelage.methods import Method, Supervised
from tutelage.modalities.head import Head

DECAYS = (1e-3, 1e-2, 1e-1)
"""Weight decays that are tried for a network that is trained on the labels alone."""

Told = tuple[Predictions, dict[str, Any]]
"""Predictions, and further values of the line of results, such as the chosen hyper-parameters and held-out scores."""


def method(cell: Cell, candidates: list[Method]) -> Told:
    """Predictions of a method: cross-validation on the labels chooses its hyper-parameters, then it learns all labels.

    Args:
        cell: the cell.
        candidates: the method with each choice of hyper-parameters.
    """
    p, tuning, told = cell.problem, cell.protocol.tuning, dict[str, Any]()
    best = candidates[0]
    if best.uses_pool and not len(p.pool):
        raise ValueError("no item is left for the pool; ask for fewer labels, or a larger pool")
    if p.weak is None and (len(candidates) > 1 or tuning.always):
        parts, held = p.folds(Plan(folds=tuning.folds, repeats=tuning.repeats), cell.training.seed), {}
        for i, candidate in enumerate(candidates):
            contender = Contender(f"candidate {i}", candidate, Setup(p, cell.steps(candidate)))
            held[str(i)] = contender.held_out(parts)[0]
        name, honest = choose(held, p.y)
        best, told = candidates[int(name)], _rounded(p.scored(honest))
    chosen = {k: v for k, v in settings(best).items() if len({settings(m)[k] for m in candidates}) > 1}
    told |= {"chosen": chosen} if chosen else {}
    if tuning.evidence and p.weak is None:
        outcome = fit(p, best, cell.steps(best), Prior(), cell.plan())
        return cell.predict(outcome.student), told | _evidence(cell, outcome)
    return cell.predict(trained(cell, best)), told


def _evidence(cell: Cell, outcome: Outcome) -> dict[str, Any]:
    """Values of a line of results on the evidence of a fit: both models' scores, and the difference that it saw."""
    if outcome.evidence is None:
        return {}
    e, reference = outcome.evidence, cell.score(cell.predict(outcome.reference))[0]
    seen = {"observed": round(e.observed, 6), "standard_error": round(e.error, 6), "evidence_labels": e.labels}
    candidate = cell.score(cell.predict(outcome.candidate))[0]
    return {"reference": reference, "candidate": candidate} | seen


def trained(cell: Cell, method: Method) -> torch.nn.Module:
    """The trained student of a method; no labels-only model is fitted beside it, except after weak labels."""
    p = cell.problem
    if p.weak is not None:
        return fit(p, method, cell.steps(method), Prior(), Plan(skip=True)).candidate
    method.ready(p.pool, silent)
    with threads(p.threads):
        return Contender("candidate", method, Setup(p, cell.steps(method))).student()


def _rounded(found: HeldOut) -> dict[str, Any]:
    """Held-out scores as values of a line of results."""
    return {"held_out": [round(float(v), 3) for v in found.right]}


def _majority(cell: Cell, _: list[Method]) -> Told:
    """Predictions of the commonest class of the labels everywhere."""
    y = _known(cell.problem)
    most = int(np.bincount(y[y >= 0]).argmax())
    return (np.full(len(cell.drawn.test.y), most), np.full(len(cell.drawn.rest.y), most)), {}


def _known(p: Problem) -> np.ndarray:
    """The class numbers that are learnt from, clean or weak."""
    if p.weak is None:
        return p.y
    target = p.weak.target
    return np.asarray((target.argmax(1) if target.ndim == 2 else target).cpu())


def _nearest_mean(cell: Cell, _: list[Method]) -> Told:
    """The class whose mean is nearest, in standardised features: a linear head."""
    p = cell.problem
    if p.probe is None:
        raise ValueError("nearest class mean needs fixed features")
    x = torch.as_tensor(p.probe.x) if p.weak is None else rows_of(p.weak.examples)
    y, blank = torch.as_tensor(_known(p)), p.probe.blanks[""]
    head = Head(x.shape[1], p.task.classes)
    head.mean.copy_(blank.mean)
    head.scale.copy_(blank.scale)
    z, linear = (x - blank.mean) / blank.scale, head.layers[-1]
    assert isinstance(linear, torch.nn.Linear)
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.fill_(-torch.inf)
        for c in range(p.task.classes):
            if (y == c).any():
                mean = z[y == c].mean(0)
                linear.weight[c], linear.bias[c] = mean, -mean.square().sum() / 2
    return cell.predict(head.eval()), {}


def _labels_only(cell: Cell, _: list[Method]) -> Told:
    """Predictions of a model of the labels alone, its hyper-parameters chosen on them by cross-validation.

    It is logistic regression with a scaling and a penalty, or a network trained whole with a weight decay.
    """
    p = cell.problem
    if p.weak is not None:
        return method(cell, [Supervised()])
    tuning = cell.protocol.tuning
    single = bool((p.labelled.counts() == 1).all()) and min(np.unique(p.y, return_counts=True)[1]) == 1
    plan = Plan(folds=5, repeats=2) if p.probe is not None else Plan(folds=tuning.folds, repeats=tuning.repeats)
    parts = [] if single else p.folds(plan, cell.training.seed)  # one label of a class: nothing can be held out
    tuned = replace(p, decays=DECAYS if p.probe is None else ())
    found = reference_model(Setup(tuned, cell.training), parts, None)
    told = _rounded(p.scored(found.honest)) if parts else {}
    return cell.predict(found.network), {"chosen": {"model": found.name}} | told


def _label_model(cell: Cell, _: list[Method]) -> Told:
    """Weak labels of the scored items and of the pool as predictions; the commonest one where there is none."""
    drawn, scored = cell.drawn, sets.said(cell.data, cell.root, cell.training.seed)
    if scored is None:
        raise ValueError("label model needs weak labels of the items to score on")
    votes = sets.hard(drawn.cut.target)
    pool = np.full(len(drawn.rest.y), np.bincount(votes[votes >= 0]).argmax())
    if drawn.covered is not None:
        units = drawn.rest.units(drawn.covered)
        pool[units] = np.where(votes < 0, pool[units], votes)
    return (scored, pool), {}


def _self_distiller(cell: Cell, _: list[Method]) -> Told:
    """Predictions of `SelfDistiller`, which chooses its hyper-parameters itself."""
    p = cell.problem
    if p.probe is None or p.weak is not None:
        raise ValueError("self_distiller needs fixed features and labels")
    model = SelfDistiller(random_state=cell.training.seed).fit(p.probe.x, p.y)
    rows = [np.asarray(rows_of(examples)) for examples in (cell.scored, p.pool)]
    scored, pool = (model.predict(x) if len(x) else np.empty(0, dtype=np.int64) for x in rows)
    return (scored, pool), {"chosen": asdict(model.chosen_)}


def auto_of(protocol: Protocol) -> Auto:
    """The automatic choice of a method, with the protocol's budget."""
    return Auto(protocol.steps.budget or Auto.budget)


def kind_of(data: DataSet, setting: Setting, steps: Steps) -> str:
    """Name of a cell's kind in the records of methods, such as "weak texts" or "unet masks".

    Args:
        data: the data set.
        setting: how much is known of the labels.
        steps: how networks are trained.
    """
    return kind_for(data, steps.network).record(setting.weak)


def _auto(cell: Cell, _: list[Method]) -> Told:
    """Predictions of "auto"; the recorded gains on this very data set are left out of its prior."""
    kind = kind_of(cell.data, cell.setting, cell.protocol.steps)
    known = Records(kind, (cell.data.name,))
    auto = auto_of(cell.protocol)
    outcome = fit(cell.problem, auto, cell.training, Prior(), cell.plan(), records=known)
    tried = [{k: round(v, 4) if isinstance(v, float) else v for k, v in a.as_dict().items()} for a in outcome.tried]
    shares = {name: round(share, 3) for name, share in outcome.shares.items()}
    told = {"chosen": {"shares": shares, "returned": outcome.returned}, "tried": tried}
    return cell.predict(outcome.network), told


LEARNERS: dict[str, Callable[[Cell, list[Method]], Told]] = {
    "majority class": _majority,
    "nearest class mean": _nearest_mean,
    "labels only": _labels_only,
    "label model": _label_model,
    "self_distiller": _self_distiller,
    "auto": _auto,
}
"""Functions of all learners that are not a single method, by name; they have the arguments of `method`."""

VERSIONS = {"method": 1} | dict.fromkeys(LEARNERS, 1)
"""Versions of the code of each learner, and of how a method is run; raised by hand when a change alters results."""
