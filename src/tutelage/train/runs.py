"""Runs of several trainings that are done together, and their checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from tutelage.files import BadFileError
from tutelage.files.tensors import read_tensors, write_tensors
from tutelage.game import Player
from tutelage.memory import Memory
from tutelage.train.run import Run, below, fill_optimisers, optimisers_kept
from tutelage.types import Params


@dataclass
class Runs:
    """Several runs that are at the same step, and the stacks of which their tensors are views.

    Attributes:
        runs: a run for each member.
        seats: players whose parameters are stacks, (k, ...), by name.
        memory: stacks of what is remembered, (k, ...), by the names of `Memory.tensors`.
        generators: source of random numbers of each member.
        optimisers: optimisers of the stacks, by the mover's name.
        step: number of steps that are done.
    """

    runs: list[Run]
    seats: dict[str, Player]
    memory: Params
    generators: list[torch.Generator]
    optimisers: dict[str, torch.optim.Optimizer]
    step: int = 0

    @property
    def memories(self) -> list[Memory]:
        """What each run remembers, whose tensors are views of the stacks."""
        return [run.memory for run in self.runs]

    def tensors(self) -> Params:
        """All tensors that a resumed cohort needs, by name."""
        state = {f"memory.{n}": t for n, t in self.memory.items()}
        state |= {f"rng.{k}": g.get_state() for k, g in enumerate(self.generators)}
        for who, player in self.seats.items():
            state |= {f"player.{who}.{n}": t for n, t in player.params.items()}
        for k, run in enumerate(self.runs):
            state |= {f"beside.{k}.{n}": t for n, t in run.beside.items()}
        return state | optimisers_kept(self.optimisers)

    def save(self, path: Path) -> None:
        """Write a checkpoint, whole or not at all."""
        first = self.runs[0]
        meta = {"step": self.step, "round": first.memory.round, "histories": [run.history for run in self.runs]}
        write_tensors(path, self.tensors(), meta)

    @torch.no_grad()
    def load(self, path: Path) -> None:
        """Fill these runs from a checkpoint; they must be freshly made for the same cohort.

        Raises:
            BadFileError: it is damaged, of another cohort, or written by a newer version.
        """
        tensors, meta = read_tensors(path)
        if set(tensors) < set(self.tensors()) or len(meta["histories"]) != len(self.runs):
            raise BadFileError(f"{path}: a checkpoint of other trainings")
        self.step = meta["step"]
        for run, history, k in zip(self.runs, meta["histories"], range(len(self.runs)), strict=True):
            run.step, run.memory.round, run.history = meta["step"], meta["round"], history
            self.generators[k].set_state(tensors[f"rng.{k}"])
            run.beside = below(f"beside.{k}.", tensors)
        for name, stack in self.memory.items():
            stack.copy_(tensors[f"memory.{name}"])
        for who, player in self.seats.items():
            player.install({n: tensors[f"player.{who}.{n}"] for n in player.params})
        fill_optimisers(self.optimisers, tensors)
