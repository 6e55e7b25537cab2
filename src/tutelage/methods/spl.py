"""SPL: what two teachers say of a unit together is one finer class, which is learnt before the labels are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.base import on_labels
from tutelage.methods.by_classifiers import fitted, probabilities
from tutelage.methods.from_teacher import FromTeacher, heard_of, spoken
from tutelage.ops.checks import Range
from tutelage.tasks import Task
from tutelage.types import Batch, Labels, Logits, Params, Probs, Terms, Views, Weight

MOST_CLASSES = 200
"""Number of classes, at most: each pair of classes has an output."""

PENALTY = 1e-2
"""Inverse strength C of the penalty of the classifier that is the second teacher where one alone was brought."""


@dataclass(frozen=True)
class Spl(FromTeacher):
    """The student first learns pairs of what one teacher says of a unit and what another one does, then the labels.

    Round 0: L = weight * (1/|B_u|) sum_u w_u CE((a_u, b_u), q(x_u; S)), a and b the likeliest classes by the first
    teacher and by the others, and q a head of pairs, which is dropped. Round 1 goes on from there: L = L_sup(S).

    A pair is a class of its own where a = b, and where it is among the ``pairs`` c commonest of those with a != b;
    other units count as (a, a). w_u = 0 where either is silent. Where one teacher alone was brought, the other is a
    logistic regression of the labels on fixed features.

    Source: Li et al., Learning from Weakly-Labeled Web Videos via Exploring Sub-Concepts, AAAI 2022, our reading of the
    abstract; pairs are kept by how common they are, not merged by their names.

    Args:
        weight: factor on the pool's loss, at least 0.
        pairs: number of pairs of different classes that are kept, for each class, at least 0.

    >>> Spl(pairs=0).training_rounds
    2
    """

    name: ClassVar[str] = "spl"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True
    labeller: ClassVar[str] = "the first of the teachers that were brought"
    still: ClassVar[tuple[str, ...]] = ("pairs",)
    pairs: Annotated[int, Range(0, whole=True)] = 3

    def settled(self, task: Task, weak: bool = False) -> Self:
        if task.classes > MOST_CLASSES:
            raise ValueError(
                f"{self.name} learns pairs of classes: these must be at most {MOST_CLASSES}, got {task.classes}"
            )
        return super().settled(task, weak)

    @property
    def training_rounds(self) -> int:
        return 2

    @property
    def restarts(self) -> bool:
        return False

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        return nn.ModuleDict({"pairs": nn.Linear(width, task.classes**2)})

    def remembers(self, loader: Loader, task: Task) -> Params:
        one, other = self.both(loader, task)
        speak = ~(one.isnan().any(-1) | other.isnan().any(-1))
        a, b = (said.nan_to_num(0.0).argmax(-1) for said in (one, other))
        pair, there = pairs_of(a, b, speak, task.classes, self.pairs * task.classes)
        said, _ = spoken(one)
        return {"pair": pair, "counts": speak.to(said.dtype), "there": there, "said": said}

    def both(self, loader: Loader, task: Task) -> tuple[Tensor, Tensor]:
        """Probabilities of the pool's units by the first teacher and by the others together, (units, c) each.

        Raises:
            ValueError: no teacher was brought; or one alone, and there are no labels or no fixed features.
        """
        table, heard = self.table(loader), heard_of(loader).each
        each = None if heard is None else heard()
        if each is not None and each.shape[1] > 1:
            return each[:, 0], each[:, 1:].nanmean(1)
        pool, labelled = self.seen(loader)
        y = loader.target.argmax(1) if loader.target.is_floating_point() else loader.target
        known = (y >= 0).cpu().numpy()
        if not known.any():
            raise ValueError(f"{self.name} needs labels: none is known")
        x, rows = labelled.cpu().numpy(), pool.cpu().numpy()
        centre, scale = rows.mean(0), max(float(rows.std(0).mean()), 1e-12)
        base = LogisticRegression(C=PENALTY, max_iter=1000)
        model = fitted(base, (x[known] - centre) / scale, y.cpu().numpy()[known])
        return table, torch.as_tensor(probabilities(model, (rows - centre) / scale, task.classes)).to(table)

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        q = student.aside(pool["weak"])[1]["pairs"]
        return of_pairs(q, memory.kept["pair"][pool.index], memory.kept["there"])

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        if memory.round:
            return Terms({"supervised": on_labels(play["student"], batch, task)})
        found = super().loss(who, batch, play, task, memory)
        return Terms({"pool": found.terms["pool"]}, found.seen)


def pairs_of(a: Labels, b: Labels, speak: Tensor, classes: int, most: int) -> tuple[Labels, Weight]:
    """Number of each unit's pair, a c + b, (units,), and 1 for the pairs that are classes of their own, (c^2,).

    Args:
        a, b: classes by the two teachers, (units,).
        speak: units of which both speak, (units,).
        classes: number of classes, c.
        most: number of pairs of different classes that are kept, the commonest.

    >>> a, b = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([0, 1, 1, 1, 0])
    >>> pairs_of(a, b, torch.ones(5).bool(), 2, 1)[0].tolist()
    [0, 1, 1, 3, 3]
    """
    pair = a * classes + b
    same = torch.arange(classes, device=a.device) * (classes + 1)
    counts = torch.bincount(pair[speak], minlength=classes**2)
    counts[same] = 0
    kept = counts.argsort(descending=True, stable=True)[:most]
    there = torch.zeros(classes**2, device=a.device)
    there[kept[counts[kept] > 0]] = 1.0
    there[same] = 1.0
    return torch.where(there[pair] > 0, pair, a * (classes + 1)), there


def of_pairs(logits: Logits, pair: Labels, there: Weight) -> Weight:
    """Cross-entropy of pairs, (n,), among those that are there.

    Args:
        logits: of all pairs, (n, c^2).
        pair: number of each unit's pair, (n,).
        there: 1 for the pairs that are classes of their own, else 0, (c^2,).
    """
    found: Weight = -logits.masked_fill(there == 0, -torch.inf).log_softmax(-1).gather(-1, pair[:, None])[:, 0]
    return found
