"""Curriculum labelling: self-training over a growing share of the pool, begun afresh each round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from tutelage.memory import Memory
from tutelage.methods.base import Method
from tutelage.methods.cbst import Cbst
from tutelage.ops.thresholds import top_of_all


@dataclass(frozen=True)
class CurriculumLabelling(Cbst):
    """Rounds over the last model's hard labels of the surest share of the pool, which grows from 1/rounds to all.

    The loss is that of `Cbst`; the ranking is over all classes together, and each round begins with a new network,
    against confirmation bias.

    Source: Cascante-Bonilla et al., Curriculum Labeling, AAAI 2021.

    >>> CurriculumLabelling().restarts
    True
    """

    name: ClassVar[str] = "curriculum_labelling"
    stackable: ClassVar[bool] = True
    reseeds: ClassVar[bool] = True

    @property
    def restarts(self) -> bool:
        return True

    def starts(self, steps: int) -> list[int]:
        return Method.starts(self, steps)

    def keep(self, memory: Memory) -> None:
        top_of_all(memory.confidence, memory.round / self.rounds, memory.weight)
