"""What every kind of input comes to."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from tutelage.fit.build import Items

Say = Callable[[str], None]


@dataclass(frozen=True)
class Inputs(ABC):
    """The user's data, checked.

    Attributes:
        items: what is learnt from.
        classes: class names, by number; for sentences the tags.
        test: items to score on; empty where no test table was given.
        truth: of the test items, class numbers, lists of tags, or masks.
        weak: what is known of the weak labels, for the summary; empty without.
        kind: "text", "tagging", "image" or "segmentation".
        things: what the items are: "texts", "sentences" or "images".
    """

    kind: ClassVar[str]
    things: ClassVar[str]

    items: Items
    classes: list[str]
    test: Sequence[Any] = ()
    truth: Any = None
    weak: dict[str, Any] = field(default_factory=dict)

    def about(self) -> dict[str, Any]:
        """What a summary says of the data besides."""
        return {"weak": self.weak} if self.weak else {}

    @abstractmethod
    def scores(self, said: np.ndarray) -> dict[str, Any]:
        """What is worth that which a model said of the test items.

        Args:
            said: probabilities of their units, (units, c); for masks their overlaps, see `MaskInputs`.
        """
