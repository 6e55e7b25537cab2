"""Rounds of federated averaging: clients train from the global weights on their own rows, and a server averages."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tutelage.federated.clients import Client, Update
from tutelage.files import BadFileError, set_aside
from tutelage.files.tensors import read_tensors, write_tensors
from tutelage.fit.setup import MemoryStore, Store, StoredPart, silent
from tutelage.methods import Method
from tutelage.ops.checks import in_range
from tutelage.ops.said import warn
from tutelage.train import Training
from tutelage.types import Params, Tick

Point = dict[str, float]
"""Numbers of a round, by name: the steps done, the number of the round, losses and coverage."""


@dataclass(frozen=True)
class Rounds:
    """How long a federation trains.

    Args:
        number: number of rounds, at least 1.
        training: of a client in a round. The peak of the learning rate falls to 0 over the rounds along half a cosine,
            as the rate itself does within each.

    Raises:
        ValueError: the number is out of its range.
    """

    number: int
    training: Training

    def __post_init__(self) -> None:
        in_range("rounds", self.number, 1)

    def training_of(self, number: int, client: str) -> Training:
        """The training of a client in a round.

        Args:
            number: number of the round, from 0.
            client: name of the client.
        """
        falls = (1 + math.cos(math.pi * number / self.number)) / 2
        words = np.random.SeedSequence([self.training.seed, number, *client.encode()])
        return replace(self.training, lr=self.training.lr * falls, seed=int(words.generate_state(1)[0]))


def average(updates: Sequence[Update]) -> Params:
    """The mean of the clients' tensors, by name, weighted by their rows: ``w = sum_k n_k w_k / sum_k n_k``.

    It is computed in float64 and in the order of the clients' names, so that it does not depend on who answers first.

    Source: McMahan et al., FedAvg, AISTATS 2017.

    >>> sent = [Update("b", {"w": torch.tensor([4.0])}, 1, {}), Update("a", {"w": torch.tensor([0.0])}, 3, {})]
    >>> average(sent)["w"].item()
    1.0
    """
    updates = sorted(updates, key=lambda update: update.name)
    rows = sum(update.rows for update in updates)
    found = Params()
    for name, like in updates[0].weights.items():
        total = torch.stack([u.weights[name].double() * (u.rows / rows) for u in updates]).sum(0)
        found[name] = (total if like.is_floating_point() else total.round()).to(like.dtype)
    return found


def summed(updates: Sequence[Update], number: int, steps: int) -> Point:
    """A point of the history: the clients' numbers in a round, each weighted by its client's rows.

    Args:
        updates: what the clients sent.
        number: number of the round, from 0.
        steps: steps of a client in a round.
    """
    updates = sorted(updates, key=lambda update: update.name)
    found: Point = {"step": float(steps * (number + 1)), "round": float(number)}
    for name in dict.fromkeys(name for update in updates for name in update.numbers):
        told = [(u.numbers[name], u.rows) for u in updates if name in u.numbers]
        found[name] = sum(value * rows for value, rows in told) / sum(rows for _, rows in told)
    return found


@dataclass(frozen=True)
class Federation:
    """Clients that train together in this process.

    Attributes:
        clients: the clients.
        network: what the first round begins with, see `beginning`.
        rounds: how long they train.
        store: keeps what is finished, so that a stopped federation goes on where it was.
        tick: told of the rounds.
    """

    clients: Sequence[Client]
    network: nn.Module
    rounds: Rounds
    store: Store = field(default_factory=MemoryStore)
    tick: Tick = silent

    def trained(self, name: str, method: Method) -> tuple[nn.Module, list[Point]]:
        """The global model after all rounds, and a point of history of each.

        Clients without a row that the method learns from, such as those without labels where labels alone are learnt,
        take no part.

        Args:
            name: of the training in the store and in what is told of progress.
            method: method of every client.

        Raises:
            ValueError: no client has a row that the method learns from, or the weights are no longer finite.
        """
        clients = sorted((c for c in self.clients if c.rows(method)), key=lambda c: c.name)
        if not clients:
            raise ValueError(f"no client has a row that {method.name} learns from")

        def compute(path: Path | None) -> StoredPart:
            return self._played(name, method, clients, path)

        weights, history = self.store.once(name, compute)
        network = copy.deepcopy(self.network)
        network.load_state_dict(weights)
        return network.eval(), history

    def _played(self, name: str, method: Method, clients: Sequence[Client], path: Path | None) -> StoredPart:
        """Weights and history after all rounds, from those of a checkpoint on where it exists."""
        network, training = copy.deepcopy(self.network), self.rounds.training
        weights, history = _kept(path) or (network.state_dict(), [])
        saved = time.monotonic()
        for number in range(len(history), self.rounds.number):
            self.tick(name, number, self.rounds.number)
            network.load_state_dict(weights)
            sent = [c.trained(network, method, self.rounds.training_of(number, c.name)) for c in clients]
            weights = average(sent)
            # of the weights alone: the scale of a feature that never changes is infinite
            learnt = (weights[each] for each, _ in network.named_parameters())
            if not all(bool(t.isfinite().all()) for t in learnt):
                raise ValueError(
                    f"the weights are no longer finite after round {number + 1:,} of {name}: the learning rate "
                    f"{training.lr:g} is too high; give a lower --lr"
                )
            history.append(summed(sent, number, training.steps))
            if path is not None and time.monotonic() - saved >= training.checkpoint_every:
                write_tensors(path, weights, history)
                saved = time.monotonic()
        self.tick(name, self.rounds.number, self.rounds.number)
        return weights, history


def _kept(path: Path | None) -> StoredPart | None:
    """What a checkpoint holds; None where there is none, or where it is damaged and set aside, which is said."""
    if path is None or not path.exists():
        return None
    try:
        return read_tensors(path)
    except BadFileError as e:
        warn(f"{e}. It is set aside as {set_aside(path).name}, and its rounds are done again", page="damaged")
        return None
