"""What brought teachers said beyond one table of the pool, for methods that ask for more than that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Heard:
    """What brought teachers said beyond one table of the pool; each part is made when a method asks for it.

    Attributes:
        labelled: gives the probabilities of the labelled units by all teachers together, (l, c), rows of NaN where they
            are silent; no label had a part in what they say of its own unit. None: nothing is known of them.
        each: gives the probabilities of the pool's units by each of k teachers, (units, k, c), rows of NaN where one is
            silent. None: they are known together alone.
        features: gives what the teacher sees, its last representation of the pool's units, (units, d), and of the
            labelled ones, (l, d). None: the examples' own fixed features.

    >>> heard = Heard(labelled=lambda: torch.eye(3)).among(np.array([2]))
    >>> heard.labelled().tolist()
    [[0.0, 0.0, 1.0]]
    """

    labelled: Callable[[], Tensor] | None = None
    each: Callable[[], Tensor] | None = None
    features: Callable[[], tuple[Tensor, Tensor]] | None = None

    def among(self, units: np.ndarray) -> Heard:
        """The same beside some of the labelled units alone.

        Args:
            units: numbers of the labelled units, (k,).
        """
        said, seen = self.labelled, self.features
        return replace(
            self,
            labelled=None if said is None else partial(_rows, said, units),
            features=None if seen is None else partial(_seen, seen, units),
        )

    def in_pool(self, units: np.ndarray) -> Heard:
        """The same where the labels are the teacher's own, of units of the pool: they do not tell how far it is right.

        Args:
            units: numbers of the labelled units in the pool, (k,).
        """
        seen = self.features
        return replace(self, labelled=None, features=None if seen is None else partial(_of_pool, seen, units))


def _rows(said: Callable[[], Tensor], units: np.ndarray) -> Tensor:
    found = said()
    return found[torch.as_tensor(units, device=found.device)]


def _seen(features: Callable[[], tuple[Tensor, Tensor]], units: np.ndarray) -> tuple[Tensor, Tensor]:
    pool, labelled = features()
    return pool, labelled[torch.as_tensor(units, device=labelled.device)]


def _of_pool(features: Callable[[], tuple[Tensor, Tensor]], units: np.ndarray) -> tuple[Tensor, Tensor]:
    pool, _ = features()
    return pool, pool[torch.as_tensor(units, device=pool.device)]
