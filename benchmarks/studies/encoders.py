"""What an encoder is worth to the labels-only model, on draws that no table uses: the prior of the choice by labels.

    python benchmarks/studies/encoders.py            # draws 100 to 104, into benchmarks/results/encoders.jsonl
    python benchmarks/studies/encoders.py --records  # means and spreads into the package, and a table

Labels are drawn from the part of each set to learn from, and the score is on other items of that part, so that the
parts to score on stay unseen. Encoders that are not here (`tutelage models get mpnet`) are left out.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from tutelage.bench.protocol import data_root, read_protocol
from tutelage.bench.sets import load
from tutelage.data.sources import cache_folder
from tutelage.fit.build import blanks, rows_of
from tutelage.fit.fit import threads
from tutelage.fit.held_out import choose, repeated_folds
from tutelage.fit.labels_only import Probe
from tutelage.modalities.base import features
from tutelage.modalities.text.lexical_reader import encoders_there, text_reader

PROTOCOL = Path("benchmarks/protocols/text.toml")
LINES = Path("benchmarks/results/encoders.jsonl")
RECORDS = Path("src/tutelage/fit/records/encoders.json")
LABELS, SEEDS, SCORED = (4, 10, 30), range(100, 105), 1500


def score(rows: np.ndarray, y: np.ndarray, classes: int, labels: int, seed: int) -> float:
    """Accuracy of the labels-only model, its penalty chosen on the labels, on items without a label."""
    import torch

    draws = np.random.default_rng(seed)
    index = np.concatenate([draws.permutation(np.flatnonzero(y == k))[:labels] for k in range(classes)])
    rest = draws.permutation(np.setdiff1d(np.arange(len(y)), index))[:SCORED]
    x = torch.as_tensor(rows)
    probe = Probe(rows[index], y[index], blanks(x, classes, False))
    folds = repeated_folds(y[index], 5, 1, seed)
    tried = {str(c): probe.held_out(folds, c) for c in probe.choices}
    name, _ = choose(tried, y[index])
    best = next(c for c in probe.choices if str(c) == name)
    with torch.no_grad():
        guess = probe.network(best).eval()(x[rest]).argmax(1).numpy()
    return float((guess == y[rest]).mean())


def measure() -> None:
    """Add the lines that are missing."""
    root = data_root(PROTOCOL)
    done = {tuple(line[k] for k in ("data", "encoder", "labels", "seed")) for line in lines()}
    for data in read_protocol(PROTOCOL).data:
        cut = load(data, root)
        items, y = list(cut.learn.items), cut.learn.y
        for name in encoders_there():
            todo = [(n, s) for n in LABELS for s in SEEDS if (data.name, name, n, s) not in done]
            if not todo:
                continue
            reader = text_reader(name).fitted(items)
            rows = rows_of(features(reader, items, cache_folder() / "features")).numpy()
            with threads(1), open(LINES, "a") as file:
                for labels, seed in todo:
                    found = score(rows, y, cut.task.classes, labels, seed)
                    line = {"data": data.name, "encoder": reader.says, "labels": labels, "seed": seed, "score": found}
                    file.write(json.dumps(line | {"encoder": name}) + "\n")
                    file.flush()
            print(data.name, name, flush=True)


def lines() -> list[dict]:
    return [json.loads(line) for line in LINES.read_text().splitlines()] if LINES.exists() else []


def record() -> None:
    """Write the means and spreads of the gains over the usual encoder, by number of labels, and print a table."""
    found = {(r["data"], r["encoder"], r["labels"], r["seed"]): r["score"] for r in lines()}
    names = list(dict.fromkeys(r["encoder"] for r in lines()))
    every = [(name, n, k) for name in names for n in LABELS for k in SEEDS]
    sets = [s for s in dict.fromkeys(r["data"] for r in lines()) if all((s, *line) in found for line in every)]
    records: dict[str, dict[str, dict[str, float]]] = {}
    print("| encoder | labels | " + " | ".join(sets) + " | gain |\n|---|---|" + "---|" * (len(sets) + 1))
    for name in names:
        for labels in LABELS:
            scores = [np.mean([found[s, name, labels, k] for k in SEEDS]) for s in sets]
            gains = [np.mean([found[s, name, labels, k] - found[s, names[0], labels, k] for k in SEEDS]) for s in sets]
            mean, spread = float(np.mean(gains)), float(np.std(gains, ddof=1))
            cells = " | ".join(f"{100 * v:.1f}" for v in scores)
            print(f"| {name} | {labels} | {cells} | {100 * mean:+.1f} ± {100 * spread:.1f} |")
            if name != names[0]:
                prior = {"mean": round(mean, 4), "spread": round(max(spread, 0.02), 4), "runs": len(sets)}
                records.setdefault(name, {})[str(labels)] = prior
    RECORDS.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", action="store_true")
    if not parser.parse_args().records:
        measure()
    record()
