"""Rows of numbers, each of one class: columns of a table, arrays of an npz file, or Python arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from tutelage.copies import Keys, Prints, keys_of_bytes
from tutelage.data.columns import Form, evenly
from tutelage.fit.defaults import HEAD, Defaults
from tutelage.kinds.cells import is_number, mostly
from tutelage.kinds.dataset import HIDDEN, Files, Make, Words
from tutelage.kinds.entries import LEARNT, POOL, Entries, Sought, taken
from tutelage.kinds.faces import Face
from tutelage.kinds.one_class import OneClass, in_table
from tutelage.modalities.base import Reader
from tutelage.modalities.head import Head
from tutelage.modalities.rows.faults import Faults
from tutelage.modalities.rows.odd_numbers import Columns, listed, note_far, note_odd_numbers
from tutelage.modalities.rows.reader import RowReader
from tutelage.modalities.rows.tables import ALL, NPZ, feature_columns, read_features, read_row_table
from tutelage.model import Model
from tutelage.tables import PREDICTED, PROBABILITY, UNHEARD, USUAL, DataError, Notes, ReadAs, column_names
from tutelage.types import Tick

CLEARLY_FEWER = 0.9
"""Share of the rows below which the different ones among them are clearly fewer."""


LOOKED_AT = 100_000
"""Rows of a pool on disk, at most, that are looked at for what is odd about them."""


@dataclass(frozen=True, kw_only=True)
class Rows(OneClass):
    """Rows of numbers, such as measurements or features of another program, each of one class.

    Args:
        features: columns of numbers: names, prefixes, or "all" others; one column of lists of numbers; or an array
            (n, d) of an npz file.
        label: column of the labels, or an array (n,) of an npz file; empty means unlabelled.
        votes: column of lists of votes, or prefix of the rules' columns; -1 abstains.
        label_model: label model: "majority", "weighted", "data_programming"; or "fable", which reads features, too.
        teacher: prefix of columns of a teacher's probabilities, such as p_ of p_CLASS.
        teacher_label: column of a teacher's labels; empty is silent.
        teacher_confidence: column of its confidence in each of them.
        make: function that makes the user's own network, which gives logits (n, c) of rows (n, d).
    """

    features: tuple[str, ...] = ()
    make: Make | None = field(default=None, metadata=HIDDEN)
    exact: bool = field(default=False, metadata=HIDDEN)

    name: ClassVar[str] = "rows"
    of_numbers: ClassVar[bool] = True
    stores: ClassVar[bool] = True
    item_columns = ("features",)
    ordered = ("features",)
    cell: ClassVar[Mapping[str, Any]] = {"type": ["number", "string", "array"], "items": {"type": "number"}}
    hub_task = "tabular-classification"
    words = Words(
        "rows", "row", column="row", taken="other numbers than uint8 of shape (n, h, w, 3) or (n, h, w) are rows"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.features, str):
            object.__setattr__(self, "features", (self.features,))

    @property
    def defaults(self) -> Defaults:
        return HEAD

    @property
    def own_network(self) -> bool:
        return self.make is not None

    def record(self, weak: bool) -> str:
        return "weak rows" if weak else "rows"

    @classmethod
    def told_by_cells(cls, cells: Mapping[str, Sequence[Any]]) -> Sequence[str]:
        """All columns, where all hold numbers."""
        return list(cells) if all(mostly(is_number, found) for found in cells.values()) else ()

    @classmethod
    def recognises(cls, X: Any) -> bool:
        return True

    def reader(self, size: tuple[int, int] | None = None) -> Reader:
        return RowReader(self.make)

    # reading

    def settled(self, files: Files, notes: Notes = UNHEARD, others: Sequence[str] = ()) -> Self:
        if not files.train.exists():
            return self
        if files.train.suffix.lower() == NPZ:
            return replace(self, exact=True)
        columns = column_names(files.train, files.how)
        names = feature_columns(columns, self.features, files.train, [*self._of_labels(columns), *others])
        if len(names) > 1:
            notes.say(f"Features: {len(names)} columns, {listed(names)}.")
        return replace(self, features=tuple(names), exact=True)

    def columns(self) -> dict[str, str]:
        return dict.fromkeys(self.features, "feature") | super().columns()

    def note(self, train: Entries, more: Entries | None, test: Entries | None, notes: Notes) -> None:
        super().note(train, more, test, notes)
        x, names = np.asarray(train.items), list(self.features)
        if len(x) < 3 or x.ndim != 2 or not np.isfinite(x).all():
            return
        named = x.shape[1] == len(names)
        names = names if named else list(map(str, range(x.shape[1])))
        place = train.places.source or train.at("item")
        others = None
        if more is not None and np.shape(more.items)[1:] == x.shape[1:]:
            others = np.asarray(evenly(more.items, LOOKED_AT))
        note_odd_numbers(Columns(x, names, train.places.short, place, named), train.labels, notes, others)
        if more is not None and others is not None:
            pool = more.places.source or more.at("item")
            note_far(Columns(more.items, names, more.places.short, pool, named), notes)

    def again(self, **changed: Any) -> Self:
        """The kind of a finished run with some options changed: its columns of features are those of the training.

        Where the training was on arrays, its columns have no names, and those that are asked for are read.

        Raises:
            ValueError: other columns are not as many as those of the training.
        """
        names, asked = self.features, changed.pop("features", self.features)
        if len(asked) == 1 and len(names) > 1:
            (word,) = asked
            asked = names if word == ALL or all(name.startswith(word) for name in names) else tuple(word.split(","))
        if not names:  # a fit on arrays, whose columns have no names
            return replace(self, features=tuple(asked), **changed)
        if len(asked) != len(names):
            raise ValueError(
                f"--features must name {len(names)} columns in the order of the training ({listed(names)})"
            )
        return replace(self, features=tuple(asked), exact=True, **changed)

    def _read(self, table: pd.DataFrame, faults: Faults, notes: Notes) -> np.ndarray:
        """Features of a table, (n, d); NaN in rows that are left out."""
        # the names of a settled kind were checked against the training table; others may lack its columns of votes
        others = (
            [c for c in (self.label, self.group) if c is not None]
            if self.exact
            else self._of_labels([str(c) for c in table.columns])
        )
        return read_features(table, self.features, faults.path, others, self.exact, notes, faults)

    def _of_labels(self, columns: Sequence[str]) -> list[str]:
        """Those of the columns that hold labels, votes or what a teacher said."""
        labels = [c for c in columns if c in (self.label, self.teacher_label, self.teacher_confidence, self.group)]
        if self.teacher is not None:
            named = frozenset(labels)
            labels += [c for c in columns if c.startswith(self.teacher) and c not in named]
        if self.votes is None:
            return labels
        return labels + ([self.votes] if self.votes in columns else [c for c in columns if c.startswith(self.votes)])

    def entries(self, path: Path, how: ReadAs = USUAL, notes: Notes = UNHEARD, sought: Sought = LEARNT) -> Entries:
        table, rows = read_row_table(path, how, notes, self.features[0], self.label, sought.labels)
        x = self._read(table, Faults(path, rows, how.skip_bad), notes)
        if sought != POOL and len(self.features) == 1 and x.shape[1] > 1 and path.suffix.lower() != NPZ:
            notes.say(f"Features: column {self.features[0]} holds lists of {x.shape[1]} numbers.")
        votes = self._votes(table, path, sought, self.label)
        places = in_table(path, rows, item=listed(self.features), label=self.label, votes=self.votes)
        names = [f"{path.name}, row {row}" for row in rows]
        said = self.said_in(table, path, sought, notes, self.label, self.votes)
        made = Entries(x, [None] * len(table), places, votes, names, table=table, said=said)
        good = np.isfinite(x).all(1)
        cells = self.label_cells(table, path, sought, notes)
        if not good.all():
            made, cells = made.where(good), None if cells is None else taken(cells, good)
        return self.with_labels(made, cells, how, notes)

    def given(self, X: Any, argument: str = "X") -> np.ndarray:
        return np.stack([np.asarray(row) for row in X]).reshape(len(X), -1).astype(np.float32)

    def require_alike(self, train: Entries, others: Sequence[Entries]) -> None:
        width = np.shape(train.items)[1]
        for other in others:
            if np.shape(other.items)[1] != width:
                has = f"{np.shape(other.items)[1]} numbers in each row, but {width} in {train.places.source}"
                raise DataError(f"{other.at('item')}: {has}")

    def equal_by_chance(self, items: Sequence[Any]) -> bool:
        """Whether equal rows are to be expected, since features have few values: then none is a copy.

        Of P rows that are possible, n draws would give about P (1 - exp(-n / P)) different ones. Equal rows are
        expected where these are clearly fewer than n, and there are not far fewer yet.
        """
        if not len(items) or len({np.shape(item) for item in items}) > 1:  # rows of two widths are refused later
            return False
        x = np.asarray(items)
        if x.ndim != 2:
            return False
        possible = float(np.exp(min(np.log([len(np.unique(column)) for column in x.T]).sum(), 100.0)))
        different = -possible * float(np.expm1(-len(x) / possible))
        if different > CLEARLY_FEWER * len(x):
            return False
        return len(np.unique(x, axis=0)) >= different / 2

    def stored_form(self, items: Any) -> Form:
        return Form("<f4", int(np.shape(items)[1]))

    def stored_keys(self, items: Any) -> np.ndarray:
        return keys_of_bytes(np.asarray(item).tobytes() for item in items)

    def pool_keys(self, items: Sequence[Any]) -> np.ndarray:
        return self.prints(items).keys  # in 32 bits, as a pool on disk has them

    def prints(self, items: Sequence[Any], known: Prints | None = None) -> Keys:
        same = isinstance(items, np.ndarray) or len({np.shape(item) for item in items}) == 1
        return Keys.of_rows(np.asarray(items)) if same else Keys.of([np.asarray(item).tobytes() for item in items])

    def face(self, item: Any, name: str = "") -> Face:
        values = np.asarray(item).ravel().tolist()
        names = self.features if len(self.features) == len(values) else [str(i + 1) for i in range(len(values))]
        return Face(numbers={each: f"{value:g}" for each, value in zip(names, values, strict=True)}, name=name)

    def table_to_ask(self, items: Sequence[Any], frame: pd.DataFrame | None, path: Path) -> pd.DataFrame:
        x = np.asarray(items)
        if frame is not None:
            if len(self.features) == x.shape[1] and _commas(frame, self.features):
                return frame.assign(**{name: x[:, k] for k, name in enumerate(self.features)})
            return frame
        if x.ndim != 2 or len(self.features) != x.shape[1] or path.suffix.lower() == NPZ:
            raise DataError(f"{path}: rows of an array have no columns by which they could be asked for; save a table")
        return pd.DataFrame(x, columns=list(self.features))

    def answered(
        self, model: Model, path: Path, how: ReadAs, notes: Notes, tick: Tick, encoded: bool = True
    ) -> tuple[pd.DataFrame, dict[str, Any]]:
        table, rows = read_row_table(path, how, notes, self.features[0])
        x = self._read(table, Faults(path, rows, how.skip_bad), notes)
        body = model.body
        if isinstance(body, Head) and x.shape[1] != body.width:
            has = f"{x.shape[1]} numbers in each row, but the model was fitted on {body.width}"
            raise DataError(f"{path}, column {listed(self.features)}: {has}")
        good = np.isfinite(x).all(1)
        p = np.full((len(x), len(model.classes)), np.nan)
        p[good] = model.probabilities(x[good], tick)
        if path.suffix.lower() == NPZ:
            table = pd.DataFrame({"row": range(1, len(table) + 1)})
        label = [model.classes[i] if known else None for i, known in zip(p.argmax(1), good, strict=True)]
        return table, {PREDICTED: label, PROBABILITY: p.max(1)}


def _commas(frame: pd.DataFrame, names: Sequence[str]) -> bool:
    """Whether numbers are written with a comma, which other tables beside it may not do."""
    return any(isinstance(cell, str) and "," in cell for name in names for cell in frame[name])
