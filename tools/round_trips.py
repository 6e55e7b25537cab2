"""Round trips between the command and Python, a search of settings, and the size of a pickle, on docs/data.

python tools/round_trips.py     writes benchmarks/results/round_trips.json; fails where predictions differ
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GridSearchCV

from tutelage import Classifier, LabelledFolds

ROOT = Path(__file__).resolve().parents[1]
DATA, RESULTS = ROOT / "docs" / "data", ROOT / "benchmarks" / "results" / "round_trips.json"
QUICK: dict[str, Any] = {"steps": 60, "folds": 2, "repeats": 1}
GRID = {"method__decay": [0.9, 0.99], "method__weight": [0.5, 1.0, 2.0], "steps": [30, 60]}


def command(*words: object) -> None:
    """Call the command line; it must succeed."""
    subprocess.run([sys.executable, "-m", "tutelage", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def predicted(run: Path, out: Path) -> pd.DataFrame:
    """What the command predicts of the held-out table with a run."""
    command("predict", run, "--input", DATA / "held_out.csv", "--output", out, "--text", "text", "--quiet")
    return pd.read_csv(out)


def main() -> None:
    table, new = pd.read_csv(DATA / "mine.csv"), pd.read_csv(DATA / "held_out.csv")
    texts, labels = list(table.text), [None if pd.isna(label) else label for label in table.label]
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = [f"--{option}={value}" for option, value in QUICK.items()]
        mine = ("--train", DATA / "mine.csv", "--text", "text", "--label", "label", *options)
        command("fit", "drift", *mine, "--out", folder / "first")
        model = Classifier.load(folder / "first")
        model.save(folder / "second")
        first, second = (predicted(folder / run, folder / f"{run}.csv") for run in ("first", "second"))
        python = model.predict_proba(list(new.text)).max(1)
        found["command to Python to command, rows predicted alike"] = int((first.predicted == second.predicted).sum())
        found["of"] = len(new)
        found["largest difference of probabilities"] = float(
            max(np.abs(first.probability - second.probability).max(), np.abs(first.probability - python).max())
        )
        mine_too = Classifier("drift", **QUICK).fit(texts, labels)
        mine_too.save(folder / "third")
        third = predicted(folder / "third", folder / "third.csv")
        alike = third.predicted.to_numpy() == mine_too.predict(list(new.text))
        found["Python to command, rows predicted alike"] = int(alike.sum())
        found["pickle of a text classifier, bytes"] = len(pickle.dumps(mine_too))
        again = pickle.loads(pickle.dumps(mine_too))
        found["predicted alike by the pickle"] = int((again.predict(list(new.text)) == third.predicted).sum())
    start = time.monotonic()
    asked = Classifier("mean_teacher", **QUICK, evidence=False)
    search = GridSearchCV(asked, GRID, cv=LabelledFolds(2)).fit(texts, labels)
    found |= {"settings searched": len(search.cv_results_["params"]), "seconds": round(time.monotonic() - start, 1)}
    found |= {"best": {name: float(value) for name, value in search.best_params_.items()}}
    whole = {value for name, value in found.items() if "predicted alike" in name}
    if whole != {found["of"]} or found["largest difference of probabilities"] > 1e-6:
        raise SystemExit(f"a round trip changed predictions: {found}")
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
