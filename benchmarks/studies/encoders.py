"""What an encoder is worth to the labels-only model, on draws that no table uses: the prior of the choice by labels.

    python benchmarks/studies/encoders.py            # draws 100 to 104, into benchmarks/results/encoders.jsonl
    python benchmarks/studies/encoders.py --records  # gains into the package, and a table

Encoders that are not here (`tutelage models get mpnet`) are left out.
"""

from __future__ import annotations

import argparse
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from lines import RESULTS, fit_missing
from tutelage.bench.protocol import data_root, read_protocol
from tutelage.bench.running import Row, read_rows
from tutelage.bench.sets import load
from tutelage.data.sources import cache_folder
from tutelage.fit.build import blanks, rows_of
from tutelage.fit.fit import threads
from tutelage.fit.held_out import choose, repeated_folds
from tutelage.fit.labels_only import Probe
from tutelage.modalities.base import features
from tutelage.modalities.text.lexical_reader import encoders_there, text_reader
from worth import SCORED, SEEDS, keep

PROTOCOL = Path(__file__).parents[1] / "protocols" / "text.toml"
LABELS = (4, 10, 30)
KEYS = ("data", "encoder", "labels", "seed")


@lru_cache(maxsize=1)
def encoded(name: str, encoder: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Features of the items to learn from, (n, d), their class numbers, (n,), and the number of classes."""
    cut = load(next(d for d in read_protocol(PROTOCOL).data if d.name == name), data_root(PROTOCOL))
    items = list(cut.learn.items)
    found = features(text_reader(encoder).fitted(items), items, cache_folder() / "features")
    return rows_of(found).numpy(), cut.learn.y, cut.task.classes


def drawn(y: np.ndarray, classes: int, labels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the labelled items, so many of each class, and of others that are scored."""
    draws = np.random.default_rng(seed)
    index = np.concatenate([draws.permutation(np.flatnonzero(y == k))[:labels] for k in range(classes)])
    return index, draws.permutation(np.setdiff1d(np.arange(len(y)), index))[:SCORED]


def one(name: str, encoder: str, labels: int, seed: int) -> Row:
    """Accuracy of the labels-only model, its penalty chosen on the labels, on items without a label."""
    rows, y, classes = encoded(name, encoder)
    index, rest = drawn(y, classes, labels, seed)
    x = torch.as_tensor(rows)
    with threads(1), torch.no_grad():
        probe = Probe(rows[index], y[index], blanks(x, classes, False))
        folds = repeated_folds(y[index], 5, 1, seed)
        best, _ = choose({str(c): probe.held_out(folds, c) for c in probe.choices}, y[index])
        network = probe.network(next(c for c in probe.choices if str(c) == best))
        guess = network.eval()(x[rest]).argmax(1).numpy()
    return dict(zip(KEYS, (name, encoder, labels, seed), strict=True)) | {"score": float((guess == y[rest]).mean())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", action="store_true", help="only write the records and print the table")
    sets = [data.name for data in read_protocol(PROTOCOL).data]
    if not parser.parse_args().records:
        jobs = [(d, e, n, s) for d in sets for e in encoders_there() for n in LABELS for s in SEEDS]
        fit_missing(one, jobs, KEYS, "encoders")
    keep([row | {"name": row["encoder"]} for row in read_rows(RESULTS / "encoders.jsonl")], "minilm", "encoders.json")
