"""The student that the automatic choice of a method ends with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import torch
from torch import nn

from tutelage.fit.auto import MEMBERS, Auto, Search, Selection, possible
from tutelage.fit.contender import Contender
from tutelage.fit.forecast import SEARCH
from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.machine import copies
from tutelage.fit.problem import Problem
from tutelage.fit.recorded import Records
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.setup import Setup
from tutelage.fit.shares import LABELS_ONLY
from tutelage.fit.together import said, student_of
from tutelage.methods import Method, Supervised
from tutelage.methods.pool_teacher import PoolTeacher
from tutelage.ops.meter import stage
from tutelage.ops.side_by_side import side_by_side
from tutelage.types import Tick


@dataclass(frozen=True)
class AutoStudent:
    """The student that the automatic choice of a method ends with, as a training that is compared with others.

    Several methods teach one student together; a single one is trained itself; where the labels-only model is the best,
    it is returned. Held-out predictions are those of the chosen methods together: the student, which learns them, is
    not held out itself.

    Attributes:
        name: name of its part in the store, and of its progress.
        setup: problem and training.
        auto: automatic choice, with its budget.
        records: records from which the candidates' gains are expected.
        alone: labels-only model of the same problem.
    """

    name: str
    setup: Setup
    auto: Auto
    records: Records
    alone: LabelsOnly

    @cached_property
    def _candidates(self) -> dict[str, Method]:
        return possible(self.setup)

    @property
    def _most(self) -> int:
        """Number of methods that teach together; what is said of all pixels by several would fill the memory."""
        return 1 if self.setup.problem.task.dense else MEMBERS

    @cached_property
    def selection(self) -> Selection:
        """The methods that were chosen."""
        candidates, folds = self._candidates, self.alone.folds
        gains = self.records.gains(list(candidates))
        workers = workers_for(self.setup.problem, len(candidates))
        search = Search(self.setup, candidates, gains, self.alone.model.honest, folds, self._most, workers)
        with stage(SEARCH):
            return search.run(self.auto.budget)

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of the chosen methods together; there is no curve."""
        return self.selection.predictions, []

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions by which the network is calibrated: the honest ones."""
        return honest

    @cached_property
    def _trained(self) -> tuple[Method, nn.Module, list[dict[str, float]]]:
        setup, shares, candidates = self.setup, self.selection.shares, self._candidates
        if list(shares) == [LABELS_ONLY]:
            return Supervised(), self.alone.model.network, []
        if self._most == 1:
            (name,) = shares
            return candidates[name], *Contender(self.name, candidates[name], setup).network()
        says = [partial(self._said, name, candidates.get(name)) for name in shares]
        answers = side_by_side(says, setup.tick, workers_for(setup.problem, len(says)))
        student = student_of(self.name, setup, shares, dict(zip(shares, answers, strict=True)).__getitem__)
        return student.method, *student.network()

    @property
    def method(self) -> Method:
        """Method that trained the student."""
        return self._trained[0]

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student, and the history of its training."""
        return self._trained[1:]

    def _said(self, name: str, method: Method | None, tick: Tick) -> torch.Tensor:
        """Probabilities of the pool's units, (units, c), by a method trained on all labels; else by the labels alone.

        Where the method's teacher is no network, the teacher's own probabilities are taken, not its student's.
        """
        problem = self.setup.problem
        if isinstance(method, PoolTeacher):
            loader = problem.loader(seed=self.setup.training.seed)
            return method.remembers(loader, problem.task)["taught"].to(problem.device)
        return said(self.alone if method is None else Contender(name, method, replace(self.setup, tick=tick)))


def workers_for(problem: Problem, count: int) -> int:
    """Number of processes that may do so many trainings on a problem side by side.

    Only those that use a single core, and no other device, gain by it.
    """
    return copies(count) if problem.threads == 1 and torch.device(problem.device).type == "cpu" else 1
