"""A method on a problem: trained on all labels, or once for each fold on all labels but the fold's."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from torch import nn

from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.ledger import Recorder, apart, gather, keeps
from tutelage.fit.problem import Problem
from tutelage.fit.setup import Parts, Setup, StoredPart
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.ops import points
from tutelage.train import Member, Run, cohorts, predict, train_together
from tutelage.train.by_all import train_by_all
from tutelage.train.run import restored

STUDENT = "student."
"""Beginning of the names of a student's tensors in a fold's part of the store."""


@dataclass(frozen=True)
class Contender:
    """A method on a problem: trained on all labels, or once for each fold on all labels but the fold's.

    Trainings of small networks on fixed features are done together, as one batch of networks, see `train_together`.

    Attributes:
        name: of its parts in the store and in what is told of progress.
        method: the method, settled.
        setup: the problem that it is trained on, and how.
        start: where each of its trainings begins: a trained network, left as it is, which must not have seen a label
            that is held out of them; or a contender that is trained first. One of the same labelled examples learns,
            before each fold, that fold's labels alone; one of other examples, such as those with weak labels, learns
            them once. None begins with random weights.
        begins: whether other trainings begin with its students: then each fold's is kept.
        folds: folds whose trainings are done together with that on all labels; empty does that one by itself.
        beside: contenders whose trainings on folds are done together with this one's, which is among them; they differ
            in name and weight decay alone. Empty: there is no other.
    """

    name: str
    method: Method
    setup: Setup
    start: nn.Module | Contender | None = None
    begins: bool = False
    folds: Sequence[tuple[np.ndarray, np.ndarray]] = ()
    beside: Sequence[Contender] = ()

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of each fold, and the mean held-out score by step.

        Args:
            parts: folds of the labelled examples.
        """
        p, predicted, curves = self.setup.problem, [], []
        for (_, out), (tensors, curve) in zip(parts, self._parts(parts), strict=False):
            said = {name: t.numpy() for name, t in tensors.items() if not name.startswith(STUDENT)}
            predicted.append((p.labelled.units(out), said))
            curves.append(curve)
        mean = [(at[0][0], float(np.mean([v for _, v in at]))) for at in zip(*curves, strict=True)]
        return predicted, mean

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions by which the network is calibrated: the honest ones."""
        return honest

    def student(self) -> nn.Module:
        """The student trained on all labels."""
        return self.network()[0]

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student trained on all labels, and the history of its training."""
        p = self.setup.problem
        tensors, history = self._parts(self.folds)[-1] if len(self.folds) else self._alone(self._whole)
        points.tell(self._whole.name, history, done=True)  # of a part that was kept before, nothing was told yet
        return restored(self.method, self._blank(p), p.task, apart(tensors)), history

    def fold_student(self, index: np.ndarray, number: int, of: int) -> nn.Module:
        """The student trained on a fold's labels alone.

        Args:
            index: numbers of the labelled examples that are learnt.
            number, of: number of the fold, from 1, and number of folds.
        """
        p, (tensors, _) = self.setup.problem.for_fold(index), self._alone(_Part(self, index, number, of))
        state = {name.removeprefix(STUDENT): t for name, t in tensors.items() if name.startswith(STUDENT)}
        return restored(self.method, self._blank(p), p.task, state)

    def _parts(self, folds: Sequence[tuple[np.ndarray, np.ndarray]]) -> Parts:
        """The folds' parts of the store, and last that of all labels where it is done together with them."""
        if isinstance(self.start, Contender) and self._learns_same(self.start):
            self.start._parts(folds)  # together, before each is asked for
        numbered, several = list(enumerate(folds, start=1)), self.beside or [self]
        trainings = [_Part(one, index, number, len(folds)) for one in several for number, (index, _) in numbered]
        trainings += [self._whole] * (len(self.folds) > 0)
        mine = [i for i, training in enumerate(trainings) if training.contender.name == self.name]
        found = dict[int, StoredPart]()
        for group in self._groups(trainings):
            some = [trainings[i] for i in group]
            if len(some) == 1:
                found |= {i: self._alone(trainings[i]) for i in group if i in mine}
            else:
                compute = partial(self._trained_together, some)
                found |= zip(group, self.setup.store.together([t.name for t in some], compute), strict=True)
        if len(self.folds):
            self._gathered(found[mine[-1]])
        return [found[i] for i in mine]

    def _groups(self, trainings: Sequence[_Part]) -> list[list[int]]:
        """Numbers of the trainings that are done together; where each fold has features of its own, none are."""
        if not self.method.stackable or self.setup.problem.by_fold is not None:
            return [[i] for i in range(len(trainings))]
        return cohorts(self.method, self.setup.problem.task, [t.member() for t in trainings])

    @property
    def _whole(self) -> _Part:
        """The training on all labels."""
        return _Part(self, np.arange(len(self.setup.problem.labelled)), 0, 0)

    def _alone(self, training: _Part) -> StoredPart:
        """The part of one training, from the store or trained by itself."""

        def compute(path: Path | None) -> StoredPart:
            one, setup = training.member(), self.setup.trained(seed=training.seed)
            steps = setup.training.steps
            run = train_by_all(
                self.method, setup.problem.task, one.network, one.loader, setup.training, path=path,
                watch=one.watch, tick=lambda done: setup.tick(training.says, done, steps),
            )  # fmt: skip
            return training.kept(run, one)

        found = self.setup.store.once(training.name, compute)
        if not training.number:
            self._gathered(found)
        return found

    def _gathered(self, part: StoredPart) -> None:
        """Gather the ledger of the training on all labels."""
        gather(self.name, self.method, self.setup.problem, part[0])

    def _trained_together(self, trainings: Sequence[_Part], path: Path | None) -> Parts:
        """The parts of trainings that are done together."""
        setup, named = self.setup, f"{self.name}{' and others' * (len(self.beside) > 0)}"
        what = f"{named}, {len(trainings)} trainings together"
        members = [t.member() for t in trainings]
        runs = train_together(
            self.method, setup.problem.task, members, setup.training, path=path,
            tick=lambda done: setup.tick(what, done, setup.training.steps),
        )  # fmt: skip
        return [training.kept(run, m) for training, run, m in zip(trainings, runs, members, strict=True)]

    def _learns_same(self, other: Contender) -> bool:
        return other.setup.problem.labelled is self.setup.problem.labelled

    def _start(self, training: _Part) -> nn.Module | None:
        """The network that a training begins with, on the problem's device; see `fold_student`."""
        found = self.start
        if isinstance(found, Contender):
            fold = self._learns_same(found) and training.number
            found = found.fold_student(training.index, training.number, training.of) if fold else found.student()
        return None if found is None else copy.deepcopy(found).to(self.setup.problem.device)

    def _blank(self, p: Problem) -> nn.Module:
        """A network of the student's shape."""
        like = self.start
        while isinstance(like, Contender):
            like = like.start
        return p.network(self._seed(0)) if like is None else copy.deepcopy(like).to(p.device)

    def _seed(self, fold: int) -> int:
        return self.setup.training.seed * 1000 + fold


@dataclass(frozen=True)
class _Part:
    """A training of a contender, and what is kept of it.

    Attributes:
        contender: whose training it is.
        index: numbers of the labelled examples that are learnt.
        number, of: number of the fold, from 1, and number of folds; 0 is the training on all labels.
    """

    contender: Contender
    index: np.ndarray
    number: int
    of: int

    @property
    def name(self) -> str:
        """Name of its part in the store."""
        return slug(self.contender.name) + (f"-fold{self.number:02d}" if self.number else "")

    @property
    def says(self) -> str:
        """Name for people."""
        return f"{self.contender.name}, fold {self.number} of {self.of}" if self.number else self.contender.name

    @property
    def seed(self) -> int:
        """Seed of its weights, dropout and batches."""
        return self.contender._seed(self.number)

    def member(self) -> Member:
        """The training as `train_together` takes it; one on all labels keeps a ledger."""
        p, start = self._problem, self.contender._start(self)
        network, decay = p.network if start is None else start, self.contender.setup.training.weight_decay
        writes = not self.number and keeps(self.contender.method, p)
        watch = Recorder(self._watch, p.pool) if writes else self._watch
        return Member(network, p.loader(self.index, self.seed), self.seed, watch, decay)

    @property
    def _problem(self) -> Problem:
        return self.contender.setup.problem.for_fold(self.index)

    def _held_out(self) -> np.ndarray:
        """Numbers of the labelled examples that are held out."""
        return np.setdiff1d(np.arange(len(self._problem.labelled)), self.index)

    def _watch(self, run: Run) -> dict[str, float]:
        """The held-out score; of a training on all labels how good its pseudo-labels are, where the truth is known."""
        points.tell(self.name, run.history)
        p = self._problem
        if not self.number:
            known = p.truth is not None and self.contender.method.uses_pool
            return precision(run.memory, p.truth) if known and p.truth is not None else {}
        out = self._held_out()
        examples = p.labelled.subset(out)
        guess = predict(run.network(), p.task, examples).argmax(1).cpu().numpy()
        right = p.task.right(guess, p.y[p.labelled.units(out)], examples.counts())
        groups = None if p.groups is None else p.groups.subset(out)
        return {"held_out": float((right if groups is None else groups.mean(right)).mean())}

    def kept(self, run: Run, member: Member) -> StoredPart:
        """The student, its history and its ledger; of a fold what is said of the units held out, and score by step."""
        points.tell(self.name, run.history, done=True)
        student = run.seats["student"].module.state_dict()
        if not self.number:
            return student | (member.watch.tensors(run) if isinstance(member.watch, Recorder) else {}), run.history
        p = self._problem
        logits = predict(run.network(), p.task, p.labelled.subset(self._held_out()))
        kept = {f"{STUDENT}{name}": t for name, t in student.items()} if self.contender.begins else {}
        curve = [(h["step"], h["held_out"]) for h in run.history]
        return {name: t.cpu() for name, t in p.task.predictions(logits).items()} | kept, curve


def precision(memory: Memory, truth: np.ndarray) -> dict[str, float]:
    """How good the pseudo-labels in use are: "precision", the share of right ones where the truth is known (>= 0).

    Args:
        truth: class numbers of the pool's units, (units,), -1 = unknown.

    Returns:
        Nothing where no pseudo-label in use can be checked, or the pool is too large for the memory to hold any.

    >>> precision(Memory(0), np.zeros(3))
    {}
    """
    if not len(memory.label):
        return {}
    label = memory.label.cpu().numpy()
    kept = (memory.weight.cpu().numpy() > 0) & (label >= 0) & (truth >= 0)
    return {"precision": float((label[kept] == truth[kept]).mean())} if kept.any() else {}


def slug(name: str) -> str:
    """A name as part of a file name.

    >>> slug("stage I: weak labels")
    'stage-i-weak-labels'
    """
    return re.sub("[^a-z0-9]+", "-", name.lower())
