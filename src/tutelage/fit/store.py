"""A run's parts, each computed once: what is on disk is not computed again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tutelage import files as checkpoint
from tutelage.types import Params

Part = tuple[Params, Any]
"""Named tensors and a JSON value."""


@runtime_checkable
class Store(Protocol):
    """Gives a part by name, computing it when it is not there yet."""

    def once(self, name: str, compute: Callable[[Path | None], Part]) -> Part:
        """``compute`` gets the file in which it may keep its own checkpoint, or None."""


class Unstored:
    """Keeps nothing: every part is computed.

    >>> Unstored().once("answer", lambda path: ({}, 42))
    ({}, 42)
    """

    def once(self, name: str, compute: Callable[[Path | None], Part]) -> Part:
        return compute(None)


class FolderStore:
    """Keeps each part in a file of a folder, so that a stopped run goes on where it was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def once(self, name: str, compute: Callable[[Path | None], Part]) -> Part:
        file = self.folder / f"{name}.safetensors"
        if file.exists():
            return checkpoint.read_tensors(file)
        unfinished = self.folder / f"{name}.unfinished"
        tensors, meta = compute(unfinished)
        checkpoint.write_tensors(file, tensors, meta)
        unfinished.unlink(missing_ok=True)
        return tensors, meta
