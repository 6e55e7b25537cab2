"""A faulty input of a user, and the choices by which it is drawn."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")


class Draw:
    """Choices that draw one input.

    Args:
        rng: source of the choices: a seeded one, or one of hypothesis, which makes failing inputs smaller.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng

    def one(self, values: Sequence[T]) -> T:
        return values[self.rng.randrange(len(values))]

    def whole(self, low: int, high: int) -> int:
        return self.rng.randint(low, high)

    def chance(self, percent: int) -> bool:
        return self.rng.randrange(100) < percent

    def rarely(self, value: T, others: Sequence[T]) -> T:
        """The value, or now and then one of the others."""
        return self.one(others) if self.chance(6) else value

    def some(self, values: Iterable[T], most: int) -> list[T]:
        """At most so many of the values, each once."""
        left, taken = list(values), []
        for _ in range(self.whole(0, most)):
            if left:
                taken.append(left.pop(self.rng.randrange(len(left))))
        return taken

    def numpy(self) -> np.random.Generator:
        return np.random.default_rng(self.whole(0, 9_999))


@dataclass
class Case:
    """An input, as a user has it on disk, and what its writer knows of it.

    Attributes:
        kind: name of its kind of data.
        form: word for its format, such as "csv" or "folder".
        options: options of the kind and of reading, by name.
        content: bytes of each file by its path; None is an empty folder.
        sources: path of each source, by the option that names it.
        rows: number of items in all sources; None where the faults may add some or take some away.
        classes: names that were written as those of classes; None where the faults may change them.
        faults: words for the faults.
    """

    kind: str
    form: str
    options: dict[str, Any] = field(default_factory=dict)
    content: dict[str, bytes | None] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    rows: int | None = 0
    classes: set[str] | None = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    def fault(self, word: str) -> None:
        self.faults.append(word)

    def counts(self, rows: int | None) -> None:
        """Count the items of one more source."""
        self.rows = None if self.rows is None or rows is None else self.rows + rows

    def name(self, *classes: str) -> None:
        """Take down names of classes that are written."""
        if self.classes is not None:
            self.classes |= set(classes)

    def written(self, folder: Path) -> Mapping[str, Any]:
        """Write all files into a folder; returns all options of a fit, by name."""
        for name, data in self.content.items():
            path = folder / name
            (path if data is None else path.parent).mkdir(parents=True, exist_ok=True)
            if data is not None:
                path.write_bytes(data)
        return {name: folder / path for name, path in self.sources.items()} | self.options

    def __str__(self) -> str:
        shown = {name: data if data is None else data[:3000] for name, data in self.content.items()}
        return (
            f"{self.kind}, {self.form}, faults {self.faults}, options {self.options}, sources {self.sources}: {shown}"
        )
