"""The ledger of a run as files of columns: every pseudo-label that was learnt from, and the place of every item."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tutelage.files import FORMAT, BadFileError
from tutelage.files.errors import check_format, why
from tutelage.files.whole import write_atomically
from tutelage.fit.ledger import BY, MOST, Ledger
from tutelage.kinds.dataset import Dataset

LEDGER, PLACES = "ledger.parquet", "places.parquet"
"""Files of a run: its pseudo-labels, and the place of every row that was read. Runs of earlier versions have none."""

KEY = b"tutelage"
"""Name of the ledger's own words, as JSON, among the metadata of its file."""

ROWS_A_GROUP = 1 << 16
"""Rows of a group of rows, at most."""

SCHEMA = pa.schema(
    [
        ("training", pa.string()), ("round", pa.int32()), ("first_step", pa.int32()), ("last_step", pa.int32()),
        ("labeller", pa.string()), ("teacher", pa.string()), ("source", pa.string()), ("row", pa.int64()),
        ("file", pa.string()), ("item", pa.int64()), ("unit", pa.int32()), ("label", pa.string()),
        ("probability", pa.float32()), ("weight", pa.float32()), ("flips", pa.int32()),
    ]
)  # fmt: skip
"""Columns of the ledger: rounds and steps are counted from 1; ``item`` is a number in the pool, from 0; ``unit`` is the
number of a sentence's word, from 1, and empty where an item is one unit."""

AT = {"source": pa.string(), "row": pa.int64(), "file": pa.string(), "item": pa.int64()}
"""Columns of the places, see `Origins.table`."""


@dataclass(frozen=True)
class KeptLedger:
    """The ledger of a run and its items' places, as the bytes of their files.

    Attributes:
        ledger: bytes of LEDGER.
        places: bytes of PLACES.
    """

    ledger: bytes
    places: bytes

    @staticmethod
    def of(data: Dataset, ledgers: Sequence[Ledger]) -> KeptLedger | None:
        """The ledger of a fit; None where there is no pool, or its units are pixels.

        Args:
            data: what was learnt.
            ledgers: ledgers of its trainings on all labels.
        """
        if data.origins is None or not len(data.items.pool) or data.items.task.dense:
            return None
        places, first = data.origins.table(), data.origins.first
        unlabelled = places.slice(data.origins.labelled[1])
        classes = [str(name) for name in data.classes]
        tables = [_rows(each, classes, unlabelled, first) for each in ledgers]
        about = {
            "format": FORMAT, "classes": classes, "most_units": MOST, "probability_by": BY, "pool": len(first),
            "trainings": [_about(each) for each in ledgers],
        }  # fmt: skip
        schema = SCHEMA.with_metadata({KEY: json.dumps(about).encode()})
        return KeptLedger(_written(tables, schema), _written([places], places.schema))

    def keep(self, folder: Path) -> None:
        """Write both files into the folder of a run."""
        write_atomically(folder / LEDGER, self.ledger)
        write_atomically(folder / PLACES, self.places)

    @staticmethod
    def kept(folder: Path) -> KeptLedger | None:
        """The ledger of a run; None of a run that keeps none.

        Raises:
            BadFileError: one of its files is missing or damaged.
        """
        if not (folder / LEDGER).exists():
            return None
        if not (folder / PLACES).exists():
            raise BadFileError(f"{folder / PLACES}: missing")
        found = KeptLedger((folder / LEDGER).read_bytes(), (folder / PLACES).read_bytes())
        for name, read in ((LEDGER, found.about), (PLACES, found.check)):
            try:
                read()
            except BadFileError:
                raise
            except Exception as e:
                raise BadFileError(f"{folder / name}: not written by tutelage, or damaged ({why(e)})") from e
        return found

    def about(self) -> dict[str, Any]:
        """What the file says of itself: classes, what is followed of the pool, and the trainings.

        Raises:
            BadFileError: a newer version wrote it.
        """
        schema = _reader(self.ledger).schema_arrow
        found: dict[str, Any] = json.loads(schema.metadata[KEY])
        check_format(Path(LEDGER), found["format"])
        if schema.remove_metadata() != SCHEMA:
            raise ValueError("it has other columns")
        for name in ("classes", "trainings", "pool", "most_units", "probability_by"):
            found[name]
        return found

    def check(self) -> None:
        """Check the columns of the places.

        Raises:
            ValueError: they are others.
        """
        if dict(zip(self.at.schema.names, self.at.schema.types, strict=True)) != AT:
            raise ValueError("it has other columns")

    @cached_property
    def at(self) -> pa.Table:
        """The places of all rows that were read, see `Origins.table`."""
        return _reader(self.places).read(use_threads=False)

    def of_item(self, item: int) -> list[dict[str, Any]]:
        """Rows of the ledger about an item of the pool, in the order of time within each training.

        Args:
            item: number of the item in the pool.
        """
        found: list[dict[str, Any]] = []
        reader = _reader(self.ledger)
        for group in range(reader.num_row_groups):
            of = reader.read_row_group(group, columns=["item"], use_threads=False)["item"].to_numpy() == item
            if of.any():
                found += reader.read_row_group(group, use_threads=False).filter(pa.array(of)).to_pylist()
        return found


def _reader(data: bytes) -> Any:
    from pyarrow import parquet

    return parquet.ParquetFile(pa.BufferReader(data))


def _written(tables: Sequence[pa.Table], schema: pa.Schema) -> bytes:
    """The bytes of a file of columns with these rows."""
    from pyarrow import parquet

    out = pa.BufferOutputStream()
    words = [field.name for field in schema if field.type == pa.string()]
    steps = dict.fromkeys(("row", "item"), "DELTA_BINARY_PACKED")  # numbers that mostly grow by one
    with parquet.ParquetWriter(out, schema, compression="zstd", use_dictionary=words, column_encoding=steps) as writer:
        for table in tables:
            writer.write_table(table.cast(schema), row_group_size=ROWS_A_GROUP)
    found: bytes = out.getvalue().to_pybytes()
    return found


def _rows(ledger: Ledger, classes: Sequence[str], places: pa.Table, first: np.ndarray) -> pa.Table:
    """The rows of a training's ledger.

    Args:
        ledger: the ledger.
        classes: names of the classes.
        places: places of the unlabelled entries.
        first: number of the first of them that is of each item of the pool, (items,).
    """
    n, of, blocks = len(ledger.item), ledger.of_block, ledger.blocks
    at = places.select(["source", "row", "file"]).take(pa.array(first[ledger.item]))

    def named(names: Sequence[str], index: np.ndarray) -> pa.Array:
        return pa.array(list(names), pa.string()).take(pa.array(index))

    unit = pa.nulls(n, pa.int32()) if ledger.single else pa.array(ledger.unit.astype(np.int32) + 1)
    columns = {
        "training": named([ledger.training], np.zeros(n, dtype=np.int32)),
        "round": pa.array((blocks[of, 0] + 1).astype(np.int32)),
        "first_step": pa.array(blocks[of, 1].astype(np.int32)),
        "last_step": pa.array(blocks[of, 2].astype(np.int32)),
        "labeller": named(ledger.labellers, blocks[of, 3]),
        "teacher": named(ledger.teachers, of),
        "source": at["source"],
        "row": at["row"],
        "file": at["file"],
        "item": pa.array(ledger.item.astype(np.int64)),
        "unit": unit,
        "label": named(classes, ledger.label),
        "probability": pa.array(ledger.probability),
        "weight": pa.array(ledger.weight),
        "flips": pa.array(ledger.flips.astype(np.int32)),
    }
    return pa.table(columns, schema=SCHEMA)


def _about(ledger: Ledger) -> dict[str, Any]:
    """What the file says of a training."""
    return {
        "name": ledger.training, "method": ledger.method, "every": ledger.every, "items": ledger.items,
        "pool": ledger.pool, "units": ledger.units, "rows": len(ledger.item), "blocks": len(ledger.blocks),
        "steps": ledger.steps,
    }  # fmt: skip
