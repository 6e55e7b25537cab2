"""What each member of a cohort has by itself when all descend at once: its weight decay and its gradient's norm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import torch
from torch import Tensor

from tutelage.game import Player
from tutelage.train.loop import Training, optimiser_of
from tutelage.types import Params


def optimiser_of_each(player: Player, trainings: Sequence[Training]) -> torch.optim.Optimizer:
    """The optimiser of stacked parameters, (k, ...), whose members are trained in these ways, by their order.

    Neighbours of one weight decay are a group, whose parameters are views of theirs in the stacks; `share` gives them
    their gradients.

    Args:
        player: player of the stacks.
        trainings: trainings of the k members, which differ in seed and weight decay alone.
    """
    found: list[torch.optim.Optimizer] = []
    at = 0
    for _, some in groupby(trainings, lambda t: t.weight_decay):
        same = list(some)
        params = {n: p.detach()[at : at + len(same)] for n, p in player.params.items()}
        found.append(optimiser_of(Player(player.module, params), same[0], fused=True))
        of = {id(p): n for n, p in params.items()}
        for group in found[-1].param_groups:
            group |= {"names": [of[id(p)] for p in group["params"]], "members": (at, at + len(same))}
        at += len(same)
    for group in [g for other in found[1:] for g in other.param_groups]:
        found[0].add_param_group(group)
    return found[0]


def share(grads: Params, optimiser: torch.optim.Optimizer) -> None:
    """Give the parameters of an optimiser that `optimiser_of_each` made their parts of the stacked gradients.

    Args:
        grads: gradients of the stacks, (k, ...), by name; what is done to them in place is done to the parts.
        optimiser: the optimiser.
    """
    for group in optimiser.param_groups:
        for name, p in zip(group["names"], group["params"], strict=True):
            p.grad = grads[name][slice(*group["members"])]


def clip_each(stacks: Iterable[Tensor], most: float) -> None:
    """Scale the gradients of each member's parameters, in place, so that the norm of all together is at most ``most``.

    Args:
        stacks: stacked parameters with their gradients, (k, ...) each.
        most: largest norm of a member's gradient, above 0.

    >>> stacks = [torch.zeros(2, 1), torch.zeros(2, 1)]
    >>> stacks[0].grad, stacks[1].grad = torch.tensor([[3.0], [0.3]]), torch.tensor([[4.0], [0.4]])
    >>> clip_each(stacks, 1.0)
    >>> [p.grad.mul(10).round().flatten().tolist() for p in stacks]
    [[6.0, 3.0], [8.0, 4.0]]
    """
    grads = [p.grad for p in stacks if p.grad is not None]
    norms = torch.stack([torch.linalg.vector_norm(g.flatten(1), dim=1) for g in grads])
    scales = (most / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1).tolist()
    for k, scale in enumerate(scales):
        if scale < 1:  # seldom: most gradients are short
            torch._foreach_mul_([g[k] for g in grads], scale)
