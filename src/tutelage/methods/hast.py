"""HAST: sure labels that the neighbours share, and weights that sum to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tutelage.graph.neighbours import nearest
from tutelage.memory import Memory
from tutelage.methods.base import Blocks, require_own_units
from tutelage.methods.fields import Count, NonNegative, Share
from tutelage.methods.fresh_rounds import OneSet, all_of, require_rows
from tutelage.methods.pool_teacher import flat
from tutelage.tasks import Task
from tutelage.types import Labels, Weight


@dataclass(frozen=True)
class Hast(OneSet):
    """Round after round a fresh network learns sure labels of the pool that most of their neighbours share.

    y(x) = argmax_j p_j(x) of the last round, kept where max_j p_j > threshold and more than a share ``agreement`` of
    the k nearest rows of the pool have the label y(x), too. With N labels and w_c the weight of class c,

        L = (1/Z) (sum_l CE(y_l, f(x_l)) + weight sum_kept w_y CE(y, f(x))),   Z = N + weight sum_kept w_y,

    so that all weights sum to 1; w_c = 1, or with ``class_weights`` 10 / (1 + exp(-(m - n_c) / n_c)), where n_c kept
    units have class c and m is their mean. Rows are near by the cosine of the last layer's inputs.

    Source: Schroeder and Heyer, Self-Training for Sample-Efficient Active Learning, EMNLP 2024, as in the released
    code, which takes one round after each question to the annotator, and of a larger pool a sample of 16,384.

    Args:
        rounds: number of times that the pool is labelled, at least 1.
        weight: weight of a pseudo-label beside a label's 1, at least 0 (the paper's beta).
        threshold: a pseudo-label's probability must be above it, in [0, 1].
        neighbours: k, at least 1; all other rows where there are fewer.
        agreement: share of the neighbours above which they agree, in [0, 1].
        class_weights: whether pseudo-labels of frequent classes count less.

    >>> Hast().training_rounds
    2
    """

    name: ClassVar[str] = "hast"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    still: ClassVar[tuple[str, ...]] = ("threshold", "agreement", "weight")
    rounds: Count = 1
    weight: NonNegative = 1.0
    threshold: Share = 0.5
    neighbours: Count = 15
    agreement: Share = 0.5
    class_weights: bool = False

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    def survey(self, who: str, said: Blocks, memory: Memory, task: Task) -> None:
        _, rows = all_of(said, len(memory.label), task)
        require_rows(rows, self.name)
        agree = agreement(flat(rows), memory.label, self.neighbours)
        memory.between["agree"] = agree.to(memory.confidence)

    def keep(self, memory: Memory) -> None:
        kept = (memory.confidence > self.threshold) & (memory.between["agree"] > self.agreement)
        self.weigh(memory, kept * class_weights(memory.label, kept) if self.class_weights else kept.double())


def agreement(rows: Float[np.ndarray, "n d"], label: Labels, k: int) -> Weight:
    """Share of each row's k nearest rows that have its label, (n,); 0 for a row that is alone.

    Args:
        rows: features of all units.
        label: their labels, (n,).
        k: number of neighbours; all other rows where there are fewer.

    >>> rows = np.array([[1.0, 0.0], [1.0, 0.1], [1.0, -0.1], [0.0, 1.0]])
    >>> agreement(rows, torch.tensor([0, 0, 1, 1]), 2).tolist()
    [0.5, 0.5, 0.0, 0.0]
    """
    near = torch.as_tensor(nearest(rows, k).index, device=label.device).long()
    found: Weight = (label[near] == label[:, None]).double().sum(1) / max(near.shape[1], 1)
    return found


def class_weights(label: Labels, kept: Tensor) -> Weight:
    """Weights ``10 / (1 + exp(-(m - n_c) / n_c))`` of all units, (n,): n_c kept ones are of class c, m on average.

    The mean is over the classes that kept units have; a class without any has weight 1.

    >>> class_weights(torch.tensor([0, 0, 0, 1]), torch.ones(4)).round(decimals=2).tolist()
    [4.17, 4.17, 4.17, 7.31]
    """
    counts = torch.bincount(label.long(), weights=kept.double())
    fair = counts.sum() / (counts > 0).sum().clamp(min=1)
    weight = torch.where(counts > 0, 10 * ((fair - counts) / counts.clamp(min=1)).sigmoid(), 1.0)
    found: Weight = weight[label.long()]
    return found
