"""The memory of a training: pseudo-labels of the pool's units. Only `Method.observe` and code between rounds write."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch

from tutelage.files import BadFileError, naming
from tutelage.types import Labels, Params, Weight

NAMES = ("label", "confidence", "weight", "flips")
"""Names of the values that are stored for each unit, see `Stored`."""

UNITS_IN_MEMORY = 2**22
"""Units of a pool whose pseudo-labels are kept in main memory, at most.

Those of a larger pool are kept in memory-mapped files; a method that does not label between rounds then stores none.
"""


PIECE = 2**22
"""Values that are read at once for a checksum."""


def _take_room(path: Path, size: int) -> None:
    """Make a file of zeros whose room on the disk is its own: writing to its map then never finds the disk full.

    Raises:
        OSError: the disk has no room for it.
    """
    with naming(path), open(path, "wb") as f:
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(f.fileno(), 0, size)
            except BaseException:
                f.truncate(0)
                raise
        else:  # Windows takes the room where a file grows
            f.truncate(size)


class Stored:
    """Pseudo-labels of the pool by one labeller.

    Args:
        size: number of the pool's units, n.
        device: device of the tensors.

    Attributes:
        label: last pseudo-label of each unit, (n,), int16; -1 is none yet.
        confidence: probability of that label, (n,), in [0, 1].
        weight: weight of that label in the loss, (n,).
        flips: number of times that the label changed, (n,), int16.

    >>> stored = Stored(3)
    >>> for c in (0, 1):
    ...     stored.write(torch.tensor([2]), torch.tensor([c]), torch.ones(1), torch.ones(1))
    >>> stored.label.tolist(), stored.flips.tolist()
    ([-1, -1, 1], [0, 0, 1])
    """

    def __init__(self, size: int, device: torch.device | str = "cpu") -> None:
        self.label = torch.full((size,), -1, dtype=torch.int16, device=device)
        self.confidence = torch.zeros(size, device=device)
        self.weight = torch.zeros(size, device=device)
        self.flips = torch.zeros(size, dtype=torch.int16, device=device)

    @torch.no_grad()
    def write(self, index: Labels, label: Labels, confidence: Weight, weight: Weight) -> None:
        """Store the pseudo-labels of the units numbered ``index``; each argument is (b,). Count labels that changed."""
        index = index.to(self.label.device)
        before, label = self.label[index], label.to(self.label)
        self.flips[index] += (before >= 0) & (before != label)
        self.label[index] = label
        self.confidence[index] = confidence.to(self.confidence)
        self.weight[index] = weight.to(self.weight)

    def into_files(self, size: int, folder: Path) -> None:
        """Keep the values of ``size`` units in memory-mapped files of a folder; files that exist keep their values.

        Raises:
            BadFileError: the folder exists, but one of its files is missing.
            OSError: the disk has no room for them.
        """
        there = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            path, like = folder / name, getattr(self, name)
            if there and not path.exists():
                raise BadFileError(f"{path}: missing; remove the checkpoint that it belongs to, to begin anew")
            if not there:
                _take_room(path, size * like.element_size())
            mapped = torch.from_file(str(path), shared=True, size=size, dtype=like.dtype)
            setattr(self, name, mapped if there else mapped.fill_(-1 if name == "label" else 0))


class Memory(Stored):
    """Pseudo-labels of the pool by every labeller. Its own attributes are those of the first labeller.

    Args:
        size: number of the pool's units.
        device: device of the tensors.
        labellers: names of the players whose pseudo-labels are stored.

    Attributes:
        of: pseudo-labels of each labeller, by the labeller's name.
        round: number of the training round, from 0.
        mapped: whether the pseudo-labels are in memory-mapped files.
        kept: the method's own tensors, by name, see `Method.remembers`.

    >>> memory = Memory(3, labellers=("student", "partner"))
    >>> memory.of["student"] is memory, len(memory.of["partner"].label)
    (True, 3)
    """

    def __init__(self, size: int, device: torch.device | str = "cpu", labellers: Sequence[str] = ("student",)) -> None:
        super().__init__(size, device)
        self.of: dict[str, Stored] = {who: Stored(size, device) for who in labellers[1:]} | {labellers[0]: self}
        self.round, self.mapped, self.kept = 0, False, Params()

    @cached_property
    def between(self) -> Params:
        """Tensors by name that a method holds between two rounds alone: they are dropped, and in no checkpoint."""
        return Params()

    @staticmethod
    def of_pool(
        size: int, device: torch.device | str, labellers: Sequence[str], between_rounds: bool, checkpoint: Path | None
    ) -> Memory:
        """Memory of a pool; of a large one it is in files, or empty unless labels are stored ``between_rounds``."""
        memory = Memory(size if size <= UNITS_IN_MEMORY else 0, device, labellers)
        if size > UNITS_IN_MEMORY and between_rounds:
            memory.keep_in_files(size, checkpoint)
        return memory

    def checksum(self) -> int | None:
        """Checksum of the labels in memory-mapped files, which a checkpoint holds; None of labels that are in it."""
        if not self.mapped:
            return None
        crc = 0
        for _, stored in sorted(self.of.items()):
            for name in NAMES:
                held = getattr(stored, name).numpy()
                for start in range(0, len(held), PIECE):
                    crc = zlib.crc32(held[start : start + PIECE].data, crc)
        return crc

    def tensors(self) -> Params:
        """Tensors that a checkpoint holds, by name: all but those in memory-mapped files."""
        stored = {} if self.mapped else {f"{w}.{n}": getattr(s, n) for w, s in self.of.items() for n in NAMES}
        return stored | {f"kept.{n}": t for n, t in self.kept.items()}

    def holding(self, tensors: Params) -> Memory:
        """The memory of the same round that holds other tensors, by the names that `tensors` gives them."""
        found = Memory(0)
        found.of = {who: found if stored is self else Stored(0) for who, stored in self.of.items()}
        for who, stored in found.of.items():
            for name in NAMES:
                setattr(stored, name, tensors[f"{who}.{name}"])
        found.round, found.kept = self.round, {n: tensors[f"kept.{n}"] for n in self.kept}
        return found

    def keep_in_files(self, size: int, checkpoint: Path | None) -> None:
        """Keep the labels of ``size`` units in memory-mapped files, for labels that change only between rounds.

        The files are no part of the checkpoint; they lie beside it. Where the checkpoint exists, the files keep their
        values. Without a checkpoint they lie in a temporary folder, which is removed with this memory.

        Args:
            size: number of the pool's units.
            checkpoint: file of the training's checkpoint; None for none.

        Raises:
            BadFileError: the checkpoint exists, but a file that belongs to it is missing.
        """
        folder = Path(tempfile.mkdtemp()) if checkpoint is None else checkpoint.with_suffix(".labels")
        if checkpoint is None:
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        elif not checkpoint.exists():
            shutil.rmtree(folder, ignore_errors=True)
        elif not folder.exists():
            raise BadFileError(f"{folder}: missing; it belongs to {checkpoint}: remove that to begin anew")
        for who, stored in self.of.items():
            stored.into_files(size, folder / who)
        self.mapped = True
