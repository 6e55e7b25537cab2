"""SLaM: what the student says is mixed with how the teacher errs, before the two are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from sklearn.isotonic import IsotonicRegression
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import PositiveShare
from tutelage.methods.from_teacher import FromTeacher, heard_of
from tutelage.tasks import Task
from tutelage.types import Labels, Logits, LogProbs, Params, Probs, Views, Weight


@dataclass(frozen=True)
class Slam(FromTeacher):
    """The student's answer is mixed with how the teacher errs before it is held against the teacher's label.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(y_u, m_u),
    m_u = a_u f(x_u) + (1 - a_u) (1 - f(x_u)) [class among the teacher's k likeliest]

    y_u is the teacher's likeliest class, or its probabilities. a_u is how probably the teacher is right there: the
    isotonic regression of being right on the margin of its two likeliest classes, over the labelled units that it
    speaks of, at least ``floor``. k is the smallest number of classes among which the teacher has the true one often
    enough; it matters to soft labels alone. Where it speaks of no labelled unit, nothing tells how it errs, and a = 1:
    plain distillation. The labels are learnt, too.

    Source: Kontonis et al., SLaM: Student-Label Mixing for Distillation with Unlabeled Examples, NeurIPS 2023; known to
    us by abstract and reviews, so this is our reading.

    Args:
        weight: factor on the pool's loss, at least 0.
        hard: whether y_u is the teacher's likeliest class alone.
        floor: least a_u, in (0, 1]; 1 is plain distillation.
        within: share of the labels that must be among the teacher's k likeliest classes, in (0, 1].

    >>> Slam().floor
    0.5
    """

    name: ClassVar[str] = "slam"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("floor", "within")
    hard: bool = True
    floor: PositiveShare = 0.5
    within: PositiveShare = 0.9

    def remembers(self, loader: Loader, task: Task) -> Params:
        kept = super().remembers(loader, task)
        said, labelled = kept["said"], heard_of(loader).labelled
        right, count = torch.ones_like(kept["counts"]), task.classes
        if labelled is not None:
            known, target = labelled().cpu(), loader.target.cpu()
            y = target.argmax(-1) if target.is_floating_point() else target
            there = (y >= 0) & ~known.isnan().any(-1)
            if there.any():
                right = reliability(known[there], y[there], said).clamp(min=self.floor, max=1.0)
                count = likeliest(known[there], y[there], self.within)
        return kept | {"right": right, "among": among(said, count)}

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        right, errs = memory.kept["right"][pool.index], memory.kept["among"][pool.index]
        target = torch.nn.functional.one_hot(said.argmax(-1), said.shape[-1]).to(said) if self.hard else said
        return -(target * log_mixed(task.units(student(pool["weak"])), right, errs)).sum(-1)


def log_mixed(logits: Logits, right: Weight, among: Tensor) -> LogProbs:
    """``log (a f + (1 - a) (1 - f) e)`` with ``f = softmax(logits)``, (n, c), finite; ``log f`` where a = 1.

    Args:
        logits: predictions, (n, c).
        right: a, in (0, 1], (n,).
        among: e, 1 for a class that a teacher that errs may say, else 0, (n, c).

    >>> log_mixed(torch.tensor([[0.0, 0.0]]), torch.tensor([0.8]), torch.ones(1, 2)).exp().tolist()
    [[0.5, 0.5]]
    """
    log_f, a = torch.log_softmax(logits, dim=-1), right[:, None]
    errs = (among > 0) & (a < 1)
    f = log_f.exp()
    mixed = torch.where(errs, a * f + (1 - a) * (1 - f), 1.0)
    return torch.where(errs, mixed.log(), a.log() + log_f)


def reliability(said: Probs, y: Labels, of: Probs) -> Weight:
    """How probably a teacher is right on units, (m,): isotonic in the margin of its two likeliest classes.

    Args:
        said: what it says of units with labels, (n, c).
        y: their class numbers, (n,).
        of: what it says of other units, (m, c).

    >>> said = torch.tensor([[0.9, 0.1], [0.6, 0.4]])
    >>> reliability(said, torch.tensor([0, 1]), said).tolist()
    [1.0, 0.0]
    """
    fit = IsotonicRegression(out_of_bounds="clip")
    fit.fit(_margin(said), (said.argmax(-1) == y).numpy().astype(np.float64))
    return torch.as_tensor(fit.predict(_margin(of.cpu())), dtype=of.dtype, device=of.device)


def _margin(said: Probs) -> np.ndarray:
    top = said.double().topk(2, dim=-1).values
    found: np.ndarray = (top[:, 0] - top[:, 1]).numpy()
    return found


def likeliest(said: Probs, y: Labels, within: float) -> int:
    """Smallest number of classes, at least 2, among which the true one is in a share ``within`` of the units.

    Args:
        said: probabilities, (n, c).
        y: class numbers, (n,).
        within: share, in (0, 1].

    >>> likeliest(torch.tensor([[0.6, 0.3, 0.1], [0.5, 0.1, 0.4]]), torch.tensor([0, 1]), 0.9)
    3
    """
    rank = (said > said.gather(1, y[:, None])).sum(-1)
    for k in range(2, said.shape[1]):
        if float((rank < k).double().mean()) >= within:
            return k
    return int(said.shape[1])


def among(said: Probs, count: int) -> Tensor:
    """1 for the classes that are among the likeliest ``count`` of a unit, else 0, (n, c); ties count as among them."""
    least = said.topk(min(count, said.shape[1]), dim=-1).values[:, -1:]
    return (said >= least).to(said.dtype)
