"""What every kind of input comes to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tutelage.recipes import Items

Say = Callable[[str], None]


@dataclass(frozen=True)
class Inputs(ABC):
    """The user's data, checked.

    Attributes:
        items: what is learnt from.
        classes: class names, by number; for sentences the tags.
        test: items to score on; empty where no test table was given.
        truth: of the test items, class numbers or lists of tags.
        weak: what is known of the weak labels, for the summary; empty without.
    """

    items: Items
    classes: list[str]
    test: Sequence[Any] = ()
    truth: Any = None
    weak: dict[str, Any] = field(default_factory=dict)

    @abstractmethod
    def scores(self, probabilities: np.ndarray) -> dict[str, Any]:
        """What predictions of the test items' units, (units, c), are worth."""
