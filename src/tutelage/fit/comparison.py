"""The models of a fit: the labels-only reference, all that may be returned in its place, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from tutelage.fit import after_weak_labels
from tutelage.fit.auto import Auto
from tutelage.fit.auto_student import AutoStudent
from tutelage.fit.contender import Contender
from tutelage.fit.evidence import Prior
from tutelage.fit.held_out import FoldPredictions, Folds, HeldOut
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.recorded import Records
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.rivals import Judged, Rival, judge
from tutelage.fit.setup import Setup
from tutelage.fit.teacher_paths import learnable, learning, looking
from tutelage.methods import METHODS, Method
from tutelage.methods.distil import no_teacher

STANDARD = "drift"
"""Method that "auto" plays after a brought teacher, and whose step is timed for all that it may try."""


ADAPTED = "adapted, "
"""Beginning of the names of trainings on the features of adapted encoders."""


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
            self.method.ready(problem.pool, setup.tick)
        self.played = METHODS[STANDARD]() if isinstance(method, Auto) else method
        self.game = self.played.settled(problem.task, self.teacher)
        looks = self.teacher and not self.learns
        self.folds: Folds = [] if looks else problem.folds(self.plan, setup.training.seed)
        if isinstance(self.method, Auto) and not self.teacher and not self.folds:
            raise ValueError("auto chooses by the labels: it needs some, or a teacher that is brought")
        self.started = after_weak_labels.stage_one(setup, self.game, self.folds) if self.teacher else None
        stage_one = self.started.network()[0] if self.started is not None and not len(problem.labelled) else None
        self.reference = LabelsOnly("", setup, self.folds, stage_one)
        self.held = problem.scored(self.reference.model.honest) if self.folds else None

    def rivals(self) -> Iterator[Rival]:
        """All models that may be returned in place of the reference."""
        if self.started is not None:
            yield from looking(self.setup, self.game, self.started, self.records)
        features = [("", self.reference)]
        if self.adapted is not None and self.held is not None:
            better = self._adapted(self.adapted, self.held)
            if better is not None:
                yield self._alone(better)
                features.append((ADAPTED, better))
        if isinstance(self.method, Auto) and self.folds:
            before, alone = features[-1]
            free = alone.setup.on(alone.setup.problem.without_teacher())
            student = AutoStudent(f"{before}candidate", free, self.method, self.records, alone)
            yield Rival("candidate", f"{before}auto", student, self.prior)
        for before, alone in features:
            if self.teacher and self.learns:
                yield from learning(before, alone.setup, self.played, self.prior, self.records)
            elif not self.teacher and (not isinstance(self.method, Auto) or before != features[-1][0]):
                contender = Contender(f"{before}candidate", self.played.settled(self.setup.problem.task), alone.setup)
                yield Rival("candidate", f"{before}{self.played.name}", contender, self.prior)

    def _adapted(self, adapted: Adapted, held: HeldOut) -> LabelsOnly | None:
        """The labels-only model on the adapted encoder; None where it is expected to lose.

        The pool is encoded anew where something learns from it.
        """
        problem = self.setup.problem
        labels = LabelsOnly(ADAPTED, self.setup.on(adapted.labels()), self.folds)
        found = labels.setup.problem.scored(labels.held_out(self.folds)[0])
        _, _, (told,) = judge(held, [self._alone(labels)], [found], problem.task, problem.labelled, self.folds)
        if told.gain <= 0:
            return None
        pool = isinstance(self.method, Auto) or self.game.uses_pool
        return LabelsOnly(ADAPTED, self.setup.on(adapted.whole()), self.folds) if pool else labels

    def _alone(self, labels: LabelsOnly) -> Rival:
        """The labels-only model on the adapted encoder, as a rival of that on the encoder as it is."""
        expected = self.records.nearest("adapting.json", "adapted", self.setup.problem.labels_a_class)
        return Rival("adapted", "labels only, encoder adapted", labels, expected)

    def best(self, rivals: Sequence[Rival]) -> Best:
        """The best rival by the folds; the first one where no labels can tell."""
        problem = self.setup.problem
        if len(rivals) == 1 or self.held is None:
            predictions, curve = rivals[0].trains.held_out(self.folds)
            held = problem.scored(predictions) if predictions else None
            return Best(rivals[0], *rivals[0].trains.network(), held, rivals[0].trains.own(predictions), curve, [])
        told = [r.trains.held_out(self.folds) for r in rivals]
        found = [problem.scored(predictions) for predictions, _ in told]
        number, honest, judged = judge(self.held, rivals, found, problem.task, problem.labelled, self.folds)
        trains, curve = rivals[number].trains, told[number][1]
        return Best(rivals[number], *trains.network(), honest, trains.own(told[number][0]), curve, judged)


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
