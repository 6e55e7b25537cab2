"""One student of several models, which the folds cannot tell apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from tutelage.fit.contender import Contender
from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.fit.reference import LabelsOnly
from tutelage.fit.rivals import Rival, Trains
from tutelage.fit.setup import Setup
from tutelage.fit.shares import LABELS_ONLY, REFERENCE
from tutelage.methods import Committee, Method
from tutelage.train import predict

PATIENCE = 3
"""Steps of the student, as a multiple of those of a method; its labels do not change, so that more steps help."""


def student_of(name: str, setup: Setup, shares: Mapping[str, float], said: Callable[[str], Tensor]) -> Contender:
    """Training of one student by several models.

    Args:
        name: of its part in the store, and of its progress.
        setup: problem and training of the student.
        shares: how much each model counts, by its name; they sum to 1.
        said: function that gives the probabilities of the pool's units, (units, c), by the model of a name.
    """
    together = torch.stack([share * said(model) for model, share in shares.items()]).sum(0)
    longer = setup.trained(steps=setup.training.steps * PATIENCE)
    return Contender(name, Committee(tuple(shares), together), longer)


@dataclass(frozen=True)
class Together:
    """One student of the labels-only reference and its rivals, each of which counts by its share.

    Attributes:
        reference: labels-only model.
        rivals: the rivals.
        shares: how much each counts, by its number, with `REFERENCE` for the reference; they sum to 1.
        honest: held-out predictions of these models together.
    """

    reference: LabelsOnly
    rivals: Sequence[Rival]
    shares: Mapping[int, float]
    honest: FoldPredictions

    @property
    def _models(self) -> dict[int, Trains]:
        return {i: self.reference if i == REFERENCE else self.rivals[i].trains for i in self.shares}

    @property
    def setup(self) -> Setup:
        """Problem on the features on which the largest part of the models is, without a teacher, and the training."""
        models = self._models

        def weight(setup: Setup) -> float:
            same = (i for i, model in models.items() if model.setup.problem.reader is setup.problem.reader)
            return sum(self.shares[i] for i in same)

        largest = max((model.setup for model in models.values()), key=weight)
        return largest.on(largest.problem.without_teacher())

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of the models together; there is no curve."""
        return self.honest, []

    def own(self, honest: FoldPredictions) -> FoldPredictions:
        """Held-out predictions by which the network is calibrated: the honest ones."""
        return honest

    @cached_property
    def _student(self) -> Contender:
        named = {self._says(i): model for i, model in self._models.items()}
        shares = {self._says(i): share for i, share in self.shares.items()}
        return student_of("together", self.setup, shares, lambda says: said(named[says]))

    def _says(self, number: int) -> str:
        return LABELS_ONLY if number == REFERENCE else self.rivals[number].says

    @property
    def method(self) -> Method:
        """Method that trains the student."""
        return self._student.method

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student, and the history of its training."""
        return self._student.network()


def said(model: Trains) -> Tensor:
    """Probabilities of the pool's units, (units, c), by a model that learnt all labels."""
    problem = model.setup.problem
    return predict(model.network()[0].to(problem.device), problem.task, problem.pool).softmax(-1)
