"""Options of `tutelage audit` that do not depend on the kind of data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tutelage.ops.checks import in_range
from tutelage.tables import ReadAs


@dataclass(frozen=True, kw_only=True)
class AuditOptions(ReadAs):
    """Options of an audit that do not depend on the kind of data.

    Args:
        train: table with labels, some of them perhaps wrong; or a folder of folders of images, named as the classes.
            Rows are numbered from 1, without the header; images of a folder in the order of their paths.
        out: folder for suspects.csv, audit.html and audit.json; must not exist yet, or be empty.
        truth: column of labels that are known to be right, which the audit is scored by; empty where unknown.
        least: least probability of being wrong of a row that is listed, in [0, 1]; 0 lists every row. A row whose own
            label is the likeliest gets that as its suggestion.
        seed: random seed of the folds, at least 0.
        device: device of the encoder: "auto", or a name that torch knows.
        safe_cells: write an apostrophe before cells of suspects.csv that a spreadsheet would take for formulas.
    """

    train: Path
    out: Path
    truth: str | None = None
    least: float = 0.05
    seed: int = 0
    device: str = "auto"
    safe_cells: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        in_range("least", float(self.least), 0, 1)
        in_range("seed", self.seed, 0, 2**32 - 1)
        if self.of_folder and self.truth is not None:
            raise ValueError(f"--truth names a column, but {self.train} is a folder of images and has none")
        if self.train.is_dir() and self.out.resolve().is_relative_to(self.train.resolve()):
            raise ValueError(f"--out must not be in the folder of --train: {self.out} would be read as data")

    @property
    def of_folder(self) -> bool:
        """Whether ``train`` is a folder of images, not a table; a missing path without an ending counts as a folder."""
        return self.train.is_dir() or not (self.train.suffix or self.train.exists())
