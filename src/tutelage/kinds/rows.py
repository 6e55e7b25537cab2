"""Rows of numbers, each of one class: columns of a table, arrays of an npz file, or Python arrays."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tutelage.data.tables import as_label, column
from tutelage.fit.defaults import HEAD, Defaults
from tutelage.kinds.base import HIDDEN, Make, Words, silent
from tutelage.kinds.entries import Entries
from tutelage.kinds.one_class import OneClass, in_table
from tutelage.modalities.base import Reader
from tutelage.modalities.rows.reader import RowReader
from tutelage.modalities.rows.tables import read_features, read_row_table
from tutelage.model import Model
from tutelage.types import Say, Tick


@dataclass(frozen=True, kw_only=True)
class Rows(OneClass):
    """Rows of numbers, such as measurements or features of another program, each of one class.

    Args:
        features: column of lists of numbers, or what the names of a column for each feature begin with; of an npz file
            the name of an array (n, d).
        label: column of the labels, or of an npz file the name of an array (n,); an empty label means unlabelled.
        votes: column with a list of votes a row, or the common prefix of one column for each rule; -1 abstains.
        label_model: how votes become labels: one of "majority", "weighted", "data_programming".
        make: makes the user's own network, giving logits (n, c) of rows.
    """

    features: str | None = None
    make: Make | None = field(default=None, metadata=HIDDEN)

    name: ClassVar[str] = "rows"
    of_numbers: ClassVar[bool] = True
    item_columns = ("features",)
    words = Words(
        "rows", "row", column="row", taken="other numbers than uint8 of shape (n, h, w, 3) or (n, h, w) are rows"
    )

    @property
    def defaults(self) -> Defaults:
        return HEAD

    @property
    def own_network(self) -> bool:
        return self.make is not None

    def record(self, weak: bool) -> str:
        return "weak rows" if weak else "rows"

    @classmethod
    def recognises(cls, X: Any) -> bool:
        return True

    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        return RowReader(self.make)

    # reading

    def entries(
        self, path: Path, charset: str = "utf-8", say: Say = silent, must_have: bool = True, weak: bool = True
    ) -> Entries:
        table = read_row_table(path, charset, str(self.features), self.label, must_have)
        x = read_features(table, str(self.features), path, (self.label, self.votes))
        labels: list[str | None] = [None] * len(table)
        if self.label is not None and (must_have or self.label in table):
            labels = [as_label(v) for v in column(table, self.label, path)]
        votes = self._votes(table, path, must_have, self.label) if weak else None
        rows = list(range(1, len(table) + 1))
        places = in_table(path, rows, item=self.features, label=self.label, votes=self.votes)
        names = [f"{path.name}, row {row}" for row in rows]
        return Entries(x, labels, places, votes, names, table=table)

    def given(self, X: Any, argument: str = "X") -> np.ndarray:
        return np.stack([np.asarray(row) for row in X]).reshape(len(X), -1).astype(np.float32)

    def identity(self, item: Any) -> Hashable:
        return np.asarray(item).tobytes()

    def answered(
        self, model: Model, path: Path, charset: str, say: Say, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        table = read_row_table(path, charset, str(self.features))
        p = model.probabilities(read_features(table, str(self.features), path, (self.label,)), tick)
        if path.suffix.lower() == ".npz":
            table = pd.DataFrame({"row": range(1, len(table) + 1)})
        return table, {"label": [model.classes[i] for i in p.argmax(1)], "probability": p.max(1)}
