"""The student that the automatic choice of a method ends with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import nn

from tutelage.fit.auto import MEMBERS, Auto, Search, Selection, possible
from tutelage.fit.contender import Contender
from tutelage.fit.forecast import SEARCH
from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.recorded import Records
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.setup import Setup
from tutelage.fit.shares import LABELS_ONLY
from tutelage.fit.together import said, student_of
from tutelage.methods import Method, Supervised
from tutelage.methods.pool_teacher import PoolTeacher
from tutelage.ops.meter import stage


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
        search = Search(self.setup, candidates, gains, self.alone.model.honest, folds, self._most)
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
        student = student_of(self.name, setup, shares, lambda name: self._said(name, candidates.get(name)))
        return student.method, *student.network()

    @property
    def method(self) -> Method:
        """Method that trained the student."""
        return self._trained[0]

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student, and the history of its training."""
        return self._trained[1:]

    def _said(self, name: str, method: Method | None) -> torch.Tensor:
        """Probabilities of the pool's units, (units, c), by a method trained on all labels; else by the labels alone.

        Where the method's teacher is no network, the teacher's own probabilities are taken, not its student's.
        """
        problem = self.setup.problem
        if isinstance(method, PoolTeacher):
            loader = problem.loader(seed=self.setup.training.seed)
            return method.remembers(loader, problem.task)["taught"].to(problem.device)
        return said(self.alone if method is None else Contender(name, method, self.setup))
