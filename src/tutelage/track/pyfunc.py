"""The model of a run as MLflow's flavour pyfunc loads it: no pickle, and no code but this library's."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from tutelage import files, model
from tutelage.files.described import Asked
from tutelage.kinds.base import Kind
from tutelage.kinds.saved import kind_of
from tutelage.model import Model
from tutelage.tables import USUAL, Notes, write_table


def served(folder: Path) -> bool:
    """Whether a run's model answers rows of a table: those of texts, of sentences and of rows of numbers do."""
    kind = kind_of(folder)
    return kind.stores or kind.adapts


def columns_of(folder: Path) -> dict[str, type]:
    """Columns that a run's model reads with the type of their cells; empty where cells may be lists.

    Args:
        folder: folder of a run.
    """
    kind = kind_of(folder)
    if not kind.stores:
        return {}
    named = [getattr(kind, name) for name in kind.item_columns]
    columns = [column for each in named for column in ([each] if isinstance(each, str) else each or ())]
    return dict.fromkeys(columns, float if kind.of_numbers else str)


def lay_out(folder: Path, data: Path) -> None:
    """Copy what is needed to predict: the model, and the options of the kind that are no paths.

    Args:
        folder: folder of a finished run.
        data: new folder.
    """
    shutil.copytree(folder / "model", data / "model")
    asked, kind = files.read_json(folder / "run.json", Asked), kind_of(folder)
    own = {key: value for key, value in asked.items() if key == "kind" or key.startswith("kind.")}
    for key in list(own):
        name = key.removeprefix("kind.")
        if name not in (*kind.item_columns, *kind.label_columns, "kind") and isinstance(own[key], str):
            del own[key]  # paths, and what does not matter any more
    files.write_json(data / "run.json", {"format": asked["format"], "method": asked["method"]} | own)


class Predictor:
    """Predicts the rows of a frame, as `tutelage predict` does those of a table.

    Args:
        kind: kind of the data, with the names of its columns.
        found: fitted model.
    """

    def __init__(self, kind: Kind, found: Model) -> None:
        self.kind, self.model = kind, found

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.DataFrame:
        """The frame with the columns that `tutelage predict` adds.

        Args:
            model_input: rows, with the columns of the items.
            params: nothing.

        Raises:
            DataError: a column is missing, or a cell cannot be read; the message names it.
        """
        with tempfile.TemporaryDirectory(prefix="tutelage-") as scratch:
            given, answer = Path(scratch) / "input.parquet", Path(scratch) / "answer.parquet"
            write_table(pd.DataFrame(model_input), given)
            self.kind.predict(self.model, given, answer, USUAL, Notes(), lambda what, done, total: None)
            return pd.read_parquet(answer)


def _load_pyfunc(path: str) -> Predictor:
    """The model of a folder that `lay_out` made; MLflow calls this."""
    folder = Path(path)
    return Predictor(kind_of(folder), model.load(folder / "model"))
