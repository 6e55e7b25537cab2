"""ALM-KD: each row's label and its teacher count as much as they help on labels that are held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import NonNegative, Positive, Share
from tutelage.methods.from_teacher import FromTeacher, heard_of, logs, spoken
from tutelage.ops.checks import Range
from tutelage.ops.losses import cross_entropy, kl, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Probs, Terms, Views, Weight

LEAST, MOST = 1e-7, 2 - 1e-7
"""Range of the weights that are learnt."""


@dataclass(frozen=True)
class AlmKd(FromTeacher):
    """How much a row's label counts, and how much its teacher, is learnt row by row from labels that are held back.

    L = (1/|B_l|) sum_i (a_i CE(y_i, f_i) + b_i D_i) + weight * (1/|B_u|) sum_u b_u D_u,
    D = T^2 KL(softmax(log t / T) || softmax(f / T))

    The first labels are a share ``held`` of all, which are not learnt. Where the last layer took one step of size
    ``step`` down the batch's loss, their cross-entropy V is known in closed form, and so is how it depends on each
    weight: each moves by ``rate`` dV / d weight whenever its row is met, within (0, 2). They begin at b = ``start``,
    a = 1 - b, and stay there in the first ``warm`` of the training. Labels that contradict what the others teach fade.

    A weight moves only where the held labels that count have the row's class, and these classes count alike; else
    classes of which few are held back would fade.

    Source: Sivasubramanian et al., Adaptive Mixing of Auxiliary Losses in Supervised Learning, AAAI 2023; ``start`` and
    ``step`` are those of their code, whose rate is 1500. There every tenth epoch moves the weights five times; here
    each meeting moves them once, and the rate was chosen on two draws that no table uses. There the held labels are
    known to be right; here nobody knows, so that those count which the teacher confirms.

    Args:
        weight: factor on the pool's loss, at least 0.
        temperature: T, above 0.
        start: first weight of a row's teacher, in [0, 1]; that of its label is 1 less this, or 1 where it has none.
        rate: step of the weights, at least 0; 0 leaves them as they begin, and holds no label back.
        step: step of the last layer in the look-ahead, above 0.
        held: share of the labels that are held back, in [0, 1).
        confirmed: whether, of the held labels, those alone count that the teacher finds likeliest, too, or is silent
            of; False where all held labels are right.
        warm: share of training before the weights move, in [0, 1].

    >>> AlmKd(rate=0.0).reserve, AlmKd().reserve
    (0.0, 0.2)
    """

    name: ClassVar[str] = "alm_kd"
    stackable: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = True
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "teacher on labels")
    still: ClassVar[tuple[str, ...]] = ("start", "held", "rate")
    temperature: Positive = 1.0
    start: Share = 0.9
    rate: NonNegative = 150.0
    step: Positive = 0.1
    held: Annotated[float, Range(0, 1, high_open=True)] = 0.2
    confirmed: bool = True
    warm: Share = 0.1

    @property
    def reserve(self) -> float:
        return self.held if self.rate else 0.0

    @property
    def couples(self) -> str:
        """The look-ahead steps down the loss of the whole batch."""
        return "its loss looks ahead of a step on the whole batch"

    def remembers(self, loader: Loader, task: Task) -> Params:
        kept, labelled, count = super().remembers(loader, task), heard_of(loader).labelled, len(loader.target)
        silent = torch.full((count, task.classes), torch.nan, dtype=kept["said"].dtype)
        said, counts = spoken(silent if labelled is None else labelled())
        own = torch.where(counts > 0, 1 - self.start, 1.0)
        return kept | {
            "said of labels": said, "counts of labels": counts,
            "of labels": torch.stack([own, torch.full_like(own, self.start)], 1),
            "of pool": torch.full_like(kept["counts"], self.start),
        }  # fmt: skip

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        return self.divergence(said, task.units(student(pool["weak"])))

    def divergence(self, said: Probs, logits: Tensor) -> Weight:
        """D of probabilities and logits, (n, c) each; (n,)."""
        t = self.temperature
        return t**2 * kl((logs(said) / t).log_softmax(-1), logits / t)

    def slope(self, said: Probs, logits: Tensor) -> Tensor:
        """Gradient of D in the logits, (n, c)."""
        t = self.temperature
        return t * ((logits / t).softmax(-1) - (logs(said) / t).softmax(-1))

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, kept, i, u = play["student"], memory.kept, batch.labelled.index, batch.unlabelled.index
        said, counts, b = kept["said"][u], kept["counts"][u], kept["of pool"][u]
        out, rows = student.represent(batch.unlabelled["weak"])
        z = task.units(out)
        terms = {"pool": self.weight * mean(self.divergence(said, z), b * counts)}
        confidence, label = said.max(-1)
        seen = {"label": label, "confidence": confidence, "weight": b * counts, "of pool": b}
        if not len(batch.labelled):
            return Terms(terms | {"supervised": torch.zeros((), device=z.device)}, seen)
        out, rows_l = student.represent(batch.labelled["weak"])
        z_l, (y, known) = task.units(out), task.target(batch.target)
        said_l, counts_l, both = kept["said of labels"][i], kept["counts of labels"][i], kept["of labels"][i]
        terms["supervised"] = mean(cross_entropy(y, z_l), both[:, 0] * known)
        terms["teacher on labels"] = mean(self.divergence(said_l, z_l), both[:, 1] * counts_l)
        seen["of labels"] = both
        if self.rate and len(batch.reserved) and batch.progress >= self.warm:
            slopes = [(z_l.softmax(-1) - y) * known[:, None], self.slope(said_l, z_l) * counts_l[:, None]]
            slopes.append(self.weight * self.slope(said, z) * counts[:, None])
            weights = [both[:, 0] / len(i), both[:, 1] / len(i), b / len(u)]
            held_out, held = student.represent(batch.reserved["weak"])
            held_y, held_known = task.target(batch.reserved_target)
            if self.confirmed:
                j = batch.reserved.index
                agrees = kept["said of labels"][j].argmax(-1) == held_y.argmax(-1)
                held_known = held_known * (agrees | (kept["counts of labels"][j] == 0))
            held_known, judged = evenly(held_y, held_known)
            slopes, weights = [s.detach() for s in slopes], [w.detach() for w in weights]
            down = look_ahead(
                torch.cat(slopes), torch.cat(weights), torch.cat([rows_l, rows_l, rows]).detach(),
                task.units(held_out).detach(), held.detach(), held_y, held_known, self.step,
            )  # fmt: skip
            of_own, of_taught, of_pool = torch.split(down, [len(i), len(i), len(u)])
            moves = torch.stack([of_own * (y @ judged), of_taught * (said_l @ judged)], 1) / len(i)
            seen["of labels"] = (both - self.rate * moves).clamp(LEAST, MOST)
            seen["of pool"] = (b - self.rate * of_pool * (said @ judged) / len(u)).clamp(LEAST, MOST)
        return Terms(terms, seen)

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        super().observe(batch, terms, memory, task)
        memory.kept["of pool"][batch.unlabelled.index] = terms.seen["of pool"].to(memory.kept["of pool"])
        if "of labels" in terms.seen:
            memory.kept["of labels"][batch.labelled.index] = terms.seen["of labels"].to(memory.kept["of labels"])


def evenly(y: Probs, known: Weight) -> tuple[Weight, Weight]:
    """Weights of held units, (m,), under which each class that is there counts alike; and 1 for each of them, (c,).

    Else classes of which few are held back, or which the teacher seldom confirms, would fade.

    Args:
        y: targets of the held units, rows of probabilities, (m, c).
        known: their weights, 0 where they do not count, (m,).

    >>> evenly(torch.eye(3)[[0, 0, 1, 2]], torch.tensor([1.0, 1.0, 1.0, 0.0]))
    (tensor([1., 1., 2., 0.]), tensor([1., 1., 0.]))
    """
    count = known @ y
    there = (count > 0).to(y.dtype)
    alike = (y * there / torch.where(count > 0, count, 1.0)).sum(-1)
    return known * alike * len(y) / there.sum().clamp(min=1), there


def look_ahead(
    slopes: Float[Tensor, "n c"], weights: Weight, rows: Float[Tensor, "n d"], held: Float[Tensor, "m c"],
    held_rows: Float[Tensor, "m d"], y: Probs, known: Weight, step: float,
) -> Weight:  # fmt: skip
    """How the cross-entropy of held-back units, after a step of the last layer, depends on each loss's weight, (n,).

    The last layer, ``W h + b``, steps down ``sum_i w_i l_i``: the held units' logits become
    ``z'_j = z_j - step sum_i w_i g_i (h_i . h_j + 1)``, and ``dV / dw_i = - step g_i . sum_j (h_i . h_j + 1) r_j`` with
    ``r_j = (softmax(z'_j) - y_j) / m``.

    Args:
        slopes: g, the gradient of each loss in its unit's logits, (n, c).
        weights: w, (n,).
        rows: h, the last layer's inputs of each loss's unit, (n, d).
        held: z, logits of the held units, (m, c).
        held_rows: the last layer's inputs of the held units, (m, d).
        y: their targets, rows of probabilities, (m, c).
        known: their weights, 0 where the target is unknown, (m,).
        step: size of the step, above 0.
    """
    alike = rows @ held_rows.T + 1  # (n, m); 1 is the bias
    after = held - step * alike.T @ (weights[:, None] * slopes)
    wrong = (after.softmax(-1) - y) * known[:, None] / len(held)
    found: Weight = -step * (slopes * (alike @ wrong)).sum(-1)
    return found
