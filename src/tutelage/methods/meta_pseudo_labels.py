"""Meta pseudo labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from tutelage.game import Player, Rule, Stackelberg, Unrolled
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels
from tutelage.methods.fields import NonNegative, Positive, PositiveShare, Share
from tutelage.methods.uda import consistency
from tutelage.methods.views import to_strong
from tutelage.ops.losses import cross_entropy, mean, sigmoid_ramp
from tutelage.tasks import Task
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class MetaPseudoLabels(Method):
    """The teacher leads: it learns to give labels by which the student, after a step on them, knows the true ones.

    G(S; T) = (1/|B_u|) sum_u CE(p(weak; T), f(strong; S)) + labels * exp(-5 (1 - t)^2) L_sup(S),  t the progress;
    S' = S - student_lr dG/dS;   F(T) = L_sup(T) + feedback * L_sup(S'(T)) + weight * UDA(T).

    The teacher descends the total derivative of F, exactly through the student's step, where the paper samples one
    hard label and estimates it. UDA is the pool's loss of `Uda`. The paper's last part, finetuning the student on the
    labels, is the term that grows in. The student becomes S' and is returned; it learns without dropout.

    Source: Pham et al., Meta Pseudo Labels, CVPR 2021.

    Args:
        student_lr: learning rate of the student's plain gradient steps, above 0; it does not fall.
        labels: factor on the labels' part of the student's loss, at least 0.
        feedback: factor on the student's loss on labels within the teacher's, at least 0.
        weight: factor on UDA's loss, at least 0.
        threshold: probability above which a target of UDA counts, in [0, 1].
        temperature: sharpens UDA's targets, in (0, 1]; 1 leaves them as they are.

    >>> MetaPseudoLabels().rule.movers, MetaPseudoLabels().rule.followers
    (('teacher',), ('student',))
    """

    name: ClassVar[str] = "meta_pseudo_labels"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "feedback")
    views: ClassVar[tuple[str, ...]] = ("weak", "strong")
    student_lr: Positive = 0.1
    labels: NonNegative = 1.0
    feedback: NonNegative = 1.0
    weight: NonNegative = 1.0
    threshold: Share = 0.6
    temperature: PositiveShare = 0.5

    @property
    def rule(self) -> Rule:
        return Stackelberg("teacher", "student", Unrolled(1, self.student_lr), interaction=float(self.feedback > 0))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        teacher, student, pool = play["teacher"], play["student"], batch.unlabelled
        u, on_y = task.units(teacher(pool["weak"])), on_labels(student, batch, task)
        if who == "student":  # G; differentiable in the teacher too
            q, inside = to_strong(u.softmax(-1), pool, task)
            learnt = mean(cross_entropy(q, task.units(student(pool["strong"]))), inside)
            return Terms({"pool": learnt, "supervised": self.labels * sigmoid_ramp(batch.progress, 1.0) * on_y})
        z = task.units(teacher(pool["strong"]))
        agree, seen = consistency(u.detach(), z, pool, task, self.threshold, self.temperature)
        return Terms(
            {
                "supervised": on_labels(teacher, batch, task),
                "feedback": self.feedback * on_y,
                "pool": self.weight * agree,
            },
            seen,
        )
