"""Modules that a method brings beside a network, and the network that is kept after training: with them or without."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tutelage.game import Equipped, Player, width_of
from tutelage.methods.base import Method
from tutelage.tasks import Task
from tutelage.types import Logits, Params


class Answering(Equipped):
    """A network with the brought modules, whose logits are those of `Method.answer`.

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
    """The network with the modules that the method brings, their weights drawn by the seed; itself without any.

    Modules of the same name that the network has from an earlier training stay, so that a training goes on from them.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        brought = method.brings(width_of(network), task).to(next(network.parameters()).device)
    if isinstance(network, Equipped):
        brought.update({name: network.brought[name] for name in brought if name in network.brought})
        network = network.body
    return Equipped(network, brought) if len(brought) else network


def kept(method: Method, network: nn.Module) -> nn.Module:
    """The part of a player's network that is kept: the body, or all of it if the method overrides `Method.answer`."""
    if not isinstance(network, Equipped):
        return network
    if type(method).answer is Method.answer:
        return network.body
    answering = Answering(network.body, network.brought, method)
    answering.training = network.training
    return answering


def restored(method: Method, network: nn.Module, task: Task, state: Params) -> nn.Module:
    """The network that was kept, from one of the same shape and the state of a player, ready to predict."""
    bare = type(method).brings is Method.brings
    seated = network if bare else equipped(method, network, task, seed=0)
    seated.load_state_dict(state)
    return kept(method, seated).eval()
