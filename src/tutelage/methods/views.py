"""Views of a batch from the pool, and stored labels as its views show them."""

from __future__ import annotations

import torch
from torch import Tensor

from tutelage.memory import Stored
from tutelage.tasks import Task
from tutelage.types import Inputs, Labels, Views, Weight


def again(pool: Views) -> Inputs:
    """The weak view drawn anew; itself where it is always the same, as of features: then dropout alone differs."""
    return pool.at.get("again", pool["weak"])


def recall(stored: Stored, pool: Views, task: Task) -> tuple[Labels, Weight, Weight]:
    """Stored labels of a batch's units as its weak view shows them, their confidence and weight."""
    i = pool.index.to(stored.label.device)  # of a large pool they lie in files, not on a GPU
    label, confidence, weight = (t[i].to(pool.index.device) for t in (stored.label, stored.confidence, stored.weight))
    label = label.long()
    if "weak" not in pool.geometry:
        return label, confidence, weight
    values = torch.stack([label.to(weight.dtype), confidence, weight], dim=1)
    moved, inside = task.carry(values, pool["weak"], None, pool.geometry["weak"])
    return moved[:, 0].long(), moved[:, 1], moved[:, 2] * inside


def to_original(seen: list[Tensor], pool: Views, task: Task) -> list[Tensor]:
    """The numbers of a batch's units that its weak view shows, and their labels, confidence and weight."""
    values = torch.stack([t.to(seen[1].dtype) for t in seen], dim=1)
    moved, inside = task.carry(values, pool["weak"], pool.geometry["weak"], None)
    return [t[inside > 0] for t in (pool.index, moved[:, 0].long(), moved[:, 1], moved[:, 2])]


def to_strong(values: Tensor, pool: Views, task: Task) -> tuple[Tensor, Weight]:
    """Values of the weak view's units as the strong view shows them, and 1 where it shows them."""
    return between(values, pool, task, "weak", "strong")


def between(values: Tensor, pool: Views, task: Task, source: str, to: str) -> tuple[Tensor, Weight]:
    """Values of one view's units as another shows them, and 1 where it shows them; a view that is not made moves none.

    >>> from tutelage.tasks import Classification
    >>> between(torch.ones(2, 3), Views({}, torch.arange(2)), Classification(3), "weak", "again")[1]
    tensor([1., 1.])
    """
    if not {source, to} <= pool.geometry.keys():
        return values, values.new_ones(len(values))
    return task.carry(values, pool["weak"], pool.geometry[source], pool.geometry[to])
