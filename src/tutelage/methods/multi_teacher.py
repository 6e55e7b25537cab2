"""Several teachers: where they agree the student learns their label, where not the mean of what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from tutelage.data import Loader
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.methods.fields import Positive
from tutelage.methods.from_teacher import FromTeacher, heard_of, logs
from tutelage.ops.losses import cross_entropy
from tutelage.tasks import Task
from tutelage.types import Params, Probs, Views, Weight


@dataclass(frozen=True)
class MultiTeacher(FromTeacher):
    """Where several teachers are of one mind the student learns their label, elsewhere the mean of what they say.

    L = L_sup(S) + weight * (1/|B_u|) sum_u w_u CE(t_u, f(x_u; S))

    Where at least two teachers speak and all find one class likeliest (the consensus set), t_u is that class, or the
    mean of their probabilities; elsewhere (the difference set) it is the mean, at the row's own temperature
    T_u = 1 + (temperature - 1) H(t_u) / log C, so that rows of which the teachers are unsure are flattened most. One
    teacher alone is distilled.

    Source: our reading of consensus and difference sets, arXiv 2112.01048, 2021, and of flexible temperatures, APWeb
    2023, both known by abstract.

    Args:
        weight: factor on the pool's loss, at least 0.
        agreed: what is learnt where they agree: their label, "hard", or the mean of their probabilities, "mean".
        temperature: temperature of a row of which the teachers know nothing, above 0; 1 leaves all rows as they are.

    >>> MultiTeacher().agreed
    'hard'
    """

    name: ClassVar[str] = "multi_teacher"
    stackable: ClassVar[bool] = True
    parted: ClassVar[bool] = True
    labeller: ClassVar[str] = "the teachers that were brought"
    still: ClassVar[tuple[str, ...]] = ("temperature",)
    agreed: Literal["hard", "mean"] = "hard"
    temperature: Positive = 1.0

    def remembers(self, loader: Loader, task: Task) -> Params:
        together, each = self.table(loader), heard_of(loader).each
        said, same, speaks = agreement(together[:, None] if each is None else each().to(together))
        label = torch.nn.functional.one_hot(said.argmax(-1), task.classes).to(said)
        one_mind = label if self.agreed == "hard" else logs(said).softmax(-1)
        return {"said": torch.where(same[:, None], one_mind, self.warmed(said)), "counts": speaks.to(said.dtype)}

    def warmed(self, said: Probs) -> Probs:
        """The probabilities, (n, c), each row at its own temperature."""
        unsure = -(said * logs(said)).sum(-1, keepdim=True) / torch.tensor(said.shape[-1]).log()
        return (logs(said) / (1 + (self.temperature - 1) * unsure)).softmax(-1)

    def apart(self, student: Player, pool: Views, said: Probs, task: Task, memory: Memory) -> Weight:
        return cross_entropy(said, task.units(student(pool["weak"])))


def agreement(each: Tensor) -> tuple[Probs, Tensor, Tensor]:
    """Mean of the teachers that speak, (n, c); whether two or more speak and all find one class likeliest; who speaks.

    Args:
        each: probabilities by each of k teachers, (n, k, c), rows of NaN where one is silent.

    Returns:
        Rows of equal probabilities where all are silent; a mask of the rows in which they agree, (n,), and a mask of
        those of which anybody speaks, (n,).

    >>> mean, same, speaks = agreement(torch.tensor([[[0.75, 0.25], [0.75, 0.25]], [[0.75, 0.25], [0.25, 0.75]]]))
    >>> same.tolist(), mean.tolist()
    ([True, False], [[0.75, 0.25], [0.5, 0.5]])
    """
    heard = ~each.isnan().any(-1)
    count, label = heard.sum(-1), each.nan_to_num(0.0).argmax(-1)
    mean = torch.where(heard[..., None], each, 0.0).sum(1) / count.clamp(min=1)[:, None]
    mean = torch.where(count[:, None] > 0, mean, 1 / each.shape[-1])
    highest, lowest = label.where(heard, -1).amax(1), label.where(heard, each.shape[-1]).amin(1)
    return mean, (count > 1) & (highest == lowest), count > 0
