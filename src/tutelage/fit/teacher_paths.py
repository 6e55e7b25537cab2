"""The ways in which a brought teacher is used: its labels first, clean labels looked at or learnt beside, or not."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from tutelage.fit import after_weak_labels
from tutelage.fit.after_weak_labels import LookedAt
from tutelage.fit.by_folds import AnswersByFolds
from tutelage.fit.contender import Contender
from tutelage.fit.evidence import Prior
from tutelage.fit.held_out import Folds
from tutelage.fit.problem import Problem
from tutelage.fit.recorded import Records
from tutelage.fit.rivals import Rival
from tutelage.fit.setup import Setup
from tutelage.methods import Distil, Method
from tutelage.methods.from_teacher import FromTeacher

LEAST_LEARNT = 2
"""Clean labels of each class, at least, that are learnt beside a teacher's; fewer are only looked at."""

LOOKED_AT, ALONE, BESIDE, DISTILLED, WITHOUT = "looked at", "teacher alone", "beside", "distilled", "without"
"""Ways of using a teacher: clean labels are looked at; it is followed alone; labels are learnt beside it and then the
method's game is played; they are learnt beside it, and no more; it is not used."""

FAITHFUL = 0.92
"""Share of what the student of stage I is surest of that a game's student says, too, at least, where no label can tell
whether it was right to leave the teacher. It was chosen by the parts to learn from of six sets of texts after
descriptions, five after rules, and TREC after a language model (`benchmarks/results/leaving.jsonl`). It is 0.93 and
more in games that lost a point or two at most, and 0.91 and less in those that lost six and more; the gap is narrow."""

TAUGHT = LOOKED_AT, BESIDE, DISTILLED
"""Ways in which the student learns from the teacher and from the pool or the labels, too."""


def learnable(problem: Problem) -> bool:
    """Whether the clean labels beside a teacher can be learnt: there are `LEAST_LEARNT` of each class.

    Of a class that has none the labels would say that it does not exist.
    """
    count = problem.labels
    if problem.task.sequential or problem.task.dense:
        return count >= LEAST_LEARNT
    return bool(problem.labels_of_each.min(initial=count) >= LEAST_LEARNT)


def agreement(pool: Tensor, other: Tensor) -> float:
    """Share of the units of which one model is surest, half of all, where another one says the same, in [0, 1].

    Args:
        pool: probabilities of the pool's units by the one, (units, c).
        other: probabilities by the other, (units, c).

    >>> import torch
    >>> one = torch.tensor([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    >>> agreement(one, torch.tensor([[0.7, 0.3], [0.9, 0.1], [1.0, 0.0]]))
    0.5
    """
    sure, label = pool.max(-1)
    top = sure.argsort(descending=True, stable=True)[: (len(sure) + 1) // 2]
    return float((other.argmax(-1)[top] == label[top]).float().mean())


def expected(way: str, problem: Problem, records: Records) -> Prior:
    """Expected change of the score against the labels only, as records of described teachers have it.

    Args:
        way: way of using the teacher.
        problem: problem, for its number of labels a class.
        records: records of benchmarks.
    """
    return records.nearest("teachers.json", way, problem.labels_a_class)


def looking(setup: Setup, method: Method, started: LookedAt, records: Records) -> Iterator[Rival]:
    """The method's game after the teacher, in which clean labels are only looked at, and the teacher alone.

    Args:
        setup: problem with weak labels, and the training.
        method: settled method.
        started: stage I.
        records: records of benchmarks.
    """
    after = after_weak_labels.game(setup, method, started) if method.uses_pool else started
    prior = expected(LOOKED_AT, setup.problem, records)
    if not method.needs_labels:
        yield Rival("candidate", f"{method.name} after the teacher, labels looked at", after, prior, LOOKED_AT)
    if len(setup.problem.labelled) and method.uses_pool:
        yield Rival("teacher", "the teacher alone", started, expected(ALONE, setup.problem, records), ALONE)


def learning(
    before: str, setup: Setup, method: Method, prior: Prior, records: Records, folds: Folds
) -> Iterator[Rival]:
    """The method with clean labels learnt: beside the teacher's, and without the teacher.

    Args:
        before: beginning of the names, which says on which features.
        setup: problem with weak labels, and the training.
        method: method, not settled.
        prior: expected change of the score by the method without a teacher.
        records: records of benchmarks.
        folds: folds of the labelled examples.
    """
    if not method.uses_pool:
        return
    task, taught = setup.problem.task, setup.on(setup.problem.calibrated())
    settled, first = method.settled(task, True), Distil().settled(task, True)
    if isinstance(settled, FromTeacher):
        named = f"{before}{settled.name}"
        alone = Contender(f"{named}, labels beside", settled, taught)
        if isinstance(method, FromTeacher) and method.chooses:
            alone = AnswersByFolds(alone.name, settled, taught, begins=True, chooses=folds)
        yield Rival("candidate", named, alone, expected(DISTILLED, setup.problem, records), DISTILLED)
        return
    begun = Contender(f"{before}stage I, labels beside", first, taught, begins=True)
    says = f"{before}{method.name} after the teacher, labels beside"
    beside = Contender(f"{before}candidate, labels beside", settled, taught, begun)
    yield Rival("candidate", says, beside, expected(BESIDE, setup.problem, records), BESIDE)
    says = f"{before}the teacher distilled, labels beside"
    yield Rival("candidate", says, begun, expected(DISTILLED, setup.problem, records), DISTILLED)
    free = setup.on(setup.problem.without_teacher())
    plain = Contender(f"{before}candidate, no teacher", method.settled(task), free)
    yield Rival("candidate", f"{before}{method.name} without the teacher", plain, prior, WITHOUT)
