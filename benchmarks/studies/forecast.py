"""Does a run take what it says beforehand? Time, memory and disk of runs of all kinds beside their forecasts.

    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/forecast.py
    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/forecast.py --clock processor --only rows

Each run is a process of its own with a cache of its own; "warm" runs take over the cache of the run before. Texts are
AG News's; words with tags, rows, images and masks are drawn. A forecast counts from its line on: reading the files and
importing the libraries are over by then.
`--clock processor` counts the seconds of the processor, for a machine that others use, too, but for those of "auto",
whose work is that of several processes: these are always by the clock. Writes
benchmarks/results/forecast.json: for each run what was predicted and found, in all and by stage, and of all runs the
share within 25 %.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

RESULTS = Path(__file__).parents[1] / "results" / "forecast.json"
NEAR = 0.25
"""Relative distance up to which a forecast counts as met."""

TEXTS = {"text": "text", "label": "label"}
QUICK = {"folds": 3, "repeats": 1}
RUNS: dict[str, dict[str, Any]] = {
    "texts, drift, cold": {"data": ("texts", 80, 1000), "method": "drift"} | TEXTS,
    "texts, drift, warm": {"data": ("texts", 80, 1000), "method": "drift", "warm": True} | TEXTS,
    "texts, fixmatch, cold": {"data": ("texts", 80, 500), "method": "fixmatch"} | TEXTS | QUICK,
    "texts, label_propagation, warm": {"data": ("texts", 80, 500), "method": "label_propagation", "warm": True} | TEXTS,
    "texts, supervised, cold": {"data": ("texts", 600, 0), "method": "supervised"} | TEXTS,
    "texts, auto, cold": {
        "data": ("texts", 60, 300), "method": "auto", "steps": 90, "encoder": "minilm", "adapt": False
    } | TEXTS,
    "texts, drift, lexical": {"data": ("texts", 200, 3000), "method": "drift", "encoder": "lexical"} | TEXTS | QUICK,
    "texts, drift, adapted": {"data": ("texts", 40, 200), "method": "drift", "adapt": True, "folds": 2} | TEXTS,
    "texts, drift, votes": {"data": ("votes", 80, 600), "method": "drift", "votes": "vote_", "folds": 3} | TEXTS,
    "texts, mean_teacher, whole": {
        "data": ("texts", 40, 100), "method": "mean_teacher", "finetune": True, "steps": 8, "folds": 2
    } | TEXTS,
    "sentences, drift, cold": {"data": ("sentences", 60, 400), "method": "drift"} | QUICK,
    "sentences, supervised, warm": {"data": ("sentences", 60, 400), "method": "supervised", "warm": True} | QUICK,
    "rows, drift": {"data": ("rows", 100, 2000), "method": "drift"},
    "rows, fixmatch, many": {"data": ("rows", 2000, 20_000), "method": "fixmatch"} | QUICK,
    "rows, label_propagation": {"data": ("rows", 200, 4000), "method": "label_propagation"} | QUICK,
    "rows, supervised, many": {"data": ("rows", 6000, 0), "method": "supervised"} | QUICK,
    "rows, auto": {"data": ("rows", 60, 600), "method": "auto", "steps": 90},
    "images, fixmatch": {"data": ("images", 40, 80), "method": "fixmatch", "steps": 20, "folds": 2},
    "masks, mean_teacher": {"data": ("masks", 12, 16), "method": "mean_teacher", "steps": 12, "folds": 2},
}  # fmt: skip
"""Runs by name: the data with the numbers of labelled and unlabelled items, and options of a fit."""


def texts(folder: Path, labelled: int, pool: int, votes: bool = False) -> dict[str, Any]:
    found = pd.read_parquet(Path(os.environ["TUTELAGE_DATA"]) / "ag_news" / "ag_news.parquet")
    found = found.sample(labelled + pool + 200, random_state=0)
    table = found[["text", "label"]].astype({"label": str})
    draws = np.random.default_rng(0)
    for rule in range(4 if votes else 0):
        right, speaks = draws.random(len(table)) < 0.8, draws.random(len(table)) < 0.6
        vote = np.where(right, table["label"].astype(int), draws.integers(0, 4, len(table)))
        table[f"vote_{rule}"] = np.where(speaks, vote, -1)
    return split(folder, table, labelled, pool, "label")


def rows(folder: Path, labelled: int, pool: int) -> dict[str, Any]:
    draws, count = np.random.default_rng(0), labelled + pool + 200
    y = draws.integers(0, 4, count)
    x = draws.normal(size=(count, 30)) + draws.normal(size=(4, 30))[y]
    table = pd.DataFrame(x.round(4), columns=[f"x{i}" for i in range(30)]).assign(label=[f"class{k}" for k in y])
    return split(folder, table, labelled, pool, "label") | {"features": ("x",), "label": "label", "kind": "rows"}


def sentences(folder: Path, labelled: int, pool: int) -> dict[str, Any]:
    draws = np.random.default_rng(0)
    plain, names = [f"word{i}" for i in range(300)], [f"Name{i}" for i in range(60)]

    def one() -> tuple[list[str], list[str]]:
        words, tags = [], []
        for _ in range(int(draws.integers(6, 30))):
            named = draws.random() < 0.15
            words.append(str(draws.choice(names if named else plain)))
            tags.append("B-PER" if named else "O")
        return words, tags

    for name, count, tagged in (("train", labelled, True), ("pool", pool, False), ("test", 60, True)):
        lines = [one() for _ in range(count)]
        row = [{"tokens": w} | ({"tags": t} if tagged else {}) for w, t in lines]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in row))
    paths = {"train": "train.jsonl", "unlabelled": "pool.jsonl", "test": "test.jsonl"}
    return {k: folder / v for k, v in paths.items()} | {
        "tokens": "tokens",
        "tags": "tags",
        "tags_are": "bio",
        "kind": "sentences",
    }


def picture(draws: np.random.Generator, shade: int, size: int = 32) -> Image.Image:
    noise = draws.integers(0, 60, (size, size, 3)) + shade
    return Image.fromarray(noise.clip(0, 255).astype(np.uint8))


def images(folder: Path, labelled: int, pool: int) -> dict[str, Any]:
    draws = np.random.default_rng(0)
    for i in range(labelled):
        place = folder / "train" / ("dark", "light")[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        picture(draws, (20, 150)[i % 2]).save(place / f"{i}.png")
    (folder / "pool").mkdir()
    for i in range(pool):
        picture(draws, int(draws.choice([20, 150]))).save(folder / "pool" / f"{i}.png")
    return {"train": folder / "train", "unlabelled": folder / "pool", "kind": "images"}


def masks(folder: Path, labelled: int, pool: int) -> dict[str, Any]:
    draws = np.random.default_rng(0)
    for name in ("train/images", "train/masks", "pool"):
        (folder / name).mkdir(parents=True)
    for i in range(labelled + pool):
        square = np.zeros((32, 32), dtype=np.uint8)
        left, top = draws.integers(0, 20, 2)
        square[top : top + 12, left : left + 12] = 1
        pixels = draws.integers(0, 60, (32, 32, 3)) + 120 * square[..., None]
        where = folder / ("train/images" if i < labelled else "pool")
        Image.fromarray(pixels.astype(np.uint8)).save(where / f"{i}.png")
        if i < labelled:
            Image.fromarray(square).save(folder / "train" / "masks" / f"{i}.png")
    return {"train": folder / "train", "unlabelled": folder / "pool", "kind": "masks"}


def split(folder: Path, table: pd.DataFrame, labelled: int, pool: int, label: str) -> dict[str, Any]:
    """Write tables of labelled rows, of the pool and of test rows; the paths by option."""
    table[:labelled].to_csv(folder / "train.csv", index=False)
    table[labelled + pool :].to_csv(folder / "test.csv", index=False)
    found = {"train": folder / "train.csv", "test": folder / "test.csv"}
    if pool:
        table[labelled : labelled + pool].drop(columns=label).to_csv(folder / "pool.csv", index=False)
        found["unlabelled"] = folder / "pool.csv"
    return found


MADE = {"texts": texts, "rows": rows, "sentences": sentences, "images": images, "masks": masks}


def play(name: str, place: Path, clock: str) -> dict[str, Any]:
    """Do one run in this process, and give its account."""
    warnings.simplefilter("ignore")
    from tutelage.fit.auto import Auto
    from tutelage.methods import METHODS
    from tutelage.ops import meter
    from tutelage.run.options import given
    from tutelage.run.run import run

    if clock == "processor" and RUNS[name]["method"] != "auto":
        meter.CLOCK[0] = time.process_time
    asked = {k: v for k, v in RUNS[name].items() if k not in ("data", "method", "warm")}
    what, labelled, pool = RUNS[name]["data"]
    made = texts(place, labelled, pool, votes=True) if what == "votes" else MADE[what](place, labelled, pool)
    kind, options = given(**made | asked, out=place / "run")
    method = Auto() if RUNS[name]["method"] == "auto" else METHODS[RUNS[name]["method"]]()
    cost: dict[str, Any] = run(kind, options, method, lambda line: None, lambda *now: None)["cost"]
    return cost


def ratio(predicted: float, found: float) -> float:
    return round(predicted / max(found, 1e-9), 3)


def line_of(name: str, cost: dict[str, Any]) -> dict[str, Any]:
    each = {w: ratio(cost[w]["predicted"], cost[w]["found"]) for w in ("seconds", "memory_mb", "disk_mb")}
    probe = next(s["found"] for s in cost["stages"] if s["name"] == "forecast")
    return {
        "run": name, "time": each["seconds"], "memory": each["memory_mb"], "disk": each["disk_mb"],
        "probe": ratio(probe, cost["before"] + cost["seconds"]["found"]),
        "probe_seconds": probe, "cost": cost,
    }  # fmt: skip


def summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    def share(key: str) -> float:
        return round(float(np.mean([abs(line[key] - 1) <= NEAR for line in lines])), 3)

    return {
        "runs": len(lines), "within_25_percent": {key: share(key) for key in ("time", "memory", "disk")},
        "probe_within": round(float(np.mean([p["probe"] <= 0.03 or p["probe_seconds"] <= 2 for p in lines])), 3),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clock", choices=("wall", "processor"), default="wall")
    parser.add_argument("--only", default="", help="part of the names of the runs that are done")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        sys.stdout.write("\n" + json.dumps(play(asked.one, asked.place, asked.clock)) + "\n")
        return
    lines: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as whole:
        cache = ""
        for number, name in enumerate(name for name in RUNS if asked.only in name):
            place = Path(whole) / str(number)
            place.mkdir()
            cache = cache if RUNS[name].get("warm") and cache else str(place / "cache")
            words = [sys.executable, __file__, "--one", name, "--place", str(place), "--clock", asked.clock]
            done = subprocess.run(
                words, capture_output=True, text=True, env=os.environ | {"TUTELAGE_CACHE": cache}, check=False
            )
            if done.returncode:
                print(f"{name}: failed\n{done.stderr[-2000:]}", flush=True)
                continue
            lines.append(line_of(name, json.loads(done.stdout.splitlines()[-1])))
            print({k: v for k, v in lines[-1].items() if k != "cost"}, flush=True)
            for stage in lines[-1]["cost"]["stages"]:
                print(f"    {stage['name']}: {stage['predicted']} predicted, {stage['found']} found", flush=True)
    found = {"clock": asked.clock} | summary(lines) | {"lines": lines}
    print(json.dumps({k: v for k, v in found.items() if k != "lines"}, indent=1))
    if not asked.only:
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
