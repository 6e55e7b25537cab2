"""Words of the command on tables in a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


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
