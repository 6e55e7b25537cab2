"""Views of a batch from the pool, and stored labels as its views show them."""

from __future__ import annotations

import torch
from torch import Tensor

from tutelage.memory import Stored
from tutelage.tasks import Task
from tutelage.types import Inputs, Labels, Views, Weight


def again(pool: Views) -> Inputs:
    """The weak view drawn a second time; the first again where all draws are the same, as of features."""
    return pool.at.get("again", pool["weak"])


def recall(stored: Stored, pool: Views, task: Task) -> tuple[Labels, Weight, Weight]:
    """Stored labels, confidences and weights of a batch's units, moved to where its weak view shows them, each (n,)."""
    i = pool.index.to(stored.label.device)  # of a large pool they lie in files, not on a GPU
    label, confidence, weight = (t[i].to(pool.index.device) for t in (stored.label, stored.confidence, stored.weight))
    label = label.long()
    if "weak" not in pool.geometry:
        return label, confidence, weight
    values = torch.stack([label.to(weight.dtype), confidence, weight], dim=1)
    moved, inside = task.carry(values, pool["weak"], None, pool.geometry["weak"])
    return moved[:, 0].long(), moved[:, 1], moved[:, 2] * inside


def to_original(seen: list[Tensor], pool: Views, task: Task) -> list[Tensor]:
    """Labels, confidences and weights of the weak view's units moved back: the units' numbers and these, each (n,)."""
    values = torch.stack([t.to(seen[1].dtype) for t in seen], dim=1)
    moved, inside = task.carry(values, pool["weak"], pool.geometry["weak"], None)
    return [t[inside > 0] for t in (pool.index, moved[:, 0].long(), moved[:, 1], moved[:, 2])]


def to_strong(values: Tensor, pool: Views, task: Task) -> tuple[Tensor, Weight]:
    """Values of units, (n, d), moved from the weak view to the strong, and 1 for each unit that it shows, else 0."""
    return between(values, pool, task, "weak", "strong")


def between(values: Tensor, pool: Views, task: Task, source: str, to: str) -> tuple[Tensor, Weight]:
    """Values of units, (n, d), moved from one view to another, and 1 where the other shows a unit, else 0, (n,).

    Where a view moves no units, as of texts, the values stay and all are shown.

    >>> from tutelage.tasks import Classification
    >>> between(torch.ones(2, 3), Views({}, torch.arange(2)), Classification(3), "weak", "again")[1]
    tensor([1., 1.])
    """
    if not {source, to} <= pool.geometry.keys():
        return values, values.new_ones(len(values))
    return task.carry(values, pool["weak"], pool.geometry[source], pool.geometry[to])
