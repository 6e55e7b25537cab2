"""What every part of a fit is done with: problem, training, progress, and a store of the parts that are finished."""

from __future__ import annotations

from collections.abc import Callable
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


@runtime_checkable
class Store(Protocol):
    """Keeps finished parts of a run by name."""

    def once(self, name: str, compute: Callable[[Path | None], StoredPart]) -> StoredPart:
        """Give the part of this name, and compute it where it is not kept yet.

        Args:
            name: of the part, fit for a file name.
            compute: computes the part; it gets a file for a checkpoint of its own, or None where nothing is kept.
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
        file = self.folder / f"{name}.safetensors"
        if file.exists():
            try:
                return read_tensors(file)
            except BadFileError as e:
                says = f"{e}. It is set aside as {set_aside(file).name}, and this part of the fit is done again"
                warn(says, stacklevel=3, page="damaged")
        unfinished = self.folder / f"{name}.unfinished"
        tensors, meta = compute(unfinished)
        write_tensors(file, tensors, meta)
        unfinished.unlink(missing_ok=True)
        return tensors, meta


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
