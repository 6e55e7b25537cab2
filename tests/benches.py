"""Words of the command on tables in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock


@dataclass(frozen=True)
class Bench:
    """A folder with the tables as csv, and the words of a quick fit on them."""

    folder: Path
    encoder: Path

    @property
    def out(self) -> Path:
        return self.folder / "out"

    def fit(self, method: str = "drift", **changes: object) -> list[object]:
        """The words of ``tutelage fit``; None leaves an option out, True makes it a flag."""
        options: dict[str, object] = {
            "train": self.folder / "train.csv", "unlabelled": self.folder / "pool.csv",
            "test": self.folder / "test.csv", "text": "text", "label": "label", "out": self.out,
            "encoder": self.encoder, "steps": 8, "folds": 2, "repeats": 1,
        }  # fmt: skip
        words: list[object] = ["fit", method]
        for name, value in (options | changes).items():
            if value is not None:
                words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [value])
        return words


def without_cost(page: bytes) -> bytes:
    """A report without the table of what the run took, which differs between equal fits."""
    return re.sub(rb'<section class="cost">.*?</section>', b"", page, flags=re.DOTALL)


@contextmanager
def stopped_after(steps: int) -> Iterator[None]:
    """Context in which Ctrl-C comes after so many steps down a gradient, of one training or of several together."""
    from tutelage.train import cohort, loop

    descend, play, left, playing = loop.descend, loop.play, [steps], [0]

    def played(*words: Any) -> Any:  # steps that are timed beforehand do not count
        playing[0] += 1
        try:
            return play(*words)
        finally:
            playing[0] -= 1

    def counted(*words: Any) -> None:
        left[0] -= playing[0]
        if left[0] < 0:
            raise KeyboardInterrupt
        descend(*words)

    with ExitStack() as stack:
        for module in (loop, cohort):
            stack.enter_context(mock.patch.object(module, "play", played))
            stack.enter_context(mock.patch.object(module, "descend", counted))
        yield
