"""The models of a fit: the labels-only reference, all that may be returned in its place, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import nn

from tutelage.fit import after_weak_labels
from tutelage.fit.auto import Auto
from tutelage.fit.auto_student import AutoStudent
from tutelage.fit.contender import Contender
from tutelage.fit.evidence import Prior
from tutelage.fit.forecast import FOLDS, WHOLE
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Records
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.rivals import Judge, Judged, Rival
from tutelage.fit.setup import Setup
from tutelage.fit.shares import REFERENCE
from tutelage.fit.teacher_paths import ALONE, FAITHFUL, agreement, learnable, learning, looking
from tutelage.fit.together import Together, said
from tutelage.methods import METHODS, Method
from tutelage.methods.from_teacher import no_teacher
from tutelage.ops.meter import stage

STANDARD = "drift"
"""Method that "auto" plays after a brought teacher, and whose step is timed for all that it may try."""

ADAPTED = "adapted, "
"""Beginning of the names of trainings on the features of adapted encoders."""

LEAST_WORTH = 0.5
"""Share of the labels, at least, that as many labels of equal weight would have to be worth as much as the weighted
ones (Kish's effective sample size); else none is weighted."""


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
class Best:
    """The rival that is chosen, trained on all labels.

    Attributes:
        rival: the rival.
        network, history: its network, and the history of its training.
        held: honest held-out predictions, scored; None where nothing was held out.
        honest: the same before they are scored; empty where nothing was held out.
        own: held-out predictions of the rival itself, by which it is calibrated.
        curve: held-out score by step.
        judged: all rivals as they were judged.
        note: sentence on what nobody would expect; empty where there is none.
    """

    rival: Rival
    network: nn.Module
    history: list[dict[str, float]]
    held: HeldOut | None
    honest: FoldPredictions
    own: FoldPredictions
    curve: list[tuple[float, float]]
    judged: list[Judged]
    note: str = ""


class Comparison:
    """The models of a fit: the labels-only reference, and those that may be returned in its place.

    Attributes:
        setup: problem on the features of the encoder as it is, and the training.
        method: method, settled, or the automatic choice.
        game: method that is played after a brought teacher.
        started: stage I; None without a teacher.
        reference: labels-only model.
    """

    def __init__(
        self, setup: Setup, method: Method | Auto, prior: Prior, plan: Plan, records: Records, adapted: Adapted | None
    ) -> None:
        problem = setup.problem
        self.setup, self.prior, self.records, self.adapted = setup, prior, records, adapted
        self.teacher = problem.weak is not None
        self.learns = learnable(problem)
        self.method = method.settled(problem.task, self.teacher)
        self.plan = method.plan(plan) if isinstance(method, Auto) else plan
        require_teacher(self.method, self.teacher, self.learns)
        if not isinstance(self.method, Auto):
            with stage(WHOLE):
                self.method.ready(problem.pool, setup.tick)
        self.played = METHODS[STANDARD]() if isinstance(method, Auto) else method
        self.game = self.played.settled(problem.task, self.teacher)
        looks = self.teacher and not self.learns
        self.folds: Folds = [] if looks else problem.folds(self.plan, setup.training.seed)
        if isinstance(self.method, Auto) and not self.teacher and not self.folds:
            raise ValueError("auto chooses by the labels: it needs some, or a teacher that is brought")
        self.started = after_weak_labels.stage_one(setup, self.game, self.folds) if self.teacher else None
        with stage(WHOLE):
            stage_one = self.started.network()[0] if self.started is not None and not len(problem.labelled) else None
        self.reference = LabelsOnly("", setup, self.folds, stage_one)
        self.held = problem.scored(self.reference.model.honest) if self.folds else None

    def rivals(self) -> Iterator[Rival]:
        """All models that may be returned in place of the reference."""
        if self.started is not None:
            yield from looking(self.setup, self.game, self.started, self.records)
        features = [("", self.reference)]
        if self.adapted is not None and self.held is not None:
            better = self._adapted(self.adapted)
            if better is not None:
                yield self._alone(better)
                features.append((ADAPTED, better))
        if isinstance(self.method, Auto) and self.folds:
            before, alone = features[-1]
            free = alone.setup.on(alone.setup.problem.without_teacher())
            student = AutoStudent(f"{before}auto", free, self.method, self.records, alone)
            yield Rival("candidate", f"{before}auto", student, self.prior)
        for before, alone in features:
            if self.teacher and self.learns:
                yield from learning(before, alone.setup, self.played, self.prior, self.records, self.folds)
            elif not self.teacher and (not isinstance(self.method, Auto) or before != features[-1][0]):
                played, together = self.played.settled(self.setup.problem.task), self.folds * (len(features) == 1)
                contender = Contender(f"{before}candidate", played, alone.setup, folds=together)
                yield Rival("candidate", f"{before}{self.played.name}", contender, self.prior)

    def _adapted(self, adapted: Adapted) -> LabelsOnly | None:
        """The labels-only model on the adapted encoder; None where it is expected to lose.

        The pool is encoded anew where something learns from it.
        """
        labels = LabelsOnly(ADAPTED, self.setup.on(adapted.labels()), self.folds)
        (told,) = self._judge.verdict([self._alone(labels)], [labels.model.honest]).judged
        if told.gain <= 0:
            return None
        return LabelsOnly(ADAPTED, self.setup.on(adapted.whole()), self.folds) if self._uses_pool else labels

    def _alone(self, labels: LabelsOnly) -> Rival:
        """The labels-only model on the adapted encoder, as a rival of that on the encoder as it is."""
        expected = self.records.nearest("adapting.json", "adapted", self.setup.problem.labels_a_class)
        return Rival("adapted", "labels only, encoder adapted", labels, expected)

    @property
    def _uses_pool(self) -> bool:
        """Whether anything learns from the pool."""
        return len(self.setup.problem.pool) > 0 and (isinstance(self.method, Auto) or self.game.uses_pool)

    @cached_property
    def _judge(self) -> Judge:
        """Comparison of rivals with the reference. What several say of all pixels would fill the memory."""
        problem = self.setup.problem
        together = self._uses_pool and not problem.task.dense
        return Judge(problem, self.folds, self.reference.model.honest, together, self._counts())

    def _counts(self) -> np.ndarray | None:
        """How much each labelled example counts; None counts all alike.

        Labels are often drawn evenly over the classes, and the pool is not. Beside a teacher a label counts as much as
        its class has a share in what the teacher's student, which learnt no label, says of the pool: this is
        post-stratification. Where a few labels would count for nearly all, as beside a teacher that always says the
        same, all count alike.
        """
        problem = self.setup.problem
        if self.started is None or problem.task.dense or problem.task.sequential or not self.learns:
            return None
        looks = self.game.uses_pool and not self.game.needs_labels
        student = after_weak_labels.game(self.setup, self.game, self.started) if looks else self.started
        with stage(WHOLE):
            shares = said(student).mean(0).cpu().numpy()
        here = np.bincount(problem.y, minlength=problem.task.classes)[problem.y] / len(problem.y)
        found: np.ndarray = shares[problem.y] / here
        worth = found.sum() ** 2 / (found**2).sum() / len(found)
        return found if worth >= LEAST_WORTH else None

    def _first(self, rival: Rival) -> tuple[Rival, str]:
        """The rival, or the teacher alone where a game left it and no label can tell whether that was right; a note."""
        if self.started is None or self.held is not None or rival.trains is self.started:
            return rival, ""
        with stage(WHOLE):
            same = agreement(said(self.started), said(rival.trains))
        if same >= FAITHFUL:
            return rival, ""
        note = (
            f"{rival.says}: this says the same as the teacher's own student of only {100 * same:.0f} % of what that is "
            "surest of, and no labels can tell which is right. The teacher alone is followed."
        )
        return Rival("teacher", "the teacher alone", self.started, rival.prior, ALONE), note

    def best(self, rivals: Sequence[Rival]) -> Best:
        """The best rival by the folds, or one student of the best together; the first one where no labels can tell."""
        problem = self.setup.problem
        if len(rivals) == 1 or self.held is None:
            rival, note = self._first(rivals[0])
            predictions, curve = _held_out(rival, self.folds)
            held = problem.scored(predictions) if predictions else None
            return Best(rival, *_trained(rival), held, predictions, rival.trains.own(predictions), curve, [], note)
        told = [_held_out(rival, self.folds) for rival in rivals]
        verdict = self._judge.verdict(rivals, [predictions for predictions, _ in told])
        count = {i: share for i, share in verdict.shares.items() if i != REFERENCE}
        number = max(count, key=lambda i: count[i]) if count else verdict.best
        rival, (own, curve) = rivals[number], told[number]
        if count and len(verdict.shares) > 1:
            together = Together(self.reference, rivals, verdict.shares, verdict.honest)
            prior = max((r.prior for r in rivals), key=lambda prior: prior.mean)
            rival, own, curve = Rival("candidate", "together", together, prior), verdict.honest, []
        honest = verdict.honest if count else own
        held = problem.scored(honest)
        return Best(rival, *_trained(rival), held, honest, rival.trains.own(own), curve, verdict.judged)


def _held_out(rival: Rival, folds: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
    """Held-out predictions of a rival, and the held-out score by step."""
    with stage(FOLDS):
        return rival.trains.held_out(folds)


def _trained(rival: Rival) -> tuple[nn.Module, list[dict[str, float]]]:
    """Network of a rival, which learnt all labels, and the history of its training."""
    with stage(WHOLE):
        return rival.trains.network()


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
