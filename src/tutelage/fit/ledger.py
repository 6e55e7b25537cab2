"""The ledger of a training: the pseudo-labels that it learnt from, by whom, when, how sure, and with what weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
import torch

from tutelage.data import Examples
from tutelage.fit.problem import Problem
from tutelage.memory import Stored
from tutelage.methods import Method
from tutelage.methods.base import labeller_of
from tutelage.train import Run
from tutelage.train.loop import Watch
from tutelage.types import Params

MOST = 100_000
"""Units of a pool that a ledger follows, about at most; of a larger pool it follows evenly spaced items."""

BY = 0.1
"""How far a probability must move, at least, for a label to be written again that has not changed."""

PREFIX = "ledger."
"""Beginning of the names of a ledger's tensors in a part of the store."""

COLUMNS = {"at": torch.int32, "label": torch.int16, "probability": torch.float32, "weight": torch.float32,
           "flips": torch.int16}  # fmt: skip
"""Columns of the rows of a block, see `Rows`."""


@dataclass(frozen=True)
class Followed:
    """The units of a pool that a ledger follows: those of every k-th item.

    Attributes:
        every: k, at least 1.
        items: numbers of these items, (m,).
        counts: number of units of each of them, (m,).
        units: numbers of their units, (u,); ascending.
        pool: number of the pool's items.
    """

    every: int
    items: np.ndarray
    counts: np.ndarray
    units: np.ndarray
    pool: int

    @staticmethod
    def of(pool: Examples, most: int = MOST) -> Followed:
        """The units of evenly spaced items of a pool, about ``most``; all where these are no more.

        >>> from tutelage.data import Features
        >>> Followed.of(Features(torch.zeros(5, 1)), most=2).items.tolist()
        [0, 3]
        """
        counts = pool.counts()
        every = max(-(-int(counts.sum()) // most), 1)
        items = np.arange(0, len(pool), every)
        return Followed(every, items, counts[items], np.asarray(pool.units(items)), len(pool))

    def places(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Number of the item, and number of the unit within it, of each of the followed units ``at``, both (n,).

        >>> two = Followed(1, np.array([0, 1]), np.array([2, 3]), np.arange(5), 2)
        >>> [found.tolist() for found in two.places(np.array([1, 2, 4]))]
        [[0, 1, 1], [1, 0, 2]]
        """
        ends = np.cumsum(self.counts)
        which = np.searchsorted(ends, at, side="right")
        return self.items[which], at - (ends - self.counts)[which]


@dataclass(frozen=True)
class Block:
    """What changed in the pseudo-labels of a training between two looks at it.

    Attributes:
        round: number of the round, from 0.
        first, last: first and last step, from 1.
        rows: for each labeller what changed, by the names of COLUMNS, (n,) each.
    """

    round: int
    first: int
    last: int
    rows: Sequence[Params]


class Recorder:
    """A `Watch` that also keeps a ledger: it looks at each record, and before the labels of a round give way.

    A look sees the last label of each unit; of the labels before it in the same block it counts the flips alone.
    A unit is written where its label, its flips, or whether it counts have changed since it was written last, or its
    probability by more than BY. Blocks are kept beside the run, and so in its checkpoints: a stopped training goes on
    to the same ledger.

    Args:
        watch: what else watches the training.
        pool: examples of the pool.
    """

    def __init__(self, watch: Watch, pool: Examples) -> None:
        self.watch, self.followed = watch, Followed.of(pool)
        self._at = torch.as_tensor(self.followed.units)
        self.blocks: list[Block] = []
        self._written: list[Params] = []
        """Of each labeller what was written last of each followed unit, by the names of COLUMNS."""

    def __call__(self, run: Run) -> dict[str, float]:
        self.look(run)
        return self.watch(run)

    def before_round(self, run: Run) -> None:
        """Look at what the last round left, before its labels give way."""
        self.look(run)

    def look(self, run: Run) -> None:
        """Write what has changed in the run's pseudo-labels since the last look."""
        if not len(run.memory.label):
            return
        stored = [run.memory.of[who] for who in run.method.teaching]
        if not self._written:
            self._begin(run.beside, len(stored))
        first = self.blocks[-1].last + 1 if self.blocks else 1
        if first > run.step:
            return
        rows = [self._changed(labels, last) for labels, last in zip(stored, self._written, strict=True)]
        self.blocks.append(Block(run.memory.round, first, run.step, rows))
        name = f"{PREFIX}{len(self.blocks):06d}."
        run.beside[f"{name}about"] = torch.tensor([run.memory.round, first, run.step])
        run.beside |= {f"{name}{k}.{column}": t for k, found in enumerate(rows) for column, t in found.items()}

    def _begin(self, beside: Params, labellers: int) -> None:
        """Begin, or go on behind the blocks that a run keeps beside it."""
        for _ in range(labellers):
            last = {n: torch.zeros(len(self._at), dtype=kind) for n, kind in COLUMNS.items() if n != "at"}
            last["label"].fill_(-1)
            self._written.append(last)
        for about in sorted(name for name in beside if name.endswith(".about")):
            name, (turn, first, last_step) = about.removesuffix("about"), beside[about].tolist()
            rows = [{column: beside[f"{name}{k}.{column}"] for column in COLUMNS} for k in range(labellers)]
            self.blocks.append(Block(turn, first, last_step, rows))
            for last, of in zip(self._written, rows, strict=True):
                _write(last, of)

    def _changed(self, stored: Stored, last: Params) -> Params:
        """Rows of the units that are to be written, which are now what was written last."""
        at = self._at.to(stored.label.device)
        label = stored.label[at].cpu()
        now = {"label": label, "probability": stored.confidence[at].cpu().float()}
        now |= {"weight": stored.weight[at].cpu().float(), "flips": stored.flips[at].cpu()}
        moved = (now["probability"] - last["probability"]).abs() > BY
        moved |= (label != last["label"]) | (now["flips"] != last["flips"])
        moved |= (now["weight"] > 0) != (last["weight"] > 0)
        rows = {"at": (moved & (label >= 0)).nonzero()[:, 0].int()}
        rows |= {name: values[rows["at"].long()] for name, values in now.items()}
        _write(last, rows)
        return rows

    def tensors(self, run: Run) -> Params:
        """The whole ledger as tensors of a part of the store: the columns of all rows, and the blocks, (b, 5).

        Of a run that was stopped behind its last step no look was made, and its blocks are those that it kept beside. A
        block is its round, its first and last step, the number of its labeller, and the number of its rows. Where no
        label was ever kept there are none.

        Args:
            run: finished run.
        """
        if not self._written and len(run.memory.label):
            self._begin(run.beside, len(run.method.teaching))
        every = [(block, k, rows) for block in self.blocks for k, rows in enumerate(block.rows)]
        if not any(len(rows["at"]) for *_, rows in every):
            return {}
        blocks = [[b.round, b.first, b.last, k, len(rows["at"])] for b, k, rows in every]
        columns = {name: torch.cat([rows[name] for _, _, rows in every]) for name in COLUMNS}
        return {f"{PREFIX}{name}": t for name, t in (columns | {"blocks": torch.tensor(blocks)}).items()}


def _write(last: Params, rows: Params) -> None:
    for name, values in last.items():
        values[rows["at"].long()] = rows[name]


@dataclass(frozen=True)
class Ledger:
    """The ledger of a training, read from its part of the store.

    Attributes:
        training: name of the training.
        method: name of its method.
        labellers: names of those who labelled, as `Memory.of` has them.
        blocks: of each block its round, from 0, its first and last step, from 1, the number of its labeller, and the
            number of its rows, (b, 5).
        teachers: who gave the labels of each block, in words, (b,).
        item: number of each row's item in the pool of the whole fit, (n,).
        unit: number of the unit within the item, from 0, (n,).
        label: class number of each row, (n,).
        probability: probability of that label, (n,).
        weight: weight of the label in the loss, (n,); 0 was not learnt from.
        flips: number of times that the unit's label had changed by then, (n,).
        every: every which item of the training's pool is followed.
        items, pool: number of the items that are followed, and of those of the training's pool.
        units: number of the units that are followed.
        single: whether each item is one unit.
    """

    training: str
    method: str
    labellers: tuple[str, ...]
    blocks: np.ndarray
    teachers: tuple[str, ...]
    item: np.ndarray
    unit: np.ndarray
    label: np.ndarray
    probability: np.ndarray
    weight: np.ndarray
    flips: np.ndarray
    every: int
    items: int
    pool: int
    units: int
    single: bool

    @staticmethod
    def of(training: str, method: Method, problem: Problem, tensors: Params) -> Ledger:
        """The ledger that a part of the store holds, see `Recorder.tensors`.

        Args:
            training: name of the training.
            method: its method, settled.
            problem: problem that it was trained on.
            tensors: tensors of the part.
        """
        found = {name: tensors[f"{PREFIX}{name}"].numpy() for name in ("blocks", *COLUMNS)}
        followed, movers = Followed.of(problem.pool), method.teaching
        item, unit = followed.places(found.pop("at"))
        item = item if problem.pool_rows is None else np.asarray(problem.pool_rows)[item]
        teachers = tuple(labeller_of(method, movers[k], turn) for turn, _, _, k, _ in found["blocks"].tolist())
        single = bool((followed.counts == 1).all())
        return Ledger(
            training, method.name, movers, teachers=teachers, item=item, unit=unit, every=followed.every,
            items=len(followed.items), pool=followed.pool, units=len(followed.units), single=single, **found,
        )  # fmt: skip

    @property
    def steps(self) -> int:
        """Number of steps of the training."""
        return int(self.blocks[:, 2].max())

    @property
    def of_block(self) -> np.ndarray:
        """Number of each row's block, (n,)."""
        return np.repeat(np.arange(len(self.blocks)), self.blocks[:, 4])


_GATHERED: ContextVar[dict[str, Ledger] | None] = ContextVar("ledgers", default=None)
"""The ledgers of the fit of this context, by the training's name."""


@contextmanager
def gathering() -> Iterator[dict[str, Ledger]]:
    """Context of a fit whose trainings on all labels keep ledgers, which are gathered by the training's name."""
    found: dict[str, Ledger] = {}
    token = _GATHERED.set(found)
    try:
        yield found
    finally:
        _GATHERED.reset(token)


def keeps(method: Method, problem: Problem) -> bool:
    """Whether a training keeps a ledger: somebody gathers, and it may learn pseudo-labels of units that do not move."""
    learns = method.uses_pool and len(problem.pool) > 0
    return _GATHERED.get() is not None and learns and not problem.task.dense


def gather(training: str, method: Method, problem: Problem, tensors: Params) -> None:
    """Gather the ledger of a training, where its part of the store holds one and somebody gathers.

    Args:
        training: name of the training.
        method: its method, settled.
        problem: problem that it was trained on.
        tensors: tensors of its part.
    """
    if (found := _GATHERED.get()) is not None and f"{PREFIX}blocks" in tensors and training not in found:
        found[training] = Ledger.of(training, method, problem, tensors)


def apart(tensors: Params) -> Params:
    """The tensors of a part of the store without those of its ledger."""
    return {name: t for name, t in tensors.items() if not name.startswith(PREFIX)}
