"""ND: the student's features grow along the direction of the teacher's class, as long as the teacher's at least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Count, NonNegative, Positive
from tutelage.methods.from_teacher import FromTeacher, logs
from tutelage.ops.losses import kl
from tutelage.tasks import Task
from tutelage.types import Params, Probs, Views, Weight


@dataclass(frozen=True)
class Nd(FromTeacher):
    """Distillation, and the student's last features are drawn along the mean of the teacher's of the same class.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u (T^2 KL(softmax(log t_u / T) || softmax(f(x_u) / T)) + norm * N_u),
    N_u = 1 - <s_u, e_y> / max(|s_u|, |t_u|)

    s_u are the student's last features, |t_u| is the length of the teacher's, e_y is the direction of the mean of the
    teacher's features over the units that it gives the class y that it gives u. A student shorter than the teacher is
    drawn along e_y, a longer one is turned towards it. Where the student has another width than ``size``, a linear
    adapter is learnt beside and dropped; where the teacher has more, its features are projected onto their first
    ``size`` principal directions, where it has fewer, zeros are added.

    The teacher's features are those that were brought with it, else the units' own fixed features.

    Source: Wang et al., Improving Knowledge Distillation via Regularizing Feature Norm and Direction, arXiv 2305.17007,
    2023. There labels say y, and the first epochs weigh the divergence less: ``weight`` may be a ramp.

    Args:
        weight: factor on the pool's loss, at least 0.
        temperature: T, above 0.
        norm: factor on N within it, at least 0; 0 is distillation alone.
        size: number of features that are compared, at least 1.

    >>> from tutelage.tasks import Classification
    >>> Nd(size=3).brings(4, Classification(2))["adapter"]
    Linear(in_features=4, out_features=3, bias=True)
    """

    name: ClassVar[str] = "nd"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    temperature: Positive = 4.0
    norm: NonNegative = 1.0
    size: Count = 64

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        return nn.ModuleDict({"adapter": nn.Identity() if width == self.size else nn.Linear(width, self.size)})

    def remembers(self, loader: Loader, task: Task) -> Params:
        kept = super().remembers(loader, task)
        said, counts = kept["said"], kept["counts"]
        rows = fitting(self.seen(loader)[0].to(said), self.size)
        members = torch.nn.functional.one_hot(said.argmax(-1), task.classes).to(said) * counts[:, None]
        directions = torch.nn.functional.normalize(rows.T @ members, dim=0)  # of the means, (size, c)
        return kept | {"directions": directions, "lengths": rows.norm(dim=-1)}

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        t = self.temperature
        if not self.norm:
            return t**2 * kl((logs(said) / t).log_softmax(-1), task.units(student(pool["weak"])) / t)
        logits, beside = student.aside(pool["weak"])
        direction = memory.kept["directions"].T[said.argmax(-1)]
        away = norm_and_direction(beside["adapter"], direction, memory.kept["lengths"][pool.index])
        return t**2 * kl((logs(said) / t).log_softmax(-1), task.units(logits) / t) + self.norm * away


def norm_and_direction(rows: Tensor, directions: Tensor, lengths: Weight) -> Weight:
    """``1 - <s, e> / max(|s|, |t|)``, (n,): 0 where a row lies along its direction and is as long as the teacher's.

    Args:
        rows: s, (n, d).
        directions: e, of length 1, (n, d).
        lengths: |t|, at least 0, (n,).

    >>> norm_and_direction(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 0.0]]), torch.tensor([2.0])).tolist()
    [0.5]
    """
    longest = torch.maximum(rows.norm(dim=-1), lengths).clamp(min=1e-12)
    return 1 - (rows * directions).sum(-1) / longest


def fitting(rows: Tensor, size: int) -> Tensor:
    """Rows in another number of dimensions, (n, size): along their first principal directions, or with zeros added.

    Principal directions are those of the second moments, so that lengths are kept as far as they can be.

    >>> fitting(torch.tensor([[3.0, 4.0]]), 3).tolist()
    [[3.0, 4.0, 0.0]]
    """
    if rows.shape[1] <= size:
        return torch.nn.functional.pad(rows, (0, size - rows.shape[1]))
    vectors = torch.linalg.eigh((rows.T @ rows).double())[1][:, -size:]
    found: Tensor = rows @ vectors.to(rows)
    return found
