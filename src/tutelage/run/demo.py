"""The demonstration: four methods on real data of which all but a few labels are hidden."""

from __future__ import annotations

import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from rich.table import Table
from scipy.stats import t as student_t

from tutelage.data import Features, sources
from tutelage.data.tables import DataError
from tutelage.files import write_json
from tutelage.fit import build, defaults
from tutelage.fit.evidence import LEVEL
from tutelage.fit.fit import fit
from tutelage.fit.recorded import recorded_prior
from tutelage.kinds.texts import TextInputs
from tutelage.methods import METHODS
from tutelage.model import Model
from tutelage.run import run as runs
from tutelage.run.options import Request
from tutelage.run.results import conclude, summarise
from tutelage.run.run import Say
from tutelage.tasks import Classification
from tutelage.types import Tick

Summary = dict[str, Any]

SHOWN = ("supervised", "self_training", "mean_teacher", "drift")
"""Methods that are run."""

REPEATS = 1
"""Of the cross-validation; half of what a fit does by default."""


def run_demo(out: Path, seeds: int, labels: int, pool: int, say: Say, tick: Tick) -> tuple[Table, str]:
    """Run every method on every seed; returns the table and what it means.

    Raises:
        FileExistsError: ``out`` holds something other than an earlier demo.
    """
    if out.exists() and any(out.iterdir()) and not (out / "demo.json").exists():
        raise FileExistsError(f"{out} exists and holds no earlier demo; choose another folder")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    write_json(out / "demo.json", {"complete": False})
    try:
        file, text = sources.get("r8")[0], True
        say(
            f"Reuters news in 8 topics (r8): {labels} labels a class are kept, the others hidden, "
            f"and {pool} of the texts sampled for the pool."
        )
    except DataError as e:
        say(f"Digits instead of texts: {e}")
        file, text = sources.get("digits")[0], False
    table = pd.read_parquet(file)
    rows = []
    for seed in range(seeds):
        tables = hide(table, labels, pool, seed)
        for name in SHOWN:
            say(f"-- seed {seed}, {name}")
            start = time.perf_counter()
            summary = (_texts if text else _digits)(out / f"{name}-seed{seed}", name, seed, tables, say, tick)
            rows.append(
                {
                    "method": name,
                    "seed": seed,
                    "reference": summary["test"]["reference_accuracy"],
                    "candidate": summary["test"]["candidate_accuracy"],
                    "returned": summary["test"]["accuracy"],
                    "used": summary["returned"] == "candidate",
                    "seconds": time.perf_counter() - start,
                }
            )
    write_json(out / "demo.json", {"complete": True, "data": file.stem, "labels_a_class": labels, "rows": rows})
    frame = pd.DataFrame(rows)
    return _table(frame), f"{_words(frame)} One report: {out / 'drift-seed0' / 'report.html'}"


def hide(table: pd.DataFrame, labels: int, pool: int, seed: int) -> dict[str, pd.DataFrame]:
    """Rows that keep their label, ``labels`` a class; at most ``pool`` others, of one sample; the test rows."""
    train = table[table.split == "train"]
    kept = train.groupby("label", group_keys=False).sample(labels, random_state=seed)
    rest = train.sample(min(pool, len(train)), random_state=0)
    rest = rest[~rest.index.isin(kept.index)]
    return {"labelled": kept, "unlabelled": rest, "test": table[table.split == "test"]}


def _texts(folder: Path, name: str, seed: int, tables: dict[str, pd.DataFrame], say: Say, tick: Tick) -> Summary:
    files = {}
    (folder.parent / "tables").mkdir(exist_ok=True)
    for part, frame in tables.items():
        files[part] = folder.parent / "tables" / f"{part}-seed{seed}.csv"
        frame[["text", "label"]].to_csv(files[part], index=False)
    request = Request(
        files["labelled"], folder, text="text", label="label",
        unlabelled=files["unlabelled"], test=files["test"], seed=seed, repeats=REPEATS,
        steps=defaults.ON_FEATURES.steps,
    )  # fmt: skip
    return runs.run(request, METHODS[name](), say, tick)


def _digits(folder: Path, name: str, seed: int, tables: dict[str, pd.DataFrame], say: Say, tick: Tick) -> Summary:
    x = {part: frame.filter(like="pixel").to_numpy(np.float32) for part, frame in tables.items()}
    y = {part: frame.label.to_numpy() for part, frame in tables.items()}
    features = {part: Features(torch.tensor(rows)) for part, rows in x.items()}
    task = Classification(10)
    data = build.Data(task, features["labelled"], y["labelled"], features["unlabelled"], y["unlabelled"])
    problem, method = build.on_features(data, per_feature=True), METHODS[name]()
    training = replace(defaults.ON_FEATURES, seed=seed)
    plan = replace(defaults.PLAN_ON_FEATURES, repeats=REPEATS)
    outcome = fit(problem, method, training, recorded_prior(name, "array"), plan, tick=tick)
    classes = [str(c) for c in range(10)]
    items = build.Items(task, list(x["labelled"]), y["labelled"], list(x["unlabelled"]), y["unlabelled"])
    inputs = TextInputs(items, classes, list(x["test"]), y["test"])
    summary = summarise("classification", inputs, outcome, training)
    conclude(folder, summary, Model(classes, outcome.network), inputs, outcome)
    return summary


def _table(rows: pd.DataFrame) -> Table:
    """Mean over the seeds, in percent."""
    table = Table("method", "labels only", "with the pool", "returned", "pool used", "seconds a fit", box=None)
    for name in SHOWN:
        mine = rows[rows.method == name]
        cells = [
            f"{100 * mine[c].mean():.1f}" + (f" ± {100 * mine[c].std():.1f}" if len(mine) > 1 else "")
            for c in ("reference", "candidate", "returned")
        ]
        table.add_row(name, *cells, f"{int(mine.used.sum())} of {len(mine)}", f"{mine.seconds.mean():.0f}")
    table.title = "Test accuracy, %: mean ± standard deviation over the seeds"
    return table


def _words(rows: pd.DataFrame) -> str:
    """What the table means, for the method that returned the best models."""
    best = rows.groupby("method").returned.mean().idxmax()
    mine = rows[rows.method == best]
    gain = 100 * (mine.returned - mine.reference)
    words = f"{best} returned the best models: {gain.mean():+.1f} points over the labels alone"
    if len(gain) > 1:
        half = student_t.ppf((1 + LEVEL) / 2, len(gain) - 1) * gain.std() / len(gain) ** 0.5
        words += (
            f" (90 % interval over {len(gain)} paired seeds {gain.mean() - half:+.1f} to {gain.mean() + half:+.1f})"
        )
    return words + "."
