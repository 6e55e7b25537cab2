"""Self-distillation in rounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Frozen, Player, Rule, Stackelberg
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import Count, Share
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class SelfDistillation(Method):
    """Noisy labels: round after round, a fresh student learns what the last one says of the labelled examples.

    Round 0: L = L_sup(S).  Then L = (1/|B_l|) sum_l CE(given * y + (1 - given) * p(x; T), f(x; S)),
    T = the student of the last round, which stands still.

    On fixed features and in closed form: `tutelage.SelfDistiller`.

    Source: Jeong and Chung, ICLR 2025; ``given``: Das and Sanghavi, ICML 2023.

    Args:
        rounds: students after the first, at least 1.
        given: share of the given label in what a later student learns, in [0, 1].

    >>> SelfDistillation().training_rounds
    5
    """

    name: ClassVar[str] = "self_distillation"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "distilled")
    uses_pool: ClassVar[bool] = False
    rounds: Count = 4
    given: Share = 0.0

    @property
    def rule(self) -> Rule:
        return Stackelberg("student", "teacher", Frozen(), interaction=0.0)

    @property
    def training_rounds(self) -> int:
        return 1 + self.rounds

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        if memory.round == 0:
            return Terms({"supervised": on_labels(play["student"], batch, task)})
        x, (y, known) = batch.labelled["weak"], task.target(batch.target)
        refined = self.given * y + (1 - self.given) * task.units(play["teacher"](x)).softmax(-1)
        return Terms({"distilled": mean(cross_entropy(refined, task.units(play["student"](x))), known)})
