"""A contender whose answer held-out labels choose: how far each of its heads counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.fit.contender import Contender
from tutelage.fit.held_out import FoldPredictions, Folds
from tutelage.game import Equipped, Player
from tutelage.methods import Method
from tutelage.methods.from_teacher import FromTeacher
from tutelage.train.run import kept

Heads = tuple[np.ndarray, Tensor, dict[str, Tensor]]
"""Numbers of held-out units, their logits, and what the modules that the method brought say of them, by name."""


@dataclass(frozen=True)
class AnswersByFolds(Contender):
    """A contender whose answer held-out labels choose, see `FromTeacher.chosen`; nothing is trained again for it.

    In each fold the units of the other folds choose, so that held-out predictions are honest; of the network that
    learnt all labels all of them do.

    Attributes:
        chooses: folds of the labelled examples; where there are none, the method answers as it is.
    """

    chooses: Folds = field(default_factory=list)

    def held_out(self, parts: Folds) -> tuple[FoldPredictions, list[tuple[float, float]]]:
        """Held-out predictions of each fold, and the mean held-out score by step, which is that before the choice."""
        _, curve = super().held_out(parts)
        task, heads = self.setup.problem.task, self._heads(parts)
        found: FoldPredictions = []
        for units, logits, beside in heads:
            answer = self._chosen(heads, without=units).answer(logits, beside)
            found.append((units, {name: t.numpy() for name, t in task.predictions(answer).items()}))
        return found, curve

    def network(self) -> tuple[nn.Module, list[dict[str, float]]]:
        """The student trained on all labels, answering as these choose, and the history of its training."""
        network, history = super().network()
        if not len(self.chooses) or not isinstance(network, Equipped):
            return network, history
        method = self._chosen(self._heads(self.chooses))
        return kept(method, Equipped(network.body, network.brought)).eval(), history

    def _heads(self, parts: Folds) -> list[Heads]:
        problem, found = self.setup.problem, []
        for number, (index, out) in enumerate(parts, start=1):
            network, inner = self.fold_student(index, number, len(parts)), problem.for_fold(index)
            with torch.no_grad():
                logits, beside = Player(network.eval()).aside(inner.labelled.take(out))
            logits, beside = problem.task.units(logits).cpu(), {name: t.cpu() for name, t in beside.items()}
            found.append((problem.labelled.units(out), logits, beside))
        return found

    def _chosen(self, heads: Sequence[Heads], without: np.ndarray | None = None) -> Method:
        """The method that held-out units choose; ``without`` are numbers of units whose labels may not, (k,)."""
        method, y = self.method, self.setup.problem.y
        assert isinstance(method, FromTeacher)
        hidden = np.arange(0) if without is None else without
        free = [np.flatnonzero(~np.isin(units, hidden)) for units, _, _ in heads]
        labels = np.concatenate([y[units[i]] for (units, _, _), i in zip(heads, free, strict=True)])
        if not len(labels):
            return method
        logits = torch.cat([z[i] for (_, z, _), i in zip(heads, free, strict=True)])
        beside = {
            name: torch.cat([b[name][i] for (_, _, b), i in zip(heads, free, strict=True)]) for name in heads[0][2]
        }
        return method.chosen(logits, beside, labels)
