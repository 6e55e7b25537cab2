"""Teachers that are no networks: their labels of the pool are computed once, before the student learns them."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from tutelage.data import Examples, Features, Loader, WordFeatures
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative
from tutelage.ops.labels import certainty
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Terms, Tick

FixedRows = Features | WordFeatures
"""Examples that are rows of fixed features, one for each unit."""

MOST_KEPT = 2**27
"""Bytes of what teachers said of a pool that are kept beside it, at most."""

Opinion = tuple[Float[np.ndarray, "n c"], Float[np.ndarray, " n"]]
"""Probabilities of the pool's units, and the greatest weight that each may have."""


@dataclass(frozen=True)
class PoolTeacher(Method, ABC):
    """A teacher labels the whole pool from the labelled rows; the student learns both kinds of labels.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(t_u, f(x_u; S)),  w_u = 1 - H(t_u) / log C, or 1.

    Args:
        weight: factor on the pool's loss, at least 0.
        confidence: how much a unit of the pool counts: "entropy", w_u as above, or "none", 1.
    """

    needs_labels: ClassVar[bool] = True
    labeller: ClassVar[str] = "a teacher that learnt the labels"
    weight: NonNegative = 1.0
    confidence: Literal["entropy", "none"] = "none"

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    def settled(self, task: Task, weak: bool = False) -> Self:
        if task.moves:
            raise ValueError(f"{self.name} needs rows of fixed features: it cannot learn pixels")
        return super().settled(task, weak)

    def ready(self, pool: Examples, tick: Tick) -> None:
        fixed(pool, self.name)

    @abstractmethod
    def teach(self, x: Tensor, y: np.ndarray, pool: FixedRows, classes: int, seed: int) -> Opinion:
        """Probabilities of the pool's n units, (n, c), and the greatest weight that each may have, (n,).

        Args:
            x: labelled rows, (l, ...).
            y: their class numbers, (l,).
            pool: the same object that `ready` got, which holds what was computed there.
            classes: number of classes, c.
            seed: of the training, for teachers that draw at random.
        """

    def remembers(self, loader: Loader, task: Task) -> Params:
        labelled, target = loader.one_each()
        x, pool = fixed(labelled, self.name).rows, fixed(loader.unlabelled, self.name)
        y = target.argmax(1) if target.is_floating_point() else target
        known = y >= 0
        if not known.any():
            raise ValueError(f"{self.name} needs labels: none is known")
        if not len(pool):
            return {"taught": torch.empty(0, task.classes), "weight": torch.empty(0)}
        found, weight = self._taught(x[known], y[known].cpu().numpy(), pool, task.classes, loader.seed)
        p = torch.as_tensor(found, dtype=torch.get_default_dtype())
        counts = torch.as_tensor(weight, dtype=p.dtype)
        if self.confidence == "entropy":
            counts = counts * certainty(p.clamp(min=torch.finfo(p.dtype).tiny).log()).clamp(0, 1)
        return {"taught": p, "weight": counts}

    def _taught(self, x: Tensor, y: np.ndarray, pool: FixedRows, classes: int, seed: int) -> Opinion:
        """What `teach` gives, kept beside the pool: the rungs of "auto" ask for the same again with other steps."""
        here = hashlib.sha256(flat(x).tobytes() + y.tobytes()).hexdigest()
        kept: dict[Any, Opinion] = pool.computed.setdefault("taught", {})
        key = self, here, classes, seed
        if key not in kept:
            found = self.teach(x, y, pool, classes, seed)
            if found[0].nbytes + found[1].nbytes > MOST_KEPT:
                return found
            while sum(p.nbytes + w.nbytes for p, w in [*kept.values(), found]) > MOST_KEPT:
                del kept[next(iter(kept))]
            kept[key] = found
        return kept[key]

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        pool = batch.unlabelled
        taught, weight = memory.kept["taught"][pool.index], memory.kept["weight"][pool.index]
        confidence, label = taught.max(-1)
        of_pool = mean(cross_entropy(taught, task.units(play["student"](pool["weak"]))), weight)
        return Terms(
            {"supervised": on_labels(play["student"], batch, task), "pool": self.weight * of_pool},
            {"label": label, "confidence": confidence, "weight": weight},
        )


def fixed(examples: Examples, name: str) -> FixedRows:
    """The examples themselves, if they are rows of features.

    Raises:
        ValueError: they are not: the network is trained whole.
    """
    if not isinstance(examples, FixedRows):
        raise ValueError(f"{name} needs rows of fixed features: leave out finetune, or give an encoder")
    return examples


def flat(rows: Tensor) -> np.ndarray:
    """Rows as a numpy array of floats, (n, d)."""
    found: np.ndarray = rows.detach().flatten(1).cpu().numpy()
    return found if found.dtype.kind == "f" else found.astype(np.float32)
