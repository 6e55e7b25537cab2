"""Does the interval of the labels-only model hold chance where labels are coin tosses and items have copies?

    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/copies.py
    TUTELAGE_DATA=... OMP_NUM_THREADS=1 python benchmarks/studies/copies.py --draws 20 --kinds rows

In each draw 24 to 40 items get labels by the toss of a coin, which nothing can learn, so that the accuracy of every
model is one half. They are learnt with 0, 1, 3 or 9 copies of each. A line of benchmarks/results/copied_labels.jsonl
says of ten draws of a cell how often the 90 % interval of the labels-only model held one half, its mean width, the mean
cross-validated accuracy, and what that would have read with the rows split at random; of each draw it has the number of
items, the accuracy, and the design effect, from which intervals of another factor follow. Lines that are there are not
run again, so that a study of few draws goes on.

- exact: each row is there again; folds, evidence and resolution must be bit for bit those without copies, or the study
  stops. It is asserted in the first draws, and there is no line of it.
- near: texts in other cases and signed; images encoded anew.
- group: rows, and texts, with copies that no rule would find (numbers with noise, texts with other words), which
  `--group` names.

Items are AG News's first texts, CIFAR-10's first test images, and scikit-learn's rows of breast cancer; the features
are MiniLM's, EfficientNet-Lite0's, and the rows themselves.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_breast_cancer

from lines import RESULTS, fit_missing
from tutelage.bench.protocol import data_root, read_protocol
from tutelage.bench.running import Row
from tutelage.data.sources import cache_folder
from tutelage.fit.build import Build, Items
from tutelage.fit.defaults import HEAD, Asked
from tutelage.fit.evidence import Evidence, Prior, weigh
from tutelage.fit.held_out import Folds
from tutelage.fit.leaking import leaking
from tutelage.fit.problem import Plan, Problem
from tutelage.fit.reference import reference_model
from tutelage.fit.setup import Setup
from tutelage.kinds import KINDS
from tutelage.kinds.base import Kind
from tutelage.kinds.entries import Entries

BASE = 240
"""Number of items that the draws are from."""

BLOCK = 10
"""Number of draws of a line."""

EXACT_DRAWS = 2
"""Number of draws of a cell in which exact copies are compared with none."""

SIGNED = ("Best, Ann", "Sent from my phone", "Yours, Bo", "-- Chris, London", "Regards, Dee", "Thanks! Eve")
LEAKING_DRAWS = 3
"""Number of draws of a line in which it is measured what leaking would flatter."""


def root() -> Any:
    path = RESULTS.parent / "protocols" / "text.toml"
    read_protocol(path)
    return data_root(path)


@cache
def base(kind: str) -> Sequence[Any]:
    """The items that the draws are from."""
    if kind == "texts":
        return list(dict.fromkeys(pd.read_parquet(root() / "ag_news" / "ag_news.parquet")["text"]))[:BASE]
    if kind == "images":
        cells = pd.read_parquet(root() / "cifar10" / "test.parquet")["image"][:BASE]
        return [cell["bytes"] if isinstance(cell, dict) else cell for cell in cells]
    rows: np.ndarray = load_breast_cancer().data.astype(np.float32)
    return rows[:BASE]


def near(kind: str, item: Any, j: int, rng: np.random.Generator) -> Any:
    """The j-th copy of an item, from 1, that is nearly equal to it."""
    if kind == "texts":
        cased = (str.upper, str.lower, str.title, str.swapcase)[j % 4](item)
        return f"{cased}\n{SIGNED[j % len(SIGNED)]}" if j % 2 else f" {cased} !"
    if kind == "images":
        picture, made = Image.open(io.BytesIO(item)).convert("RGB"), io.BytesIO()
        picture.save(made, "JPEG", quality=98 - 2 * j)
        return made.getvalue()
    return (item * (1 + 0.01 * rng.normal(size=len(item)))).astype(np.float32)


def apart(kind: str, item: Any, j: int, rng: np.random.Generator) -> Any:
    """The j-th copy of an item, from 1, that no rule would find."""
    if kind != "texts":
        return near("rows", item, j, rng)
    words = item.split()
    kept = [word for word in words if rng.random() > 0.3] or words
    return " ".join([*kept, str(j)])


class Learnt:
    """The labels-only model of labelled items, and the evidence."""

    def __init__(self, kind: Kind, reader: Any, items: Any, y: Sequence[Any], group: Sequence[str | None]) -> None:
        maker: Any = kind
        entries: Entries = replace(maker.values(items, list(y)), group=group)
        self.items: Items = kind.learn(entries, None, None, True).items
        self.problem: Problem = Build(reader, (), HEAD, False, cache_folder() / "features").of(self.items).problem()
        self.plan = Plan()
        self.folds: Folds = self.problem.folds(self.plan, 0)
        training = HEAD(Asked()).training
        self.reference = reference_model(Setup(self.problem, training), self.folds, None)
        right = self.problem.scored(self.reference.honest).right
        share = float(np.mean([len(out) / len(self.problem.labelled) for _, out in self.folds]))
        self.evidence: Evidence = weigh(right, right, Prior(), share, clusters=self.problem.clusters)

    def leaking(self) -> float:
        groups = self.items.groups
        assert groups is not None
        found = leaking(self.problem, groups, self.reference.name, self.plan, 0)
        assert found is not None
        return found.leaking


def joined(items: Any, copies: list[Any]) -> Any:
    return np.concatenate([items, np.stack(copies)]) if isinstance(items, np.ndarray) and copies else [*items, *copies]


def one(kind: str, how: str, copies: int, start: int) -> Row:
    """The line of ten draws of a cell."""
    made, pool = KINDS[kind](), base(kind)
    reader = made.reader((32, 32))
    held, widths, scores, leaks, labels, effects, each = [], [], [], [], [], [], []
    change: Callable[..., Any] = near if how == "near" else apart
    for draw in range(start, start + BLOCK):
        rng = np.random.default_rng((draw, 7))
        n = int(rng.integers(24, 41))
        chosen = rng.choice(BASE, n, replace=False)
        y = rng.integers(0, 2, n)
        while min(np.bincount(y, minlength=2)) < 2:
            y = rng.integers(0, 2, n)
        items = pool[chosen] if isinstance(pool, np.ndarray) else [pool[i] for i in chosen]
        again = [change(kind, item, j + 1, rng) for j in range(copies) for item in items] if how != "exact" else []
        group = [str(i) for i in range(n)] * (copies + 1) if how == "group" else []
        found = Learnt(made, reader, joined(items, again), np.tile(y, 1 + copies * (how != "exact")), group)
        if draw < EXACT_DRAWS and how == "near" and copies:
            require_equal(made, reader, items, y, copies)
        interval, worth = found.evidence.reference, found.evidence.worth
        effect = 1.0 if worth is None else found.evidence.labels / worth
        held.append(interval.low <= 0.5 <= interval.high)
        widths.append(interval.high - interval.low)
        scores.append(interval.score)
        each.append([n, round(interval.score, 4), round(effect, 3)])
        labels.append(found.problem.labels / n)
        effects.append(effect)
        if copies and draw < start + LEAKING_DRAWS:
            leaks.append(found.leaking())
    told = [round(float(np.mean(v)), 4) for v in (held, widths, scores, labels, effects)]
    return dict(zip(("held", "width", "score", "votes", "effect"), told, strict=True)) | {
        "kind": kind, "how": how, "copies": copies, "start": start, "draws": BLOCK,
        "leaking": round(float(np.mean(leaks)), 4) if leaks else None, "each": each,
    }  # fmt: skip


def require_equal(kind: Kind, reader: Any, items: Any, y: np.ndarray, copies: int) -> None:
    """Stop the study where exact copies change anything."""
    alone = Learnt(kind, reader, items, y, [])
    rows = [item for _ in range(copies) for item in items]
    several = Learnt(kind, reader, joined(items, rows), np.tile(y, 1 + copies), [])
    if several.evidence != alone.evidence:
        raise AssertionError(f"{kind.name}: exact copies changed the evidence: {several.evidence}, {alone.evidence}")
    for (a, b), (c, d) in zip(alone.folds, several.folds, strict=True):
        if not (np.array_equal(a, c) and np.array_equal(b, d)):
            raise AssertionError(f"{kind.name}: exact copies changed the folds")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--kinds", nargs="+", default=["texts", "images", "rows"])
    parser.add_argument("--copies", nargs="+", type=int, default=[0, 1, 3, 9])
    asked = parser.parse_args()
    ways = {"texts": ("near", "group"), "images": ("near",), "rows": ("group",)}
    cells = [(kind, how, copies) for copies in asked.copies for kind in asked.kinds for how in ways[kind]]
    cells = [cell for cell in cells if cell[2] or cell[1] == ways[cell[0]][0]]
    jobs: list[Any] = [(*cell, start) for start in range(0, asked.draws, BLOCK) for cell in cells]
    fit_missing(one, jobs, ("kind", "how", "copies", "start"), "copied_labels")
