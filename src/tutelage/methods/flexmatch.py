"""FlexMatch: FixMatch with a threshold for each class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

import torch

from tutelage.data import Loader
from tutelage.game import Copy, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels, require_own_units
from tutelage.methods.fields import NonNegative, Share
from tutelage.ops.thresholds import above
from tutelage.tasks import Task
from tutelage.types import Batch, Labels, Params, Terms, Weight


@dataclass(frozen=True)
class FlexMatch(Method):
    """`FixMatch` that asks less of classes that are learnt less: each has a threshold of its own.

    L = L_sup + weight * (1/|B_u|) sum_u 1[max p(weak) >= T_c] CE(c, f(strong)),   c = argmax p(weak), held still,
    T_c = threshold * b_c / (2 - b_c),   b_c = s_c / max(max_k s_k, units never selected),

    with s_c the number of units of the pool that were predicted as c when their confidence last reached the threshold.

    Source: Zhang et al., FlexMatch, NeurIPS 2021, algorithm 1, with threshold warm-up and the convex mapping.

    Args:
        threshold: least probability at which a pseudo-label of the class learnt best counts, in [0, 1].
        weight: factor on the pool's loss, at least 0.

    >>> FlexMatch().views
    ('weak', 'strong')
    """

    name: ClassVar[str] = "flexmatch"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    threshold: Share = 0.95
    weight: NonNegative = 1.0

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Copy(), interaction=0.0)

    def remembers(self, loader: Loader, task: Task) -> Params:
        return {"selected": torch.full((loader.pool_units,), -1)}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        label, confidence = task.say(play["teacher"](pool["weak"]))
        learnt = learning_status(memory.kept["selected"], task.classes).to(confidence)
        kept = (confidence >= self.threshold * (learnt / (2 - learnt))[label]).to(confidence)
        strong = task.fit(play["student"](pool["strong"]), label, kept)
        selected = label.where(above(confidence, self.threshold) > 0, memory.kept["selected"][pool.index])
        return Terms(
            {"supervised": on_labels(play["student"], batch, task), "pool": self.weight * strong},
            {"label": label, "confidence": confidence, "weight": kept, "selected": selected},
        )

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        super().observe(batch, terms, memory, task)
        memory.kept["selected"][batch.unlabelled.index] = terms.seen["selected"]


def learning_status(selected: Labels, classes: int) -> Weight:
    """``s_c / max(max_k s_k, n_none)`` of each class, (classes,), from the labels of all units, -1 = none yet.

    >>> learning_status(torch.tensor([0, 0, 0, 0, 1, -1]), 3).tolist()
    [1.0, 0.25, 0.0]
    """
    none = torch.zeros(classes + 1, dtype=selected.dtype, device=selected.device)
    counts = none.scatter_add(0, selected + 1, torch.ones_like(selected)).to(torch.get_default_dtype())
    return counts[1:] / counts.max().clamp(min=1)
