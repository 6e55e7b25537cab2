"""The two models between which the evidence decides, as they answer: together, and for the pool's shares of classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import nn

from tutelage.data.examples import Chosen
from tutelage.fit.auto import Auto
from tutelage.fit.both import Both, is_head, mixture
from tutelage.fit.calibration import by_repeat
from tutelage.fit.class_bias import for_shares
from tutelage.fit.comparison import Best, Comparison
from tutelage.fit.held_out import FoldPredictions, HeldOut
from tutelage.fit.pool_look import PoolLook, look_at_pool
from tutelage.fit.prevalence import LEAST_ROWS, Prevalence, declared, prevalence
from tutelage.fit.problem import Problem
from tutelage.train import predict

PROBABILITIES = 2**25
"""Probabilities of a pool, at most, by which its shares of the classes are estimated and two models are compared.

They are 268 MB; of a pool of ten million items of four classes they are those of every second item.
"""


@dataclass(frozen=True)
class Spoken:
    """A model, and what it said of held-out labels.

    Attributes:
        network: the network.
        held: honest held-out predictions, scored; None where nothing was held out.
        own: held-out predictions by which the network is calibrated.
    """

    network: nn.Module
    held: HeldOut | None
    own: FoldPredictions


@dataclass(frozen=True)
class Answers:
    """The two models between which the evidence decides.

    Attributes:
        reference: labels-only model.
        candidate: what may be returned in its place.
        prevalence: shares of the classes in the pool; None where they are not known.
        share: how much the student counts beside the labels-only model in the candidate, in [0, 1]; None: the student
            answers alone.
        look: what the pool shows of the two; None where there is no pool to look at.
    """

    reference: Spoken
    candidate: Spoken
    prevalence: Prevalence | None = None
    share: float | None = None
    look: PoolLook | None = None

    @property
    def moved(self) -> bool:
        """Whether both models answer for the pool's shares of classes, not for the labels'."""
        return self.prevalence is not None and self.prevalence.moved

    def counts(self, problem: Problem) -> np.ndarray | None:
        """How much each labelled item counts in the scores, (items,), so that these are scores on the pool.

        None: all count alike.
        """
        return counts_of(self.prevalence, problem)

    def weight(self, problem: Problem) -> np.ndarray | None:
        """How much each labelled unit counts in the temperature, (units,); None: all count alike."""
        return weight_of(self.prevalence, problem)


def counts_of(found: Prevalence | None, problem: Problem) -> np.ndarray | None:
    """How much each labelled item counts in scores on the pool, (items,); None: all count alike."""
    if found is None or not found.moved:
        return None
    ratio = problem.of_items(found.ratio[problem.y])
    counts: np.ndarray = ratio / ratio.mean()
    return counts


def weight_of(found: Prevalence | None, problem: Problem) -> np.ndarray | None:
    """How much each labelled unit counts, (units,), by its vote and by the pool's shares; None: all count alike."""
    if found is None or not found.moved:
        return problem.unit_weights
    each = np.ones(len(problem.y)) if problem.unit_weights is None else problem.unit_weights
    ratio = found.ratio[problem.y]
    weight: np.ndarray = each * ratio * each.sum() / (each * ratio).sum()
    return weight


def _gained(reference: Spoken, candidate: Spoken, counts: np.ndarray | None) -> float:
    """Difference of the held-out scores of two models."""
    if reference.held is None or candidate.held is None:
        return 0.0
    return float(np.average(candidate.held.right - reference.held.right, weights=counts))


def answers(models: Comparison, best: Best) -> Answers:
    """The two models as they answer.

    A student that is a head on the features of the labels-only model answers together with it (`Both`). Where the
    classes are clearly not as common in the pool as among the labels, or their shares were declared, both models are
    moved to the pool's shares, and so are the scores by which they are compared.

    Args:
        models: the labels-only model, and how it was compared.
        best: the best rival.
    """
    problem, plain = models.setup.problem, models.reference.model
    found = pool_shares(models)
    ratio = found.ratio if found is not None and found.moved else None
    reference = Spoken(plain.network, models.held, plain.own)
    candidate = Spoken(best.network, best.held, best.own)
    together = _answers_together(models, best, ratio is not None)
    weight = problem.unit_weights
    even, share = np.ones(problem.task.classes), None
    least = LEAST_ROWS if len(problem.y) else 1
    if found is not None and ratio is not None and not models.folds and len(problem.pool) >= least:
        networks = (network.to(problem.device) for network in (plain.network, best.network))
        reference, candidate = (_for_shares(network, problem, found) for network in networks)
    elif ratio is not None:
        reference = _spoken(Both(None, plain.network, [plain.honest], [plain.own], problem.y, ratio, weight), problem)
    if together:
        parts = [plain.honest, best.honest], [plain.own, best.own]
        both = Both(plain.network, best.network, *parts, problem.y, even if ratio is None else ratio, weight)
        candidate, share = _spoken(both, problem), both.answer.share
    elif ratio is not None and candidate.network is best.network:
        candidate = _spoken(Both(None, best.network, [best.honest], [best.own], problem.y, ratio, weight), problem)
    look = None
    if _looks(models) and best.rival.trains.setup.problem.reader is problem.reader and best.held is not None:
        look = look_at_pool(
            _by_classes(problem, reference.network), _by_classes(problem, candidate.network), reference.own,
            candidate.own, problem.y, found, _gained(reference, candidate, counts_of(found, problem)),
            problem.unit_weights,
        )  # fmt: skip
    return Answers(reference, candidate, found, share, look)


def pool_shares(models: Comparison) -> Prevalence | None:
    """Shares of the classes in the pool: declared, or estimated by the labels-only model; None: they are not known.

    Of labels that a selector chose nothing is estimated: items of a class among them are harder than in the pool, so
    that the errors on them are not those there.
    """
    problem = models.setup.problem
    if problem.shares is not None:
        return declared(problem.shares, problem.y, problem.unit_weights)
    if problem.selected or not _looks(models) or not models.folds:
        return None
    plain = models.reference.model
    groups = None if problem.groups is None else problem.groups.cluster[problem.groups.item]
    return prevalence(
        by_repeat(plain.own, len(problem.y)), problem.y, _by_classes(problem, plain.network), problem.unit_weights,
        groups,
    )  # fmt: skip


def _looks(models: Comparison) -> bool:
    """Whether what models say of the pool is looked at: of single items, where no teacher speaks of them."""
    problem = models.setup.problem
    return bool(len(problem.pool)) and not (problem.task.dense or problem.task.sequential or models.teacher)


def _answers_together(models: Comparison, best: Best, moved: bool) -> bool:
    """Whether the student answers together with the labels-only model.

    The automatic choice has weighed the labels-only model against all others already. Of words of sentences, of which
    nearly all are outside entities, a share that makes labels likely is not one that finds entities.
    """
    problem, trains = models.setup.problem, best.rival.trains
    return (
        best.held is not None
        and _looks(models)
        and trains.method.uses_pool
        and trains.setup.problem.reader is problem.reader
        and (moved or not isinstance(models.method, Auto))
        and is_head(models.reference.model.network)
        and is_head(best.network)
    )


def _for_shares(network: nn.Module, problem: Problem, found: Prevalence) -> Spoken:
    """A network moved to the pool's shares where no label was held out: its answers in the pool have these shares."""
    bias = for_shares(_by_classes(problem, network), found.pool)
    return Spoken(mixture([network], [1.0], [bias]), None, [])


def _spoken(both: Both, problem: Problem) -> Spoken:
    honest = both.held_out()
    return Spoken(both.network(), problem.scored(honest) if honest else None, honest)


def _by_classes(problem: Problem, network: nn.Module) -> np.ndarray:
    """Probabilities of the pool's items, (m, c), or of as many, evenly spaced, as make PROBABILITIES."""
    step = -(-len(problem.pool) * problem.task.classes // PROBABILITIES)
    some = problem.pool if step < 2 else Chosen(problem.pool, np.arange(0, len(problem.pool), step))
    said = predict(network.to(problem.device), problem.task, some)
    found: np.ndarray = said.double().softmax(-1).cpu().numpy()
    return found
