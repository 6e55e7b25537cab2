"""What every part of a fit is done with: problem, training, progress, and a store of the parts that are finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tutelage.files import BadFileError, set_aside
from tutelage.files.tensors import read_tensors, write_tensors
from tutelage.fit.problem import Problem
from tutelage.ops.said import warn
from tutelage.train import Training
from tutelage.types import Params, Tick

StoredPart = tuple[Params, Any]
"""A finished part of a run: tensors by name, and a JSON value."""


Parts = list[StoredPart]
"""Finished parts of a run."""


@runtime_checkable
class Store(Protocol):
    """Keeps finished parts of a run by name."""

    def once(self, name: str, compute: Callable[[Path | None], StoredPart]) -> StoredPart:
        """Give the part of this name, and compute it where it is not kept yet.

        Args:
            name: of the part, fit for a file name.
            compute: computes the part; it gets a file for a checkpoint of its own, or None where nothing is kept.
        """

    def together(self, names: Sequence[str], compute: Callable[[Path | None], Sequence[StoredPart]]) -> Parts:
        """Give the parts of these names, which are computed together, in their order.

        Where one is not kept all are computed, so that the bits of a part do not depend on which parts were kept.

        Args:
            names: of the parts, each fit for a file name.
            compute: computes all parts; it gets a file for a checkpoint, or None where nothing is kept.
        """


class MemoryStore:
    """Keeps each part for as long as the store lives, so that nothing of a fit is computed twice.

    >>> store = MemoryStore()
    >>> [store.once("answer", lambda path: ({}, value)) for value in (42, 43)]
    [({}, 42), ({}, 42)]
    """

    def __init__(self) -> None:
        self._parts: dict[str, StoredPart] = {}

    def once(self, name: str, compute: Callable[[Path | None], StoredPart]) -> StoredPart:
        """Give the part of this name, and compute it the first time."""
        if name not in self._parts:
            self._parts[name] = compute(None)
        return self._parts[name]

    def together(self, names: Sequence[str], compute: Callable[[Path | None], Sequence[StoredPart]]) -> Parts:
        """Give the parts of these names, and compute all of them where one is missing."""
        if not all(name in self._parts for name in names):
            self._parts |= zip(names, compute(None), strict=True)
        return [self._parts[name] for name in names]


class FolderStore:
    """Keeps each part in a file of a folder, so that a stopped run goes on where it was.

    Args:
        folder: made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def once(self, name: str, compute: Callable[[Path | None], StoredPart]) -> StoredPart:
        """Read the part from its file, or compute it and write the file; a damaged file is set aside, and said."""
        found = self._kept(name)
        if found is None:
            unfinished = self.folder / f"{name}.unfinished"
            found = compute(unfinished)
            write_tensors(self._file(name), *found)
            unfinished.unlink(missing_ok=True)
        return found

    def together(self, names: Sequence[str], compute: Callable[[Path | None], Sequence[StoredPart]]) -> Parts:
        """Read the parts from their files; where one is missing or damaged, compute all and write all files."""
        found = [self._kept(name) for name in names]
        kept = [part for part in found if part is not None]
        if len(kept) == len(names):
            return kept
        unfinished = self.folder / f"{names[0]}-together.unfinished"
        kept = list(compute(unfinished))
        for name, part in zip(names, kept, strict=True):
            write_tensors(self._file(name), *part)
        unfinished.unlink(missing_ok=True)
        return kept

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"

    def _kept(self, name: str) -> StoredPart | None:
        """The part in its file; None where there is none, or where it was damaged and is set aside, which is said."""
        file = self._file(name)
        try:
            return read_tensors(file) if file.exists() else None
        except BadFileError as e:
            says = f"{e}. It is set aside as {set_aside(file).name}, and this part of the fit is done again"
            warn(says, stacklevel=4, page="damaged")
            return None


def silent(what: str, done: int, total: int) -> None:
    """A `Tick` that tells nobody."""


@dataclass(frozen=True)
class Setup:
    """The problem, how a network is trained on it, where finished parts are kept, and who is told of progress."""

    problem: Problem
    training: Training
    store: Store = field(default_factory=MemoryStore)
    tick: Tick = silent

    def on(self, problem: Problem) -> Setup:
        """The same with another problem."""
        return replace(self, problem=problem)

    def trained(self, **changes: Any) -> Setup:
        """The same with changes to the training, such as fewer steps.

        Raises:
            ValueError: one is out of its range.
        """
        return replace(self, training=replace(self.training, **changes))
