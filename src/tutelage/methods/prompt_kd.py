"""PromptKD: the student learns to lie where the teacher's class vectors are, so that later classes can be asked for."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Count, NonNegative, Positive
from tutelage.methods.from_teacher import FromTeacher, logs
from tutelage.methods.nd import fitting
from tutelage.ops.losses import cross_entropy, kl, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Params, Probs, Scalar, Views, Weight

FLOOR = 1e-4
"""Least probability that a teacher's logarithm is taken of, when its class vectors are found."""

PENALTY = 1e-3
"""Penalty of the class vectors, as a share of the greatest variance of a feature."""


@dataclass(frozen=True)
class PromptKd(FromTeacher):
    """The student's features, projected to where the teacher's are, meet class vectors that the teacher has fixed.

    L = CE(y, l) + weight * (1/|B_u|) sum_u w_u (T^2 KL(softmax(log t_u / T) || softmax(l_u / T)) + align (1 - <z, h>)),
    l_k = <w_k, z> + b_k,  z = g(x; S) / |g(x; S)|

    g is a perceptron on the student's last features, h the direction of the teacher's. w and b are not learnt: they
    are those by which the teacher's own features, of length 1 on average, give its logits, found by least squares;
    of described classes that is exact. The model that is kept answers by l, and `with_classes` gives it others,
    such as a class that was described later; the student has learnt to lie right in the directions alone that the
    vectors of the classes it knew differ in, unless ``align`` draws it to the teacher's features in all directions,
    which the authors do not.

    The teacher's features are those that were brought with it, else the units' own fixed features. Where they have
    fewer dimensions than ``size``, zeros are added; where more, they are projected onto principal directions, and later
    classes cannot be asked for.

    Source: Li et al., PromptKD: Unsupervised Prompt Distillation for Vision-Language Models, CVPR 2024, as in the
    released code, whose weight of 1,000 / c on the divergence is what its mean over all elements calls for.

    Args:
        weight: factor on the pool's loss, at least 0.
        temperature: T, above 0.
        align: factor on the distance of the student's direction from the teacher's, at least 0; the authors have 0.
        size: number of dimensions of the class vectors, at least 1.

    >>> from tutelage.tasks import Classification
    >>> PromptKd(size=3).brings(4, Classification(2))["meaning"](torch.ones(5, 4)).shape
    torch.Size([5, 5])
    """

    name: ClassVar[str] = "prompt_kd"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("align",)
    temperature: Positive = 1.0
    align: NonNegative = 0.0
    size: Count = 384

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        return nn.ModuleDict({"meaning": Meaning(width, self.size, task.classes)})

    def furnishes(self, brought: nn.ModuleDict, loader: Loader, task: Task) -> None:
        meaning: Any = brought["meaning"]
        w, b = self.vectors(loader)
        with torch.no_grad():
            meaning.classes.weight.copy_(w.T)
            meaning.classes.bias.copy_(b)

    def rows(self, loader: Loader) -> Tensor:
        """The teacher's features of the pool's units, (units, size)."""
        return fitting(self.seen(loader)[0].to(self.table(loader)), self.size)

    def vectors(self, loader: Loader) -> tuple[Tensor, Tensor]:
        """Class vectors, (size, c), and offsets, (c,), by which the teacher's features give its logits."""
        return class_vectors(self.rows(loader), self.table(loader))

    def remembers(self, loader: Loader, task: Task) -> Params:
        w, b = self.vectors(loader)
        kept = super().remembers(loader, task) | {"vectors": w, "offsets": b}
        return kept | ({"rows": nn.functional.normalize(self.rows(loader), dim=-1)} if self.align else {})

    def logits(self, student: Player, inputs: Any, memory: Memory) -> tuple[Logits, Tensor]:
        """l, (units, c), and z, (units, size)."""
        z = student.aside(inputs)[1]["meaning"][..., : self.size]
        return z @ memory.kept["vectors"] + memory.kept["offsets"], z

    def of_labelled(self, student: Player, batch: Batch, task: Task, memory: Memory) -> Scalar:
        if not len(batch.labelled):
            return torch.zeros((), device=batch.target.device)
        y, known = task.target(batch.target)
        return mean(cross_entropy(y, self.logits(student, batch.labelled["weak"], memory)[0]), known)

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        t, (found, z) = self.temperature, self.logits(student, pool["weak"], memory)
        apart = t**2 * kl((logs(said) / t).log_softmax(-1), found / t)
        return apart + self.align * (1 - (z * memory.kept["rows"][pool.index]).sum(-1)) if self.align else apart

    def answer(self, logits: Logits, beside: Mapping[str, Tensor]) -> Logits:
        return beside["meaning"][..., self.size :]


class Meaning(nn.Module):
    """A perceptron to directions of length 1, and class vectors that are not learnt.

    Args:
        width: number of the student's features.
        size: number of dimensions of the directions.
        classes: number of classes, c.
    """

    def __init__(self, width: int, size: int, classes: int) -> None:
        super().__init__()
        self.project = nn.Sequential(nn.Linear(width, size), nn.ReLU(), nn.Linear(size, size))
        self.classes = nn.Linear(size, classes).requires_grad_(False)

    def forward(self, rows: Tensor) -> Tensor:
        """Direction of each row and its logits beside, (n, size + c)."""
        z = nn.functional.normalize(self.project(rows), dim=-1)
        return torch.cat([z, self.classes(z)], -1)


def class_vectors(rows: Tensor, said: Tensor) -> tuple[Tensor, Tensor]:
    """Vectors, (d, c), and offsets, (c,), by which rows divided by their mean length give a teacher's logits.

    They are found by least squares with a small penalty; logits are log-probabilities less their mean over classes.

    Args:
        rows: the teacher's features, (n, d).
        said: its probabilities, (n, c); rows of NaN are silent.
    """
    speaks = ~said.isnan().any(-1)
    x = rows[speaks].double()
    x = x / x.square().sum(1).mean().sqrt().clamp(min=1e-12)
    z = said[speaks].double().clamp(min=FLOOR).log()
    z = z - z.mean(1, keepdim=True)
    centre, offset = x.mean(0), z.mean(0)
    x, z = x - centre, z - offset
    gram = x.T @ x
    penalty = PENALTY * gram.diagonal().max().clamp(min=1e-12)
    w = torch.linalg.solve(gram + penalty * torch.eye(len(gram)).to(gram), x.T @ z)
    return w.to(said), (offset - centre @ w).to(said)


def with_classes(network: nn.Module, vectors: Tensor, offsets: Tensor) -> nn.Module:
    """A kept network that answers for other classes.

    Args:
        network: network that `PromptKd` has trained and kept.
        vectors: class vectors, in the order of the classes that it is to answer for, (c, size).
        offsets: their offsets, (c,).
    """
    other: Any = copy.deepcopy(network)
    made = nn.Linear(vectors.shape[1], len(vectors)).requires_grad_(False)
    made.weight.copy_(vectors)
    made.bias.copy_(offsets)
    other.brought["meaning"].classes = made
    found: nn.Module = other.eval()
    return found
