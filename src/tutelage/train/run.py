"""A training run: all that changes while a network is trained, saved and loaded between two steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tutelage.files import read_tensors, write_tensors
from tutelage.game import Player, Rule
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.methods.kept import kept
from tutelage.types import Params


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
    """

    method: Method
    rule: Rule
    seats: dict[str, Player]
    optimisers: dict[str, torch.optim.Optimizer]
    memory: Memory
    step: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Params] = field(default_factory=dict)

    def network(self, who: str = "student") -> nn.Module:
        """The network that is kept of a player, see `methods.kept`."""
        return kept(self.method, self.seats[who].module)

    def tensors(self) -> Params:
        """All tensors that a resumed run needs, by name."""
        state = {f"memory.{n}": t for n, t in self.memory.tensors().items()}
        state["rng.cpu"] = torch.get_rng_state()
        if torch.cuda.is_available():
            state |= {f"rng.cuda.{i}": s for i, s in enumerate(torch.cuda.get_rng_state_all())}
        for who, player in self.seats.items():
            state |= {f"player.{who}.{n}": t for n, t in player.module.state_dict().items()}
        for who, optimiser in self.optimisers.items():
            for i, slots in optimiser.state_dict()["state"].items():
                state |= {f"optimiser.{who}.{i}.{k}": torch.as_tensor(v) for k, v in slots.items()}
        return state | {f"best.{k}.{n}": t for k, kept in self.best.items() for n, t in kept.items()}

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        write_tensors(path, self.tensors(), {"step": self.step, "round": self.memory.round, "history": self.history})

    def load(self, path: Path) -> None:
        """Fill this run from a checkpoint; it must be freshly made for the same method, network and data.

        Raises:
            BadFileError: it is damaged, or written by a newer version.
        """
        tensors, meta = read_tensors(path)
        self.step, self.memory.round, self.history = meta["step"], meta["round"], meta["history"]
        for name, own in self.memory.tensors().items():
            own.copy_(tensors[f"memory.{name}"])
        for who, player in self.seats.items():
            player.module.load_state_dict(_below(f"player.{who}.", tensors))
        for who, optimiser in self.optimisers.items():
            state: dict[int, dict[str, Any]] = {}
            for key, value in _below(f"optimiser.{who}.", tensors).items():
                i, slot = key.split(".", 1)
                state.setdefault(int(i), {})[slot] = value
            optimiser.load_state_dict(optimiser.state_dict() | {"state": state})
        names = {key.split(".", 1)[0] for key in _below("best.", tensors)}
        self.best = {k: _below(f"best.{k}.", tensors) for k in names}
        torch.set_rng_state(tensors["rng.cpu"])
        for i, state_i in _below("rng.cuda.", tensors).items():
            torch.cuda.set_rng_state(state_i, int(i))


def _below(prefix: str, tensors: Params) -> Params:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
