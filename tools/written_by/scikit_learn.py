"""scikit-learn's folders of texts and svmlight files, and arrays of NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from written_by import Form
from written_by.data import ROWS, TEXTS

TOOL = "scikit-learn, NumPy"


def version() -> str:
    return f"{version_of('scikit-learn')}, {version_of('numpy')}"


def make(folder: Path) -> Iterator[Form]:
    import numpy as np
    from sklearn.datasets import dump_svmlight_file, load_files

    labelled = [i for i, row in enumerate(TEXTS) if row[2]]
    for i in labelled:
        text, label, _ = TEXTS[i]
        (folder / "texts" / label).mkdir(parents=True, exist_ok=True)
        (folder / "texts" / label / f"{i:02d}.txt").write_text(text, encoding="utf-8")
    held = load_files(folder / "texts", encoding="utf-8")
    assert sorted(held.data) == sorted(TEXTS[i][0] for i in labelled), "not the folders that load_files reads"
    yield Form("load_files's folders", "texts", "texts", {}, items=labelled, output=".csv")
    X, y = np.array([v for v, _, _ in ROWS]), np.array([label == "high" for _, label, _ in ROWS], dtype=int)
    for ending in (".svmlight", ".libsvm", ".txt"):
        dump_svmlight_file(X, y, str(folder / f"rows{ending}"))
        options: dict[str, Any] = {"features": "a", "label": "label"}
        yield Form(f"dump_svmlight_file, {ending}", "rows", f"rows{ending}", options, refused="svmlight")
    np.savez(folder / "rows.npz", X=X, y=y)
    labels = {"low": "0", "high": "1"}
    yield Form("np.savez", "rows", "rows.npz", {"features": "X", "label": "y"}, labels=labels, whole=True)
    np.save(folder / "rows.npy", X)
    yield Form("np.save", "rows", "rows.npy", options, refused="DataFrame")
    np.savetxt(folder / "rows.csv", np.column_stack([X, y]), delimiter=",", fmt="%.9g")
    names = {"features": "a,b,c", "label": "y"}
    yield Form("np.savetxt, names said", "rows", "rows.csv", names | {"columns": "a,b,c,y"}, labels=labels, whole=True)
    yield Form("np.savetxt, no names", "rows", "rows.csv", names, refused="--columns")


def take(form: Form, file: Path) -> list[Any]:
    """Texts and predicted labels of a table, which pandas reads."""
    import pandas as pd

    return pd.read_csv(file)[["text", "label"]].to_numpy().tolist()
