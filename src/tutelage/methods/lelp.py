"""LELP: what the teacher sees splits each class into parts, and the student learns the parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Count, Positive
from tutelage.methods.from_teacher import FromTeacher, logs, spoken
from tutelage.ops.losses import cross_entropy
from tutelage.tasks import Task
from tutelage.types import Batch, Logits, Params, Probs, Scalar, Views, Weight


@dataclass(frozen=True)
class Lelp(FromTeacher):
    """The teacher's classes are split along what it sees of them; the student learns all parts, and adds them up.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(q_u, softmax over all parts of z(x_u)),  q_u[c, s] = t_u[c] r_u[s|c]

    r is the softmax, at temperature ``sharpness``, of what a unit has along S directions: the first principal
    components of the units that the teacher gives the class, in the teacher's representation without the directions
    that decide its classes; turned at random among each other, each divided by its standard deviation. The network's
    own output is the first part of each class, brought heads are the others; a class's logit is the log-sum-exp of its
    parts. With one part it is `Distil`.

    The teacher's representation is the one that was brought with it, else the units' own fixed features. Which of its
    directions decide classes is found by the linear regression of log t on it, exact where the last layer is linear.

    Source: Loo et al., Linear Projections of Teacher Embeddings for Few-Class Distillation, arXiv 2409.20449, 2024;
    known to us by abstract and reviews, so this is our reading.

    Args:
        weight: factor on the pool's loss, at least 0.
        temperature: temperature of the teacher's answers, above 0.
        parts: S, number of parts of each class, at least 1.
        sharpness: temperature of the parts, above 0; a smaller one makes them surer.

    >>> from tutelage.tasks import Classification
    >>> len(Lelp(parts=3).brings(4, Classification(2)))
    2
    """

    name: ClassVar[str] = "lelp"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("temperature", "sharpness")
    temperature: Positive = 1.0
    parts: Count = 4
    sharpness: Positive = 1.0

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        return nn.ModuleDict({f"part{s}": nn.Linear(width, task.classes) for s in range(1, self.parts)})

    def answer(self, logits: Logits, beside: Mapping[str, Tensor]) -> Logits:
        return torch.stack([logits, *beside.values()], dim=-2).logsumexp(-2)

    def remembers(self, loader: Loader, task: Task) -> Params:
        told = self.table(loader)
        said, counts = spoken(told, self.temperature)
        if self.parts == 1:
            return {"said": said, "counts": counts}
        rows = self.seen(loader)[0].cpu().double().numpy()
        known = counts.cpu().numpy() > 0
        within = self.within(rows, spoken(told)[0].cpu().double().numpy(), known, np.random.default_rng(loader.seed))
        return {"said": said, "counts": counts, "within": torch.as_tensor(within).to(said)}

    def within(self, rows: np.ndarray, said: np.ndarray, known: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Probability of each part of a class, given the class, (n, S, c); over the parts they sum to 1.

        Args:
            rows: what the teacher sees of n units, (n, d).
            said: what it says of them, (n, c).
            known: whether it speaks of them, (n,).
            rng: of the turn among the directions.
        """
        found, guess = np.full((len(rows), self.parts, said.shape[1]), 1 / self.parts), said.argmax(1)
        if not known.any():
            return found
        apart = beyond_classes(rows, said, known)
        for c in range(said.shape[1]):
            along = projections(apart, known & (guess == c), self.parts, rng)
            raised = np.exp((along - along.max(1, keepdims=True)) / self.sharpness)
            found[:, :, c] = raised / raised.sum(1, keepdims=True)
        return found

    def of_labelled(self, student: Player, batch: Batch, task: Task, memory: Memory) -> Scalar:
        if self.parts == 1 or not len(batch.labelled):
            return super().of_labelled(student, batch, task, memory)
        return task.fit(self.answer(*student.aside(batch.labelled["weak"])), batch.target)

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        if self.parts == 1:
            return cross_entropy(logs(said).exp(), task.units(student(pool["weak"])))
        logits, beside = student.aside(pool["weak"])
        z = torch.stack([task.units(logits), *beside.values()], dim=-2)
        q = said[:, None, :] * memory.kept["within"][pool.index]
        return cross_entropy(q.flatten(1), z.flatten(1))


def beyond_classes(rows: np.ndarray, said: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Rows without the directions that decide the teacher's classes, (n, d).

    Args:
        rows: what the teacher sees of n units, (n, d).
        said: what it says of them, (n, c).
        known: whether it speaks of them, (n,).
    """
    log = np.log(said[known].clip(min=1e-30))
    log = log - log.mean(1, keepdims=True)
    centred = rows - rows[known].mean(0)
    weights = np.linalg.lstsq(centred[known], log - log.mean(0), rcond=1e-6)[0]  # (d, c)
    turned, size, _ = np.linalg.svd(weights, full_matrices=False)
    decides = turned[:, size > 1e-6 * max(size.max(initial=0), 1e-12)][:, : said.shape[1] - 1]
    return np.asarray(centred - centred @ decides @ decides.T)


def projections(rows: np.ndarray, of: np.ndarray, parts: int, rng: np.random.Generator) -> np.ndarray:
    """All rows along the first principal components of some, turned at random, each of variance 1, (n, parts).

    Args:
        rows: rows, (n, d).
        of: mask of the rows whose components are taken, (n,); of fewer than two the result is 0.
        parts: number of directions; those beyond the rank give 0 before they are turned.
        rng: of the turn.
    """
    turn = np.linalg.qr(rng.standard_normal((parts, parts)))[0]
    found = np.zeros((len(rows), parts))
    if of.sum() < 2:
        return found
    centred = rows - rows[of].mean(0)
    _, vectors = np.linalg.eigh(centred[of].T @ centred[of])
    top = vectors[:, ::-1][:, :parts]
    found[:, : top.shape[1]] = centred @ (top * np.sign(top[np.abs(top).argmax(0), np.arange(top.shape[1])]))
    found = found @ turn.T
    spread = found[of].std(0)
    return np.asarray(found / np.where(spread > 1e-12, spread, 1.0))
