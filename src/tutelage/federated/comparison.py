"""What federating was worth: FedLabel against the labels alone, on rows that each client holds out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from tutelage.data import Features
from tutelage.data.groups import Groups
from tutelage.federated.clients import Client
from tutelage.federated.rounds import Federation, Point
from tutelage.fit.calibration import calibrated
from tutelage.fit.evidence import Prior, estimate, weigh
from tutelage.fit.fit import NOTHING_HELD_OUT, Outcome
from tutelage.fit.held_out import FoldPredictions, HeldOut
from tutelage.fit.problem import Problem
from tutelage.methods import Method, Supervised
from tutelage.modalities.base import Reader
from tutelage.train import predict

LABELS_ONLY = "labels-only"
"""Name of the federation that learns the labels alone."""


@dataclass(frozen=True)
class Compared:
    """What was learnt, and what it was worth.

    Attributes:
        outcome: both global models, and the evidence between them.
        clients: of each client with a held-out label, by its name, what it gained, as plain values, see `_of_client`.
    """

    outcome: Outcome
    clients: dict[str, dict[str, Any]]


def folds_within(clients: Sequence[Client], folds: int, seed: int, groups: Groups | None = None) -> np.ndarray:
    """Number of the fold that holds out each labelled row, (n,), the clients' rows one after another.

    The rows of a client are dealt to the folds in turn, class by class, so that each fold holds out about its share of
    every client and class. Copies of a row are held out with it, whichever clients have them.

    Args:
        clients: the clients.
        folds: number of folds, at least 2.
        seed: seed of the order within a class.
        groups: which labelled rows are copies of one; None: none is.
    """
    sizes = [len(c.labelled) for c in clients]
    client = np.repeat(np.arange(len(clients)), sizes)
    y = torch.cat([c.target for c in clients]).cpu().numpy()
    dealt = np.arange(len(y)) if groups is None else groups.first(y)
    order = np.lexsort([np.random.default_rng(seed).random(len(dealt)), y[dealt], client[dealt]])
    found = np.empty(len(dealt), dtype=np.int64)
    found[order] = np.arange(len(dealt)) % folds
    return found if groups is None else found[groups.item]


def without_fold(clients: Sequence[Client], fold: np.ndarray, number: int) -> list[Client]:
    """The clients without the labelled rows that a fold holds out.

    Args:
        clients: the clients.
        fold: number of the fold that holds out each labelled row, as `folds_within` gives it.
        number: number of the fold.
    """
    ends = np.cumsum([len(c.labelled) for c in clients])
    own = np.split(fold, ends[:-1])
    return [c.with_labels(np.flatnonzero(mine != number)) for c, mine in zip(clients, own, strict=True)]


def compare(
    federation: Federation, method: Method, folds: int | None, reader: Reader, groups: Groups | None = None
) -> Compared:
    """Train both global models, and ask of each fold's labels models that have not seen them.

    Copies of a row have one vote together, as in any fit.

    Args:
        federation: the clients, and how they train.
        method: method of the candidate; the reference learns the labels alone, by as many steps.
        folds: number of folds; None gathers no evidence, and the candidate is returned.
        reader: reader of the rows.
        groups: which labelled rows are copies of one, the clients' rows one after another; None: none is.
    """
    problem = replace(all_rows(federation.clients, federation.network, reader), groups=groups)
    reference, _ = federation.trained(LABELS_ONLY, Supervised())
    network, history = federation.trained(method.name, method)
    if folds is None:
        return Compared(_outcome(problem, method, reference, network, history), {})
    clients = federation.clients
    fold = folds_within(clients, folds, federation.rounds.training.seed, groups)
    own = np.split(np.arange(len(fold)), np.cumsum([len(c.labelled) for c in clients])[:-1])
    names = {LABELS_ONLY: Supervised(), method.name: method}
    said: dict[str, FoldPredictions] = {name: [] for name in names}
    alone = np.zeros(len(fold))
    for k in range(folds):
        out = np.flatnonzero(fold == k)
        fewer = replace(federation, clients=without_fold(clients, fold, k))
        for name, of in names.items():
            said[name].append((out, _said(fewer.trained(f"{name}-fold{k + 1:02d}", of)[0], problem, out)))
        alone += _alone(fewer, problem, [rows[fold[rows] == k] for rows in own], k)
    first, second = (problem.scored(said[name]) for name in names)
    evidence = weigh(first.right, second.right, Prior(), 1 / folds, task=problem.task)
    candidate = evidence.returned == "candidate"
    before, after = (calibrated(said[name], problem.y, problem.unit_weights) for name in names)
    outcome = replace(
        _outcome(problem, method, reference, network, history), evidence=evidence, returned=evidence.returned,
        network=network if candidate else reference, held_out=second if candidate else first,
        calibration=after if candidate else before, reference_calibration=before,
    )  # fmt: skip
    right = [*(_right(problem, said[name]) for name in names), alone]
    rights = {c.name: [_of_rows(r[at], at, groups) for r in right] for c, at in zip(clients, own, strict=True)}
    return Compared(outcome, {n: _of_client(a, b, c, folds) for n, (a, b, c) in rights.items() if len(a)})


def _right(problem: Problem, said: FoldPredictions) -> np.ndarray:
    """1 for each labelled row that a model got right when it was held out, else 0, (n,)."""
    return HeldOut.average(problem.task, problem.y, np.ones(len(problem.y), dtype=np.int64), said).right


def _of_rows(right: np.ndarray, at: np.ndarray, groups: Groups | None) -> np.ndarray:
    """Mean of a client's values over the copies of each row that it has.

    Args:
        right: values of its labelled rows, (n,).
        at: numbers of these rows among those of all clients, (n,).
        groups: which rows are copies of one; None: none is.
    """
    return right if groups is None else groups.subset(at).mean(right)


def _said(network: nn.Module, problem: Problem, out: np.ndarray) -> dict[str, np.ndarray]:
    said = problem.task.predictions(predict(network, problem.task, problem.labelled.subset(out)))
    return {name: t.cpu().numpy() for name, t in said.items()}


def _alone(federation: Federation, problem: Problem, held_out: Sequence[np.ndarray], k: int) -> np.ndarray:
    """1 for each row that a fold holds out and that its client, alone with its other labels, gets right, else 0, (n,).

    Args:
        federation: the clients without the rows held out; one that has no other label gets none right.
        problem: all rows.
        held_out: numbers of the rows that each client holds out.
        k: number of the fold, from 0.
    """
    found = np.zeros(len(problem.y))
    for number, (client, out) in enumerate(zip(federation.clients, held_out, strict=True), start=1):
        if len(out) and len(client.labelled):
            one = replace(federation, clients=[client])
            network = one.trained(f"client{number:03d}-alone-fold{k + 1:02d}", Supervised())[0]
            guess = predict(network, problem.task, problem.labelled.subset(out)).argmax(1).cpu().numpy()
            found[out] = guess == problem.y[out]
    return found


def _of_client(reference: np.ndarray, candidate: np.ndarray, alone: np.ndarray, folds: int) -> dict[str, Any]:
    """What a client gained, as plain values: scores with their intervals, the change between them, and the votes.

    Args:
        reference, candidate, alone: 1 for each of its rows that a model got right when it was held out, (n,).
        folds: number of folds.
    """
    scores = {"labels_only": reference, "federated": candidate, "alone": alone}
    found = {name: asdict(estimate(right, bool(np.isin(right, (0, 1)).all()))) for name, right in scores.items()}
    told = weigh(reference, candidate, Prior(), 1 / folds)
    change = {name: getattr(told, name) for name in ("difference", "low", "high", "harm")}
    return found | {"change": change, "votes": len(reference)}


def all_rows(clients: Sequence[Client], network: nn.Module, reader: Reader) -> Problem:
    """The rows of all clients together, one client after another; only a simulation has them at one place."""
    labelled, pool = (Features(torch.cat([getattr(c, part).rows for c in clients])) for part in ("labelled", "pool"))
    y = torch.cat([c.target for c in clients]).cpu().numpy()
    task, device = clients[0].task, labelled.rows.device
    return Problem(task, labelled, y, pool, lambda seed: network, None, device=device, threads=1, reader=reader)


def _outcome(
    problem: Problem, method: Method, reference: nn.Module, network: nn.Module, history: list[Point]
) -> Outcome:
    """The outcome of a federation of which nothing was held out."""
    return Outcome(
        method=method, network=network, reference=reference, candidate=network, student=network,
        reference_choice="federated averaging of the labels alone", evidence=None, held_out=NOTHING_HELD_OUT,
        history=history, curve=[], returned="candidate", problem=problem, candidate_problem=problem,
    )  # fmt: skip
