"""What a method brings beside a network, and the network that is kept of a training: with it, or the student alone."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tutelage.game import Equipped, Player, width_of
from tutelage.methods.base import Method
from tutelage.tasks import Task
from tutelage.types import Logits, Params


class Answering(Equipped):
    """A network that says what its method makes of it and of what was brought, see `Method.answer`.

    It can be saved without its code: as the body, the state of ``brought``, and the method's name and fields, by which
    `Method.brings` makes the same modules again.
    """

    def __init__(self, body: nn.Module, brought: nn.ModuleDict, method: Method) -> None:
        super().__init__(body, brought)
        self.method = method

    def forward(self, *args: Any, **kwargs: Any) -> Logits:
        inputs = args[0] if args else kwargs
        return self.method.answer(*Player(Equipped(self.body, self.brought)).aside(inputs))


def equipped(method: Method, network: nn.Module, task: Task, seed: int) -> nn.Module:
    """The network with what the method brings, its weights drawn by the seed; itself where that is nothing.

    What the network has of it from an earlier training stays, so that a training goes on from it.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        brought = method.brings(width_of(network), task).to(next(network.parameters()).device)
    if isinstance(network, Equipped):
        brought.update({name: network.brought[name] for name in brought if name in network.brought})
        network = network.body
    return Equipped(network, brought) if len(brought) else network


def kept(method: Method, network: nn.Module) -> nn.Module:
    """What is kept of a network as a player has it: the body, unless the method answers by what it brought, too."""
    if not isinstance(network, Equipped):
        return network
    if type(method).answer is Method.answer:
        return network.body
    return Answering(network.body, network.brought, method)


def restored(method: Method, network: nn.Module, task: Task, state: Params) -> nn.Module:
    """What was kept, from a network of the same shape and the state of a player; it is made ready to predict."""
    bare = type(method).brings is Method.brings
    seated = network if bare else equipped(method, network, task, seed=0)
    seated.load_state_dict(state)
    return kept(method, seated).eval()
