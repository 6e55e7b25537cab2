"""What adapting the encoder is worth to the labels-only model, on draws that no table uses: the prior of the choice.

python benchmarks/studies/adapting.py            # draws 100 to 102, into benchmarks/results/adapting.jsonl
python benchmarks/studies/adapting.py --records  # gains into the package, and a table
python benchmarks/studies/adapting.py --mpnet    # the larger encoder on two sets, two draws, 10 labels of each class
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from encoders import KEYS, LABELS, PROTOCOL, drawn
from lines import RESULTS, Job, fit_missing
from tutelage.adapting.how import Adapting
from tutelage.adapting.run import adapted
from tutelage.bench.protocol import data_root, read_protocol
from tutelage.bench.running import Row, read_rows
from tutelage.bench.sets import load
from tutelage.fit.build import blanks, rows_of
from tutelage.fit.fit import threads
from tutelage.fit.labels_only import Probe
from tutelage.modalities.text.lexical_reader import text_reader
from worth import SEEDS, keep

USUAL = "minilm"
"""Encoder whose gains are the prior."""

LARGER: list[Job] = [(data, "mpnet", 10, seed) for data in ("imdb", "trec") for seed in SEEDS[:2]]
"""Jobs of the larger encoder: data set, encoder, labels of each class and draw."""

ADAPTED = "adapted"
"""Name of the adapted encoder in the record."""

STRENGTH = 1e-2
"""Value of C on adapted features: once the classes are apart, it hardly matters."""


def one(name: str, encoder: str, labels: int, seed: int) -> Row:
    """Accuracy of logistic regression on the features of an adapted encoder, on items without a label."""
    cut = load(next(d for d in read_protocol(PROTOCOL).data if d.name == name), data_root(PROTOCOL))
    items, y, classes = list(cut.learn.items), cut.learn.y, cut.task.classes
    index, rest = drawn(y, classes, labels, seed)
    known, others = ([items[i] for i in part] for part in (index, rest))
    with threads(1), tempfile.TemporaryDirectory() as folder, torch.no_grad():
        with torch.enable_grad():
            reader = adapted(text_reader(encoder), known, y[index], cut.task, Adapting(), seed=seed)
        x, z = (rows_of(part) for part in reader.encoding([known, others], Path(folder)).features())
        probe = Probe(x.numpy(), y[index], blanks(torch.cat([x, z]), classes, False))
        guess = probe.network(("", STRENGTH)).eval()(z).argmax(1).numpy()
    return dict(zip(KEYS, (name, encoder, labels, seed), strict=True)) | {"score": float((guess == y[rest]).mean())}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", action="store_true", help="only write the records and print the table")
    parser.add_argument("--mpnet", action="store_true", help="adapt the larger encoder, which is no part of the prior")
    asked, draws = parser.parse_args(), SEEDS[:3]
    sets = [data.name for data in read_protocol(PROTOCOL).data]
    if not asked.records:
        jobs = LARGER if asked.mpnet else [(d, USUAL, n, s) for s in draws for d in sets for n in LABELS]
        fit_missing(one, jobs, KEYS, "adapting")
    frozen = [row for row in read_rows(RESULTS / "encoders.jsonl") if row["encoder"] == USUAL and row["seed"] in draws]
    found = [row | {"encoder": ADAPTED} for row in read_rows(RESULTS / "adapting.jsonl") if row["encoder"] == USUAL]
    keep([row | {"name": row["encoder"]} for row in (*frozen, *found)], USUAL, "adapting.json")
