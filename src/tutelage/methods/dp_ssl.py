"""DP-SSL: many small heads write rules, and a label model makes soft labels of their votes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

import torch
from torch import Tensor, nn

from tutelage.data import Loader
from tutelage.game import Player, Rule, Simultaneous
from tutelage.memory import Memory
from tutelage.methods.base import Method, on_labels, require_own_units
from tutelage.methods.fields import Count, NonNegative, Share
from tutelage.ops.losses import cross_entropy, mean
from tutelage.tasks import Task
from tutelage.types import Batch, Params, Terms
from tutelage.weak import Votes, label


@dataclass(frozen=True)
class DpSsl(Method):
    """Many heads each learn the labels that they find easiest; their votes on the pool teach a fresh network.

    Round 0, with the losses l_lm of the heads m on a label l, of which the ``best`` least are B_l:

        L = L_sup(S) + (1/|B_l|) sum_l (mean_{m in B_l} l_lm + unsure * mean_{m not in B_l} KL(uniform || p_m(x_l)))

    so that each head learns some of the labels and doubts elsewhere. A head votes for its likeliest class where that
    has a probability above ``threshold``, and else abstains. The label model makes probabilities q_u of the votes.
    Round 1 begins afresh: L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(q_u, f(x_u)), w_u = 0 where none voted.

    Source: Xu et al., DP-SSL: Towards Robust Semi-supervised Learning with A Few Labeled Samples, NeurIPS 2021, our
    reading by its abstract; the term of doubt is that of Lee et al., Confident Multiple Choice Learning, ICML 2017.

    Args:
        functions: number of heads, at least 1.
        best: number of heads that learn a label, at least 1; all where there are fewer.
        threshold: probability above which a head votes, in [0, 1].
        unsure: factor on the divergence of the other heads from doubt, at least 0.
        weight: factor on the pool's loss, at least 0.
        label_model: name of the label model: "data_programming" or "majority".

    >>> from tutelage.tasks import Classification
    >>> len(DpSsl(functions=4).brings(8, Classification(3)))
    4
    """

    name: ClassVar[str] = "dp_ssl"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    represents: ClassVar[bool] = False
    of_labels: ClassVar[tuple[str, ...]] = ("supervised", "functions")
    labeller: ClassVar[str] = "the label model of votes of heads that learnt the labels"
    still: ClassVar[tuple[str, ...]] = ("threshold",)
    functions: Count = 20
    best: Count = 5
    threshold: Share = 0.6
    unsure: NonNegative = 0.75
    weight: NonNegative = 1.0
    label_model: Literal["data_programming", "majority"] = "data_programming"

    def settled(self, task: Task, weak: bool = False) -> Self:
        require_own_units(self, task)
        return super().settled(task, weak)

    @property
    def rule(self) -> Rule:
        return Simultaneous(("student",))

    @property
    def training_rounds(self) -> int:
        return 2

    def brings(self, width: int, task: Task) -> nn.ModuleDict:
        return nn.ModuleDict({f"function {j}": nn.Linear(width, task.classes) for j in range(self.functions)})

    def remembers(self, loader: Loader, task: Task) -> Params:
        n = loader.pool_units
        even = torch.full((n, task.classes), 1 / task.classes)
        return {"votes": torch.full((n, self.functions), -1.0), "said": even, "counts": torch.zeros(n)}

    def loss(self, who: str, batch: Batch, play: Mapping[str, Player], task: Task, memory: Memory) -> Terms:
        student, pool = play["student"], batch.unlabelled
        terms = {"supervised": on_labels(student, batch, task)}
        if memory.round:
            said, counts = memory.kept["said"][pool.index], memory.kept["counts"][pool.index]
            terms["pool"] = self.weight * mean(cross_entropy(said, task.units(student(pool["weak"]))), counts)
            return Terms(terms)
        if len(batch.labelled):
            y, known = task.target(batch.target)
            log_p = torch.stack(list(student.aside(batch.labelled["weak"])[1].values()), 1).log_softmax(-1)
            terms["functions"] = mean(easiest(log_p, y, self.best, self.unsure), known)
        with torch.no_grad():
            p = torch.stack(list(student.aside(pool["weak"])[1].values()), 1).softmax(-1)
        confidence, vote = p.max(-1)
        return Terms(terms, {"votes": torch.where(confidence > self.threshold, vote, -1).to(p)})

    def observe(self, batch: Batch, terms: Terms, memory: Memory, task: Task) -> None:
        if "votes" in terms.seen:
            memory.kept["votes"][batch.unlabelled.index] = terms.seen["votes"]

    def keep(self, memory: Memory) -> None:
        p, counts = combined(memory.kept["votes"], memory.kept["said"].shape[1], self.label_model)
        memory.kept["said"].copy_(p)
        memory.kept["counts"].copy_(counts)
        memory.write(torch.arange(len(p)), p.argmax(-1), p.max(-1).values, counts)


def easiest(log_p: Tensor, y: Tensor, best: int, doubt: float) -> Tensor:
    """Mean loss of the heads that find a label easiest, and of the others how far they are from doubt, (n,).

    Args:
        log_p: log-probabilities of each head, (n, m, c).
        y: targets, (n, c).
        best: number of heads that learn a label.
        doubt: factor on the others' divergence from doubt.

    >>> easiest(torch.tensor([[[0.5, 0.5], [0.9, 0.1]]]).log(), torch.tensor([[1.0, 0.0]]), 1, 0.0).exp()
    tensor([1.1111])
    """
    losses, unsure = -(y[:, None] * log_p).sum(-1), -log_p.mean(-1) - torch.log(torch.tensor(float(log_p.shape[-1])))
    heads = log_p.shape[1]
    rank = losses.detach().argsort(dim=-1, stable=True).argsort(dim=-1)
    learns = (rank < best).to(losses)
    found = (learns * losses).sum(-1) / min(best, heads)
    return found + doubt * ((1 - learns) * unsure).sum(-1) / max(heads - best, 1)


def combined(votes: Tensor, classes: int, model: str) -> tuple[Tensor, Tensor]:
    """Probabilities by a label model of the votes, (n, c), and 1 where any was cast, else 0, (n,).

    Args:
        votes: class that each head votes for, (n, m); -1 = it abstains.
        classes: number of classes, c.
        model: name of the label model.
    """
    table = votes.cpu().numpy().astype(int)
    cast = Votes(table, [str(j) for j in range(table.shape[1])], [str(k) for k in range(classes)])
    covered = torch.as_tensor(cast.covered)
    if not covered.any():
        return torch.full((len(votes), classes), 1 / classes), covered.float()
    return torch.as_tensor(label(cast, model), dtype=torch.get_default_dtype()), covered.float()
