"""Trainings that are spared memory or time: batches in parts, narrow precision, compiled or recomputed blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from tutelage.game import Called, Loss, Parted, Seats, Way
from tutelage.memory import Memory
from tutelage.methods import Method
from tutelage.ops.said import warn
from tutelage.tasks import Task
from tutelage.train.compiling import why_uncompiled
from tutelage.train.loop import Game, Training
from tutelage.train.run import Run
from tutelage.types import Batch, Terms


@dataclass(frozen=True)
class Frugal(Game):
    """A game whose networks are called in some way, on parts of a batch, one after another, see `Training`."""

    def __post_init__(self) -> None:
        require_parted(self.method, self.training)

    def begin(self, path: Path | None = None) -> Run:
        """Seat the players, each of which is called as the training says."""
        run = super().begin(path)
        ways = self._ways(run)
        run.seats = {who: Called(player.module, ways()) for who, player in run.seats.items()}
        return run

    def loss(self, method: Method, batch: Batch, run: Run) -> Loss:
        """What each player minimises on a batch, part by part."""
        if self.training.accumulate == 1:
            return super().loss(method, batch, run)
        parts = self.loader.parts(batch, run.step, self.training.accumulate)
        return in_parts(method, batch, parts, self.task, run.memory)

    def _ways(self, run: Run) -> Callable[[], Way]:
        """Function that gives how a network is called; it is said where none can be compiled that was to be."""
        t = self.training
        compiled = t.compile
        if compiled:
            curved = getattr(run.rule, "curved", False)
            why = f"{self.method.name} differentiates gradients again" if curved else why_uncompiled()
            if why:
                warn(f"Networks are not compiled: {why}.", stacklevel=4, page="not-compiled")
                compiled = False
        precision = None if t.amp == "float32" else torch.bfloat16
        return partial(Way, precision, t.checkpoint_activations, compiled)


def require_parted(method: Method, training: Training) -> None:
    """Check that the batches of a training can be gone through in parts, where they are to be.

    Args:
        method: settled method.
        training: how long and how it is trained.

    Raises:
        ValueError: the method's loss couples the units of a batch.

    >>> from tutelage.methods import MeanTeacher
    >>> require_parted(MeanTeacher(), Training(accumulate=4))
    """
    why = method.couples or ("it holds back labels" if method.reserve else "")
    if training.accumulate > 1 and why:
        raise ValueError(
            f"accumulate must be 1 for {method.name}, got {training.accumulate}: {why}, so that a step in parts would "
            "be another one; leave it out, or save memory by checkpoint_activations"
        )


def in_parts(method: Method, batch: Batch, parts: Sequence[Batch], task: Task, memory: Memory) -> Loss:
    """A method's loss on a batch as the sum of its losses on parts, each term weighted by the part's share of units.

    A term that is a mean over the labelled units has the share of these, another one that of the pool's, so that the
    sum is the mean over the batch, whatever the sizes of the parts.

    Args:
        method: method whose batches have parts, see `Method.couples`.
        batch: the whole batch.
        parts: its parts.
        task: task of the units.
        memory: what is remembered of the pool.
    """

    def of(part: Batch, who: str, seats: Seats) -> Terms:
        found = method.loss(who, part, seats, task, memory)
        shares = {
            True: len(part.labelled) / max(len(batch.labelled), 1),
            False: len(part.unlabelled) / max(len(batch.unlabelled), 1),
        }
        return Terms({n: t * shares[n in method.of_labels] for n, t in found.terms.items()}, found.seen)

    def loss(who: str, seats: Seats) -> Terms:
        return Parted({}, parts=[partial(of, part, who, seats) for part in parts])

    return loss
