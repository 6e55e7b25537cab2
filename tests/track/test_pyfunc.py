"""The model that MLflow gets answers as `tutelage predict` does; it holds no path and no pickle."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from tutelage.tables import DataError
from tutelage.track import pyfunc


@pytest.fixture
def finished(run, bench):
    assert run(*bench.fit("supervised"), "--no-evidence")[0] == 0
    return bench


def test_a_frame_gets_the_columns_that_predict_adds(finished, run, tmp_path):
    pyfunc.lay_out(finished.out, tmp_path / "data")
    found = pyfunc._load_pyfunc(str(tmp_path / "data"))
    given = pd.read_csv(finished.folder / "test.csv")[["text"]].assign(number=1)
    answer = found.predict(given)
    code, _ = run("predict", finished.out, "--input", finished.folder / "test.csv", "--output", tmp_path / "o.parquet")
    expected = pd.read_parquet(tmp_path / "o.parquet")
    assert code == 0 and list(answer) == ["text", "number", "predicted", "probability"]
    assert answer["predicted"].tolist() == expected["predicted"].tolist()
    assert answer["probability"].tolist() == pytest.approx(expected["probability"].tolist(), abs=1e-6)
    with pytest.raises(DataError, match="no column 'text'"):
        found.predict(given.rename(columns={"text": "words"}))


def test_what_is_laid_out_names_columns_and_no_place(finished, tmp_path):
    pyfunc.lay_out(finished.out, tmp_path / "data")
    asked = json.loads((tmp_path / "data" / "run.json").read_text())
    assert (asked["kind"], asked["kind.text"], asked["kind.label"]) == ("texts", "text", "label")
    assert str(finished.folder) not in json.dumps(asked) and str(finished.encoder) not in json.dumps(asked)
    assert not [path for path in (tmp_path / "data").rglob("*") if path.suffix in (".pkl", ".pickle", ".bin", ".pt")]


def test_columns_have_the_types_of_their_cells(finished, run, tmp_path):
    assert pyfunc.served(finished.out) and pyfunc.columns_of(finished.out) == {"text": str}
    rows = pd.DataFrame({"x_a": [0.1, 0.9, 0.2, 0.8] * 4, "x_b": [1, 2, 3, 4] * 4, "label": ["u", "v"] * 8})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    words = ("--features", "x_", "--label", "label", "--no-evidence", "--steps", 5, "--out", tmp_path / "rows")
    code, shown = run("fit", "supervised", "--train", tmp_path / "rows.csv", *words)
    assert code == 0, shown
    assert pyfunc.columns_of(tmp_path / "rows") == {"x_a": float, "x_b": float}
