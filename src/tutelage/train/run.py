"""A training run: all that changes while networks are trained, saved and loaded between two steps; the network kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tutelage.data import Loader
from tutelage.files import BadFileError
from tutelage.files.tensors import read_tensors, write_tensors
from tutelage.game import Equipped, Player, Rule, width_of
from tutelage.memory import Memory
from tutelage.methods import METHODS
from tutelage.methods.base import Method
from tutelage.methods.fields import Ramp, ramps_read
from tutelage.ops import own
from tutelage.tasks import Task
from tutelage.train.mixture import Mixture
from tutelage.types import Logits, Params


@dataclass
class Run:
    """A training run: the players, their optimisers and memory, and the number of steps done.

    Attributes:
        method: the method, settled.
        rule: the method's rule: who moves, and which gradient flows.
        seats: the players by name.
        optimisers: the optimisers of the movers, by the player's name.
        memory: what is remembered of the pool.
        step: number of steps that are done.
        history: numbers by name at each point: step, round, losses, and what else was asked for.
        best: the student's state at the best point of history, by the name of the number that was asked for.
        beside: what whoever watches the training keeps with it, by name; a checkpoint holds it, too.
    """

    method: Method
    rule: Rule
    seats: dict[str, Player]
    optimisers: dict[str, torch.optim.Optimizer]
    memory: Memory
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Params] = field(default_factory=dict)
    beside: Params = field(default_factory=dict)

    @property
    def memories(self) -> list[Memory]:
        """What is remembered, as of several runs, see `tutelage.train.cohort.Runs`."""
        return [self.memory]

    def network(self, who: str = "student") -> nn.Module:
        """The network that is kept of a player, see `kept`."""
        return kept(self.method, self.seats[who].module)

    def tensors(self) -> Params:
        """All tensors that a resumed run needs, by name."""
        state = {f"memory.{n}": t for n, t in self.memory.tensors().items()}
        state["rng.cpu"] = torch.get_rng_state()
        if torch.cuda.is_available():
            state |= {f"rng.cuda.{i}": s for i, s in enumerate(torch.cuda.get_rng_state_all())}
        for who, player in self.seats.items():
            state |= {f"player.{who}.{n}": t for n, t in player.module.state_dict().items()}
        state |= optimisers_kept(self.optimisers) | {f"beside.{n}": t for n, t in self.beside.items()}
        return state | {f"best.{k}.{n}": t for k, kept in self.best.items() for n, t in kept.items()}

    def save(self, path: Path, relabels: bool = False) -> None:
        """Write a checkpoint, whole or not at all.

        Args:
            path: file of the checkpoint.
            relabels: whether labels in files beside it are about to be written anew, so that it vouches for none.
        """
        meta, crc = self.counts(), None if relabels else self.memory.checksum()
        write_tensors(path, self.tensors(), meta if crc is None else meta | {"labels": crc})

    def counts(self) -> dict[str, Any]:
        """All plain values that a resumed run needs, by name."""
        return {"step": self.step, "round": self.memory.round, "history": self.history}

    def load(self, path: Path) -> None:
        """Fill this run from a checkpoint; it must be freshly made for the same method, network and data.

        Raises:
            BadFileError: it is damaged, or written by a newer version; or the labels beside it are damaged.
        """
        tensors, meta = read_tensors(path)
        if "labels" in meta and self.memory.mapped and meta["labels"] != self.memory.checksum():
            raise BadFileError(f"{path}: the labels beside it are damaged: they are not those written (CRC-32)")
        self.fill(tensors, meta)

    def fill(self, tensors: Params, meta: dict[str, Any]) -> None:
        """Fill this run, as `load` does, from the tensors and the plain values of a checkpoint."""
        self.step, self.memory.round, self.history = meta["step"], meta["round"], meta["history"]
        for name, kept_of in self.memory.tensors().items():
            kept_of.copy_(tensors[f"memory.{name}"])
        for who, player in self.seats.items():
            player.module.load_state_dict(below(f"player.{who}.", tensors))
        fill_optimisers(self.optimisers, tensors)
        names = {key.split(".", 1)[0] for key in below("best.", tensors)}
        self.best = {k: below(f"best.{k}.", tensors) for k in names}
        self.beside = below("beside.", tensors)
        torch.set_rng_state(tensors["rng.cpu"])
        for i, state_i in below("rng.cuda.", tensors).items():
            torch.cuda.set_rng_state(state_i, int(i))


def optimisers_kept(optimisers: Mapping[str, torch.optim.Optimizer]) -> Params:
    """What optimisers remember, by names that a checkpoint has, from their movers' names."""
    return {
        f"optimiser.{who}.{i}.{k}": torch.as_tensor(v)
        for who, optimiser in optimisers.items()
        for i, slots in optimiser.state_dict()["state"].items()
        for k, v in slots.items()
    }


def fill_optimisers(optimisers: Mapping[str, torch.optim.Optimizer], tensors: Params) -> None:
    """Fill optimisers from the tensors of a checkpoint, see `optimisers_kept`."""
    for who, optimiser in optimisers.items():
        state: dict[int, dict[str, Any]] = {}
        for key, value in below(f"optimiser.{who}.", tensors).items():
            i, slot = key.split(".", 1)
            state.setdefault(int(i), {})[slot] = value
        optimiser.load_state_dict(optimiser.state_dict() | {"state": state})


def below(prefix: str, tensors: Params) -> Params:
    """The tensors whose names begin with a prefix, by the rest of their names."""
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


class Answering(Equipped):
    """A network with the brought modules, whose logits are those of `Method.answer`.

    It can be saved without its code: as the body, the state of ``brought``, and the method's name and fields, by which
    `Method.brings` makes the same modules again. Of a method of the user's own its address is saved, too.
    """

    def __init__(self, body: nn.Module, brought: nn.ModuleDict, method: Method) -> None:
        super().__init__(body, brought)
        self.method = method

    def forward(self, *args: Any, **kwargs: Any) -> Logits:
        inputs = args[0] if args else kwargs
        return self.method.answer(*Player(Equipped(self.body, self.brought)).aside(inputs))

    def about(self) -> dict[str, Any]:
        """The method's name and fields as plain values, by which `made` makes the network again.

        Raises:
            TypeError: the method's class cannot be imported again, or a field has no plain value.
        """
        method = self.method
        values = {f.name: getattr(method, f.name) for f in fields(method)}
        values = {n: str(v) if isinstance(v, Ramp) else v for n, v in values.items()}
        if not all(v is None or isinstance(v, (bool, int, float, str)) for v in values.values()):
            raise TypeError(f"a network that answers by {method!r} cannot be saved, only pickled")
        try:
            code = {} if METHODS.get(method.name) is type(method) else own.described(type(method))
        except TypeError as e:
            raise TypeError(f"a network that answers by {method!r} cannot be saved, only pickled: {e}") from e
        return {"method": method.name, "fields": values} | code

    @staticmethod
    def made(about: dict[str, Any], body: nn.Module, task: Task) -> Answering:
        """The network that `about` describes, its brought modules with any weights.

        Args:
            about: values that `about` gave.
            body: network of the player.
            task: task of the network.
        """
        kind = own.imported(about) if own.CODE in about else METHODS[about["method"]]
        method = kind(**ramps_read(kind, about["fields"]))
        seated: Any = equipped(method, body, task, seed=0)
        return Answering(seated.body, seated.brought, method)


def body_of(network: nn.Module) -> nn.Module:
    """The network without modules that a method has brought; of several that answer together the first."""
    if isinstance(network, Mixture):
        return body_of(next(iter(network.parts)))
    return network.body if isinstance(network, Equipped) else network


def equipped(method: Method, network: nn.Module, task: Task, seed: int, loader: Loader | None = None) -> nn.Module:
    """The network with the modules that the method brings, their weights drawn by the seed; itself without any.

    Modules of the same name that the network has from an earlier training stay, so that a training goes on from them.
    Where they are trained on a loader's examples, `Method.furnishes` sets what they hold that is not learnt.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        brought = method.brings(width_of(network), task).to(next(network.parameters()).device)
    if isinstance(network, Equipped):
        brought.update({name: network.brought[name] for name in brought if name in network.brought})
        network = network.body
    if loader is not None:
        method.furnishes(brought, loader, task)
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
